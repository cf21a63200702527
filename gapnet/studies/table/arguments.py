"""Arguments of `gapnet table`: which of them are passed on, and which values are valid."""

import difflib

from omegaconf import DictConfig, ListConfig

from gapnet.config.groups import SET_BY_TABLES
from gapnet.config.overrides import own_keys, refuse_sweep, root_of, split
from gapnet.errors import GapnetError
from gapnet.system.value_checks import number, whole_number

DRY_RUN = "--dry-run"


def split_arguments(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return the arguments of the table itself, and those that it passes on to its commands."""
    if {"-m", "--multirun"} & set(arguments):
        raise GapnetError("-m: a table is no sweep; name its rows with rows=[...] and seeds=[...]")
    others = [argument for argument in arguments if argument != DRY_RUN]
    own, passed_on = split(others, own_keys("table"))
    for argument in passed_on:
        _check_passed_on(argument)
    dry_run = ["dry_run=true"] if len(others) < len(arguments) else []
    # Hydra adds a key only with ++
    own = [f"++{override}" if override.startswith("checkpoints.") else override for override in own]
    return [*own, *dry_run], passed_on


def _check_passed_on(argument: str) -> None:
    """Refuse what no training has, a sweep, and what the table sets itself."""
    _check_known(str(root_of(argument)))
    refuse_sweep(argument, "a table takes one value for all of its runs")
    if root_of(argument) in SET_BY_TABLES or argument.startswith("model="):
        raise GapnetError(
            f"{argument}: a table chooses this itself; choose rows=[...] and recipe=..., or "
            "override table.rows, table.columns or table.networks"
        )


def _check_known(root: str) -> None:
    own, trainings = own_keys("table"), own_keys("train")
    if root in own | trainings:
        return
    near = difflib.get_close_matches(root, sorted(own | trainings), n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise GapnetError(
        f"{root}: no such key; {hint}a table takes "
        f"{', '.join(sorted(own - {'hydra', 'passed_on'}))}, and what train takes"
    )


def check_table_settings(cfg: DictConfig) -> None:
    """Check the values of a table's own keys."""
    if not (cfg.rows is None or (isinstance(cfg.rows, ListConfig) and cfg.rows)):
        raise GapnetError(f"rows={cfg.rows}: must be a list of rows, or null for all of them")
    _check_seeds(cfg)
    whole_number("resamples", cfg.resamples, least=1)
    whole_number("parallel", cfg.parallel, least=1)
    if cfg.minutes is not None:
        number("minutes", cfg.minutes, above=0)
        if cfg.parallel == 1:
            raise GapnetError(f"minutes={cfg.minutes}: needs parallel=2 or more")
    networks = cfg.table.get("networks") or {}
    unknown = [network for network in cfg.checkpoints if network not in networks]
    if unknown:
        known = ", ".join(networks)
        raise GapnetError(f"checkpoints.{unknown[0]}: no such network; choose {known}")


def _check_seeds(cfg: DictConfig) -> None:
    listed = isinstance(cfg.seeds, ListConfig) and len(cfg.seeds) > 0
    if not (listed and all(type(seed) is int and seed >= 0 for seed in cfg.seeds)):
        raise GapnetError(f"seeds={cfg.seeds}: must be a list of integers >= 0")
    if len(set(cfg.seeds)) < len(cfg.seeds):
        raise GapnetError(f"seeds={cfg.seeds}: must be different")
