"""The groups and keys of the configuration: what each means for a run, in one table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Group:
    """A group, or a key at the top of the configuration.

    Args:
        computes: it changes what a run computes, so it is a part of the run's identity.
        from_run: an evaluation takes it from the run.
        home: the package whose classes and functions a run folder may name there.
        decides: the figures of an evaluation follow from it.
        table_sets: a table of the paper sets it itself, by its rows, columns and recipe.
        handed_on: a table hands it on to evaluations, which do not find it in the run.
        search_shares: a search and its trainings both take it.
        paths: its keys that are places; they are written down as absolute ones.
        neutral: its keys that say how the work is done, not what is computed.
        default: of a key; where it has this value, it may as well not be there.
        defaults: of keys of a group that no signature has.
    """

    computes: bool = True
    from_run: bool = False
    home: str = ""
    decides: bool = False
    table_sets: bool = False
    handed_on: bool = False
    search_shares: bool = False
    paths: tuple[str, ...] = ()
    neutral: tuple[str, ...] = ()
    default: Any = None
    defaults: Mapping[str, Any] = field(default_factory=dict)


def _method(home: str) -> Group:
    """Describe a part of an evaluation that a table chooses."""
    return Group(from_run=True, home=home, decides=True, table_sets=True)


GROUPS = {
    "data": Group(
        from_run=True,
        home="gapnet.data",
        decides=True,
        paths=("root", "folder", "drawn", "boxes", "metadata", "masks", "blacklist", "cache"),
        neutral=("folder", "drawn", "cache", "cache_gb"),
    ),
    "model": Group(),
    "augment": Group(),
    "view": _method("gapnet.data.loading.views"),
    "crops": _method("gapnet.localization"),
    "loader": Group(from_run=True, home="gapnet.data.loading.datamodule", neutral=("num_workers",)),
    "optim": Group(),
    "trainer": Group(
        from_run=True,
        home="pytorch_lightning.trainer.trainer.Trainer",
        neutral=("accelerator", "devices", "num_nodes", "strategy"),
        defaults={"auto_batch": False},
    ),
    "callbacks": Group(neutral=("last", "rate")),
    "classifier": Group(),
    "saliency": _method("gapnet.saliency"),
    "boxer": _method("gapnet.localization"),
    "guesses": _method("gapnet.localization"),
    "protocol": Group(from_run=True, home="gapnet.evaluation.protocols", decides=True),
    "report": Group(computes=False, from_run=True, handed_on=True),
    "paths": Group(computes=False, search_shares=True, paths=("data", "runs")),
    "experiment": Group(computes=False, table_sets=True),
    "debug": Group(computes=False),
    "hydra": Group(computes=False),
}
PLACE = Group(paths=("",))
KEYS = {
    "seed": Group(search_shares=True, default=0),
    "checkpoint": Group(default="best", table_sets=True),
    "split": Group(decides=True, table_sets=True),
    "keep_maps": Group(),
    "labels": Group(default="devkit"),
    "doubt": Group(default=True),
    "run": Group(computes=False, paths=("",), table_sets=True),  # the evaluation lies in it
    "predictions": PLACE,
    "maps": PLACE,
    "synsets": PLACE,
    "name": Group(computes=False, table_sets=True),
    "folder": Group(computes=False, paths=("",), table_sets=True),
    "evaluate": Group(computes=False, table_sets=True),
    "resume": Group(computes=False),
    "resume_changed": Group(computes=False),
    "imports": Group(computes=False, handed_on=True, search_shares=True),
}
ALL = GROUPS | KEYS
FROM_RUN = tuple(name for name, group in ALL.items() if group.from_run)
DECIDING = tuple(name for name, group in ALL.items() if group.decides)
HANDED_ON = {name for name, group in ALL.items() if group.handed_on}
SHARED_BY_SEARCHES = {name for name, group in ALL.items() if group.search_shares}
SET_BY_TABLES = {name for name, group in ALL.items() if group.table_sets}


def group_of(name: str) -> Group:
    """Find a group or key; one that the user adds may change anything."""
    return ALL.get(name, Group())


def path_keys() -> list[str]:
    """List the keys that are places, in full."""
    return [f"{name}.{key}".rstrip(".") for name, group in ALL.items() for key in group.paths]
