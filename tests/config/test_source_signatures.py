"""What is read from the source of a class or function is what importing it would give."""

import inspect

import pytest

import gapnet.data
from gapnet.config.source_signatures import ELSEWHERE, stand_in
from gapnet.config.trusted_targets import find, home_of
from gapnet.runs.identity import public_name

VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
NAMES = [*(f"gapnet.data.{name}" for name in gapnet.data.__all__), *ELSEWHERE]


def signature(target: object) -> dict[str, object]:
    parameters = inspect.signature(target).parameters.values()  # type: ignore[arg-type]
    return {item.name: item.default for item in parameters if item.kind not in VARIABLE}


@pytest.mark.parametrize("name", NAMES)
def test_name_and_defaults_are_those_of_the_imported_object(name: str) -> None:
    read = stand_in(name)
    if read is not None:
        imported = find(name)
        assert (home_of(read), public_name(read)) == (home_of(imported), public_name(imported))
        assert signature(read) == signature(imported)


@pytest.mark.parametrize(
    "name",
    ["gapnet.data.DataModule", "gapnet.data.random_view", "gapnet.data.published_view", *ELSEWHERE],
)
def test_the_heavy_ones_can_be_read(name: str) -> None:
    assert stand_in(name) is not None


@pytest.mark.parametrize("name", ["gapnet.data.Nothing", "os.system", "gapnet.models.GapNet"])
def test_others_are_not_read(name: str) -> None:
    assert stand_in(name) is None
