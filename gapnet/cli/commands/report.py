"""Compare runs on one page: differences, and the same images under each run."""

from pathlib import Path

from omegaconf import DictConfig

from gapnet.cli.commands.compare import is_run
from gapnet.cli.commands.neighbours import start_from_data
from gapnet.config.overrides import quoted
from gapnet.runs.layout import CONFIG
from gapnet.system.output import say


def complete(arguments: list[str]) -> list[str]:
    """Put the run folders into runs=[...], and start from the data set of the first one."""
    runs = [argument for argument in arguments if is_run(argument)]
    others = [argument for argument in arguments if argument not in runs]
    if not runs:
        return arguments
    named = [f"runs=[{','.join(map(quoted, runs))}]", *others]
    return start_from_data(Path(runs[0]), named) if Path(runs[0], CONFIG).is_file() else named


def task(cfg: DictConfig) -> None:
    """Write the page, and print where the runs disagree."""
    from gapnet.config.report_jobs import report_job
    from gapnet.jobs.report_job import report_runs

    for line in report_runs(report_job(cfg)):
        say(line)
