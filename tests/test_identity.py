from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from gapnet.runs.identity import (
    described,
    identity_digest,
    identity_of,
    non_default_arguments,
    plain_value,
)


@dataclass(frozen=True)
class Boxer:
    cut: float = 0.2
    levels: tuple[int, ...] = (1, 2)
    names: list[str] = field(default_factory=list)
    inner: "Boxer | None" = None


def test_arguments_that_are_defaults_leave_no_trace() -> None:
    assert (
        identity_of(Boxer()) == identity_of(Boxer(0.2, (1, 2), [])) == {"is": f"{__name__}.Boxer"}
    )


def test_arguments_that_differ_are_kept() -> None:
    own = identity_of(Boxer(cut=0.5, inner=Boxer(levels=(3,))))
    inner = {"is": f"{__name__}.Boxer", "levels": [3]}
    assert own == {"is": f"{__name__}.Boxer", "cut": 0.5, "inner": inner}


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), ((1, 2), [1, 2]), (Path("a/b"), "a/b"), ({"a": (1.0,)}, {"a": [1]})],
)
def test_values_that_mean_the_same_are_the_same(one: object, other: object) -> None:
    assert plain_value(one) == plain_value(other)
    assert identity_digest(plain_value(one)) == identity_digest(plain_value(other))


def test_true_is_not_one() -> None:
    assert non_default_arguments(lambda x=1: x, {"x": True}) == {"x": True}
    assert non_default_arguments(lambda x=True: x, {"x": 1}) == {"x": 1}


def test_a_new_parameter_with_a_default_changes_nothing() -> None:
    def before(width: int = 3, depth: int = 1) -> None: ...

    def after(width: int = 3, depth: int = 1, *, kind: str = "plain") -> None: ...

    after.__qualname__ = before.__qualname__
    arguments = {"width": 3, "depth": 2}
    assert described(before, arguments) == described(after, arguments | {"kind": "plain"})


def test_one_of_gapnet_s_is_named_by_its_package_wherever_it_lies() -> None:
    def moved() -> None: ...

    names = set()
    for module in (
        "gapnet.localization.boxers.threshold",
        "gapnet.localization.boxers.threshold.threshold",
    ):
        moved.__module__, moved.__qualname__ = module, "Boxer"
        names.add(described(moved, {})["is"])
    assert names == {"gapnet.localization.Boxer"}


class Plain:
    def __init__(self, a: int = 1) -> None:
        self.a = a


def test_an_object_that_is_no_dataclass_is_described_by_what_it_holds_or_says() -> None:
    assert identity_of(Plain()) == {"is": f"{__name__}.Plain"}
    assert identity_of(Plain(a=2)) == {"is": f"{__name__}.Plain", "a": 2}
    assert identity_of(SimpleNamespace(a=1))["text"] == "namespace(a=1)"


def test_functions_and_classes_are_told_apart() -> None:
    assert (
        plain_value(non_default_arguments)
        == {"is": "gapnet.runs.non_default_arguments"}
        != plain_value(plain_value)
    )
    assert plain_value(Boxer) == {"is": f"{__name__}.Boxer"} != plain_value(Plain)
