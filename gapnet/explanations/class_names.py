"""Classes by their index, id or name."""

import difflib
from collections.abc import Sequence

from gapnet.errors import GapnetError
from gapnet.text.class_names import synset_words

NEAR = 3  # names that an error suggests


def find_classes(
    wanted: Sequence[int | str], ids: Sequence[str], names: Sequence[str]
) -> list[int]:
    """Return the indices of classes, from indices, ids, or names in any case.

    >>> find_classes([1, "n02123045", "Tabby", "Dog"], ["n02123045", "s1"], ["tabby", "dog"])
    [1, 0, 0, 1]
    """
    return [_index(value, ids, names) for value in wanted]


def _index(value: int | str, ids: Sequence[str], names: Sequence[str]) -> int:
    if isinstance(value, int) or value.isdecimal():
        if 0 <= int(value) < len(ids):
            return int(value)
        raise GapnetError(
            f"classes={value}: must be an integer >= 0 and < {len(ids)}, the number of classes"
        )
    known: dict[str, int] = {}
    for index, (class_id, name) in enumerate(zip(ids, names, strict=True)):
        words = synset_words().get(class_id, "").split(", ")
        for word in (class_id, name, *filter(None, words)):
            known.setdefault(word.lower(), index)
    if value.lower() in known:
        return known[value.lower()]
    near = " or ".join(difflib.get_close_matches(value.lower(), known, n=NEAR))
    hint = f"did you mean {near}?" if near else "pass an index, an id or a name of a class"
    raise GapnetError(f"classes={value}: is not a class of this network; {hint}")
