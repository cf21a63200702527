"""Lists the pictures that a command line names: files, folders, patterns, lists and videos."""

import glob
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
from PIL import Image

from gapnet.errors import GapnetError, reading
from gapnet.explanations.pictures import to_image

STANDARD_INPUT = "-"
LIST = ".txt"  # a file that lists pictures, one per line
PICTURES = {
    *(".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"),
}
VIDEOS = {".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"}
PATTERN = frozenset("*?[")


class NamedPicture(NamedTuple):
    """A picture with its name, and a function that reads it."""

    name: str
    read: Callable[[], Image.Image]


def list_pictures(words: Iterable[str], *, every: int = 1) -> Iterator[NamedPicture]:
    """Yield the pictures that words name, in order.

    Args:
        words: files, folders, patterns, lists of files (.txt), videos, or - for standard input.
        every: of the frames of a video, one in so many is taken.
    """
    for word in words:
        if word == STANDARD_INPUT:
            yield from list_pictures(filter(None, map(str.strip, sys.stdin)), every=every)
        else:
            for path in _expand(word):
                yield from _of_file(path, every)


def _expand(word: str) -> Iterator[Path]:
    path = Path(word)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in PICTURES)
        if not files:
            raise GapnetError(f"{word}: contains no pictures ({', '.join(sorted(PICTURES))})")
        yield from files
    elif path.exists() or not PATTERN & set(word):
        yield path
    else:
        matches = sorted(glob.glob(word, recursive=True))  # noqa: PTH207  (absolute patterns, too)
        if not matches:
            raise GapnetError(f"{word}: matches no file")
        yield from map(Path, matches)


def _of_file(path: Path, every: int) -> Iterator[NamedPicture]:
    if not path.is_file():
        raise GapnetError(f"{path}: no such file or folder")
    if path.suffix.lower() == LIST:
        with reading(path, "is not a list of files in UTF-8"):
            lines = path.read_text(encoding="utf-8").splitlines()
        words = [*filter(None, map(str.strip, lines))]
        if nested := [word for word in words if word.lower().endswith(LIST)]:
            raise GapnetError(f"{path}: must not list another list ({nested[0]})")
        yield from list_pictures(words, every=every)
    elif path.suffix.lower() in VIDEOS:
        yield from _frames(path, every)
    else:
        yield NamedPicture(str(path), partial(to_image, path))


def _frames(path: Path, every: int) -> Iterator[NamedPicture]:
    """Yield frames of a video; a frame must be read before the next one is taken."""
    video = cv2.VideoCapture(str(path))
    try:
        index = 0
        while video.grab():
            if index % every == 0:
                _, frame = video.retrieve()
                image = Image.fromarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
                yield NamedPicture(f"{path}@{index:06d}", partial(Image.Image.copy, image))
            index += 1
    finally:
        video.release()
    if index == 0:
        raise GapnetError(f"{path}: contains no frames that OpenCV can read")
