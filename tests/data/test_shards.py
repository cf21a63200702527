import json
import pickle
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
import webdataset

from gapnet.data.checks.digests import sha256_of
from gapnet.data.checks.examine import examine
from gapnet.data.loading.datamodule import DataModule
from gapnet.data.loading.images import Images
from gapnet.data.loading.views import random_view, whole_view
from gapnet.data.readers.image_sizes import read_sizes
from gapnet.data.records import Record
from gapnet.data.records_digest import digest_of_data
from gapnet.data.sample import Source
from gapnet.data.shards import urls
from gapnet.data.shards.cache import GB
from gapnet.data.shards.manifest import MANIFEST
from gapnet.data.shards.tar_files import ByteRange
from gapnet.data.shards.write import write_shards
from gapnet.data.sources.ilsvrc import Ilsvrc
from gapnet.data.sources.shards import Shards
from tests.children import at_once
from tests.data.sharded import SPLITS, Served, read_all, served
from tests.data.test_devkit import write_devkit
from tests.data.test_layouts import IDS, kaggle, kit_labels
from tests.refusals import refused


@pytest.fixture
def copied(written: Path, tmp_path: Path) -> Path:
    """Copy the shards, to be damaged."""
    return Path(shutil.copytree(written, tmp_path / "shards"))


@pytest.fixture
def server(written: Path) -> Iterator[Served]:
    with served(written) as told:
        yield told


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urls, "WAITS", (0.0, 0.0))


def folder_of(shapes_root: Path) -> Ilsvrc:
    return Ilsvrc(shapes_root, test_split="test")


def known(record: Record) -> tuple[object, ...]:
    boxes = None if record.boxes is None else record.boxes.tolist()
    return record.id, record.label, boxes, record.blacklisted


def module(source: Source, **changes: object) -> DataModule:
    arguments = {"batch_size": 5, "num_workers": 0, **changes}
    augment = partial(random_view, scale=(0.5, 1.0))
    return DataModule(source, input_size=(32, 32), view=whole_view, augment=augment, **arguments)


# The same data


@pytest.mark.parametrize("split", SPLITS)
def test_records_are_those_of_the_folder_in_its_order(
    written: Path, shapes_root: Path, split: str
) -> None:
    ours, theirs = Shards(written).records(split), folder_of(shapes_root).records(split)
    assert list(map(known, ours)) == list(map(known, theirs))
    assert digest_of_data(ours) == digest_of_data(theirs)


@pytest.mark.parametrize("split", SPLITS)
def test_bytes_are_those_of_the_files(written: Path, shapes_root: Path, split: str) -> None:
    source = Shards(written)
    for ours, theirs in zip(
        source.records(split), folder_of(shapes_root).records(split), strict=True
    ):
        content = theirs.path.read_bytes()
        with source.reading.files.open(ours.path) as file:
            assert file.read() == content
        assert source.reading.files.size(ours.path) == len(content)


def test_what_the_source_knows_is_kept(written: Path, shapes_root: Path) -> None:
    ours, theirs = Shards(written), folder_of(shapes_root)
    for name in (
        "title",
        "kind",
        "published_counts",
        "classes",
        "class_names",
        "train_split",
        "select_split",
        "test_split",
    ):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.title == "shapes (stand-in data)"
    assert Shards(written, test_split="val").test_split == "val"


def test_shards_of_the_first_format_are_read(copied: Path) -> None:
    path = copied / "manifest.json"
    content = json.loads(path.read_text())
    assert content.pop("format") == 2
    del content["kind"], content["published_counts"]
    path.write_text(json.dumps({"format": 1, **content}))
    source = Shards(copied)
    assert (source.kind, source.published_counts) == ("stand-in", {})
    assert len(source.records("val")) == 12


def test_held_out_images_are_a_split_of_the_shards(shapes_root: Path, tmp_path: Path) -> None:
    folder = Ilsvrc(shapes_root, test_split="test", held_out=2)
    write_shards(folder, tmp_path / "shards", workers=1)
    source = Shards(tmp_path / "shards")
    assert source.select_split == "held_out"
    for split in ("train_cls", "held_out"):
        assert list(map(known, source.records(split))) == list(map(known, folder.records(split)))


