"""Reads frames of videos with OpenCV."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
from PIL import Image

from gapnet.errors import GapnetError

VIDEOS = {".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"}


def count_frames(path: Path) -> int:
    """Return the number of frames in the header of a video, at least 1; refuse an empty video."""
    with _opened(path) as video:
        if not video.grab():
            raise GapnetError(f"{path}: contains no frames that OpenCV can read")
        return max(1, int(video.get(cv2.CAP_PROP_FRAME_COUNT)))


def frame_images(path: Path, every: int) -> Iterator[tuple[int, Image.Image]]:
    """Yield every n-th frame of a video, with its number."""
    with _opened(path) as video:
        index = 0
        while video.grab():
            if index % every == 0:
                _, frame = video.retrieve()
                yield index, Image.fromarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
            index += 1


@contextmanager
def _opened(path: Path) -> Iterator[cv2.VideoCapture]:
    video = cv2.VideoCapture(str(path))
    try:
        yield video
    finally:
        video.release()
