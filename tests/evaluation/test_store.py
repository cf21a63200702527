import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from gapnet.errors import GapnetError
from gapnet.evaluation import store
from gapnet.evaluation.predict import SavedMaps
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.store import About, Row, Writer, done, read_parts
from tests.refusals import refused

ABOUT = About("test", ("a", "b", "c"), "tiny_gap", cut=0.2, cuts=(0.0, 0.5), weights="w", data="d")


def row(number: int, **changes: object) -> Row:
    made = Row(
        id=f"image{number}",
        height=10 + number,
        width=20,
        classes=[number % 3, 1],
        scores=[0.75, 0.25],
        guess_labels=[number % 3, 1],
        guess_boxes=[0.0, 1.0, 2.0, 3.5, 4.0, 5.0, 6.0, 7.0],
        known_box=[0.0, 1.0, 2.5, 3.0],
        window=[0.0, 0.0, 20.0, 10.0],
        grid=(5, 10),
        swept_boxes=np.array([0, 0, 9, 4, 1, 1, 2, 3], np.int16),
        swept_cuts=np.array([0, 1], np.int16),
    )
    return made._replace(**changes)


def write(folder: Path, rows: list[Row], *, rank: int = 0, about: About = ABOUT) -> None:
    writer = Writer(folder, about, rank=rank)
    writer.add(rows)
    writer.flush()


def read(folder: Path) -> Predictions:
    return Predictions(*read_parts(folder))


def test_rows_come_back_as_tensors(tmp_path: Path) -> None:
    write(tmp_path, [row(0), row(1)])
    predictions = read(tmp_path)
    assert predictions.ids == ["image0", "image1"]
    assert predictions.sizes.tolist() == [[10, 20], [11, 20]]
    assert predictions.classes.tolist() == [[0, 1], [1, 1]]
    labels, boxes = predictions.guesses
    assert labels.tolist() == [[0, 1], [1, 1]]
    assert boxes[1].tolist() == [[0.0, 1.0, 2.0, 3.5], [4.0, 5.0, 6.0, 7.0]]
    assert predictions.known is not None
    assert predictions.known[1].tolist() == [0.0, 1.0, 2.5, 3.0]
    assert predictions.about == ABOUT


def test_swept_boxes_come_back_in_pixels_of_the_file(tmp_path: Path) -> None:
    write(tmp_path, [row(0), row(1)])
    swept = read(tmp_path).swept(100)
    assert swept is not None
    (all_boxes,) = swept
    assert all_boxes.boxes.tolist()[:2] == [[0, 0, 19, 9], [2, 2, 5, 7]]
    assert all_boxes.rows.tolist() == [0, 0, 1, 1]
    assert all_boxes.cuts.tolist() == [0, 1, 0, 1]


def test_rows_with_fewer_guesses_are_filled_up_with_nobody(tmp_path: Path) -> None:
    write(tmp_path, [row(0), row(1, guess_labels=[2], guess_boxes=[1.0, 2.0, 3.0, 4.0])])
    labels, boxes = read(tmp_path).guesses
    assert labels.tolist() == [[0, 1], [2, -1]]
    assert boxes[1].tolist() == [[1, 2, 3, 4], [0, 0, 0, 0]]


def test_parts_of_several_ranks_join_and_a_padded_image_counts_once(tmp_path: Path) -> None:
    write(tmp_path, [row(0), row(2)], rank=0)
    write(tmp_path, [row(1), row(0)], rank=1)
    assert sorted(read(tmp_path).ids) == ["image0", "image1", "image2"]


def test_a_part_is_written_when_there_are_enough_rows(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(store, "FLUSH_EVERY", 2)
    writer = Writer(tmp_path, ABOUT)
    for number in range(5):
        writer.add([row(number)])
    names = ["part-000-00000.parquet", "part-000-00001.parquet"]
    assert [path.name for path in sorted(tmp_path.iterdir())] == names
    writer.flush()
    assert len(read(tmp_path)) == 5


def test_a_writer_leaves_the_parts_alone_that_are_there(tmp_path: Path) -> None:
    write(tmp_path, [row(0)])
    write(tmp_path, [row(1)])
    assert len(read(tmp_path)) == 2


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
    bare = row(1, known_box=None, window=None, grid=None, swept_boxes=None, swept_cuts=None)
    write(tmp_path, [row(0), bare])
    assert read(tmp_path).known is None
    assert read(tmp_path).swept(10) is None


def test_what_is_done_already_is_known(tmp_path: Path) -> None:
    assert done(tmp_path, ABOUT) == set()
    write(tmp_path, [row(0), row(1)])
    assert done(tmp_path, ABOUT) == {"image0", "image1"}


@pytest.mark.parametrize(
    "changed",
    [
        {"weights": "others"},
        {"data": "other"},
        {"rules": "another cut"},
        {"network": "vgg"},
        {"batches": "batch_size=7"},
    ],
)
def test_predictions_of_something_else_are_not_taken_up(tmp_path: Path, changed: dict) -> None:
    write(tmp_path, [row(0)])
    name = next(iter(changed))
    with refused(tmp_path, name, "resume=true"):
        done(tmp_path, replace(ABOUT, **changed))


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GapnetError, match=re.escape(f"{tmp_path}: ")):
        read(tmp_path)


