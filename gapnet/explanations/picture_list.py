"""Lists the pictures that a command line names: files, folders, patterns, lists and videos."""

import glob
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from gapnet.errors import GapnetError, reading
from gapnet.explanations.pictures import to_image
from gapnet.explanations.video_frames import VIDEOS, count_frames, frame_images

STANDARD_INPUT = "-"
LIST = ".txt"  # a file that lists pictures, one per line
PICTURES = {
    *(".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"),
}
PATTERN = frozenset("*?[")


class NamedPicture(NamedTuple):
    """A picture with its name, the file that it is in, and a function that reads it."""

    name: str
    path: Path
    read: Callable[[], Image.Image]


@dataclass(frozen=True)
class PictureList:
    """Files of pictures and videos, and their number of pictures; videos state it roughly."""

    files: list[Path]
    count: int
    every: int

    def __iter__(self) -> Iterator[NamedPicture]:
        """Yield the pictures in order; a frame must be read before the next one is taken."""
        for path in self.files:
            if path.suffix.lower() in VIDEOS:
                for index, image in frame_images(path, self.every):
                    copy = partial(Image.Image.copy, image)
                    yield NamedPicture(f"{path}@{index:06d}", path, copy)
            else:
                yield NamedPicture(str(path), path, partial(to_image, path))


def list_pictures(
    words: Iterable[str], *, every: int = 1, without: Path | None = None
) -> PictureList:
    """Return the pictures that words name, in order; names of missing files raise an error.

    Args:
        words: files, folders, patterns, lists of files (.txt), videos, or - for standard input.
        every: of the frames of a video, one in so many is taken.
        without: a folder whose files folders and patterns leave out.
    """
    files = list(_files(words, without))
    videos = [path for path in files if path.suffix.lower() in VIDEOS]
    frames = sum(-(-count_frames(path) // every) for path in videos)
    return PictureList(files, len(files) - len(videos) + frames, every)


def _files(words: Iterable[str], without: Path | None) -> Iterator[Path]:
    for word in words:
        if word == STANDARD_INPUT:
            yield from _files(filter(None, map(str.strip, sys.stdin)), without)
        else:
            for path in _expand(word, without):
                yield from _listed(path, without) if path.suffix.lower() == LIST else [path]


def _expand(word: str, without: Path | None) -> Iterator[Path]:
    path = Path(word)
    if path.is_dir():
        files = _outside(sorted(path.rglob("*")), without)
        pictures = [file for file in files if file.suffix.lower() in PICTURES]
        if not pictures:
            raise GapnetError(f"{word}: has no pictures ({', '.join(sorted(PICTURES))})")
        yield from pictures
    elif path.exists() or not PATTERN & set(word):
        if not path.is_file():
            raise GapnetError(f"{path}: no such file or folder")
        yield path
    else:
        matches = _outside(map(Path, sorted(glob.glob(word, recursive=True))), without)  # noqa: PTH207  (absolute patterns, too)
        if not matches:
            raise GapnetError(f"{word}: matches no file")
        yield from matches


def _outside(paths: Iterable[Path], folder: Path | None) -> list[Path]:
    """Return the files that are not in a folder."""
    files = [path for path in paths if path.is_file()]
    if folder is None or not folder.is_dir():
        return files
    inside = folder.resolve()
    return [path for path in files if inside not in path.resolve().parents]


def _listed(path: Path, without: Path | None) -> Iterator[Path]:
    with reading(path, "is not a list of files in UTF-8"):
        lines = path.read_text(encoding="utf-8").splitlines()
    words = [*filter(None, map(str.strip, lines))]
    if nested := [word for word in words if word.lower().endswith(LIST)]:
        raise GapnetError(f"{path}: must not list another list ({nested[0]})")
    yield from _files(words, without)
