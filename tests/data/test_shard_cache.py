"""The cache of fetched shards writes and deletes nothing that is not its own."""

import errno
import shutil
from pathlib import Path

import pytest

from gapnet.data.checks.digests import sha256_of
from gapnet.data.shards.cache import FOLDER, GB, MARKER
from gapnet.data.sources.shards import Shards
from tests.data.sharded import read_all
from tests.refusals import refused


def fetched(written: Path, cache: Path, *, shards: float | None = None) -> Shards:
    """Open shards at a URL, with room for so many in the cache."""
    largest = max(path.stat().st_size for path in written.glob("*.tar"))
    room = None if shards is None else shards * largest / GB
    return Shards(f"file://{written}", cache=cache, cache_gb=room)


def test_other_people_s_tars_are_never_deleted(written: Path, tmp_path: Path) -> None:
    mine = [tmp_path / name for name in ("backups/a.tar", "b.tar", f"{FOLDER}/c.tar")]
    source = fetched(written, tmp_path, shards=1.5)
    source.records("val")
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(10**6))
    read_all(source)
    assert all(path.is_file() for path in mine)
    sizes = [path.stat().st_size for path in written.glob("*.tar")]
    kept = [path.stat().st_size for path in (tmp_path / FOLDER).glob("?" * 64 + ".tar")]
    assert 0 < sum(kept) <= 1.5 * max(sizes) < sum(sizes)


def test_a_planted_link_is_neither_followed_nor_counted(written: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(bytes(10**6))
    cache = tmp_path / "cache"
    source = fetched(written, cache, shards=1.5)
    read_all(source)
    link = cache / FOLDER / f"{'0' * 64}.tar"
    link.symlink_to(precious)
    read_all(source)
    assert precious.read_bytes() == bytes(10**6)
    assert link.is_symlink()


def test_a_link_in_place_of_a_shard_is_refused(written: Path, tmp_path: Path) -> None:
    source = fetched(written, tmp_path)
    source.records("val")
    shard = written / "val-000000.tar"
    (tmp_path / FOLDER / f"{sha256_of(shard)}.tar").symlink_to(shard)
    with refused(f"{sha256_of(shard)}.tar"):
        read_all(source)


def test_a_link_in_place_of_an_unfinished_file_is_not_written_through(
    written: Path, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    source = fetched(written, tmp_path)
    source.records("val")
    shard = written / "val-000000.tar"
    (tmp_path / FOLDER / f".{sha256_of(shard)}.tar.unfinished").symlink_to(precious)
    read_all(source)
    assert precious.read_text() == "mine"


def test_a_folder_that_is_not_gapnet_s_is_refused(written: Path, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "thesis.tex").touch()
    with refused(f"data.cache={tmp_path}", MARKER):
        read_all(fetched(written, tmp_path))
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["thesis.tex"]


def test_a_folder_behind_a_link_is_refused(written: Path, tmp_path: Path) -> None:
    read_all(fetched(written, tmp_path / "real"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / FOLDER).symlink_to(tmp_path / "real" / FOLDER)
    with refused(f"data.cache={tmp_path / 'cache'}"):
        read_all(fetched(Path(shutil.copytree(written, tmp_path / "copy")), tmp_path / "cache"))


def test_a_cached_shard_of_another_size_is_named(written: Path, tmp_path: Path) -> None:
    source = fetched(written, tmp_path)
    source.records("val")
    shard = tmp_path / FOLDER / f"{sha256_of(written / 'val-000000.tar')}.tar"
    shard.write_bytes(b"short")
    with refused(shard.name, 5):
        read_all(source)


def test_the_folder_and_its_marker_are_made_at_once(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with refused(f"data.cache={tmp_path}"):
            fetched(written, tmp_path).records("val")
    assert list(tmp_path.iterdir()) == []
    read_all(fetched(written, tmp_path))


def test_a_full_disk_is_not_blamed_on_the_server(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def full(url: str, *_: object, **__: object) -> None:
        tries.append(url)
        raise OSError(errno.ENOSPC, "No space left on device")

    source = fetched(written, tmp_path)
    source.records("val")
    monkeypatch.setattr("gapnet.data.shards.fetch.download", full)
    with pytest.raises(OSError, match="No space left") as caught:
        read_all(source)
    assert len(tries) == 1
    assert Path(str(caught.value.filename)).parent == tmp_path / FOLDER
