import errno
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from gapnet.data.shards import write as sharding
from gapnet.data.shards.manifest import MANIFEST
from gapnet.data.shards.pack import Lot, Packer, Written
from gapnet.data.shards.tar_files import ByteRange
from gapnet.data.shards.write import write_shards
from gapnet.data.sources.folder import Folder
from gapnet.data.sources.ilsvrc import Ilsvrc
from gapnet.data.sources.shards import UNFINISHED, Shards
from tests.children import held, killed_at_each_step
from tests.data.sharded import SMALL_MB, write_small
from tests.refusals import refused


def contents(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.is_file()
    }


def own_images(root: Path, *names: str) -> Folder:
    """Write two classes of one image each, and those that are named."""
    for name in ("train/cat/a.jpg", "train/dog/a.jpg", *names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6)).save(path, format="JPEG")
    return Folder(root, select_split="train", test_split="train")


@pytest.mark.slow
def test_the_same_images_give_the_same_shards(
    written: Path, shapes_root: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    write_shards(Ilsvrc(shapes_root, test_split="test"), again, mb=SMALL_MB, workers=2)
    assert contents(written) == contents(again)
    names = {path.name for path in written.iterdir() if path.suffix not in (".arrow", ".tar")}
    assert names == {"manifest.json", ".made_of"}


def test_shards_have_about_the_size_that_is_asked_for(written: Path) -> None:
    shards = sorted(written.glob("train_cls-*.tar"))
    held = [path.stat().st_size for path in shards[:-1]]
    assert all(0.7 < size / (SMALL_MB * 1e6) < 1.7 for size in held)


def test_training_images_are_spread_and_the_others_stay_in_order(written: Path) -> None:
    source = Shards(written)
    places = {
        split: [ByteRange.of(path) for path in source.records(split).paths()]
        for split in ("train_cls", "val")
    }
    assert places["val"] == sorted(places["val"])
    assert places["train_cls"] != sorted(places["train_cls"])
    assert source.records("train_cls")[0].label == 0


@pytest.fixture(scope="module")
def begun(shapes_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write some of the shards, and a part of one."""
    folder = tmp_path_factory.mktemp("begun") / "out"
    written: list[str] = []

    def write(packer: Packer, lot: Lot) -> Written:
        if len(written) == 2:
            (packer.folder / f".{lot.name}.unfinished").write_bytes(b"a part")
            raise KeyboardInterrupt
        written.append(lot.name)
        return Packer.__call__(packer, lot)

    class Interrupted(Packer):
        __call__ = write

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharding, "Packer", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_small(shapes_root, folder)
    return folder


@pytest.fixture
def interrupted(begun: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(begun, tmp_path / "out"))


def test_what_was_interrupted_is_not_read(interrupted: Path) -> None:
    with refused(f"data.root={interrupted}"):
        Shards(interrupted)


def test_what_was_interrupted_goes_on(interrupted: Path, shapes_root: Path, written: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in interrupted.glob("*.tar")}
    assert len(before) == 2
    write_small(shapes_root, interrupted)
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())
    assert contents(interrupted) == contents(written)


def test_what_was_interrupted_goes_on_with_the_same_images_only(
    interrupted: Path, shapes_root: Path
) -> None:
    with refused(f"to={interrupted}"):
        write_shards(Ilsvrc(shapes_root), interrupted, mb=SMALL_MB, workers=1)


def test_a_shard_of_other_images_is_not_taken_up(interrupted: Path, shapes_root: Path) -> None:
    one, two = sorted(interrupted.glob("*.tar"))
    two.write_bytes(one.read_bytes())
    with refused(two):
        write_small(shapes_root, interrupted)
    two.write_bytes(b"no tar" * 200)
    with refused(two):
        write_small(shapes_root, interrupted)


@pytest.fixture
def finished(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "out"))


def states(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def manifest_is_written(folder: Path) -> None:
    """Leave what a process leaves that is killed when the manifest has been written."""
    (folder / ".made_of").rename(folder / UNFINISHED)
    (folder / sharding.LOCK).touch()


def mark_is_renamed(folder: Path) -> None:
    """Leave what a process leaves that is killed when only its lock is left."""
    (folder / sharding.LOCK).touch()


def nothing(folder: Path) -> None:
    del folder


@pytest.mark.parametrize("leave", [manifest_is_written, mark_is_renamed, nothing])
def test_finished_shards_are_neither_written_nor_read_again(
    finished: Path,
    shapes_root: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    leave: Callable[[Path], None],
) -> None:
    before, manifest = states(finished), (finished / MANIFEST).read_bytes()
    leave(finished)
    monkeypatch.delattr(sharding, "parallel_map")
    with caplog.at_level("INFO"):
        write_small(shapes_root, finished)
    assert f"to={finished}: all shards are there already" in caplog.text
    assert states(finished) == before
    assert (finished / MANIFEST).read_bytes() == manifest


@pytest.mark.parametrize("leave", [manifest_is_written, mark_is_renamed, nothing])
@pytest.mark.parametrize("other", [{"mb": 1}, {"splits": ["val"]}])
def test_finished_shards_of_something_else_are_left_alone(
    finished: Path, shapes_root: Path, leave: Callable[[Path], None], other: dict[str, object]
) -> None:
    leave(finished)
    before = contents(finished)
    before.pop(sharding.LOCK, None)
    source = Ilsvrc(shapes_root, test_split="test")
    with refused(f"to={finished}"):
        write_shards(source, finished, workers=1, **{"mb": SMALL_MB, **other})
    assert contents(finished) == before


def test_finished_shards_of_which_one_is_lost_are_completed(
    finished: Path, shapes_root: Path
) -> None:
    before = contents(finished)
    (finished / "val-000000.tar").unlink()
    write_small(shapes_root, finished)
    assert contents(finished) == before


def test_finished_shards_of_unknown_origin_are_left_alone(
    finished: Path, shapes_root: Path
) -> None:
    (finished / ".made_of").unlink()
    before = contents(finished)
    with refused(f"to={finished}"):
        write_small(shapes_root, finished)
    assert contents(finished) == before


@pytest.mark.slow
def test_a_process_that_is_killed_at_any_step_is_gone_on_with(
    shapes_root: Path, tmp_path: Path
) -> None:
    def write(step: int) -> None:
        source = Ilsvrc(shapes_root, test_split="test")
        write_shards(source, tmp_path / str(step), splits=["val"], workers=1)

    write(1000)
    steps = 0
    for steps in killed_at_each_step(write, tmp_path):
        write(steps)
        assert contents(tmp_path / str(steps)) == contents(tmp_path / "1000")
    assert steps > 10


def test_a_folder_of_something_else_is_left_alone(shapes_root: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    for place in (tmp_path, tmp_path / "mine.txt"):
        with refused(f"to={place}"):
            write_small(shapes_root, place)


def test_a_folder_that_another_process_writes_is_left_alone(
    interrupted: Path, shapes_root: Path
) -> None:
    with (
        held(interrupted / sharding.LOCK),
        refused(f"to={interrupted}"),
    ):
        write_small(shapes_root, interrupted)


def test_a_missing_image_is_told_before_anything_is_written(tmp_path: Path) -> None:
    source = own_images(tmp_path / "tree", "train/cat/b.jpg")
    records = source.records("train")
    vars(source)["records"] = lambda split: records
    (tmp_path / "tree/train/cat/b.jpg").unlink()
    with refused("b.jpg", "split 'train'"):
        write_shards(source, tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists()


def test_an_image_goes_in_as_it_is_though_nobody_can_read_it(tmp_path: Path) -> None:
    source = own_images(tmp_path / "tree")
    (tmp_path / "tree/train/cat/a.jpg").write_bytes(b"no image")
    write_shards(source, tmp_path / "out", workers=1)
    shards = Shards(tmp_path / "out")
    with shards.reading.files.open(shards.records("train")[0].path) as file:
        assert file.read() == b"no image"


def test_names_that_come_twice_or_mean_something_to_webdataset_are_kept_apart(
    tmp_path: Path,
) -> None:
    names = ("train/cat/a.png", "train/cat/a.b.JPG", "train/cat/__c__.jpg", "train/cat/ü 1.jpg")
    source = own_images(tmp_path / "tree", *names, f"train/cat/{'x' * 150}.jpg")
    write_shards(source, tmp_path / "out", workers=1)
    assert Shards(tmp_path / "out").records("train").ids == source.records("train").ids
    with tarfile.open(tmp_path / "out/train-000000.tar") as tar:
        members = tar.getnames()
    assert len(set(members)) == len(members) == 14
    assert all(member.count(".") == 1 and len(member) < 100 for member in members)
    assert members[0].isascii()


def test_images_of_unknown_class_have_no_label(tmp_path: Path) -> None:
    source = own_images(tmp_path / "tree", "test/one.jpg")
    write_shards(source, tmp_path / "out", splits=["test"], workers=1)
    with tarfile.open(tmp_path / "out/test-000000.tar") as tar:
        file = tar.extractfile(tar.getmembers()[1])
        assert file is not None
        truth = json.load(file)
    assert (truth["label"], truth["class"], truth["boxes"]) == (None, None, None)
    assert Shards(tmp_path / "out").records("test").labels.tolist() == [-1]


def test_shards_are_written_from_shards(shapes_root: Path, tmp_path: Path, written: Path) -> None:
    write_shards(Shards(written), tmp_path / "large", workers=1)
    write_shards(Ilsvrc(shapes_root, test_split="test"), tmp_path / "direct", workers=1)
    tars = sorted(path.name for path in (tmp_path / "direct").glob("*.tar"))
    large, direct = contents(tmp_path / "large"), contents(tmp_path / "direct")
    assert {name: large[name] for name in tars} == {name: direct[name] for name in tars}


def test_too_little_room_is_told(
    shapes_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = sharding.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(sharding.shutil, "disk_usage", lambda _: usage._replace(free=10))
    with refused(f"to={tmp_path / 'out'}", "0 MB"):
        write_small(shapes_root, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").glob("*.tar")] == []


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"mb": 0}, "mb=0"),
        ({"splits": ["a/b"]}, "a/b"),
        ({"splits": ["nope"]}, "split 'nope'"),
    ],
)
def test_wrong_arguments_are_told(
    shapes_root: Path, tmp_path: Path, arguments: dict[str, object], part: str
) -> None:
    with refused(part):
        write_shards(Ilsvrc(shapes_root), tmp_path / "out", workers=1, **arguments)
    assert not (tmp_path / "out" / MANIFEST).exists()
    assert not (tmp_path / "out" / UNFINISHED).exists()


def test_a_full_disk_is_told_with_the_shard_and_what_is_there_goes_on(
    shapes_root: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch, written: Path
) -> None:
    monkeypatch.setattr(sharding, "_check_room", lambda *_: None)
    with pytest.raises(OSError, match="No space left") as caught:
        write_small(shapes_root, small_disk / "out")
    assert Path(str(caught.value.filename)).parent == small_disk / "out"
    kept = {path.name for path in (small_disk / "out").iterdir()}
    assert kept > {UNFINISHED}
    assert not any(name.endswith(".tar.unfinished") for name in kept)
    subprocess.run(["mount", "-o", "remount,size=9m", str(small_disk)], check=True)
    write_small(shapes_root, small_disk / "out")
    assert contents(small_disk / "out") == contents(written)


def test_an_image_that_cannot_be_read_is_not_taken_for_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = own_images(tmp_path / "in", "train/a/1.png", "test/a/1.png")
    monkeypatch.setattr(Path, "open", broken(Path.open, tmp_path / "in/train/a/1.png"))
    with refused("train/a/1.png", "Input/output error"):
        write_shards(source, tmp_path / "out", splits=["train"], workers=1)


def broken(opened: Callable[..., object], path: Path) -> Callable[..., object]:
    """Have a file fail to be read, as on a damaged disk."""

    def fail(self: Path, *arguments: object, **named: object) -> object:
        if self == path:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return opened(self, *arguments, **named)

    return fail
