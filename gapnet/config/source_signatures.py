"""Names and default arguments of classes and functions, read from their source.

The identity of a job and the checks of a run folder need no more, and importing Lightning
or torchvision for them takes seconds. tests/config/test_source_signatures.py compares them with the
imported classes and functions.
"""

import ast
import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from inspect import Parameter
from pathlib import Path
from typing import Any

from gapnet.system.lazy_names import LazyNames

# Lightning's class is not exported lazily; its file, in the package
ELSEWHERE = {"pytorch_lightning.Trainer": "pytorch_lightning.trainer.trainer"}
PACKAGES = ("gapnet.data", "gapnet.training")  # those whose names are imported at their first use


def stand_in(name: str) -> Callable[..., Any] | None:
    """Return an object with the name, module and signature of a class or function.

    None if that must be imported: its source is not known, or a default is no plain value.
    """
    home, (_, _, attribute) = _home(name), name.rpartition(".")
    source = None if home is None else _source(home)
    if home is None or source is None:
        return None
    for node in source.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == attribute:
            return _stand_in(node, source, home)
    return None


def _home(name: str) -> str | None:
    """Return the module that defines a public name; None if that is not known."""
    package, _, attribute = name.rpartition(".")
    if package not in PACKAGES:
        return ELSEWHERE.get(name)
    names = vars(import_module(package)).get("__getattr__")
    return names.homes.get(attribute) if isinstance(names, LazyNames) else None


@cache
def _source(module: str) -> ast.Module | None:
    package, *parts = module.split(".")
    spec = find_spec(package)  # of a top-level package: nothing is imported
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent.joinpath(*parts).with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else None


def _stand_in(
    node: ast.ClassDef | ast.FunctionDef, source: ast.Module, home: str
) -> Callable[..., Any] | None:
    arguments = node.args if isinstance(node, ast.FunctionDef) else _arguments_of_class(node)
    if arguments is None or (isinstance(node, ast.FunctionDef) and node.decorator_list):
        return None
    try:
        signature = inspect.Signature(list(_parameters(arguments, _constants(source))))
    except (ValueError, KeyError):  # a default is no plain value
        return None

    def function() -> None: ...

    made: Any = type(node.name, (), {}) if isinstance(node, ast.ClassDef) else function
    made.__name__ = made.__qualname__ = node.name
    made.__module__, made.__signature__ = home, signature
    return made  # type: ignore[no-any-return]


def _arguments_of_class(node: ast.ClassDef) -> ast.arguments | None:
    """Return the arguments of the constructor; None if the class has no own one."""
    methods = (item for item in node.body if isinstance(item, ast.FunctionDef))
    return next((item.args for item in methods if item.name == "__init__"), None)


def _parameters(arguments: ast.arguments, constants: dict[str, Any]) -> Iterator[Parameter]:
    """Yield the parameters besides self, *args and **kwargs, which have no default."""
    listed = [item for item in [*arguments.posonlyargs, *arguments.args] if item.arg != "self"]
    without = len(listed) - len(arguments.defaults)
    defaults: Sequence[ast.expr | None] = [*[None] * without, *arguments.defaults]
    for argument, default in zip(listed, defaults, strict=True):
        yield _parameter(argument, default, Parameter.POSITIONAL_OR_KEYWORD, constants)
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _parameter(argument, default, Parameter.KEYWORD_ONLY, constants)


def _parameter(
    argument: ast.arg, default: ast.expr | None, kind: Any, constants: dict[str, Any]
) -> Parameter:
    if default is None:
        return Parameter(argument.arg, kind)
    return Parameter(argument.arg, kind, default=_value(default, constants))


def _constants(source: ast.Module) -> dict[str, Any]:
    """Return the module's constants with plain values."""
    constants: dict[str, Any] = {}
    for node in source.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                constants[node.targets[0].id] = _value(node.value, constants)
            except (ValueError, KeyError):
                continue
    return constants


def _value(node: ast.expr, constants: dict[str, Any]) -> Any:
    """Return a plain value, a constant, a quotient, or a tuple or list of these."""
    if isinstance(node, ast.Name):
        return constants[node.id]
    if isinstance(node, ast.Tuple | ast.List):
        items = [_value(item, constants) for item in node.elts]
        return tuple(items) if isinstance(node, ast.Tuple) else items
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _value(node.left, constants) / _value(node.right, constants)
    return ast.literal_eval(node)
