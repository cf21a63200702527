"""Readable names of classes, and classes by their name."""

import difflib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from gapnet.errors import GapnetError

NEAR = 3  # names that an error suggests
LEMMAS = files("timm.data") / "_info" / "imagenet_synset_to_lemma.txt"


@cache
def _lemmas() -> dict[str, str]:
    """Return the words of WordNet's synsets, such as n02123045: "tabby, tabby cat"."""
    lines = LEMMAS.read_text().splitlines()
    return dict(line.split("\t", 1) for line in lines if "\t" in line)


def readable_names(ids: Sequence[str]) -> list[str]:
    """Return a name for each id: the first word of a synset of WordNet, or else the id.

    >>> readable_names(["n02123045", "cat"])
    ['tabby', 'cat']
    """
    lemmas = _lemmas()
    return [lemmas.get(class_id, class_id).partition(",")[0] for class_id in ids]


def find_classes(wanted: Sequence[int | str], ids: Sequence[str]) -> list[int]:
    """Return the indices of classes, from indices, ids, or names in any case.

    >>> find_classes([1, "n02123045", "Tabby"], ["n02123045", "n02124075"])
    [1, 0, 0]
    """
    return [_index(value, ids) for value in wanted]


def _index(value: int | str, ids: Sequence[str]) -> int:
    if isinstance(value, int) or value.isdecimal():
        if 0 <= int(value) < len(ids):
            return int(value)
        raise GapnetError(
            f"classes={value}: must be an integer >= 0 and < {len(ids)}, the number of classes"
        )
    known: dict[str, int] = {}
    for index, class_id in enumerate(ids):
        words = _lemmas().get(class_id, "").lower().split(", ")
        for name in (class_id.lower(), *filter(None, words)):
            known.setdefault(name, index)
    if value.lower() in known:
        return known[value.lower()]
    near = " or ".join(difflib.get_close_matches(value.lower(), known, n=NEAR))
    hint = f"did you mean {near}?" if near else "pass an index, an id or a name of a class"
    raise GapnetError(f"classes={value}: is not a class of this network; {hint}")