def test_a_damaged_part_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, [row(0)])
    (tmp_path / "part-000-00000.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(GapnetError, match=r"part-000-00000\.parquet: "):
        read(tmp_path)


def test_parts_made_by_different_rules_do_not_mix(tmp_path: Path) -> None:
    write(tmp_path, [row(0)])
    write(tmp_path, [row(1)], rank=1, about=replace(ABOUT, rules="others"))
    with pytest.raises(GapnetError, match=re.escape(f"{tmp_path}: ")):
        read(tmp_path)


def test_a_part_of_another_tool_is_an_error(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "part-000-00000.parquet")
    with pytest.raises(GapnetError, match=r"part-000-00000\.parquet: "):
        read(tmp_path)


def test_other_columns_are_an_error(tmp_path: Path) -> None:
    table = pa.table({"id": ["a"]}).replace_schema_metadata({"gapnet": ABOUT.text()})
    pq.write_table(table, tmp_path / "part-000-00000.parquet")
    with pytest.raises(GapnetError, match=r"part-000-00000\.parquet: "):
        read(tmp_path)


def test_a_flipped_bit_of_a_part_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, [row(number) for number in range(20)])
    path = tmp_path / "part-000-00000.parquet"
    content = bytearray(path.read_bytes())
    content[content.index(b"image0123456789") + 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(GapnetError, match=r"part-000-00000\.parquet: "):
        read(tmp_path)


def test_a_part_without_a_digest_is_read(tmp_path: Path) -> None:
    write(tmp_path, [row(0)])
    whole, path = read(tmp_path), tmp_path / "part-000-00000.parquet"
    pq.write_table(whole.table, path)
    assert read(tmp_path) == whole


def test_a_damaged_part_is_found_before_the_rest_is_predicted(tmp_path: Path) -> None:
    write(tmp_path, [row(0)])
    path = tmp_path / "part-000-00000.parquet"
    table = pq.read_table(path)
    other = table.set_column(1, "height", pa.array([11], pa.int32()))
    pq.write_table(other.replace_schema_metadata(table.schema.metadata), path)
    with pytest.raises(GapnetError, match=r"00000\.parquet: .*checksum"):
        done(tmp_path, ABOUT)


@pytest.mark.parametrize(
    ("column", "changes"),
    [
        ("height", {"height": -1}),
        ("classes", {"classes": [0, 3]}),
        ("scores", {"scores": [0.5]}),
        ("scores or grid", {"scores": [0.5, float("nan")]}),
        ("scores or grid", {"grid": (0, 10)}),
        ("grid", {"grid": (5, 10, 1)}),
        ("guess_labels", {"guess_labels": [-2, 1]}),
        ("guess_boxes", {"guess_boxes": [0.0] * 7}),
        ("guess_boxes", {"guess_boxes": [float("inf")] * 8}),
        ("known_box", {"known_box": [0.0, 1.0, 2.0]}),
        ("known_box", {"known_box": [0.0, 1.0, 2.0, float("nan")]}),
        ("window", {"window": [0.0]}),
        ("swept_cuts", {"swept_cuts": np.array([0, 2], np.int16)}),
        ("swept_boxes", {"swept_boxes": np.zeros(7, np.int16)}),
    ],
)
def test_rows_that_nothing_predicted_are_named(
    tmp_path: Path, column: str, changes: dict[str, object]
) -> None:
    write(tmp_path, [row(0), row(1, **changes)])
    with pytest.raises(GapnetError, match=rf"parquet: .*\b{column}\b"):
        read(tmp_path)


@pytest.mark.parametrize(
    "changes", [{"classes": (1, 2, 3)}, {"cuts": ("a", "b")}, {"cut": "x"}, {"split": 3}]
)
def test_a_part_that_says_nonsense_of_itself_is_an_error(tmp_path: Path, changes: dict) -> None:
    write(tmp_path, [row(0)], about=replace(ABOUT, **changes))
    with pytest.raises(GapnetError, match=r"part-000-00000\.parquet: "):
        read(tmp_path)


@pytest.mark.parametrize("split", ["../../x", "/x", ".."])
def test_a_split_that_leaves_the_folder_is_refused(tmp_path: Path, split: str) -> None:
    write(tmp_path, [row(0)], about=replace(ABOUT, split=split))
    with pytest.raises(GapnetError, match="split="):
        read_parts(tmp_path)


def test_a_part_on_a_full_disk_is_named_and_leaves_nothing(full_disk: Path) -> None:
    with pytest.raises(OSError, match="No space left") as caught:
        write(full_disk / "test", [row(0)])
    assert caught.value.filename == str(full_disk / "test" / "part-000-00000.parquet")
    assert not any((full_disk / "test").iterdir())


def test_a_map_on_a_full_disk_is_named_and_leaves_nothing(full_disk: Path) -> None:
    with pytest.raises(OSError, match="No space left") as caught:
        SavedMaps(full_disk / "maps", side=None).save("a/b.png", torch.rand(99, 99))
    assert caught.value.filename == str(full_disk / "maps" / "a" / "b.png.npy")
    assert not any((full_disk / "maps" / "a").iterdir())


@pytest.mark.parametrize("identity", [{"x": 1}, {"weights": "w"}, [], 3])
def test_an_identity_of_another_form_is_refused(tmp_path: Path, identity: object) -> None:
    write(tmp_path, [row(0)], about=replace(ABOUT, identity=identity))
    with pytest.raises(GapnetError, match=r"part-000-00000\.parquet: "):
        read_parts(tmp_path)


@pytest.mark.parametrize(
    "network", ["x {[]: 1}", "x [1]", "x " + "(" * 10**4, "x {'a': __import__}"]
)
def test_texts_that_cannot_be_read_are_compared_as_texts(tmp_path: Path, network: str) -> None:
    about = replace(ABOUT, network=network)
    write(tmp_path, [row(0)], about=about)
    assert done(tmp_path, about) == {"image0"}
