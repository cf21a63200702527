"""Compares two runs on the same images, by the verdicts in verdicts.parquet."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from gapnet.errors import GapnetError, reading
from gapnet.evaluation.bootstrap import intervals
from gapnet.evaluation.ground_truth import SplitTruth
from gapnet.evaluation.table_digest import with_digest, without_digest
from gapnet.evaluation.verdicts import Verdict
from gapnet.system.files import atomic_file

ORACLE, FIXED = "(oracle", "fixed"  # how a threshold was chosen
ACCURACIES = {"max_box_acc", "max_box_acc_v2", "accuracy"}  # of the metrics; the others are errors
METADATA = {b"data", b"split", b"truth"}  # of a file of verdicts


@dataclass(frozen=True)
class Difference:
    """A metric of two runs on the same n images, and its difference, b - a.

    `low` and `high` are the 95% interval of the difference; resampling draws an image with the
    verdicts of both runs. only_a and only_b are the images that only a, or only b, has right.
    """

    metric: str
    a: float
    b: float
    low: float
    high: float
    n: int
    only_a: list[str]
    only_b: list[str]

    @property
    def difference(self) -> float:
        """Return b - a."""
        return self.b - self.a


def write_verdicts(
    truth: SplitTruth,
    by_protocol: Mapping[str, Sequence[Verdict]],
    path: Path,
    *,
    data: str,
    split: str,
) -> None:
    """Write a row per image and a column per metric; null if the image does not count."""
    columns = {"id": pa.array(truth.ids), "label": pa.array(truth.labels.numpy())}
    for protocol, verdicts in by_protocol.items():
        for verdict in verdicts:
            if verdict.chosen_on is None or ORACLE not in verdict.chosen_on:
                values = pa.array(verdict.values.numpy(), mask=~verdict.rows.numpy())
                columns[_name(protocol, verdict)] = values
    table = pa.table(columns).replace_schema_metadata(
        {"data": data, "split": split, "truth": _digest(truth)}
    )
    with atomic_file(path) as unfinished:
        pq.write_table(with_digest(table), unfinished, compression="zstd", write_page_checksum=True)


def compare_verdicts(a: Path, b: Path, *, resamples: int = 1000, seed: int = 0) -> list[Difference]:
    """Return the differences in the metrics that two files of verdicts have in common."""
    first, second = read_verdicts(a), read_verdicts(b)
    for key in (b"data", b"split"):
        mine, theirs = first.schema.metadata[key], second.schema.metadata[key]
        if mine != theirs:
            raise GapnetError(
                f"{a} and {b}: are of different images "
                f"({key.decode()} {mine.decode()!r} and {theirs.decode()!r}); evaluate both "
                "on the same images"
            )
    second = aligned(first, second, a, b)
    if first.schema.metadata[b"truth"] != second.schema.metadata[b"truth"]:
        raise GapnetError(
            f"{a} and {b}: have different labels or boxes for the same images; evaluate both runs "
            "on the same data"
        )
    names = [name for name in first.column_names if name in second.column_names and "/" in name]
    if not names:
        raise GapnetError(
            f"{a} and {b}: have no metric in common; score both by one protocol "
            "(gapnet evaluate predictions=RUN protocol=...)"
        )
    return [_difference(name, first, second, resamples, seed) for name in names]


def _digest(truth: SplitTruth) -> str:
    """Return a digest of labels and boxes, which does not depend on the order of images."""
    order = sorted(range(len(truth.ids)), key=truth.ids.__getitem__)
    digest = hashlib.sha256(truth.labels[order].numpy().tobytes())
    if truth.boxes is not None:
        digest.update(truth.boxes.xyxy[order][truth.boxes.present[order]].numpy().tobytes())
    return digest.hexdigest()[:16]


def _difference(
    name: str, first: pa.Table, second: pa.Table, resamples: int, seed: int
) -> Difference:
    values = np.stack(
        [table[name].to_numpy(zero_copy_only=False).astype(float) for table in (first, second)], 1
    )
    counted = ~np.isnan(values).any(1)
    pairs = torch.from_numpy(values[counted])
    change = (pairs[:, 1] - pairs[:, 0])[:, None]
    low, high = intervals(change, resamples=resamples, seed=seed)
    ids = np.array(first["id"].to_pylist(), dtype=object)[counted]
    better_high = name.split("/")[1] in ACCURACIES
    a_right = (change[:, 0] < 0) if better_high else (change[:, 0] > 0)
    b_right = (change[:, 0] > 0) if better_high else (change[:, 0] < 0)
    return Difference(
        metric=name,
        a=pairs[:, 0].mean().item(),
        b=pairs[:, 1].mean().item(),
        low=low.item(),
        high=high.item(),
        n=len(pairs),
        only_a=ids[a_right.numpy()].tolist(),
        only_b=ids[b_right.numpy()].tolist(),
    )


def aligned(first: pa.Table, second: pa.Table, a: Path, b: Path) -> pa.Table:
    """Return the second table in the order of the first; the images must be the same."""
    rows = {image: row for row, image in enumerate(second["id"].to_pylist())}
    ids: Sequence[str] = first["id"].to_pylist()
    missing = [image for image in ids if image not in rows]
    if missing or len(ids) != len(rows):
        raise GapnetError(
            f"{a} has {len(ids)} images, {b} {len(rows)}, of which {len(ids) - len(missing)} are "
            "the same; evaluate both runs on the same images"
        )
    return second.take(pa.array([rows[image] for image in ids]))


def read_verdicts(path: Path) -> pa.Table:
    """Read a file of verdicts."""
    if not path.is_file():
        hint = "evaluate the run first" if path.parent.is_dir() else "pass a run folder"
        raise GapnetError(f"{path}: no such file; {hint}")
    with reading(path, "cannot be read", "evaluate the run again"):
        table = pq.read_table(path, page_checksum_verification=True)
        table.validate(full=True)
        table = without_digest(table)
    if "id" not in table.column_names or METADATA - (table.schema.metadata or {}).keys():
        raise GapnetError(f"{path}: contains no verdicts of this version of gapnet; evaluate again")
    return table


def _name(protocol: str, verdict: Verdict) -> str:
    """Return the column of a metric; a fixed threshold has the same column as no threshold."""
    chosen_on = None if verdict.chosen_on == FIXED else verdict.chosen_on
    return "/".join(filter(None, (protocol, verdict.metric, chosen_on)))
