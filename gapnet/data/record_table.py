"""The table of records: its columns, and a check of a table that was read from a file."""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gapnet.data.shards.manifest import File

UNKNOWN = -1  # the label of an image whose class is not known
LARGEST = 2**24  # of a box's coordinates, in absolute value; beyond it floats skip whole pixels
PLACE = r"^(?P<shard>[^/]+)/(?P<offset>\d{1,15})\+(?P<size>\d{1,15})/[^/]+$"
REQUIRED = ("id", "path", "label", "blacklisted")
# boxes: four numbers per box. blacklisted: left out of localization by ILSVRC's devkit.
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("path", pa.string()),
        ("label", pa.int32()),
        ("boxes", pa.list_(pa.float32())),
        ("masks", pa.list_(pa.string())),
        ("ignore", pa.string()),
        ("blacklisted", pa.bool_()),
    ]
)
LABELS = "labels"  # column that only multi-label data has
# labels: the classes of the image, ascending; `label` is one of them.
MULTI_LABEL_SCHEMA = SCHEMA.append(pa.field(LABELS, pa.list_(pa.int32())))


def check_records(table: pa.Table) -> None:
    """Raise ValueError unless every value of a table can be used without further checks.

    Arrow's own check comes first: without it, wrong offsets read memory outside the buffers.
    """
    if not any(table.schema.equals(schema) for schema in (SCHEMA, MULTI_LABEL_SCHEMA)):
        raise ValueError("its columns do not match this version of gapnet")
    table.validate(full=True)
    for rule in (*_broken_rules(table), *_broken_label_rules(table)):
        raise ValueError(rule)


def _broken_rules(table: pa.Table) -> Iterator[str]:
    for name in REQUIRED:
        if table[name].null_count:
            yield f"a row has no {name}"
    if pc.any(pc.equal(table["id"], "")).as_py():
        yield "an id is empty"
    if pc.any(pc.less(table["label"], UNKNOWN)).as_py():
        yield f"a label is less than {UNKNOWN}"
    boxes = table["boxes"].combine_chunks()
    if (boxes.value_lengths().fill_null(0).to_numpy(zero_copy_only=False) % 4).any():
        yield "a box does not have four numbers"
    numbers = boxes.flatten()
    if numbers.null_count or not _are_small(numbers.to_numpy(zero_copy_only=False)):
        yield "a box has a number that is missing, not finite or too large"
    if table["masks"].combine_chunks().flatten().null_count:
        yield "a mask has no name"


def _broken_label_rules(table: pa.Table) -> Iterator[str]:
    if LABELS in table.column_names:
        pairs = zip(table["label"].to_pylist(), table[LABELS].to_pylist(), strict=True)
        if not all(_is_label_set(labels, label) for label, labels in pairs):
            yield "the labels of a row are not ascending, or lack its label"


def _is_label_set(labels: list[int | None] | None, label: int) -> bool:
    """Return whether labels are ascending and contain `label`; without a label there are none."""
    if not labels:
        return labels is not None and label == UNKNOWN
    classes = [one for one in labels if one is not None and one > UNKNOWN]
    return labels == sorted(set(classes)) and label in labels


def _are_small(numbers: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> bool:
    return bool((np.abs(numbers) <= LARGEST).all())  # false for NaN


def check_shard_records(table: pa.Table, *, classes: int, shards: Mapping[str, File]) -> None:
    """Raise ValueError unless every label and place is one that the manifest lists."""
    columns = [table["label"]]
    if LABELS in table.column_names:
        columns.append(table[LABELS].combine_chunks().flatten())
    for labels in columns:
        highest = pc.max(labels).as_py()
        if highest is not None and highest >= classes:
            raise ValueError(f"label {highest}: there are {classes} classes")
    masks = table["masks"].combine_chunks().flatten()
    if len(masks) or table["ignore"].null_count != table.num_rows:
        raise ValueError("a row has masks, which shards do not hold")
    _check_places(table["path"].combine_chunks(), shards)


def _check_places(paths: pa.StringArray, shards: Mapping[str, File]) -> None:
    places = pc.extract_regex(paths, PLACE)
    if places.null_count:
        wrong = paths.filter(places.is_null())[0].as_py()
        raise ValueError(f"path {wrong!r}: must be SHARD/OFFSET+SIZE/NAME")
    for name in pc.unique(places.field("shard")).to_pylist():
        if name not in shards:
            raise ValueError(f"shard {name!r}: is not listed in the manifest")
        own = places.filter(pc.equal(places.field("shard"), name))
        ends = pc.add(*(pc.cast(own.field(column), pa.int64()) for column in ("offset", "size")))
        if pc.max(ends).as_py() > shards[name].bytes:
            raise ValueError(f"shard {name!r}: an image lies beyond its end")
