"""Measure a training for a minute, and estimate what the whole run needs."""

import json

from omegaconf import DictConfig

from gapnet.config.overrides import own_keys, quoted, refuse_sweep, root_of
from gapnet.errors import GapnetError
from gapnet.system.output import print_table, say

PASSED_ON = {"paths", "imports"}  # keys that the training has as well


def complete(arguments: list[str]) -> list[str]:
    """Move arguments that are not keys of the plan into the list `train`, for the training."""
    if {"-m", "--multirun"} & set(arguments):
        raise GapnetError("-m: not allowed; run gapnet plan once for each training")
    own = own_keys("plan")
    own_arguments = [text for text in arguments if root_of(text) in {None, *own}]
    passed_on = [text for text in arguments if root_of(text) not in {None, *own} - PASSED_ON]
    for argument in passed_on:
        refuse_sweep(argument, "must be one value; run gapnet plan once for each")
    return [*own_arguments, f"train=[{','.join(map(quoted, passed_on))}]"]


def task(cfg: DictConfig) -> None:
    """Measure, and print the plan."""
    from gapnet.config.plan_jobs import plan_job
    from gapnet.jobs.plan_job import plan_run
    from gapnet.report.plan_table import plan_lines, plan_tables

    plan = plan_run(plan_job(cfg))
    if cfg.json:
        say(json.dumps(plan.values(), indent=2))
        return
    for table in plan_tables(plan):
        print_table(table)
    for line in plan_lines(plan):
        say(line)
