"""Compare two runs on the same images: verdicts.parquet lies beside metrics.json."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from gapnet.errors import GapnetError, reading
from gapnet.evaluation.bootstrap import intervals
from gapnet.evaluation.ground_truth import Truth
from gapnet.evaluation.score import Scored, Scoring
from gapnet.evaluation.table_digest import with_digest, without_digest
from gapnet.evaluation.verdicts import Verdict
from gapnet.system.files import atomic_file

ORACLE, FIXED = "(oracle", "fixed"  # who chose a threshold
ACCURACIES = {"max_box_acc", "max_box_acc_v2"}  # of the metrics; the others are errors
SAID = {b"data", b"split", b"truth"}  # of a file of verdicts


@dataclass(frozen=True)
class Difference:
    """Hold a figure of two runs over the same n images, and its difference, b - a.

    `low` and `high` are the 95% interval of the difference, from resampling images, each with both
    its verdicts. only_a and only_b list the images that only a, or only b, has right.
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
        """Give b - a."""
        return self.b - self.a


def write_verdicts(scoring: Scoring, scored: dict[str, Scored], path: Path) -> None:
    """Write a row for each image and a column for each figure; null where it does not count."""
    columns = {"id": pa.array(scoring.truth.ids), "label": pa.array(scoring.truth.labels.numpy())}
    for protocol, each in scored.items():
        for verdict in each.verdicts:
            if verdict.chosen_on is None or ORACLE not in verdict.chosen_on:
                values = pa.array(verdict.values.numpy(), mask=~verdict.rows.numpy())
                columns[_name(protocol, verdict)] = values
    table = pa.table(columns).replace_schema_metadata(
        {"data": scoring.data, "split": scoring.split, "truth": _digest(scoring.truth)}
    )
    with atomic_file(path) as unfinished:
        pq.write_table(with_digest(table), unfinished, compression="zstd", write_page_checksum=True)


def compare(a: Path, b: Path, *, resamples: int = 1000, seed: int = 0) -> list[Difference]:
    """Compare the figures that two files of verdicts have in common."""
    first, second = read_verdicts(a), read_verdicts(b)
    for key in (b"data", b"split"):
        mine, theirs = first.schema.metadata[key], second.schema.metadata[key]
        if mine != theirs:
            raise GapnetError(
                f"{a} and {b}: are of different images "
                f"({key.decode()} {mine.decode()!r} and {theirs.decode()!r})"
            )
    second = aligned(first, second, a, b)
    if first.schema.metadata[b"truth"] != second.schema.metadata[b"truth"]:
        raise GapnetError(
            f"{a} and {b}: have the same images by name, but other labels or boxes; was one of the "
            "runs on other data, or its ground truth edited?"
        )
    names = [name for name in first.column_names if name in second.column_names and "/" in name]
    if not names:
        raise GapnetError(
            f"{a} and {b}: have no figure in common; score both by one protocol "
            "(python evaluate.py predictions=RUN protocol=...)"
        )
    return [_difference(name, first, second, resamples, seed) for name in names]


def _digest(truth: Truth) -> str:
    """Digest labels and boxes, in whichever order the images are."""
    order = sorted(range(len(truth.ids)), key=truth.ids.__getitem__)
    digest = hashlib.sha256(truth.labels[order].numpy().tobytes())
    if truth.boxes is not None:
        digest.update(truth.boxes.xyxy[order][truth.boxes.present[order]].numpy().tobytes())
    return digest.hexdigest()[:16]


def _difference(
    name: str, first: pa.Table, second: pa.Table, resamples: int, seed: int
) -> Difference:
    values = np.stack(
        [each[name].to_numpy(zero_copy_only=False).astype(float) for each in (first, second)], 1
    )
    counted = ~np.isnan(values).any(1)
    kept = torch.from_numpy(values[counted])
    change = (kept[:, 1] - kept[:, 0])[:, None]
    low, high = intervals(change, resamples=resamples, seed=seed)
    ids = np.array(first["id"].to_pylist(), dtype=object)[counted]
    better_high = name.split("/")[1] in ACCURACIES
    a_right = (change[:, 0] < 0) if better_high else (change[:, 0] > 0)
    b_right = (change[:, 0] > 0) if better_high else (change[:, 0] < 0)
    return Difference(
        metric=name,
        a=kept[:, 0].mean().item(),
        b=kept[:, 1].mean().item(),
        low=low.item(),
        high=high.item(),
        n=len(kept),
        only_a=ids[a_right.numpy()].tolist(),
        only_b=ids[b_right.numpy()].tolist(),
    )


def aligned(first: pa.Table, second: pa.Table, a: Path, b: Path) -> pa.Table:
    """Put the second table into the order of the first; the images must be the same."""
    rows = {each: row for row, each in enumerate(second["id"].to_pylist())}
    ids: Sequence[str] = first["id"].to_pylist()
    lacking = [each for each in ids if each not in rows]
    if lacking or len(ids) != len(rows):
        raise GapnetError(
            f"{a} has {len(ids)} images, {b} {len(rows)}, of which {len(ids) - len(lacking)} are "
            "the same: only runs on the same images can be compared"
        )
    return second.take(pa.array([rows[each] for each in ids]))


def read_verdicts(path: Path) -> pa.Table:
    """Read a file of verdicts."""
    if not path.is_file():
        hint = "evaluate the run first" if path.parent.is_dir() else "is that a run folder?"
        raise GapnetError(f"{path}: no such file; {hint}")
    with reading(path, "cannot be read", "evaluate the run again"):
        table = pq.read_table(path, page_checksum_verification=True)
        table.validate(full=True)
        table = without_digest(table)
    if "id" not in table.column_names or SAID - (table.schema.metadata or {}).keys():
        raise GapnetError(f"{path}: holds no verdicts of this version of gapnet; evaluate again")
    return table


def _name(protocol: str, verdict: Verdict) -> str:
    """Name a figure; a file of another tool has no threshold, and compares with a fixed one."""
    chosen_on = None if verdict.chosen_on == FIXED else verdict.chosen_on
    return "/".join(filter(None, (protocol, verdict.metric, chosen_on)))
