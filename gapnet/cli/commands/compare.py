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

SHOWN = 5  # images of each disagreement


def complete(arguments: list[str]) -> list[str]:
    """Take the two bare arguments as the runs."""
    told = [each for each in arguments if not each.startswith("-")]
    bare = [each for each in told if "=" not in each or Path(each).is_dir()]
    quoted = [each.replace("'", "\\'") for each in bare]
    named = [f"{name}='{run}'" for name, run in zip("ab", quoted, strict=False)]
    if len(bare) > len("ab"):
        raise GapnetError(f"{len(bare)} runs: two at a time are compared")
    return [*named, *(each for each in arguments if each not in bare)]


def task(cfg: DictConfig) -> None:
    """Compare two runs."""
    from gapnet.evaluation.compare import compare_verdicts
    from gapnet.report.tables import difference_table

    if cfg.a is None or cfg.b is None:
        raise GapnetError("nothing to compare: name two run folders, gapnet compare RUN_A RUN_B")
    whole_number("resamples", cfg.resamples, least=1)
    whole_number("seed", cfg.seed)
    a, b = Path(cfg.a) / VERDICTS, Path(cfg.b) / VERDICTS
    differences = compare_verdicts(a, b, resamples=cfg.resamples, seed=cfg.seed)
    print_table(difference_table(differences, f"a: {cfg.a}   b: {cfg.b}"))
    _print_disagreements(differences)
    if cfg.to is not None:
        _write(differences, Path(cfg.to))


def _print_disagreements(differences: "Sequence[Difference]") -> None:
    for each in differences:
        for run, ids in zip("ab", (each.only_a, each.only_b), strict=True):
            if ids and "localization_error/" not in each.metric:
                say(f"{each.metric}: only {run} is right: {_some(ids)}")


def _some(ids: Sequence[str]) -> str:
    told = ", ".join(ids[:SHOWN])
    return told + f", and {len(ids) - SHOWN} more" * (len(ids) > SHOWN)


def _rows(differences: "Sequence[Difference]") -> Iterator[tuple[str, str, str]]:
    yield "figure", "image", "right"
    for each in differences:
        for run, images in (("a", each.only_a), ("b", each.only_b)):
            yield from ((each.metric, image, run) for image in images)


def _write(differences: "Sequence[Difference]", path: Path) -> None:
    try:
        with (
            atomic_file(path) as unfinished,
            unfinished.open("w", newline="", encoding="utf-8") as file,
        ):
            write_rows(file, _rows(differences))
    except OSError as error:
        raise GapnetError(f"to={path}: cannot be written ({error.strerror})") from error
