from pathlib import Path

import pytest
from PIL import Image

from gapnet.data.options import Reading
from gapnet.data.readers.image_sizes import read_sizes
from tests.refusals import refused

ON_ITS_SIDE = 6


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    exif = Image.Exif()
    exif[0x0112] = ON_ITS_SIDE
    path = tmp_path / "a.jpg"
    Image.new("RGB", (30, 20)).save(path, exif=exif)
    return path


@pytest.mark.parametrize(("exif", "size"), [(False, [20, 30]), (True, [30, 20])])
def test_a_size_is_that_of_the_pixels_that_are_read(
    photograph: Path,
    exif: bool,  # noqa: FBT001
    size: list[int],
) -> None:
    assert read_sizes([photograph], Reading(exif=exif)).tolist() == [size]


def test_a_file_that_cannot_be_read_has_no_size_or_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no image")
    assert read_sizes([tmp_path / "a.jpg"], Reading(on_corrupt="skip")).tolist() == [[0, 0]]
    with refused("a.jpg"):
        read_sizes([tmp_path / "a.jpg"], Reading())


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0\0\x0cIHDR" + bytes(16), b""])
def test_whatever_a_decoder_raises_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with refused("a.png"):
        read_sizes([tmp_path / "a.png"], Reading())


def test_a_file_that_is_not_there_is_an_error_in_any_case(tmp_path: Path) -> None:
    with refused("a.jpg"):
        read_sizes([tmp_path / "a.jpg"], Reading(on_corrupt="skip"))
