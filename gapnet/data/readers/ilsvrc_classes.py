"""Classes of an ILSVRC tree: all files and folders that list them must agree."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from gapnet.data.readers.annotations import read_synsets
from gapnet.data.readers.devkit import CLASSES, Synset
from gapnet.data.readers.ilsvrc_layouts import MAPPING, KaggleTree, Layout
from gapnet.errors import GapnetError


def name_classes(tree: Layout, kit: Mapping[str, Sequence[Synset]]) -> tuple[dict[str, str], str]:
    """Return the names of the classes by id, in the order of their index, and the file or folder.

    Args:
        tree: layout of the data set.
        kit: classes of the devkit by the path of its list, if there is one.
    """
    mapping = tree.root / MAPPING
    names = read_synsets(mapping) if mapping.exists() else {}
    known = {str(mapping): list(names), f"{tree.root}'s folders": tree.class_ids()}
    for place, synsets in kit.items():
        known[place] = [synset.wnid for synset in synsets]
        names = {synset.wnid: synset.name for synset in synsets} | names
    known = {place: ids for place, ids in known.items() if ids}
    _check_same(known, tree.root)
    place, ids = next(iter(known.items()))
    order = ids if isinstance(tree, KaggleTree) else sorted(ids)
    if len(order) == CLASSES and order != sorted(order):
        raise GapnetError(
            f"{place}: its {CLASSES} classes must be in the order of their WNIDs, as for every "
            "checkpoint; take the file from Kaggle again"
        )
    return {class_id: names.get(class_id, class_id) for class_id in order}, place


def _check_same(known: Mapping[str, Sequence[str]], root: Path) -> None:
    if not known:
        raise GapnetError(
            f"data.root={root}: no file there lists the classes; put {MAPPING}, the devkit "
            "or the class folders of training there"
        )
    (first, ours), *others = known.items()
    for place, theirs in others:
        apart = sorted(set(ours) ^ set(theirs))
        if apart:
            raise GapnetError(
                f"{place}: has {len(theirs)} classes, {first} {len(ours)}; {apart[0]!r} is in "
                f"only one of them ({len(apart)} differ); complete one, or remove it"
            )
