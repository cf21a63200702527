"""Identity of a job: what it computes, without defaults, and without where and how it runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from gapnet.config.groups import Group, group_of
from gapnet.config.trusted_targets import TARGET, find_signature
from gapnet.errors import GapnetError
from gapnet.runs.identity import IS, described, plain_value

PARTIAL = "_partial_"  # says how an object is made, not what it is


def job_identity(values: Mapping[str, Any], imports: Sequence[str] = ()) -> dict[str, Any]:
    """Return the identity of a job from the plain values of its configuration.

    Args:
        values: values of the configuration, by group or key.
        imports: modules that the user trusts.
    """
    identity = {}
    for name, value in _without_automatic_batch(values).items():
        group = group_of(name)
        if group.computes and value != group.default:
            part = (
                _of_group(value, group, imports) if isinstance(value, dict) else plain_value(value)
            )
            if part != {}:
                identity[name] = part
    return identity


def _without_automatic_batch(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the batch size if trainer.auto_batch chooses it."""
    trainer, loader = values.get("trainer") or {}, values.get("loader") or {}
    if trainer.get("auto_batch") is not True:
        return dict(values)
    return {**values, "loader": {key: loader[key] for key in loader if key != "batch_size"}}


def _of_group(node: dict[str, Any], group: Group, imports: Sequence[str]) -> Any:
    computing = {
        name: value
        for name, value in node.items()
        if name not in group.neutral
        and not (name in group.defaults and value == group.defaults[name])
    }
    return node_identity(computing, imports)


def node_identity(node: Any, imports: Sequence[str] = ()) -> Any:
    """Return the identity of a node; classes have their public names, so that files may move."""
    if isinstance(node, list):
        return [node_identity(item, imports) for item in node]
    if not isinstance(node, dict):
        return plain_value(node)
    arguments = {
        name: node_identity(value, imports)
        for name, value in node.items()
        if name not in (TARGET, PARTIAL)
    }
    if TARGET not in node:
        return arguments
    name = str(node[TARGET])
    try:
        target = find_signature(name, imports)
    except GapnetError:  # building the object raises the error
        return {IS: name, **arguments}
    identity = described(target, arguments)
    return identity if identity[IS].startswith("gapnet.") else identity | {IS: name}


def differences(
    old: Mapping[str, Any], new: Mapping[str, Any], imports: Sequence[str] = ()
) -> list[str]:
    """Return the keys in which the identities of two jobs differ, as "KEY=OLD, not NEW"."""
    old_identity, new_identity = (_flat(job_identity(values, imports)) for values in (old, new))
    old_values, new_values = _flat(old), _flat(new)
    return [
        f"{key}={old_values.get(key)}, not {new_values.get(key)}"
        for key in sorted(old_identity.keys() | new_identity.keys())
        if old_identity.get(key) != new_identity.get(key)
    ]


def _flat(node: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the values of a nested dict by their full keys."""
    values: dict[str, Any] = {}
    for name, value in node.items():
        key = f"{prefix}{TARGET if name == IS else name}"
        values |= _flat(value, f"{key}.") if isinstance(value, Mapping) else {key: value}
    return values
