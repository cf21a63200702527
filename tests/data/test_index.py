import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from gapnet.data import index
from gapnet.data.index import (
    cache_folder,
    cached,
    fingerprint,
    folders_in,
    parallel_map,
    records_from_columns,
)
from gapnet.data.records import Record, Records
from tests.planted import pickled


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GAPNET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def records(root: Path, label: int = 1) -> Records:
    return Records.of([Record("a", root / "a.JPEG", label, None)], root)


def refuse() -> Records:
    raise AssertionError("is built again")


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_built_is_not_built_again(cache: Path, tmp_path: Path) -> None:
    built = cached(("val",), lambda: records(tmp_path), tmp_path, state="s")
    again = cached(("val",), refuse, tmp_path, state="s")
    assert built == again
    assert again[0].path == tmp_path / "a.JPEG"


@pytest.mark.parametrize(
    ("parts", "root", "state"),
    [(("test",), "", "s"), (("val",), "other", "s"), (("val",), "", "t")],
)
def test_another_question_is_another_index(
    cache: Path, tmp_path: Path, parts: tuple[str, ...], root: str, state: str
) -> None:
    cached(("val",), lambda: records(tmp_path), tmp_path, state="s")
    place = tmp_path / root
    assert cached(parts, lambda: records(place, 7), place, state=state)[0].label == 7


def test_another_version_of_the_format_is_another_index(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(("val",), lambda: records(tmp_path), tmp_path, state="s")
    monkeypatch.setattr(index, "VERSION", index.VERSION + 1)
    assert cached(("val",), lambda: records(tmp_path, 7), tmp_path, state="s")[0].label == 7
    assert len(files(cache)) == 1


def test_times_of_files_may_lie_in_the_future(cache: Path, tmp_path: Path) -> None:
    def stamped(seconds: int) -> str:
        os.utime(listed, (seconds, seconds))
        return fingerprint(files=[listed])

    listed = tmp_path / "listed.txt"
    listed.touch()
    cached(("val",), lambda: records(tmp_path), tmp_path, state=stamped(2**32))
    for file in cache.iterdir():
        os.utime(file, (2**33, 2**33))
    cached(("val",), refuse, tmp_path, state=stamped(2**32))
    earlier = cached(("val",), lambda: records(tmp_path, 7), tmp_path, state=stamped(10))
    assert earlier[0].label == 7


def test_what_an_index_replaces_is_removed(cache: Path, tmp_path: Path) -> None:
    cached(("test",), lambda: records(tmp_path), tmp_path, state="s")
    for state in ("s", "t"):
        cached(("val",), lambda: records(tmp_path), tmp_path, state=state)
    assert len(files(cache)) == 2
    cached(("test",), refuse, tmp_path, state="s")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-20],
        lambda data: bytes(len(data)),
        lambda data: data.replace(b"a.JPEG", b"b.JPEG"),
        lambda data: pickled(Path("owned")),
    ],
)
def test_a_damaged_index_is_built_again(
    cache: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    cached(("val",), lambda: records(tmp_path), tmp_path, state="s")
    (file,) = cache.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert cached(("val",), lambda: records(tmp_path, 7), tmp_path, state="s")[0].label == 7
    assert cached(("val",), refuse, tmp_path, state="s")[0].label == 7
    assert not Path("owned").exists()


def test_a_cache_that_cannot_be_written_is_a_line_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GAPNET_CACHE", str(tmp_path / "file" / "cache"))
    with caplog.at_level(logging.WARNING):
        assert len(cached(("val",), lambda: records(tmp_path), tmp_path, state="s")) == 1
    assert str(tmp_path / "file" / "cache") in caplog.text


def test_a_failed_build_leaves_nothing(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        cached(("val",), refuse, tmp_path, state="s")
    assert not cache.exists()


def test_the_cache_lies_where_the_user_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAPNET_CACHE", "/somewhere")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache_folder() == Path("/somewhere")
    monkeypatch.delenv("GAPNET_CACHE")
    assert cache_folder() == Path("/caches/gapnet")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cache_folder() == Path("/home/somebody/.cache/gapnet")


def test_a_user_without_a_home_has_no_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("GAPNET_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nobody)
    assert len(cached(("val",), lambda: records(tmp_path), tmp_path, state="s")) == 1


def touch(path: Path) -> None:
    path.write_text("x")


def grow(path: Path) -> None:
    state = path.stat()
    path.write_text(path.read_text() + "more")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        (lambda root: grow(root / "list.txt"), True),
        (lambda root: (root / "list.txt").unlink(), True),
        (lambda root: touch(root / "images/n01/b.JPEG"), True),
        (lambda root: (root / "images/n02").mkdir(), True),
        (lambda root: (root / "images/n01/a.JPEG").rename(root / "images/n01/c.JPEG"), True),
        (lambda root: grow(root / "xml/n01/a.xml"), True),
        (lambda root: touch(root / "xml/b.xml"), True),
        (lambda root: grow(root / "images/n01/a.JPEG"), False),
        (lambda root: grow(root / "other.txt"), False),
    ],
)
def test_a_changed_tree_has_another_fingerprint(
    tmp_path: Path, change: Callable[[Path], None], *, noticed: bool
) -> None:
    for name in ("images/n01/a.JPEG", "xml/n01/a.xml", "list.txt", "other.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, ns=(0, 0))
    for folder in ("images", "images/n01", "xml", "xml/n01"):
        os.utime(tmp_path / folder, ns=(0, 0))

    def state() -> str:
        return fingerprint(
            files=[tmp_path / "list.txt"],
            folders=[tmp_path / "images"],
            contents=[tmp_path / "xml", tmp_path / "nowhere"],
        )

    before = state()
    assert state() == before
    change(tmp_path)
    assert (state() != before) == noticed


def test_folders_are_listed_by_name_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b", "a", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").touch()
    assert folders_in(tmp_path) == [tmp_path / "a", tmp_path / "b"]
    assert folders_in(tmp_path / "nowhere") == []


@pytest.mark.parametrize(("workers", "many"), [(1, 1), (2, 1), (2, 1000), (None, 1)])
def test_work_comes_back_in_order(workers: int | None, many: int) -> None:
    items = list(range(300))
    done = parallel_map(str, items, "counting", workers=workers, many=many)
    assert list(done) == [str(item) for item in items]


def test_columns_are_what_rows_would_be(tmp_path: Path) -> None:
    boxes = torch.tensor([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 9.0, 9.0]])
    rows = [
        Record("a", tmp_path / "a.JPEG", 1, None, blacklisted=True),
        Record("b", tmp_path / "b.JPEG", 0, boxes),
    ]
    laid = records_from_columns(
        tmp_path,
        ids=["a", "b"],
        paths=["a.JPEG", "b.JPEG"],
        labels=[1, 0],
        boxes=[None, boxes.flatten().tolist()],
        blacklisted=[True, False],
    )
    assert laid == Records.of(rows, tmp_path)
