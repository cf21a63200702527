"""Valid files, spoiled in the ways that disks, editors, scripts and strangers spoil them."""

import re
from collections.abc import Callable

from hypothesis import strategies as st

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
EXTREMES = (
    *(
        b"nan",
        b"inf",
        b"-inf",
        b"NaN",
        b"Infinity",
        b"-1",
        b"0",
        b"-0.0",
        b"1e309",
        b"1e39",
        b"1e-9",
    ),
    *(
        b"9223372036854775808",
        b"-9223372036854775809",
        b"4294967296",
        b"99999999",
        b"1" + b"0" * 400,
    ),
    *(b"9" * 5000, b"", b"null", b"true", b"1_0", b"0x10", b"1,5", "١٢".encode()),
)
TEXTS = (
    *(b"\x00", b'"', b"'", b"<", b"&lol;", b"]]>", b"{", b"[", b"}", b",", b":", b"${oc.env:HOME}"),
    *(b"!!python/name:os.system ", b"*a", b"&a ", b"\r", b"\n", b"\n\n", b"\t", b"../", b"\x1b[2J"),
    *("\u2028".encode(), "\x85".encode(), b"\xff\xfe", b"\xed\xa0\x80", b"x" * 5000, b"[" * 2000),
)
ENCODINGS = ("utf-16", "utf-32", "utf-8-sig", "cp500", "utf-7")
Draw = Callable[[st.SearchStrategy], int]


def _place(draw: Draw, content: bytes) -> int:
    return draw(st.integers(0, max(0, len(content) - 1)))


def _span(draw: Draw, content: bytes) -> tuple[int, int]:
    start = _place(draw, content)
    return start, min(len(content), start + draw(st.integers(1, max(1, len(content) // 4))))


def flip(draw: Draw, content: bytes) -> bytes:
    spoiled = bytearray(content)
    for _ in range(draw(st.integers(1, 8)) if content else 0):
        spoiled[_place(draw, content)] ^= draw(st.integers(1, 255))
    return bytes(spoiled)


def truncate(draw: Draw, content: bytes) -> bytes:
    return content[: _place(draw, content)]


def insert(draw: Draw, content: bytes) -> bytes:
    place = _place(draw, content)
    return content[:place] + draw(st.binary(min_size=1, max_size=40)) + content[place:]


def put_text(draw: Draw, content: bytes) -> bytes:
    place = _place(draw, content)
    return content[:place] + draw(st.sampled_from(TEXTS)) + content[place:]


def duplicate(draw: Draw, content: bytes) -> bytes:
    start, end = _span(draw, content)
    return content[:end] + content[start:end] + content[end:]


def cut_out(draw: Draw, content: bytes) -> bytes:
    start, end = _span(draw, content)
    return content[:start] + content[end:]


def swap(draw: Draw, content: bytes) -> bytes:
    first, middle = sorted(_span(draw, content))
    _, last = _span(draw, content[middle:])
    last += middle
    return content[:first] + content[middle:last] + content[first:middle] + content[last:]


def blank(draw: Draw, content: bytes) -> bytes:
    start, end = _span(draw, content)
    return content[:start] + bytes(end - start) + content[end:]


def change_number(draw: Draw, content: bytes) -> bytes:
    numbers = list(NUMBER.finditer(content))
    if not numbers:
        return truncate(draw, content)
    found = draw(st.sampled_from(numbers))
    return content[: found.start()] + draw(st.sampled_from(EXTREMES)) + content[found.end() :]


def change_lines(draw: Draw, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    place = draw(st.integers(0, len(lines) - 1))
    how = draw(st.sampled_from(("delete", "repeat", "shuffle", "join")))
    if how == "shuffle":
        return b"".join(draw(st.permutations(lines[:50]))) + b"".join(lines[50:])
    if how == "join":
        lines[place] = lines[place].rstrip()
    else:
        lines[place : place + 1] = [] if how == "delete" else [lines[place]] * 2
    return b"".join(lines)


def encode(draw: Draw, content: bytes) -> bytes:
    return content.decode("latin-1").encode(draw(st.sampled_from(ENCODINGS)))


MUTATIONS = (
    *(flip, truncate, insert, put_text, duplicate, cut_out, swap, blank),
    *(change_number, change_number, change_lines, encode),
)


@st.composite
def spoiled(draw: Draw, content: bytes) -> bytes:
    """Spoil a file in one way, or in a few one after the other."""
    for mutate in draw(st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=3)):
        content = mutate(draw, content)
    return content
