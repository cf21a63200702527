"""Pictures that a command line names."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from gapnet.explanations.picture_list import list_pictures
from tests.refusals import refused


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos" / "deep").mkdir(parents=True)
    for name in ("b.png", "a.JPG", "deep/c.webp"):
        Image.new("RGB", (4, 3)).save(tmp_path / "photos" / name)
    (tmp_path / "photos" / "notes.md").write_text("no picture")
    (tmp_path / "list.txt").write_text("photos/b.png\n\nphotos/a.JPG\n")
    return tmp_path


def names(*words: str, every: int = 1) -> list[str]:
    return [picture.name for picture in list_pictures(words, every=every)]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("photos/b.png", ["photos/b.png"]),
        ("photos", ["photos/a.JPG", "photos/b.png", "photos/deep/c.webp"]),
        ("photos/*.*g*", ["photos/b.png"]),
        ("photos/**/*.webp", ["photos/deep/c.webp"]),
        ("list.txt", ["photos/b.png", "photos/a.JPG"]),
    ],
)
@pytest.mark.usefixtures("folder")
def test_files_folders_patterns_and_lists(word: str, expected: list[str]) -> None:
    assert names(word) == expected


@pytest.mark.usefixtures("folder")
def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("photos/b.png\nlist.txt\n"))
    assert names("-") == ["photos/b.png", "photos/b.png", "photos/a.JPG"]


def test_frames_of_a_video(folder: Path) -> None:
    writer = cv2.VideoWriter("film.avi", cv2.VideoWriter_fourcc(*"MJPG"), 5, (64, 48))
    for level in (0, 80, 160, 240):
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    pictures = list(list_pictures(["film.avi"], every=2))
    assert [picture.name for picture in pictures] == ["film.avi@000000", "film.avi@000002"]
    levels = [np.asarray(picture.read()).mean() for picture in pictures]
    assert levels == pytest.approx([0, 160], abs=4)


@pytest.mark.parametrize("word", ["missing.jpg", "empty", "photos/*.gif", "broken.mp4"])
def test_what_names_no_picture_is_refused(folder: Path, word: str) -> None:
    (folder / "empty").mkdir()
    (folder / "broken.mp4").write_bytes(b"no video")
    with refused(word):
        names(word)


@pytest.mark.parametrize("content", [b"own.txt\n", b"\xff\xfe\n"], ids=["itself", "no UTF-8"])
def test_a_list_that_cannot_be_read_is_refused(folder: Path, content: bytes) -> None:
    (folder / "own.txt").write_bytes(content)
    with refused("own.txt"):
        names("own.txt")
