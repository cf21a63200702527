"""Search for good hyper-parameters with Optuna."""

from omegaconf import DictConfig

from gapnet.config.groups import SHARED_BY_SEARCHES
from gapnet.config.overrides import own_keys, quoted, refuse_secrets, refuse_sweep, root_of, split
from gapnet.errors import GapnetError
from gapnet.system.extras import load_extra
from gapnet.system.output import print_table, say


def complete(arguments: list[str]) -> list[str]:
    """Move arguments that are not keys of the search into the list `train`, for the trainings."""
    if {"-m", "--multirun"} & set(arguments):
        raise GapnetError("-m: must not be used with a search; put the values into search=...")
    own = own_keys("search")
    own_arguments, _ = split(arguments, own)
    not_shared = {None, *own} - SHARED_BY_SEARCHES
    shared = [argument for argument in arguments if root_of(argument) not in not_shared]
    refuse_secrets(shared)
    for argument in shared:
        key = argument.partition("=")[0].lstrip("+")
        advice = f"must be one value for all trials; to search it, use +search.{key}=[...]"
        refuse_sweep(argument, advice)
    return [*own_arguments, f"train=[{','.join(map(quoted, shared))}]"]


def task(cfg: DictConfig) -> None:
    """Run trials until enough are finished, and print the report."""
    run_search = load_extra("gapnet.studies.search.run_search", extra="search").run_search
    report = run_search(cfg)
    print_table(report.table)
    for line in report.lines:
        say(line)
