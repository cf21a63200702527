"""The stages of `gpu.py`, in their order."""

from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

from gapnet.data.index import cores
from gpu_check.bench import CHECKOUT, Bench, Measures, Stage
from gpu_check.child_process import StageFailedError, StageSkippedError, TimeUpError
from gpu_check.evaluation import compare_devices, time_predicting
from gpu_check.sizes import Sizes
from gpu_check.training import TimedTraining, interrupt

TESTS, MARK = CHECKOUT / "tests", "pytest.mark.gpu"
MOST_TESTERS = 6  # processes that share the GPU


def run_tests(bench: Bench) -> Measures:
    """Run the tests that need a GPU, in several processes where pytest-xdist is installed."""
    if find_spec("pytest") is None:
        raise StageSkippedError("pytest is not installed: pip install '.[dev]'")
    shared = ["-n", str(min(MOST_TESTERS, cores()))] if find_spec("xdist") else []
    outcome = bench.work / "tests.xml"
    told = ["-m", "pytest", "-v", "-m", "gpu", "-p", "no:cacheprovider", f"--junitxml={outcome}"]
    try:
        bench.run(*told, *shared, *_marked_files(), cwd=CHECKOUT)
    except TimeUpError:
        raise
    except StageFailedError as error:
        raise StageFailedError(f"{error}; {', '.join(_failed_tests(outcome))}") from error
    (suite,) = ElementTree.parse(outcome).getroot().iter("testsuite")
    count, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    if count == skipped and bench.accelerator == "gpu":
        raise StageFailedError(f"all {count} tests were skipped")
    summary = f"{count - skipped} passed, {skipped} skipped"
    return {"passed": count - skipped, "skipped": skipped, "summary": summary}


def _marked_files() -> list[str]:
    """List the files with such tests; to collect all others takes longer than to run these."""
    return [str(path) for path in sorted(TESTS.rglob("test_*.py")) if MARK in path.read_text()]


def _failed_tests(outcome: Path) -> list[str]:
    if not outcome.is_file():
        return ["no outcome was written"]
    cases = ElementTree.parse(outcome).getroot().iter("testcase")
    failed = [case for case in cases if {"failure", "error"} & {part.tag for part in case}]
    return [str(case.get("name")) for case in failed]


def draw(bench: Bench) -> Measures:
    """Draw the data set."""
    measures = bench.time_part("draw")
    rate, count = measures["images_per_second"], measures["cores"]
    return {**measures, "summary": f"{measures['images']:,} images, {rate:,.0f}/s on {count} cores"}


def time_input(bench: Bench) -> Measures:
    """Time the loader of a training, without a network."""
    bench.need_data()
    measures, workers = bench.time_part("input"), bench.sizes.workers
    rate = measures["images_per_second"]
    return {**measures, "workers": workers, "summary": f"{rate:,.0f} images/s, {workers} workers"}


def stages(sizes: Sizes) -> list[Stage]:
    """List the stages; what takes long and tells least comes last."""
    full, half = sizes.precisions
    return [
        Stage("draw", f"a data set of {sizes.side}-pixel images", draw, most=90, least=20),
        Stage("input", "reading images, without a network", time_input, most=60, least=15),
        _timed(TimedTraining(full)),
        _timed(TimedTraining(half)),
        Stage("interrupt", "a training killed and resumed", interrupt, most=120, least=45),
        Stage("devices", "an evaluation on GPU and CPU", compare_devices, most=120, least=30),
        Stage("predict", "prediction, and the network alone", time_predicting, most=90, least=25),
        _timed(TimedTraining(full, deterministic=False)),
        Stage("tests", "the tests marked gpu", run_tests, most=180, least=60),
        *(_timed(TimedTraining(precision, compiled=True)) for precision in sizes.compiled),
    ]


def _timed(training: TimedTraining) -> Stage:
    """Make a stage of a training; torch takes its time to compile."""
    kind = ["compiled"] * training.compiled + ["not-deterministic"] * (not training.deterministic)
    name = "-".join(["train", training.precision, *kind])
    most, least = (180, 45) if training.compiled else (90, 25)
    return Stage(name, "a timed training", training, most=most, least=least)
