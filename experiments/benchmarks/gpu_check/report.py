"""What `gpu.py` measured, as Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gpu_check.bench import OK

Outcome = Mapping[str, Any]
MISSING = "-"
REHEARSED = "A rehearsal on the CPU, in miniature: its numbers mean nothing."

PREDICTING = (
    "Predicting is all of it: input, network, class maps, boxes at 100 thresholds. In 32-true, "
    "convs take TF32, as PyTorch has it."
)


def markdown(results: Outcome) -> str:
    """Write the results as tables under the name of the device."""
    parts = [
        _first_line(results),
        f"## {results['device']['name']}",
        REHEARSED if results["rehearsal"] else "",
        _facts(results),
        _verdicts(results["stages"]),
        _trainings(results["stages"]),
        _explain(results["sizes"]),
        _predictions(results["stages"]),
        PREDICTING,
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _first_line(results: Outcome) -> str:
    data = results["sizes"]
    return (
        "Measured on the stand-in data set, which `data=shapes` draws: "
        f"{data['side']} x {data['side']} pixels, {data['classes']} classes, no photographs."
    )


def _facts(results: Outcome) -> str:
    device, took = results["device"], f"{results['seconds']:.0f} of {60 * results['minutes']:.0f} s"
    hardware = [
        f"{device['memory_gib']} GiB" if "memory_gib" in device else "",
        f"driver {device['driver']}" if device.get("driver") else "",
        f"CUDA {device['cuda']}, cuDNN {device['cudnn']}" if device["cuda"] else "",
        f"{device['cores']} CPU cores",
    ]
    packages = [f"{name} {version}" for name, version in device["packages"].items() if version]
    return "\n".join(
        [
            f"- {', '.join(filter(None, hardware))}",
            f"- Python {device['python']}, {', '.join(packages)}",
            f"- `{results['command']}` at commit {results['commit']}: {took}",
        ]
    )


def _verdicts(stages: Mapping[str, Outcome]) -> str:
    rows = [
        (name, stage["status"], _number(stage.get("seconds"), 0), stage["summary"])
        for name, stage in stages.items()
    ]
    return _table(("stage", "verdict", "seconds", ""), rows)


def _trainings(stages: Mapping[str, Outcome]) -> str:
    rows = [
        (
            stage["precision"],
            "yes" if stage["compiled"] else "no",
            "yes" if stage["deterministic"] else "no",
            _number(stage["images_per_second"], 0),
            _number(stage["peak_gib"], 2),
            _number(stage["first_step_seconds"], 1),
            f"{stage['first_loss']:.2f} to {stage['last_loss']:.2f}",
        )
        for stage in stages.values()
        if stage["status"] == OK and "compiled" in stage
    ]
    how, much = ("training", "compiled", "deterministic"), ("images/s", "peak GiB")
    return _table((*how, *much, "first step, s", "loss"), rows)


def _explain(sizes: Outcome) -> str:
    return (
        f"Batches of {sizes['batch']}, read by {sizes['workers']} workers. Timed are the epochs "
        f"after the first, each without its first {sizes['skip']} batches, which were read ahead."
    )


def _predictions(stages: Mapping[str, Outcome]) -> str:
    rows = [
        (
            precision,
            _number(timed["images_per_second"], 0),
            _number(timed["peak_gib"], 2),
            _number(timed["network_images_per_second"], 0),
            _number(timed["network_peak_gib"], 2),
        )
        for precision, timed in stages.get("predict", {}).get("precisions", {}).items()
    ]
    head = ("predicting", "images/s", "peak GiB", "network alone, images/s", "peak GiB")
    return _table(head, rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; none without rows."""
    lines = [f"| {' | '.join(_plain(cell) for cell in row)} |" for row in rows]
    rule = f"|{'---|' * len(head)}"
    return "\n".join([f"| {' | '.join(head)} |", rule, *lines]) if lines else ""


def _plain(cell: str) -> str:
    """Keep what would end a cell out of it."""
    return " ".join(cell.split()).replace("|", "/")


def _number(value: float | None, digits: int) -> str:
    return MISSING if value is None else f"{value:,.{digits}f}"
