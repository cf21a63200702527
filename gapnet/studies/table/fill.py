"""Fill a table of the paper, or list the commands that would fill it."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from hydra import compose
from omegaconf import DictConfig, OmegaConf

from gapnet.config.build import build
from gapnet.config.overrides import quoted
from gapnet.report.paper_table import Sheet, comma_separated, latex, markdown
from gapnet.runs.folder import short
from gapnet.runs.layout import SUBMISSION
from gapnet.studies.table.arguments import check_table_settings
from gapnet.studies.table.collect import collect_sheet, judge_claims
from gapnet.studies.table.plan import TablePlan
from gapnet.studies.table.run_commands import as_typed, run_commands
from gapnet.studies.table.run_together import run_together
from gapnet.studies.table.table_command import TableCommand
from gapnet.studies.table.workload import workload
from gapnet.system.files import write_file
from gapnet.system.folders import check_inside, check_length

TABLES = "tables"  # the folder of tables in RUNS
OUTPUTS = "commands"  # its folder for what commands print that run at the same time


class FilledTable(NamedTuple):
    """What is printed at the end: lines, and an error if commands failed."""

    lines: list[str]
    error: str | None


def fill_table(cfg: DictConfig) -> FilledTable:
    """Run the commands of a table that are not done, and write the table."""
    folder = _output_folder(cfg)
    plan = _plan(cfg)
    cells = plan.cells()
    commands = plan.commands(cells)
    _check_data(commands)
    failures = _run(cfg, commands)
    written = _write(cfg, collect_sheet(plan, cells), judge_claims(cfg, cells), folder)
    return FilledTable([*_submissions(plan), *written], _error(failures, len(commands)))


def _run(cfg: DictConfig, commands: Sequence[TableCommand]) -> list[str]:
    """Run the commands that are not done; return those that failed or had no time."""
    if cfg.parallel > 1:
        outputs = Path(cfg.runs) / TABLES / OUTPUTS
        seconds = None if cfg.minutes is None else 60 * cfg.minutes
        left = run_together(commands, outputs, parallel=cfg.parallel, seconds=seconds)
        if left and cfg.minutes is not None:
            return [as_typed(command) for command in left]
    return run_commands(commands)


def describe_commands(cfg: DictConfig) -> Iterator[str]:
    """Yield the commands that fill a table, with the number of images they need."""
    _output_folder(cfg)
    plan = _plan(cfg)
    for command in plan.commands(plan.cells()):
        if command.done:
            yield f"# is there: {as_typed(command)}"
            continue
        if command.composed_by is not None:
            yield f"# {workload(command.name, _compose(command.composed_by))}"
        yield as_typed(command)


def _output_folder(cfg: DictConfig) -> Path:
    """Check the settings, and return the folder that the table is written to."""
    check_table_settings(cfg)
    folder = Path(cfg.to) if cfg.to else Path(cfg.runs) / TABLES
    check_length(folder.absolute())
    check_inside(folder, Path(cfg.runs))
    return folder


def _plan(cfg: DictConfig) -> TablePlan:
    passed_on = list(map(str, OmegaConf.to_container(cfg.passed_on, resolve=False) or ()))
    passed_on += [f"imports=[{','.join(map(quoted, cfg.imports))}]"] if cfg.imports else []
    return TablePlan(cfg, passed_on, _compose)


@cache
def _compose(overrides: tuple[str, ...]) -> DictConfig:
    """Compose the configuration of a training."""
    return compose("train", list(overrides))


def _check_data(commands: Sequence[TableCommand]) -> None:
    """Open the data set, so that its errors show before the first command runs."""
    for command in commands:
        if not command.done and command.composed_by is not None:
            build(_compose(command.composed_by), "data")
            return


def _write(cfg: DictConfig, sheet: Sheet, judged: Sequence[str], folder: Path) -> list[str]:
    """Write the table in all formats; return its text in lines."""
    of_whom = "What the paper claims" if cfg.table.get("number") else "Claims"
    claims = [f"{of_whom}, by these metrics:", "", *judged, ""] if judged else []
    text = "\n".join([markdown(sheet), *claims])
    name = cfg.table.get("name") or f"table{cfg.table.number}"
    folder.mkdir(parents=True, exist_ok=True)
    formats = {"md": text, "tex": latex(sheet), "csv": comma_separated(sheet)}
    for suffix, content in formats.items():
        write_file(folder / f"{name}.{suffix}", content)
    return [*text.splitlines(), f"table: {folder / name}.md, .tex, .csv"]


def _submissions(plan: TablePlan) -> list[str]:
    folders = [command.folder / SUBMISSION for command in plan.submissions()]
    return [f"submission: {short(folder)}" for folder in folders if folder.is_dir()]


def _error(failures: Sequence[str], count: int) -> str | None:
    if not failures:
        return None
    more = ", ..." if len(failures) > 1 else ""
    return (
        f"{len(failures)} of {count} commands are not done, so metrics are missing; run the "
        f"same command to continue: {failures[0]}{more}"
    )
