"""What a thing is: its public name, and the arguments that differ from their defaults.

Run ids, resumption, stored predictions and saved networks are compared by this. A new parameter
with a default, a renamed file or a new key of the configuration so changes no identity.
"""

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

VERSION = 1  # of these rules; another version gives other digests
IS = "is"  # the key of a thing's name
DIGITS = 8  # hex digits of a digest


def identity_of(thing: object) -> Any:
    """Describe an object, or a plain value.

    >>> identity_of(("a", 2.0, {"b": True}))
    ['a', 2, {'b': True}]
    """
    if thing is None or isinstance(thing, str | bool | int | float | list | tuple | dict | Path):
        return plain(thing)
    if hasattr(thing, "__qualname__") and callable(thing):  # a class or a function itself
        return {IS: public_name(thing)}
    if is_dataclass(thing):
        arguments = {each.name: getattr(thing, each.name) for each in fields(thing) if each.init}
        return described(type(thing), arguments)
    if type(thing).__repr__ is object.__repr__:  # which tells its address, not what it is
        return described(type(thing), vars(thing))
    return {IS: public_name(type(thing)), "text": repr(thing)}


def described(target: Callable[..., object], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Describe what a class or function makes of arguments."""
    return {IS: public_name(target), **differing(target, arguments)}


def differing(target: Callable[..., object], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the arguments that differ from the target's defaults, as plain values.

    >>> def build(width=3, names=("a",)): ...
    >>> differing(build, {"width": 4, "names": ["a"]})
    {'width': 4}
    """
    defaults = _defaults(target)
    kept = {name: plain(value) for name, value in arguments.items()}
    return {
        name: value
        for name, value in kept.items()
        if name not in defaults or not _same(value, plain(defaults[name]))
    }


def plain(value: Any) -> Any:
    """Turn a value into what JSON can hold, the same for values that mean the same."""
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return identity_of(value)


def digest_of(identity: Any) -> str:
    """Digest an identity in a few letters, which may name a folder."""
    text = json.dumps([VERSION, identity], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def public_name(target: Callable[..., object]) -> str:
    """Name a class or function; one of gapnet's by its package, whichever file it lies in."""
    parts = target.__module__.split(".")
    place = ".".join(parts[:2]) if parts[0] == "gapnet" else target.__module__
    return f"{place}.{target.__qualname__}"


def _defaults(target: Callable[..., object]) -> dict[str, Any]:
    try:
        parameters = inspect.signature(target).parameters
    except ValueError:  # of a class that is written in C
        return {}
    defaults = {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.default is not parameter.empty
    }
    if isinstance(target, type) and is_dataclass(target):
        defaults |= {
            each.name: each.default_factory()
            for each in fields(target)
            if each.default_factory is not MISSING
        }
    return defaults


def _same(value: Any, default: Any) -> bool:
    """Compare plain values; true is not 1."""
    return bool(value == default) and isinstance(value, bool) == isinstance(default, bool)
