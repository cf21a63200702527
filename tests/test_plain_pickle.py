"""Pickles of plain values, which are read without running code."""

import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gapnet.system.plain_pickle import read_plain_pickle
from tests.refusals import refused

VALUES: dict[str, Any] = {
    "floats": np.array([1.5, -2.0]),
    "rows": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "swapped": np.arange(3, dtype=">i4"),
    "bools": np.array([True, False]),
    "none": np.empty(0, int),
    "one": np.int64(4),
    "plain": [1, 2.5, "é", None, True, ("a", {"b": []})],
}
EXPECTED = {
    "floats": [1.5, -2.0],
    "rows": [[0, 1, 2], [3, 4, 5]],
    "swapped": [0, 1, 2],
    "bools": [True, False],
    "none": [],
    "one": 4,
    "plain": [1, 2.5, "é", None, True, ["a", {"b": []}]],
}


def read(path: Path, content: bytes) -> Any:
    path = path / "values.pkl"
    path.write_bytes(content)
    return read_plain_pickle(path)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_values_and_arrays_are_read_in_every_protocol(tmp_path: Path, protocol: int) -> None:
    assert read(tmp_path, pickle.dumps(VALUES, protocol=protocol)) == EXPECTED


def test_an_array_of_numpy_1_and_python_2_is_read(tmp_path: Path) -> None:
    content = pickle.dumps({"a": np.arange(3)}, protocol=2).replace(
        b"numpy._core.multiarray", b"numpy.core.multiarray"
    )
    assert read(tmp_path, content) == {"a": [0, 1, 2]}
    sizes = b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    state = b"(K\x01K\x01\x85cnumpy\ndtype\nU\x02i4K\x00K\x01\x87R(K\x03U\x01<" + sizes
    packed = struct.pack("<i", 7)
    start = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    assert read(tmp_path, start + state + b"\x89U\x04" + packed + b"tb.") == [7]


class Attack:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("attacked",)


DEEP: list[Any] = [1] * 10
for _ in range(30):
    DEEP = [DEEP] * 10
SELF: list[Any] = []
SELF.append(SELF)


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(Attack()),
        pickle.dumps([print]),
        pickle.dumps(np.array([Attack()], dtype=object)),
        pickle.dumps(np.array([(1, 2)], dtype="i4,i4")),
        pickle.dumps(OrderedDict()),
        pickle.dumps({1, 2}),
        pickle.dumps(DEEP),  # 10 ** 31 values
        pickle.dumps(SELF),
        b"Nr\xff\xff\xff\x7f.",  # a place that would take gigabytes
        b"\x80\x02]q\x00",
        b"\x80\x04Pabc\n.",
        b"",
        b"text",
    ],
)
def test_anything_else_is_one_line(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with refused(tmp_path / "values.pkl"):
        read(tmp_path, content)
    assert capsys.readouterr().out == ""
