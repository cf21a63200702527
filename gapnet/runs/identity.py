"""Identity of an object: its public name, and the arguments that differ from their defaults.

Run ids, resumed runs, stored predictions and saved networks are compared by it. Therefore a new
parameter with a default, a renamed file or a new key of the configuration changes no identity.
"""

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

VERSION = 1  # of these rules; a new version changes all digests
IS = "is"  # the key of an object's name
DIGITS = 8  # hex digits of a digest


def identity_of(value: object) -> Any:
    """Return the identity of an object or a plain value.

    >>> identity_of(("a", 2.0, {"b": True}))
    ['a', 2, {'b': True}]
    """
    if value is None or isinstance(value, str | bool | int | float | list | tuple | dict | Path):
        return plain_value(value)
    if hasattr(value, "__qualname__") and callable(value):  # a class or a function itself
        return {IS: public_name(value)}
    if is_dataclass(value):
        arguments = {item.name: getattr(value, item.name) for item in fields(value) if item.init}
        return described(type(value), arguments)
    if type(value).__repr__ is object.__repr__:  # its text is the address in memory
        return described(type(value), vars(value))
    return {IS: public_name(type(value)), "text": repr(value)}


def described(target: Callable[..., object], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the identity of the result of a class or function for these arguments."""
    return {IS: public_name(target), **non_default_arguments(target, arguments)}


def non_default_arguments(
    target: Callable[..., object], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments that differ from the target's defaults, as plain values.

    >>> def build(width=3, names=("a",)): ...
    >>> non_default_arguments(build, {"width": 4, "names": ["a"]})
    {'width': 4}
    """
    defaults = _defaults(target)
    values = {name: plain_value(value) for name, value in arguments.items()}
    return {
        name: value
        for name, value in values.items()
        if name not in defaults or not _same(value, plain_value(defaults[name]))
    }


def plain_value(value: Any) -> Any:
    """Return a value as JSON can hold it; equal values give the same result."""
    if isinstance(value, Mapping):
        return {str(name): plain_value(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return identity_of(value)


def identity_digest(identity: Any) -> str:
    """Return a short digest of an identity, for use in folder names."""
    text = json.dumps([VERSION, identity], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def public_name(target: Callable[..., object]) -> str:
    """Return the name of a class or function; in gapnet without the file it is defined in."""
    parts = target.__module__.split(".")
    module = ".".join(parts[:2]) if parts[0] == "gapnet" else target.__module__
    return f"{module}.{target.__qualname__}"


def _defaults(target: Callable[..., object]) -> dict[str, Any]:
    try:
        parameters = inspect.signature(target).parameters
    except ValueError:  # a class written in C
        return {}
    defaults = {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.default is not parameter.empty
    }
    if isinstance(target, type) and is_dataclass(target):
        defaults |= {
            item.name: item.default_factory()
            for item in fields(target)
            if item.default_factory is not MISSING
        }
    return defaults


def _same(value: Any, default: Any) -> bool:
    """Return whether two plain values are the same; true is not 1."""
    return bool(value == default) and isinstance(value, bool) == isinstance(default, bool)
