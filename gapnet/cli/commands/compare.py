"""Compare two runs image by image."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from gapnet.errors import GapnetError
from gapnet.runs.layout import VERDICTS
from gapnet.system.files import atomic_file
from gapnet.system.output import print_table, say
from gapnet.system.value_checks import whole_number
from gapnet.text.spreadsheet import write_rows

if TYPE_CHECKING:
    from gapnet.evaluation.compare import Difference

SHOWN = 5  # images that are printed per metric and run


def complete(arguments: list[str]) -> list[str]:
    """Turn the two run folders, RUN_A RUN_B, into a=RUN_A b=RUN_B."""
    runs = [argument for argument in arguments if _is_run(argument)]
    quoted = [run.replace("'", "\\'") for run in runs]
    named = [f"{name}='{run}'" for name, run in zip("ab", quoted, strict=False)]
    if len(runs) > len("ab"):
        raise GapnetError(f"{' '.join(runs)}: must be two runs, not {len(runs)}")
    return [*named, *(argument for argument in arguments if argument not in runs)]


def _is_run(argument: str) -> bool:
    """Return whether an argument is a folder, not a flag or KEY=VALUE."""
    return not argument.startswith("-") and ("=" not in argument or Path(argument).is_dir())


def task(cfg: DictConfig) -> None:
    """Compare two runs, and print the metrics that differ."""
    from gapnet.evaluation.compare import compare_verdicts
    from gapnet.report.tables import difference_table

    for name in "ab":
        if cfg[name] is None:
            raise GapnetError(f"{name}=null: name two run folders: gapnet compare RUN_A RUN_B")
    whole_number("resamples", cfg.resamples, least=1)
    whole_number("seed", cfg.seed)
    a, b = Path(cfg.a) / VERDICTS, Path(cfg.b) / VERDICTS
    differences = compare_verdicts(a, b, resamples=cfg.resamples, seed=cfg.seed)
    print_table(difference_table(differences, f"a: {cfg.a}   b: {cfg.b}"))
    _print_disagreements(differences)
    if cfg.to is not None:
        _write(differences, Path(cfg.to))


def _print_disagreements(differences: "Sequence[Difference]") -> None:
    for difference in differences:
        for run, ids in zip("ab", (difference.only_a, difference.only_b), strict=True):
            if ids and "localization_error/" not in difference.metric:
                say(f"{difference.metric}: only {run} is right: {_first_ids(ids)}")


def _first_ids(ids: Sequence[str]) -> str:
    text = ", ".join(ids[:SHOWN])
    return text + f", and {len(ids) - SHOWN} more" * (len(ids) > SHOWN)


def _rows(differences: "Sequence[Difference]") -> Iterator[tuple[str, str, str]]:
    """Yield the rows of the CSV file."""
    yield "figure", "image", "right"
    for difference in differences:
        for run, image_ids in (("a", difference.only_a), ("b", difference.only_b)):
            yield from ((difference.metric, image_id, run) for image_id in image_ids)


def _write(differences: "Sequence[Difference]", path: Path) -> None:
    try:
        with (
            atomic_file(path) as unfinished,
            unfinished.open("w", newline="", encoding="utf-8") as file,
        ):
            write_rows(file, _rows(differences))
    except OSError as error:
        raise GapnetError(f"to={path}: cannot be written ({error.strerror})") from error
