"""The stages that evaluate: on two devices, to compare them, and timed."""

from gapnet.data.index import cores
from gpu_check.bench import CHECKOUT, EXACT, Bench, Measures
from gpu_check.child_process import StageFailedError
from gpu_check.compare import compare_metrics, compare_predictions

SCORES_OFF = 0.001  # of a probability
MOST_THREADS = 8  # a container may show more cores than it may use
BOXES_OFF = 0.01  # share of all boxes that may be off by more than a pixel


def compare_devices(bench: Bench) -> Measures:
    """Evaluate a checkpoint on the GPU, without TF32, and on the CPU, and compare all of it."""
    run, places = bench.need_run(), {"evaluated": bench.accelerator, "evaluated-on-cpu": "cpu"}
    for folder, accelerator in places.items():
        bench.run(
            *(str(CHECKOUT / "evaluate.py"), f"run={run.name}", f"folder={folder}"),
            *(f"trainer.accelerator={accelerator}", "trainer.precision=32-true"),
            *(f"loader.limit={bench.sizes.evaluated}", "report.images=4"),
            env={**EXACT, "OMP_NUM_THREADS": str(min(MOST_THREADS, cores()))},
        )
    found = compare_predictions(*(bench.work / folder for folder in places))
    unequal = compare_metrics(*(bench.work / folder for folder in places))
    score, off, boxes = (found[name] for name in ("largest_score_off", "boxes_off", "boxes"))
    told = (
        f"scores off by {score:.1e} (allowed: {SCORES_OFF:g}), {off:,} of {boxes:,} boxes by more "
        f"than a pixel (allowed: {BOXES_OFF:.0%})"
    )
    if unequal:
        raise StageFailedError(f"metrics.json differs in {', '.join(unequal)}; {told}")
    if score > SCORES_OFF or off > BOXES_OFF * boxes:
        raise StageFailedError(told)
    return {
        **found,
        "allowed_score_off": SCORES_OFF,
        "allowed_share_of_boxes": BOXES_OFF,
        "summary": f"metrics.json is equal, {told}",
    }


def time_predicting(bench: Bench) -> Measures:
    """Time the predict half of an evaluation, and the network alone."""
    measures = bench.time_part("predict", run=str(bench.need_run()))
    rates = (
        f"{timed['images_per_second']:,.0f} images/s in {name}" for name, timed in measures.items()
    )
    return {"precisions": measures, "summary": ", ".join(rates)}
