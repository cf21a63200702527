"""Records, samples, batches and shards of images with several classes."""

import json
import tarfile
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from PIL import Image

from gapnet.data.loading.images import Images
from gapnet.data.loading.views import whole_view
from gapnet.data.record_table import MULTI_LABEL_SCHEMA, SCHEMA, UNKNOWN, check_records
from gapnet.data.records import Record, Records
from gapnet.data.records_digest import digest_of_data
from gapnet.data.sample import collate
from gapnet.data.shards.write import write_shards
from gapnet.data.sources.folder import Folder
from gapnet.data.sources.shards import Shards


def record(root: Path, label: int, *labels: int) -> Record:
    path = root / f"{label}{labels}.png"
    Image.new("RGB", (8, 6)).save(path)
    return Record(path.name, path, label, None, labels=labels)


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records.of([record(tmp_path, 2, 0, 2), record(tmp_path, 1, 1)], tmp_path)


def test_labels_survive_a_file_and_a_choice_of_rows(records: Records, tmp_path: Path) -> None:
    records.save(tmp_path / "index.arrow")
    again = Records.open(tmp_path / "index.arrow", tmp_path)
    assert again.multi_label
    assert [row.labels for row in again] == [(0, 2), (1,)]
    assert again.take([1]).multi_label
    assert again[0].label == 2


def test_single_label_data_has_the_columns_of_before(tmp_path: Path) -> None:
    records = Records.of([record(tmp_path, 2)], tmp_path)
    assert records.table.schema == SCHEMA
    assert not records.multi_label
    assert records[0].labels == ()


def test_several_labels_change_the_digest_of_the_data(records: Records, tmp_path: Path) -> None:
    plain = Records.of([row._replace(labels=()) for row in records], tmp_path)
    assert digest_of_data(plain) != digest_of_data(records)


class Both(Folder):
    """Folders of classes, whose images are all of both classes."""

    def records(self, split: str) -> Records:
        return Records.of(
            [row._replace(labels=(0, 1)) for row in super().records(split)], self.root
        )


def test_shards_hold_all_labels(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "images/train" / name).mkdir(parents=True)
        Image.new("RGB", (8, 6)).save(tmp_path / f"images/train/{name}/a.png")
    source = Both(tmp_path / "images", select_split="train", test_split="train")
    write_shards(source, tmp_path / "shards", workers=1)
    records = Shards(tmp_path / "shards").records("train")
    assert [row.labels for row in records] == [(0, 1), (0, 1)]
    with tarfile.open(tmp_path / "shards/train-000000.tar") as tar:
        truths = [json.load(tar.extractfile(name)) for name in tar.getnames() if "json" in name]  # type: ignore[arg-type]
    assert [truth["labels"] for truth in truths] == [[0, 1], [0, 1]]


def test_a_batch_has_a_target_for_every_class(records: Records) -> None:
    batch = collate([Images(records, whole_view((4, 4)))[row] for row in (0, 1)])
    assert batch.labels.tolist() == [2, 1]
    assert batch.targets(3).tolist() == [[1, 0, 1], [0, 1, 0]]


def test_targets_of_single_label_data_are_one_hot(tmp_path: Path) -> None:
    records = Records.of([record(tmp_path, 1), record(tmp_path, UNKNOWN)], tmp_path)
    batch = collate([Images(records, whole_view((4, 4)))[row] for row in (0, 1)])
    assert torch.equal(batch.targets(2), torch.tensor([[0.0, 1.0], [0.0, 0.0]]))


@pytest.mark.parametrize("labels", [[2, 0], [0], [0, 0, 2], [-1, 2], [None, 2], [], None])
def test_a_table_whose_labels_contradict_each_other_is_refused(
    records: Records, labels: list[int | None] | None
) -> None:
    rows = records.table.to_pylist()
    rows[0]["labels"] = labels
    with pytest.raises(ValueError, match="labels"):
        check_records(pa.Table.from_pylist(rows, schema=MULTI_LABEL_SCHEMA))
