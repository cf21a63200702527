"""Hyper-parameters of a run in plain values, for loggers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gapnet.config.groups import group_of
from gapnet.config.trusted_targets import TARGET

PARTIAL = "_partial_"


def hyperparameters(config: Mapping[str, Any]) -> dict[str, bool | float | str]:
    """Return the values of a configuration that change what a run computes, by their full keys.

    A class or function has the key of its group, as in optim.optimizer=AdamW. Values that are null
    are left out.

    >>> model = {"_target_": "gapnet.models.vgg16", "pool": "avg", "weights": None}
    >>> hyperparameters({"model": model, "resume": "auto"})
    {'model': 'vgg16', 'model.pool': 'avg'}
    """
    return {
        key: value if isinstance(value, bool | int | float | str) else str(value)
        for name, node in config.items()
        if group_of(name).computes
        for key, value in _values(node, name)
        if value is not None
    }


def _values(node: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == TARGET:
                yield key, str(value).rpartition(".")[2]
            elif name != PARTIAL:
                yield from _values(value, f"{key}.{name}")
    elif isinstance(node, Sequence) and not isinstance(node, str):
        yield key, ", ".join(map(str, node))
    else:
        yield key, node
