"""Ways to spoil a valid file, as disks, editors, scripts and attackers do."""

import re
from collections.abc import Callable
from random import Random

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
END = 1200  # bytes in which a small archive has its directory and its checksum
DIRECTORY = b"PK\x01\x02"  # the first entry of a zip archive's directory
Way = Callable[[Random, bytes], bytes]


def _position(random: Random, content: bytes) -> int:
    return random.randrange(max(1, len(content)))


def _span(random: Random, content: bytes) -> tuple[int, int]:
    start = _position(random, content)
    return start, min(len(content), start + random.randint(1, max(1, len(content) // 4)))


def _flip(content: bytes, position: int, bits: int) -> bytes:
    spoiled = bytearray(content)
    if spoiled:
        spoiled[position] ^= bits
    return bytes(spoiled)


def flip_a_bit(random: Random, content: bytes) -> bytes:
    return _flip(content, _position(random, content), 1 << random.randrange(8))


def flip_a_bit_at_the_end(random: Random, content: bytes) -> bytes:
    position = len(content) - 1 - random.randrange(max(1, min(END, len(content))))
    return _flip(content, position, 1 << random.randrange(8))


def flip_a_bit_of_the_content(random: Random, content: bytes) -> bytes:
    """Flip a bit before the directory of a zip archive, of which an archive has no checksum."""
    end = content.find(DIRECTORY)
    return flip_a_bit(random, content[:end]) + content[end:]


def change_bytes(random: Random, content: bytes) -> bytes:
    for _ in range(random.randint(1, 8)):
        content = _flip(content, _position(random, content), random.randint(1, 255))
    return content


def truncate(random: Random, content: bytes) -> bytes:
    return content[: _position(random, content)]


def insert_bytes(random: Random, content: bytes) -> bytes:
    position = _position(random, content)
    return content[:position] + random.randbytes(random.randint(1, 40)) + content[position:]


def insert_text(random: Random, content: bytes) -> bytes:
    position = _position(random, content)
    return content[:position] + random.choice(TEXTS) + content[position:]


def duplicate(random: Random, content: bytes) -> bytes:
    start, end = _span(random, content)
    return content[:end] + content[start:end] + content[end:]


def cut_out(random: Random, content: bytes) -> bytes:
    start, end = _span(random, content)
    return content[:start] + content[end:]


def swap(random: Random, content: bytes) -> bytes:
    first, middle = _span(random, content)
    _, last = _span(random, content[middle:])
    last += middle
    return content[:first] + content[middle:last] + content[first:middle] + content[last:]


def blank(random: Random, content: bytes) -> bytes:
    start, end = _span(random, content)
    return content[:start] + bytes(end - start) + content[end:]


def change_a_number(random: Random, content: bytes) -> bytes:
    numbers = list(NUMBER.finditer(content))
    if not numbers:
        return truncate(random, content)
    number = random.choice(numbers)
    return content[: number.start()] + random.choice(EXTREMES) + content[number.end() :]


def change_lines(random: Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    row = random.randrange(len(lines))
    how = random.choice(("delete", "repeat", "shuffle", "join"))
    if how == "shuffle":
        return b"".join(random.sample(lines[:50], len(lines[:50]))) + b"".join(lines[50:])
    if how == "join":
        lines[row] = lines[row].rstrip()
    else:
        lines[row : row + 1] = [] if how == "delete" else [lines[row]] * 2
    return b"".join(lines)


def encode(random: Random, content: bytes) -> bytes:
    return content.decode("latin-1").encode(random.choice(ENCODINGS))


SINGLE: tuple[Way, ...] = (
    *(change_bytes, truncate, insert_bytes, insert_text, duplicate, cut_out, swap, blank),
    *(change_a_number, change_lines, encode),
)


def spoil_several_times(random: Random, content: bytes) -> bytes:
    for way in random.choices(SINGLE, k=random.randint(2, 3)):
        content = way(random, content)
    return content


BIT_FLIPS: dict[str, tuple[Way, ...]] = {
    "nothing": (),
    "content": (flip_a_bit_of_the_content,),
    "file": (flip_a_bit, flip_a_bit_at_the_end),
}
WAYS: tuple[Way, ...] = (*BIT_FLIPS["file"], *SINGLE, change_a_number, spoil_several_times)
