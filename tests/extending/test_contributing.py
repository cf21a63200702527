"""CONTRIBUTING.md prints the files in examples/extending as they are."""

import re

import pytest

from tests.extending.conftest import CHECKOUT, EXAMPLES

PRINTED = re.compile(r"^`(examples/extending/\S+)`\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILES = dict(PRINTED.findall((CHECKOUT / "CONTRIBUTING.md").read_text()))


def test_it_prints_every_example() -> None:
    files = (path for path in EXAMPLES.rglob("*") if path.suffix in {".py", ".yaml"})
    assert set(FILES) == {path.relative_to(CHECKOUT).as_posix() for path in files}


@pytest.mark.parametrize("name", FILES)
def test_a_printed_file_is_the_example(name: str) -> None:
    assert FILES[name] == (CHECKOUT / name).read_text()
