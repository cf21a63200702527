"""Readable names of classes, for people."""

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def synset_words() -> dict[str, str]:
    """Return the words of WordNet's synsets, such as n02123045: "tabby, tabby cat"."""
    package = find_spec("timm")  # does not import it, and with it torch
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).parent / "data" / "_info" / "imagenet_synset_to_lemma.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines if "\t" in line)


def readable_names(ids: Sequence[str], names: Sequence[str] | None = None) -> list[str]:
    """Return a name for each id: the name that it has, the first word of its synset, or the id.

    Args:
        ids: of the classes.
        names: that a data set has for them; None if it has none.

    >>> readable_names(["n02123045", "cat", "n02124075"], ["n02123045", "a cat", "Kleopatra"])
    ['tabby', 'a cat', 'Kleopatra']
    """
    words = synset_words()
    return [
        words.get(class_id, class_id).partition(",")[0] if name == class_id else name
        for class_id, name in zip(ids, names or ids, strict=True)
    ]