def test_the_devkit_s_numbers_and_blacklist_are_kept(tmp_path: Path) -> None:
    root = kaggle(tmp_path / "tree")
    write_devkit(root / "devkit/data", IDS, labels=kit_labels(), blacklist=[2])
    folder = Ilsvrc(root)
    write_shards(folder, tmp_path / "shards", workers=1)
    shards = Shards(tmp_path / "shards")
    assert shards.title == folder.title
    assert shards.devkit_ids() == folder.devkit_ids()
    assert shards.devkit_ids() is not None
    assert shards.records("val").blacklisted.tolist() == [False, True, False, False]


def test_boxes_of_training_are_kept(shapes_root: Path, tmp_path: Path) -> None:
    folder = Ilsvrc(shapes_root, train_boxes=True)
    write_shards(folder, tmp_path / "shards", splits=["train_cls"], workers=1)
    ours, theirs = Shards(tmp_path / "shards").records("train_cls"), folder.records("train_cls")
    assert ours[0].boxes is not None
    assert list(map(known, ours)) == list(map(known, theirs))


def test_a_training_sees_the_same_batches_as_from_the_folder(
    written: Path, shapes_root: Path
) -> None:
    ours, theirs = (
        module(source).train_dataloader() for source in (Shards(written), folder_of(shapes_root))
    )
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.ids == other.ids
        assert torch.equal(mine.images, other.images)


def test_workers_change_nothing(written: Path) -> None:
    one, two = (module(Shards(written), num_workers=workers).loader("val") for workers in (0, 2))
    for mine, other in zip(one, two, strict=True):
        assert mine.ids == other.ids
        assert torch.equal(mine.images, other.images)


def test_sizes_are_read_out_of_shards(written: Path) -> None:
    source = Shards(written)
    paths = list(source.records("val").paths())
    assert read_sizes(paths, source.reading).tolist() == [[48, 48]] * 12


def test_a_source_can_be_sent_to_a_process(written: Path) -> None:
    source = pickle.loads(pickle.dumps(Shards(written)))
    assert Images(source.records("val"), whole_view((8, 8)), source.reading)[0].size == (48, 48)


# Others read them


def test_webdataset_reads_them(written: Path, shapes_root: Path) -> None:
    files = {record.id: record for record in folder_of(shapes_root).records("train_cls")}
    urls = sorted(str(path) for path in written.glob("train_cls-*.tar"))
    assert len(urls) > 2
    samples = list(webdataset.WebDataset(urls, shardshuffle=False, empty_check=False))
    assert len(samples) == len(files)
    for sample in samples:
        truth = json.loads(sample["json"])
        record = files.pop(truth["id"])
        assert sample["jpeg"] == record.path.read_bytes()
        assert (truth["label"], truth["class"]) == (record.label, f"s{record.label:08d}")


def test_webdataset_decodes_them(written: Path, shapes_root: Path) -> None:
    first = folder_of(shapes_root).records("val")[0]
    data = webdataset.WebDataset(str(written / "val-000000.tar"), shardshuffle=False)
    image, truth = next(iter(data.decode("pil").to_tuple("jpeg", "json")))
    assert (image.size, truth["id"], truth["label"]) == ((48, 48), first.id, first.label)
    assert first.boxes is not None
    assert truth["boxes"] == first.boxes.tolist()


def test_shards_of_others_have_no_manifest(tmp_path: Path) -> None:
    with webdataset.ShardWriter(str(tmp_path / "val-%06d.tar"), verbose=0) as writer:
        writer.write({"__key__": "a", "jpg": b"bytes", "cls": b"0"})
    with refused(f"data.root={tmp_path}", MANIFEST):
        Shards(tmp_path)


# What is wrong is told


def edited(path: Path, edit: Callable[[dict[str, object]], object]) -> None:
    told = json.loads((path / MANIFEST).read_text())
    edit(told)
    (path / MANIFEST).write_text(json.dumps(told))


def test_an_unknown_split_is_named(written: Path) -> None:
    with refused("split 'nope'", "train_cls, val, test"):
        Shards(written).records("nope")


def test_a_missing_shard_is_named(copied: Path) -> None:
    (copied / "val-000001.tar").unlink()
    with refused(copied / "val-000001.tar", MANIFEST):
        Shards(copied).records("val")


def test_a_shard_of_another_size_is_named(copied: Path) -> None:
    with (copied / "val-000001.tar").open("ab") as file:
        file.write(b"more")
    with refused(copied / "val-000001.tar", MANIFEST):
        Shards(copied).records("val")


