import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gapnet.errors import GapnetError


@contextmanager
def refused(*parts: object) -> Iterator[None]:
    """Expect an error of one line that names every part: a key, a value, a file, never a sentence.

    A key and a value stand as `key=value` or apart.
    """
    with pytest.raises(GapnetError) as error:
        yield
    line = str(error.value)
    assert "\n" not in line
    missing = [str(part) for part in parts if not names(line, str(part))]
    assert not missing, f"{missing} not in: {line}"


def names(line: str, part: str) -> bool:
    """Return whether a line holds a part as a whole word, so that 1 is not found in 10."""
    return re.search(rf"(?<!\w){re.escape(part)}(?!\w)", line) is not None
