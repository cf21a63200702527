from collections.abc import Iterable

import pytest
from _pytest.mark.structures import ParameterSet


def few(rows: Iterable[object], count: int) -> list[ParameterSet]:
    """Return the rows of a parametrised test, of which all but the first ones are slow."""
    return [
        pytest.param(
            *(row if isinstance(row, tuple) else (row,)),
            marks=() if number < count else pytest.mark.slow,
        )
        for number, row in enumerate(rows)
    ]
