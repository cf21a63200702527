"""Search hyper-parameters with Optuna: many trainings, compared on the validation split."""

from omegaconf import DictConfig

from gapnet.config.groups import SHARED_BY_SEARCHES
from gapnet.config.overrides import own_keys, quoted, refuse_secrets, refuse_sweep, root_of, split
from gapnet.errors import GapnetError
from gapnet.system.extras import load_extra
from gapnet.system.output import print_table, say


def complete(arguments: list[str]) -> list[str]:
    """Put what the search does not take itself into a list for the trainings."""
    if {"-m", "--multirun"} & set(arguments):
        raise GapnetError("-m: a search is no sweep; what is to be tried stands in search=...")
    own = own_keys("search")
    kept, _ = split(arguments, own)
    of_search = {None, *own} - SHARED_BY_SEARCHES
    shared = [argument for argument in arguments if root_of(argument) not in of_search]
    refuse_secrets(shared)
    for argument in shared:
        key = argument.partition("=")[0].lstrip("+")
        advice = f"all trials share one value; to have it searched, +search.{key}=[...]"
        refuse_sweep(argument, advice)
    return [*kept, f"train=[{','.join(map(quoted, shared))}]"]


def task(cfg: DictConfig) -> None:
    """Run trials until enough are finished, and print the report."""
    run_search = load_extra("gapnet.studies.search.run_search", extra="search").run_search
    report = run_search(cfg)
    print_table(report.table)
    for line in report.lines:
        say(line)
