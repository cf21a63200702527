from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from gapnet.errors import GapnetError
from gapnet.runs.saved_config import checked_text
from gapnet.system.files import atomic_file, write_file


def write_half(path: Path) -> None:
    with atomic_file(path) as unfinished:
        unfinished.write_text("half")
        raise KeyboardInterrupt


def test_a_file_that_is_not_completed_leaves_nothing(tmp_path: Path) -> None:
    write_file(tmp_path / "a.txt", "before")
    with pytest.raises(KeyboardInterrupt):
        write_half(tmp_path / "a.txt")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("a.txt", "before")]


def names(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def refuse_link(path: Path, target: Path) -> None:
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.parametrize("links", [True, False])
def test_what_a_file_replaces_stays_under_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", refuse_link)
    for text in ("1", "2", "3"):
        write_file(tmp_path / "a.txt", text, earlier=tmp_path / "b.txt")
    assert names(tmp_path) == {"a.txt": "3", "b.txt": "2"}


@pytest.mark.parametrize(
    ("links", "left"), [(True, {"a.txt": "2", "b.txt": "2"}), (False, {"b.txt": "2"})]
)
def test_a_file_is_there_at_every_moment_while_it_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool, left: dict[str, str]
) -> None:
    for text in ("1", "2"):
        write_file(tmp_path / "a.txt", text, earlier=tmp_path / "b.txt")
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", refuse_link)
    rename = Path.replace

    def stopped(path: Path, target: Path) -> Path:
        if path.name == ".a.txt.unfinished":
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stopped)
        with pytest.raises(KeyboardInterrupt):
            write_file(tmp_path / "a.txt", "3", earlier=tmp_path / "b.txt")
    assert names(tmp_path) == left
    write_file(tmp_path / "a.txt", "4", earlier=tmp_path / "b.txt")
    assert names(tmp_path) == {"a.txt": "4", "b.txt": "2"}


@pytest.mark.parametrize(
    "text", ["a: {b: [1, 2.5, null, 'x']}\n", "", "- 1\n", "a: '*b'\nc: '!!python/name:d'\n"]
)
def test_plain_yaml_is_given_as_it_stands(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    assert checked_text(tmp_path / "config.yaml") == text


LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40)
)


@pytest.mark.parametrize(
    "content",
    [
        LAUGHS.encode(),
        b"a: !!python/object/apply:os.system [ls]",
        b"a: !<tag:yaml.org,2002:python/name:os.system> x",
        b"!!map {a: 1}",
        b"a: " + b"[" * 100_000,
        b"a: " + b"{b: " * 60,
        b"a: [",
        b"\xff\xfe\x00",
        b"a: \x00",
        b"x" * 2**20,
    ],
)
def test_yaml_that_could_do_or_become_more_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.yaml").write_bytes(content)
    with pytest.raises(GapnetError, match=r"config\.yaml: "):
        checked_text(tmp_path / "config.yaml")


@pytest.mark.parametrize("written", [atomic_file, partial(atomic_file, durable=False)])
def test_a_file_on_a_full_disk_is_named_and_nothing_is_left(
    full_disk: Path, written: Callable[[Path], AbstractContextManager[Path]]
) -> None:
    path = full_disk / "metrics.json"
    with pytest.raises(OSError, match="No space left") as caught, written(path) as unfinished:
        unfinished.write_bytes(bytes(2**16))
    assert caught.value.filename == str(path)
    assert [each.name for each in full_disk.iterdir()] == ["junk"]


def test_an_error_that_names_its_file_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, atomic_file(tmp_path / "a"):
        (tmp_path / "b").read_text()
    assert caught.value.filename == str(tmp_path / "b")
