"""File names made from ids, which may be any text of an untrusted data set."""

import hashlib
import re
from urllib.parse import quote

from gapnet.errors import GapnetError

OTHERS = re.compile(r"[^\w-]+", re.ASCII)
LONGEST = 180  # bytes of a part of a path; file systems allow 255, and suffixes are added
DIGEST = 16  # hex digits that make long names different


def file_name(identity: str) -> str:
    r"""Turn an id into a relative path that stays inside the folder it is joined to.

    Ordinary ids stay as they are, folders included. Two different ids never get the same name.

    >>> file_name("n01440764/n01440764_10026.JPEG")
    'n01440764/n01440764_10026.JPEG'
    >>> file_name("../h.jpg"), file_name("/abs/h.jpg"), file_name("a\n.jpg")
    ('%2E%2E/h.jpg', '%/abs/h.jpg', 'a%0A.jpg')
    """
    return "/".join(map(_part, identity.split("/")))


def plain_word(text: str, *, between: str = "_") -> str:
    """Keep ASCII letters, digits, - and _; the result need not be unique.

    >>> plain_word("Black 1.2")
    'Black_1_2'
    """
    return OTHERS.sub(between, text)


def check_split(split: str) -> None:
    """Refuse the name of a split that cannot name a folder."""
    if file_name(split) != split:
        raise GapnetError(f"split={split!r}: must be a valid folder name")


def _part(part: str) -> str:
    """Encode one part: "%" alone stands for an empty one, and cannot come from any other."""
    if part == "":
        return "%"
    if set(part) == {"."}:
        return part.replace(".", "%2E")
    encoded = "".join(map(_encode, part))
    content = encoded.encode(errors="surrogatepass")
    if len(content) <= LONGEST:
        return encoded
    digest = hashlib.sha256(content).hexdigest()[:DIGEST]
    return f"{content[:LONGEST].decode(errors='ignore')}%{digest}"


def _encode(char: str) -> str:
    plain = char.isprintable() and char not in "%\\"
    return char if plain else quote(char, safe="", errors="surrogatepass")
