"""Compare two runs image by image."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from gapnet.errors import GapnetError
from gapnet.runs.layout import VERDICTS
from gapnet.system.files import atomic_file
from gapnet.system.output import print_table, say
from gapnet.system.value_checks import true_or_false, whole_number
from gapnet.text.spreadsheet import write_rows

if TYPE_CHECKING:
    from gapnet.evaluation.compare import Difference

MOST = 8  # rows, unless all metrics are asked for


def complete(arguments: list[str]) -> list[str]:
    """Turn the two run folders, RUN_A RUN_B, into a=RUN_A b=RUN_B."""
    runs = [argument for argument in arguments if is_run(argument)]
    quoted = [run.replace("'", "\\'") for run in runs]
    named = [f"{name}='{run}'" for name, run in zip("ab", quoted, strict=False)]
    if len(runs) > len("ab"):
        raise GapnetError(f"{' '.join(runs)}: must be two runs, not {len(runs)}")
    return [*named, *(argument for argument in arguments if argument not in runs)]


def is_run(argument: str) -> bool:
    """Return whether an argument is a folder, not a flag or KEY=VALUE."""
    return not argument.startswith("-") and ("=" not in argument or Path(argument).is_dir())


def task(cfg: DictConfig) -> None:
    """Compare two runs, and print the metrics that differ."""
    from gapnet.evaluation.compare import compare_verdicts

    for name in "ab":
        if cfg[name] is None:
            raise GapnetError(f"{name}=null: name two run folders: gapnet compare RUN_A RUN_B")
    whole_number("resamples", cfg.resamples, least=1)
    whole_number("seed", cfg.seed)
    true_or_false("all_metrics", cfg.all_metrics)
    a, b = Path(cfg.a) / VERDICTS, Path(cfg.b) / VERDICTS
    differences = compare_verdicts(a, b, resamples=cfg.resamples, seed=cfg.seed)
    if cfg.to is not None:
        _write(differences, Path(cfg.to))
    _show(differences, cfg)


def _show(differences: "Sequence[Difference]", cfg: DictConfig) -> None:
    """Print a table for each protocol, the main one last; by default only the main one."""
    from gapnet.report.console_tables import difference_table

    by_protocol: dict[str, list[Difference]] = {}
    for difference in differences:
        by_protocol.setdefault(difference.metric.partition("/")[0], []).append(difference)
    protocols = list(by_protocol) if cfg.all_metrics else list(by_protocol)[:1]
    shown = {name: _chosen(by_protocol[name], cfg) for name in reversed(protocols)}
    say(f"a: {cfg.a}")
    say(f"b: {cfg.b}")
    for rows in shown.values():
        _say_disagreements(rows)
    for name, rows in shown.items():
        print_table(difference_table(rows, f"Errors of a and b, protocol {name}"))
    left_out = len(differences) - sum(map(len, shown.values()))
    if left_out:
        say(f"{left_out} further metrics: all_metrics=true")
    say(f"images that only one run has right: {cfg.to or 'to=FILE lists them'}")


def _chosen(rows: "Sequence[Difference]", cfg: DictConfig) -> "Sequence[Difference]":
    """Return the rows that are shown."""
    from gapnet.report.headline import is_headline

    if cfg.all_metrics:
        return rows
    return ([row for row in rows if is_headline(row.metric)] or rows)[:MOST]


def _say_disagreements(rows: "Sequence[Difference]") -> None:
    from gapnet.report.headline import column_name

    for row in rows:
        if row.only_a or row.only_b:
            counts = f"only a is right for {len(row.only_a):,} images, only b for"
            say(f"{column_name(row.metric)}: {counts} {len(row.only_b):,}")


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
