"""Read pickles of plain values and arrays of numbers; nothing in them is imported or called.

A pickle is a program that may call any function. Here its instructions are checked first, and the
few names by which NumPy's arrays are stored stand for the classes below, which only hold numbers.
"""

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapnet.errors import GapnetError, reading

MOST_BYTES = 2**25  # the ground truth of a benchmark has less than 2**21
KINDS = "biuf"  # of arrays: bools, integers and floats
REFUSED = {"PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4", "INST", "OBJ", "NEXT_BUFFER"}
MEMO = {"PUT", "BINPUT", "LONG_BINPUT"}
PLAIN = (str, bytes, int, float, bool, type(None))
CORE = ("numpy.core", "numpy._core")  # before and since NumPy 2
FIX = "if you trust it, load it in Python, and save it with plain lists and numbers only"


class PlainDtype:
    """The type of an array's numbers; the byte order comes from its state."""

    def __init__(self, name: str, *_: object) -> None:
        """Take the name of a type, such as f8."""
        self.dtype = np.dtype(str(name))
        if self.dtype.kind not in KINDS:
            raise ValueError(f"an array of type {name}")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Take the byte order, which is the second value: | is none."""
        self.dtype = np.dtype(f"{str(state[1]).replace('|', '=')}{self.dtype.str[1:]}")


class PlainArray:
    """An array of numbers."""

    def __init__(self, *_: object) -> None:
        """Ignore NumPy's arguments; the state has all values."""
        self.values: NDArray[Any] = np.empty(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Take version, shape, type, order and bytes."""
        _, shape, kind, by_columns, content = state
        packed = content.encode("latin1") if isinstance(content, str) else content  # of Python 2
        flat = np.frombuffer(packed, kind.dtype)
        self.values = flat.reshape(shape, order="F" if by_columns else "C")


def _scalar(kind: PlainDtype, content: bytes) -> Any:
    """Return one number of NumPy as a number of Python."""
    return np.frombuffer(content, kind.dtype)[0].item()


def _latin1(text: str, encoding: str) -> bytes:
    """Return the bytes of a text: Python 2 and old protocols store bytes in this way."""
    return text.encode("latin1") if encoding == "latin1" else b""


def _no_bytes() -> bytes:
    """Return empty bytes, which old protocols store as a call."""
    return b""


def _frombuffer(content: bytes, kind: PlainDtype, shape: tuple[int, ...], order: str) -> PlainArray:
    """Return an array that protocol 5 stores without a state."""
    array = PlainArray()
    array.__setstate__((1, shape, kind, order == "F", bytes(content)))
    return array


STAND_INS: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): PlainArray,
    ("numpy", "dtype"): PlainDtype,
    ("_codecs", "encode"): _latin1,
    ("__builtin__", "bytes"): _no_bytes,
    **{(f"{core}.numeric", "_frombuffer"): _frombuffer for core in CORE},
    **{(f"{core}.multiarray", "_reconstruct"): PlainArray for core in CORE},
    **{(f"{core}.multiarray", "scalar"): _scalar for core in CORE},
}


class PlainUnpickler(pickle.Unpickler):
    """Unpickler that knows no name but those of NumPy's arrays."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name stands for."""
        if (module, name) not in STAND_INS:
            raise ValueError(f"it names {module}.{name}, which could run code")
        return STAND_INS[module, name]


def read_plain_pickle(path: Path) -> Any:
    """Read a file of plain values, lists, dicts and arrays; arrays and tuples become lists."""
    with reading(path, "is not a pickle of plain values", FIX):
        if path.stat().st_size > MOST_BYTES:
            raise GapnetError(f"{path}: has more than {MOST_BYTES} bytes; {FIX}")
        content = path.read_bytes()
        _check_instructions(content)
        loaded = PlainUnpickler(io.BytesIO(content), encoding="latin1").load()
        return Expansion(len(content)).plain(loaded)


def _check_instructions(content: bytes) -> None:
    """Refuse instructions that plain values do not need, and places that would take much memory."""
    for count, (instruction, argument, _) in enumerate(pickletools.genops(content)):
        if instruction.name in REFUSED:
            raise ValueError(f"instruction {instruction.name}")
        if instruction.name in MEMO and not 0 <= int(str(argument)) <= count:
            raise ValueError(f"instruction {instruction.name} {argument}")


class Expansion:
    """Turns what was loaded into lists and dicts, with a limit on the number of values.

    A list may contain one other list many times, so that a short file could fill the memory.
    """

    def __init__(self, most: int) -> None:
        """Allow at most so many values."""
        self.left = most

    def plain(self, value: Any) -> Any:
        """Return a value with lists in place of arrays and tuples."""
        if isinstance(value, PlainArray):
            self._count(value.values.size)
            return value.values.tolist()
        if isinstance(value, dict):
            self._count(len(value))
            return {key: self.plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            self._count(len(value))
            return [self.plain(item) for item in value]
        if not isinstance(value, PLAIN):
            raise TypeError(f"it contains a {type(value).__name__}")
        return value

    def _count(self, values: int) -> None:
        self.left -= values
        if self.left < 0:
            raise ValueError("it has more values than bytes")
