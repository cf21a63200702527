"""What a configured job is: its groups without defaults, places of work and ways of working."""

from collections.abc import Mapping, Sequence
from typing import Any

from gapnet.config.groups import Group, group_of
from gapnet.config.trusted_targets import TARGET, find
from gapnet.errors import GapnetError
from gapnet.runs.identity import IS, described, plain_value

PARTIAL = "_partial_"  # says how a thing is made, not what


def job_identity(values: Mapping[str, Any], imports: Sequence[str] = ()) -> dict[str, Any]:
    """Describe a job by the plain values of its whole configuration.

    Args:
        values: by group or key.
        imports: modules that the user trusts.
    """
    found = {}
    for name, value in _without_found_batch(values).items():
        group = group_of(name)
        if group.computes and value != group.default:
            own = (
                _of_group(value, group, imports) if isinstance(value, dict) else plain_value(value)
            )
            if own != {}:
                found[name] = own
    return found


def _without_found_batch(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the size of a batch that is still to be found."""
    trainer, loader = values.get("trainer") or {}, values.get("loader") or {}
    if trainer.get("auto_batch") is not True:
        return dict(values)
    return {**values, "loader": {key: loader[key] for key in loader if key != "batch_size"}}


def _of_group(node: dict[str, Any], group: Group, imports: Sequence[str]) -> Any:
    kept = {
        name: value
        for name, value in node.items()
        if name not in group.neutral
        and not (name in group.defaults and value == group.defaults[name])
    }
    return node_identity(kept, imports)


def node_identity(node: Any, imports: Sequence[str] = ()) -> Any:
    """Describe a node: what it names is known by its public name, wherever that lay or lies."""
    if isinstance(node, list):
        return [node_identity(each, imports) for each in node]
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
        target = find(name, imports)
    except GapnetError:  # whoever builds it says what is wrong
        return {IS: name, **arguments}
    own = described(target, arguments)
    return own if own[IS].startswith("gapnet.") else own | {IS: name}


def differences(
    begun: Mapping[str, Any], now: Mapping[str, Any], imports: Sequence[str] = ()
) -> list[str]:
    """Say in what two jobs differ, by the plain values of their configurations."""
    theirs, ours = (_flat(job_identity(each, imports)) for each in (begun, now))
    told, asked = _flat(begun), _flat(now)
    return [
        f"{key}={told.get(key)}, not {asked.get(key)}"
        for key in sorted(theirs.keys() | ours.keys())
        if theirs.get(key) != ours.get(key)
    ]


def _flat(node: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """List values by their full keys."""
    values: dict[str, Any] = {}
    for name, value in node.items():
        key = f"{prefix}{TARGET if name == IS else name}"
        values |= _flat(value, f"{key}.") if isinstance(value, Mapping) else {key: value}
    return values
