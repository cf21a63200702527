"""Choice of training images that are held out to select thresholds and checkpoints.

The images of a class are taken in the order of the SHA-256 of their ids. So the choice is always
the same: it depends neither on the order of the images nor on the other classes.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256

from gapnet.data.records import Records
from gapnet.errors import GapnetError
from gapnet.system.value_checks import wrong_value


def check_held_out(held_out: float) -> None:
    """Refuse a value that is neither a share nor a number of images."""
    is_number = isinstance(held_out, int | float) and not isinstance(held_out, bool)
    if not (is_number and (0 <= held_out < 1 or (held_out > 0 and float(held_out).is_integer()))):
        rule = "must be a share of every class (>= 0 and < 1), or an integer number of its images"
        raise wrong_value("data.held_out", held_out, rule)


def hold_out(
    images: Iterable[tuple[str, int]], held_out: float, *, classes: Sequence[str]
) -> set[str]:
    """Choose images of every class; return their ids.

    Args:
        images: id and label of every image to choose from.
        held_out: a share of every class if it is below 1 (rounded, at least one image), else a
            number of images per class.
        classes: ids of the classes, for errors.
    """
    chosen: set[str] = set()
    for label, ids in _by_class(images).items():
        count = int(held_out) if held_out >= 1 else max(1, round(held_out * len(ids)))
        if held_out and count >= len(ids):
            raise _leaves_none(held_out, classes[label], len(ids))
        chosen.update(ids[: count if held_out else 0])
    return chosen


def hold_out_with_boxes(records: Records, count: int, *, classes: Sequence[str]) -> set[str]:
    """Choose `count` images with boxes from every class; return their ids."""
    ids, labels = records.ids, records.labels.tolist()
    has_boxes = records.table["boxes"].is_valid().to_pylist()
    rows = zip(ids, labels, has_boxes, strict=True)
    candidates = _by_class((id_, label) for id_, label, has in rows if has)
    totals = Counter(labels)
    scarce = min(totals, key=lambda label: len(candidates.get(label, ())))
    if (most := len(candidates.get(scarce, ()))) < count:
        raise GapnetError(
            f"data.held_out={count}: class {classes[scarce]!r} has {most} training images with "
            f"boxes; hold out at most {most} per class, or add annotations"
        )
    small = min(totals, key=lambda label: totals[label])
    if totals[small] <= count:
        raise _leaves_none(count, classes[small], totals[small])
    return {id_ for sorted_ids in candidates.values() for id_ in sorted_ids[:count]}


def _by_class(images: Iterable[tuple[str, int]]) -> dict[int, list[str]]:
    """Group ids by label, in the order of their SHA-256."""
    groups: dict[int, list[str]] = {}
    for id_, label in images:
        groups.setdefault(label, []).append(id_)
    for ids in groups.values():
        ids.sort(key=lambda id_: sha256(id_.encode()).digest())
    return groups


def _leaves_none(held_out: float, class_id: str, images: int) -> GapnetError:
    return GapnetError(
        f"data.held_out={held_out}: leaves no training image of class {class_id!r}, which has "
        f"{images}; hold out fewer, or name another split with data.select_split=..."
    )
