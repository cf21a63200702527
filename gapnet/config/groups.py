"""Table of the groups and keys of the configuration, and what they mean for a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Group:
    """Meaning of a group, or of a key at the top of the configuration.

    Args:
        computes: whether it changes what a run computes, and so the run's id.
        from_run: whether an evaluation takes it from the run.
        home: package whose classes and functions a run folder may name in this group.
        decides: whether it changes the metrics of an evaluation.
        table_sets: whether a table of the paper sets it, from its rows, columns and recipe.
        passed_on: whether a table passes it on to evaluations, which do not take it from the run.
        search_shares: whether both a search and its trainings have it.
        paths: keys of the group that are paths; run folders store them as absolute paths.
        neutral: keys of the group that say how the work is done, not what is computed.
        default: default of a key; a key with this value does not change the run's id.
        defaults: defaults of keys of the group that are not in any signature.
    """

    computes: bool = True
    from_run: bool = False
    home: str = ""
    decides: bool = False
    table_sets: bool = False
    passed_on: bool = False
    search_shares: bool = False
    paths: tuple[str, ...] = ()
    neutral: tuple[str, ...] = ()
    default: Any = None
    defaults: Mapping[str, Any] = field(default_factory=dict)


def _method(home: str) -> Group:
    """Return the group of a part of an evaluation that a table chooses."""
    return Group(from_run=True, home=home, decides=True, table_sets=True)


GROUPS = {
    "data": Group(
        from_run=True,
        home="gapnet.data",
        decides=True,
        paths=(
            "root",
            "folder",
            "drawn",
            "boxes",
            "table",
            "metadata",
            "masks",
            "blacklist",
            "cache",
            "negatives",
        ),
        neutral=("folder", "drawn", "cache", "cache_gb"),
    ),
    "model": Group(),
    "augment": Group(),
    "view": _method("gapnet.data.loading.views"),
    "crops": _method("gapnet.localization"),
    "loader": Group(
        from_run=True,
        home="gapnet.data.loading.datamodule",
        neutral=("num_workers", "decoder"),
    ),
    "optim": Group(),
    "trainer": Group(
        from_run=True,
        home="pytorch_lightning.trainer.trainer.Trainer",
        neutral=("accelerator", "devices", "num_nodes", "strategy", "log_images"),
        defaults={"auto_batch": False},
    ),
    "callbacks": Group(neutral=("last", "rate")),
    "logger": Group(computes=False),
    "classifier": Group(),
    "saliency": _method("gapnet.saliency"),
    "boxer": _method("gapnet.localization"),
    "guesses": _method("gapnet.localization"),
    "protocol": Group(from_run=True, home="gapnet.evaluation.protocols", decides=True),
    "report": Group(computes=False, from_run=True, passed_on=True),
    "paths": Group(computes=False, search_shares=True, paths=("data", "runs")),
    "experiment": Group(computes=False, table_sets=True),
    "debug": Group(computes=False),
    "hydra": Group(computes=False),
}
PATH = Group(paths=("",))
KEYS = {
    "seed": Group(search_shares=True, default=0),
    "checkpoint": Group(default="best", table_sets=True),
    "split": Group(decides=True, table_sets=True),
    "keep_maps": Group(),
    "labels": Group(default="devkit"),
    "check_labels": Group(default=True),
    "doubt": Group(default=True),  # the name of check_labels in the first version
    "run": Group(computes=False, paths=("",), table_sets=True),  # the evaluation is written into it
    "predictions": PATH,
    "features": PATH,
    "query_features": PATH,
    "whitening": PATH,
    "maps": PATH,
    "keep_gb": Group(computes=False),
    "synsets": PATH,
    "name": Group(computes=False, table_sets=True),
    "group": Group(computes=False),
    "folder": Group(computes=False, paths=("",), table_sets=True),
    "evaluate": Group(computes=False, table_sets=True),
    "resume": Group(computes=False),
    "resume_changed": Group(computes=False),
    "imports": Group(computes=False, passed_on=True, search_shares=True),
}
ALL = GROUPS | KEYS
FROM_RUN = tuple(name for name, group in ALL.items() if group.from_run)
DECIDING = tuple(name for name, group in ALL.items() if group.decides)
PASSED_ON = {name for name, group in ALL.items() if group.passed_on}
SHARED_BY_SEARCHES = {name for name, group in ALL.items() if group.search_shares}
SET_BY_TABLES = {name for name, group in ALL.items() if group.table_sets}


def group_of(name: str) -> Group:
    """Return the meaning of a group or key; one that a user adds may change what is computed."""
    return ALL.get(name, Group())


def path_keys() -> list[str]:
    """Return the full names of the keys that are paths."""
    return [f"{name}.{key}".rstrip(".") for name, group in ALL.items() for key in group.paths]
