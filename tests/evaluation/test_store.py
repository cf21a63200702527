from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gapnet.errors import GapnetError
from gapnet.evaluation import store
from gapnet.evaluation.store import About, Row, Writer, read

ABOUT = About(split="test", network="tiny_gap", rules="", num_classes=3, cut=0.2, cuts=[0.0, 0.5])


def row(number: int, **changes: object) -> Row:
    made = Row(
        id=f"image{number}",
        height=10 + number,
        width=20,
        classes=[number % 3, 1],
        scores=[0.75, 0.25],
        guess_labels=[number % 3, 1],
        guess_boxes=[0.0, 1.0, 2.0, 3.5, 4.0, 5.0, 6.0, 7.0],
        truth_iou=0.5,
        truth_ious=[0.25, 0.5],
    )
    return made._replace(**changes)


def write(folder: Path, rows: list[Row], *, rank: int = 0) -> None:
    writer = Writer(folder, ABOUT, rank=rank)
    writer.add(rows)
    writer.flush()


def test_rows_come_back_as_tensors(tmp_path: Path) -> None:
    write(tmp_path, [row(0), row(1)])
    predictions = read(tmp_path)
    assert predictions.ids == ["image0", "image1"]
    assert predictions.sizes.tolist() == [[10, 20], [11, 20]]
    assert predictions.classes.tolist() == [[0, 1], [1, 1]]
    assert predictions.guess_boxes[1].tolist() == [[0.0, 1.0, 2.0, 3.5], [4.0, 5.0, 6.0, 7.0]]
    assert predictions.overlaps is not None
    assert predictions.overlaps.own.tolist() == [0.5, 0.5]
    assert predictions.overlaps.swept.tolist() == [[0.25, 0.5]] * 2
    assert predictions.about == ABOUT


def test_parts_of_several_ranks_join_and_a_padded_image_counts_once(tmp_path: Path) -> None:
    write(tmp_path, [row(0), row(2)], rank=0)
    write(tmp_path, [row(1), row(0)], rank=1)
    assert sorted(read(tmp_path).ids) == ["image0", "image1", "image2"]


def test_a_part_is_written_when_there_are_enough_rows(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(store, "FLUSH_EVERY", 2)
    writer = Writer(tmp_path, ABOUT)
    for number in range(5):
        writer.add([row(number)])
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "part-000-00000.parquet",
        "part-000-00001.parquet",
    ]
    writer.flush()
    assert len(read(tmp_path).ids) == 5


def test_an_interrupted_part_has_no_final_name(tmp_path: Path, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    writer = Writer(tmp_path, ABOUT)
    writer.add([row(0)])
    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(OSError, match="No space"):
        writer.flush()
    assert not list(tmp_path.glob("part-*"))


def test_images_without_boxes_have_no_overlaps(tmp_path: Path) -> None:
    write(tmp_path, [row(0), row(1, truth_iou=None, truth_ious=None)])
    assert read(tmp_path).overlaps is None


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GapnetError, match="holds no predictions"):
        read(tmp_path)


def test_a_damaged_part_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, [row(0)])
    (tmp_path / "part-000-00000.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(GapnetError, match="cannot be read as predictions"):
        read(tmp_path)


def test_parts_made_by_different_rules_do_not_mix(tmp_path: Path) -> None:
    write(tmp_path, [row(0)])
    writer = Writer(tmp_path, ABOUT._replace(rules="others"), rank=1)
    writer.add([row(1)])
    writer.flush()
    with pytest.raises(GapnetError, match="made by different networks or rules"):
        read(tmp_path)


def test_other_columns_are_an_error(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "part-000-00000.parquet")
    with pytest.raises(GapnetError, match="columns are not those"):
        read(tmp_path)