def test_an_index_of_another_digest_is_named(copied: Path) -> None:
    content = bytearray((copied / "val.arrow").read_bytes())
    content[len(content) // 2] ^= 1
    (copied / "val.arrow").write_bytes(content)
    with refused(copied / "val.arrow", "SHA-256"):
        Shards(copied).records("val")


def test_the_doctor_finds_a_shard_of_another_digest(copied: Path) -> None:
    source = Shards(copied)
    place = ByteRange.of(source.records("val")[0].path)
    with (copied / place.shard).open("r+b") as file:
        file.seek(place.offset + place.size - 8)  # in the pixels, where no header tells
        file.write(b"\0\1\2")
    wrong = [finding.text for finding in examine(source, workers=1) if finding.status == "wrong"]
    assert wrong == ["val: 1 shards have another SHA-256: val-000000.tar"]


def test_the_doctor_finds_nothing_wrong_with_sound_shards(written: Path) -> None:
    findings = list(examine(Shards(written), images="all", workers=1))
    assert [finding.text for finding in findings if finding.status == "wrong"] == []
    assert f"shapes (stand-in data): {written}, WebDataset shards" in [
        finding.text for finding in findings
    ]


@pytest.mark.parametrize(
    ("edit", "part"),
    [
        (lambda told: told.clear(), "'format'"),
        (lambda told: told.update(format=3), 3),
        (lambda told: told.update(classes="cat"), "classes"),
        (lambda told: told.update(class_names=["a"]), "class_names"),
        (lambda told: told.update(title=3), "title"),
        (lambda told: told.update(kind=None), "kind"),
        (lambda told: told.update(published_counts={"val": "many"}), "published_counts"),
        (lambda told: told.update(more=3), "more"),
        (lambda told: told.update(exif="no"), "exif"),
        (lambda told: told.update(splits={}), "splits"),
        (lambda told: told["splits"]["val"].pop("index"), "'index'"),
        (lambda told: told["splits"]["val"]["shards"].pop(), "val.arrow"),
        (lambda told: told["splits"]["val"]["shards"].clear(), "val.arrow"),
        (lambda told: told["splits"].update(more=told["splits"]["val"]), "twice"),
        (lambda told: told["splits"]["val"]["index"].update(name="../val.arrow"), "'../val.arrow'"),
        (lambda told: told["splits"]["val"]["index"].update(name="/etc/x"), "'/etc/x'"),
        (lambda told: told["splits"]["val"]["index"].update(bytes="9"), "bytes"),
        (lambda told: told["splits"]["val"]["index"].update(sha256="9"), "val.arrow"),
    ],
)
def test_a_damaged_manifest_is_told(
    copied: Path, edit: Callable[[dict[str, object]], object], part: object
) -> None:
    edited(copied, edit)
    with refused(copied / MANIFEST, part):
        Shards(copied)


@pytest.mark.parametrize("content", ["", "no json", "[]", "3"])
def test_what_is_no_manifest_is_told(copied: Path, content: str) -> None:
    (copied / MANIFEST).write_text(content)
    with refused(copied / MANIFEST):
        Shards(copied)


@pytest.mark.parametrize(
    ("argument", "part"),
    [
        ({"cache_gb": 0}, "data.cache_gb=0"),
        ({"cache_gb": 1e-6}, "data.cache_gb=1e-06"),
        ({"mixed": 0}, "data.mixed=0"),
        ({"on_corrupt": "pass"}, "data.on_corrupt=pass"),
    ],
)
def test_wrong_arguments_are_told(written: Path, argument: dict[str, object], part: str) -> None:
    with refused(part):
        Shards(written, **argument)


# At a URL


def test_shards_are_read_over_http(
    server: Served, written: Path, shapes_root: Path, tmp_path: Path
) -> None:
    source = Shards(server.url + "/", cache=tmp_path)
    assert not list(tmp_path.rglob("*.tar"))  # nothing is fetched before it is needed
    ours = Images(source.records("val"), whole_view((16, 16)), source.reading)
    folder = folder_of(shapes_root)
    theirs = Images(folder.records("val"), whole_view((16, 16)), folder.reading)
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.equal(mine.image, other.image)
    fetched = {path.name for path in tmp_path.rglob("*.tar")}
    assert fetched == {f"{sha256_of(path)}.tar" for path in written.glob("val-*.tar")}
    assert all(times == 1 for path, times in server.asked.items() if path.endswith(".tar"))


def test_what_was_fetched_is_not_fetched_again(server: Served, tmp_path: Path) -> None:
    read_all(Shards(server.url, cache=tmp_path))
    asked = dict(server.asked)
    read_all(Shards(server.url, cache=tmp_path))
    assert dict(server.asked) == asked | {f"/{MANIFEST}": asked[f"/{MANIFEST}"] + 1}


def test_shards_are_read_from_a_file_url(written: Path, tmp_path: Path) -> None:
    source = Shards(f"file://{written}", cache=tmp_path)
    read_all(source)
    assert list(source.records("test").ids) == list(Shards(written).records("test").ids)


def test_a_server_that_fails_is_asked_again(server: Served, tmp_path: Path) -> None:
    server.failing = 2
    source = Shards(server.url, cache=tmp_path)
    source.reading.files.open(source.records("val")[0].path).close()
    assert server.asked["/val-000000.tar"] == 3


def test_a_server_that_keeps_failing_is_named(server: Served, tmp_path: Path) -> None:
    server.failing = 3
    source = Shards(server.url, cache=tmp_path, on_corrupt="skip")
    images = Images(source.records("val"), whole_view((8, 8)), source.reading)
    with refused("val-000000.tar", 3, 503):
        images[0]  # it is no corrupt image, which would be skipped


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9/x", "file:///nowhere"],
)
def test_a_root_that_is_not_there_is_named(tmp_path: Path, url: str) -> None:
    with refused(f"data.root={url}", MANIFEST):
        Shards(url, cache=tmp_path)


