"""Checks of a data set on disk: is it complete and consistent?"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import pyarrow.compute as pc

from gapnet.data.checks.digests import Digested, differing
from gapnet.data.checks.image_checks import Depth, Trouble, check_images
from gapnet.data.readers.devkit import BLACKLISTED, BOXES, FIRST_IDS, FIRST_LABELS, SEVERAL
from gapnet.data.record_table import LABELS, UNKNOWN
from gapnet.data.records import Records
from gapnet.data.sample import Numbered, Source
from gapnet.errors import GapnetError, MissingSplitError
from gapnet.system.value_checks import one_of, whole_number

Status = Literal["ok", "wrong", "note"]

WORDNET = re.compile(r"n\d{8}")
ENDS = ("n01440764", "n15075141")  # of its classes
FEW = 3  # examples of what is wrong

DONE: dict[Depth, str] = {
    "headers": "are there and open as images",
    "all": "are there, and every pixel can be read",
    "none": "are there",
}
REPAIRS: dict[Trouble, tuple[str, str]] = {
    "missing": (
        "files are listed but missing",
        "unpack the archive of the split again, all of it",
    ),
    "unreadable": (
        "images cannot be read",
        "restore these files from the download; until then, train with data.on_corrupt=skip",
    ),
    "outside": (
        "images have boxes that reach beyond them",
        "take images and annotations from the same download",
    ),
}


class Finding(NamedTuple):
    """Result of a check: one line, and how to repair what is wrong."""

    status: Status
    text: str
    fix: str = ""


def examine(
    source: Source,
    *,
    splits: Sequence[str] = (),
    images: Depth = "headers",
    workers: int | None = None,
) -> Iterator[Finding]:
    """Check a data set; yield every finding as soon as it is made.

    Args:
        source: the data set.
        splits: splits that must exist; the splits for training, selection and test are checked as
            well if they exist.
        images: headers opens every file and reads its size, all decodes every pixel, none only
            checks that the files exist.
        workers: number of processes; by default one per core.
    """
    one_of("images", images, get_args(Depth))
    whole_number("workers", workers, least=1, optional=True)
    layout = f", {source.layout}" if isinstance(source, Numbered) else ""
    yield Finding("ok", f"{source.title}: {source.root}{layout}")
    yield _check_classes(source)
    if isinstance(source, Numbered):
        yield from _check_devkit(source.devkit_ids(), source)
    read: dict[str, Records] = {}
    used = (source.train_split, source.select_split, source.test_split)
    for split in dict.fromkeys((*used, *splits)):
        try:
            read[split] = records = source.records(split)
        except MissingSplitError as error:
            missing = from_error(split, error)
            yield missing if split in splits else missing._replace(status="note")
            continue
        except GapnetError as error:
            yield from_error(split, error)
            continue
        yield from _check_labels(records, split, source)
        yield from _check_boxes(records, split, source)
        yield _check_ids(records, split)
        yield from _check_files(records, split, source, depth=images, workers=workers)
    if not read:
        yield Finding("wrong", f"none of the splits {', '.join(dict.fromkeys(used))} can be read")
    yield from _check_between(read)
    if source.select_split == source.test_split:
        yield Finding(
            "note",
            f"{source.test_split}: thresholds are chosen on the split that is reported, so the "
            "results with them are optimistic",
        )


def from_error(where: str, error: Exception) -> Finding:
    """Turn an error into a finding; its remedy follows the last semicolon."""
    text, _, fix = " ".join(str(error).split()).rpartition("; ")
    return Finding("wrong", f"{where}: {text or fix}", fix if text else "correct it as this says")


def _is_ilsvrc(source: Source) -> bool:
    return source.kind == "ilsvrc"


def _check_classes(source: Source) -> Finding:
    classes = source.classes
    text = f"classes: {len(classes):,}, from {classes[0]} to {classes[-1]}"
    if len(set(classes)) != len(classes):
        return Finding("wrong", f"{text}; some are listed twice", "list every class once")
    if _is_ilsvrc(source) and ((classes[0], classes[-1]) != ENDS or classes != sorted(classes)):
        problem = f"{text}; ILSVRC's are sorted, from {ENDS[0]} to {ENDS[1]}"
        return Finding(
            "wrong", problem, "take LOC_synset_mapping.txt and class folders of ILSVRC 2012"
        )
    if not _is_ilsvrc(source) and all(WORDNET.fullmatch(class_id) for class_id in classes):
        fix = "unpack the rest, if you mean ILSVRC: its counts are not checked otherwise"
        return Finding("note", f"{text}: WordNet ids, but not the 1,000 of ILSVRC", fix)
    return Finding("ok", text)


def _check_devkit(ids: Mapping[int, int] | None, source: Source) -> Iterator[Finding]:
    place = source.root / "devkit" / "data"
    if ids is not None:
        labels = [ids.get(number) for number in FIRST_IDS]
        if _is_ilsvrc(source) and labels != FIRST_LABELS:
            problem = f"devkit: IDs {FIRST_IDS} are ILSVRC's classes {FIRST_LABELS}, here {labels}"
            yield Finding("wrong", problem, f"put meta.mat of ILSVRC 2012 or later into {place}")
        else:
            yield Finding("ok", f"devkit: its IDs 1 to {len(ids)} are converted to class indices")
    elif _is_ilsvrc(source):
        problem = "devkit: not there, so prediction files that use its IDs cannot be read"
        yield Finding("note", problem, f"put its meta.mat or map_clsloc.txt into {place}")


def _check_labels(records: Records, split: str, source: Source) -> Iterator[Finding]:
    labels, count = records.labels, len(source.classes)
    known = labels[labels != UNKNOWN]
    text = f"{split}: {len(records):,} images"
    if records.multi_label:
        text += f" with {len(records.table[LABELS].combine_chunks().flatten()):,} labels"
    published = source.published_counts.get(split)
    if published not in (None, len(records)):
        fix = "unpack the archive of the split again, all of it, or download it again"
        yield Finding("wrong", f"{text}, and {source.title} has {published:,}", fix)
    if not len(known):
        yield Finding("note", f"{text} of unknown classes: nothing can be scored on them")
    elif not 0 <= int(known.min()) <= int(known.max()) < count:
        yield Finding("wrong", f"{split}: has labels beyond its {count} classes", "correct them")
    else:
        counts = known.bincount(minlength=count)
        fewest, most = int(counts.min()), int(counts.max())
        per_class = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
        yield Finding("ok", f"{text}, {per_class} per class")
        empty = [source.classes[label] for label in (counts == 0).nonzero().flatten().tolist()]
        if empty and split == source.train_split:
            fix = "unpack the archives of these classes, or take them off the list of classes"
            yield Finding("wrong", f"{split}: {len(empty):,} empty classes: {_some(empty)}", fix)


def _images(count: int) -> str:
    return f"{count:,} image" + ("" if count == 1 else "s")


def _check_boxes(records: Records, split: str, source: Source) -> Iterator[Finding]:
    known = _is_ilsvrc(source) and split == "val"
    column = records.table["boxes"]
    counts = [length // 4 for length in pc.list_value_length(column).drop_null().to_pylist()]
    if counts:
        boxes, several = sum(counts), sum(count > 1 for count in counts)
        text = f"{split}: {boxes:,} boxes, {_images(several)} with several boxes"
        text += f", {_images(column.null_count)} without boxes" if column.null_count else ""
        if known and (boxes, several) != (BOXES, SEVERAL):
            fix = "take the XML files of validation, or LOC_val_solution.csv, from the download"
            yield Finding("wrong", f"{text}; ILSVRC has {BOXES:,} and {SEVERAL:,}", fix)
        else:
            yield Finding("ok", text)
    elif split != source.train_split:
        yield Finding("note", f"{split}: has no boxes: only classification can be scored")
    left_out = int(records.blacklisted.sum())
    if left_out:
        yield Finding("ok", f"{split}: {left_out:,} images are on the devkit's blacklist")
    elif known:
        problem = (
            f"{split}: no blacklist; the devkit leaves {BLACKLISTED:,} images out of localization"
        )
        name = "ILSVRC2014_clsloc_validation_blacklist.txt"
        yield Finding("note", problem, f"put {name} into {source.root / 'devkit' / 'data'}")


def _check_ids(records: Records, split: str) -> Finding:
    for what, values in (("ids", records.ids), ("files", records.table["path"].to_pylist())):
        twice = [value for value, times in Counter(values).items() if times > 1]
        if twice:
            problem = f"{split}: {len(twice):,} {what} are listed more than once: {_some(twice)}"
            return Finding("wrong", problem, "list every image once, under its own name")
    return Finding("ok", f"{split}: no image is listed twice")


def _check_files(
    records: Records, split: str, source: Source, *, depth: Depth, workers: int | None
) -> Iterator[Finding]:
    try:
        troubles = check_images(
            records, split, depth=depth, reading=source.reading, workers=workers
        )
    except GapnetError as error:
        yield from_error(split, error)
        return
    for kind, (what, fix) in REPAIRS.items():
        paths = [path for trouble, path in troubles if trouble == kind]
        if paths:
            yield Finding("wrong", f"{split}: {len(paths):,} {what}: {_some(paths)}", fix)
    if not troubles:
        yield Finding("ok", f"{split}: all {len(records):,} files {DONE[depth]}")
    if isinstance(source, Digested) and depth != "none":
        yield _check_digests(source.digests(split), split, workers=workers)


def _check_digests(digests: Mapping[Path, str], split: str, *, workers: int | None) -> Finding:
    wrong = [path.name for path in differing(digests, split, workers=workers)]
    if wrong:
        problem = f"{split}: {len(wrong):,} shards have another SHA-256: {_some(wrong)}"
        return Finding("wrong", problem, "copy these shards there again")
    return Finding("ok", f"{split}: {len(digests):,} shards have their SHA-256")


def _check_between(read: Mapping[str, Records]) -> Iterator[Finding]:
    for (one, first), (other, second) in combinations(read.items(), 2):
        shared = sorted(set(first.ids) & set(second.ids))
        if shared:
            problem = f"{one} and {other} share {len(shared):,} images: {_some(shared)}"
            fix = "keep an image in one split: evaluate on images that were not trained on"
            yield Finding("wrong", problem, fix)
        else:
            yield Finding("ok", f"{one} and {other} share no image")


def _some(values: Sequence[str]) -> str:
    return ", ".join(values[:FEW]) + (", ..." if len(values) > FEW else "")
