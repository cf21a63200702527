"""The image files in a folder."""

import os
from pathlib import Path, PurePosixPath

from gapnet.errors import GapnetError

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm"}  # or in capitals


def folders_and_images(folder: Path) -> tuple[list[Path], list[Path]]:
    """List the folders and the images in a folder by name, without hidden ones."""
    with os.scandir(folder) as entries:  # knows folders without a call per entry
        visible = [entry for entry in entries if not entry.name.startswith(".")]
    folders = sorted(Path(entry) for entry in visible if entry.is_dir())
    files = sorted(Path(entry) for entry in visible if not entry.is_dir())
    return folders, [path for path in files if path.suffix.lower() in SUFFIXES]


def images_by_stem(folder: Path) -> dict[str, Path]:
    """List the images in a folder by their name without suffix, which must be unique."""
    _, images = folders_and_images(folder)
    if not images:
        raise GapnetError(f"{folder}: has no image; put images there")
    paths: dict[str, Path] = {}
    for path in images:
        if path.stem in paths:
            raise GapnetError(
                f"{path}: {paths[path.stem].name} has the same name, so that one annotation would "
                "belong to two images; rename one of them"
            )
        paths[path.stem] = path
    return paths


def check_inside(name: str, where: str) -> None:
    """Refuse the name of an image that is not a path inside the data set."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name:
        raise GapnetError(f"{where}: {name!r} must be a path inside the data set; correct it")