def test_a_shard_that_the_server_lacks_is_named(copied: Path, tmp_path: Path) -> None:
    (copied / "val-000000.tar").unlink()
    with served(copied) as server:
        source = Shards(server.url, cache=tmp_path / "cache")
        with refused("val-000000.tar", MANIFEST):
            source.reading.files.open(source.records("val")[0].path)


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (lambda content: content[:-1], "bytes"),
        (lambda content: content[:-1] + b"x", "SHA-256"),
    ],
)
def test_a_shard_that_comes_otherwise_is_not_kept(
    copied: Path, tmp_path: Path, damage: Callable[[bytes], bytes], part: str
) -> None:
    shard = copied / "val-000000.tar"
    shard.write_bytes(damage(shard.read_bytes()))
    with served(copied) as server:
        source = Shards(server.url, cache=tmp_path / "cache")
        with refused("val-000000.tar", part, MANIFEST):
            source.reading.files.open(source.records("val")[0].path)
    assert not list((tmp_path / "cache").rglob("*.tar"))


def test_the_cache_keeps_what_was_read_last(server: Served, written: Path, tmp_path: Path) -> None:
    most = 2 * max(path.stat().st_size for path in written.glob("*.tar")) / GB
    source = Shards(server.url, cache=tmp_path, cache_gb=most)
    records = source.records("train_cls")
    by_shard = {ByteRange.of(record.path).shard: record.path for record in records}
    first, second, third = sorted(by_shard)[:3]
    for shard in (first, second, first, third):
        source.reading.files.open(by_shard[shard]).close()
    assert {path.name for path in tmp_path.rglob("*.tar")} == {
        f"{sha256_of(written / shard)}.tar" for shard in (first, third)
    }
    read_all(source)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.tar")) <= most * GB


def test_shards_that_are_fetched_are_mixed_a_few_at_a_time(
    server: Served, written: Path, tmp_path: Path
) -> None:
    assert Shards(written).reading.files.chunks(Shards(written).records("val")) is None
    source = Shards(server.url, cache=tmp_path, mixed=2)
    records = source.records("train_cls")
    chunks = source.reading.files.chunks(records)
    assert chunks is not None
    assert chunks.mixed == 2
    for rows in chunks.rows:
        assert len({ByteRange.of(records[row].path).shard for row in rows.tolist()}) == 1
    assert sorted(torch.cat(list(chunks.rows)).tolist()) == list(range(len(records)))
    assert len(chunks.rows) == len(list(written.glob("train_cls-*.tar")))


def test_processes_that_fetch_at_once_fetch_each_shard_once(
    server: Served, written: Path, tmp_path: Path
) -> None:
    errors = at_once(lambda: read_all(Shards(server.url, cache=tmp_path)))
    assert errors == ["", ""]
    shards = {f"{sha256_of(path)}.tar": path.read_bytes() for path in written.glob("*.tar")}
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*.tar")} == shards
    assert {server.asked[f"/{path.name}"] for path in written.glob("*.tar")} == {1}
