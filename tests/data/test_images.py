import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from gapnet.data.loading.images import Draw, Images, UnreadableImageError, read_image
from gapnet.data.loading.views import centre_view, random_crop_view, random_view, whole_view
from gapnet.data.options import Reading
from gapnet.data.records import Record, Records
from tests.refusals import refused

ORIENTATION = 0x0112
QUARTER_TURN = 6  # the camera was held so that the picture is to be turned clockwise
VIEWS = {
    "whole": whole_view,
    "centre": centre_view,
    "squashed centre": lambda size: centre_view(size, keep_aspect=False),
    "small centre": lambda size: centre_view(size, margin=0.5),
    "random crop": random_crop_view,
    "random crop in aspect": lambda size: random_crop_view(size, keep_aspect=True),
    "random": random_view,
}


def records(*paths: Path, boxes: torch.Tensor | None = None) -> Records:
    rows = [Record(path.name, path, row, boxes) for row, path in enumerate(paths)]
    return Records.of(rows, paths[0].parent)


def painted(path: Path, colour: str | int = "red", size: tuple[int, int] = (8, 6)) -> Path:
    Image.new("RGB", size, colour).save(path)
    return path


def broken(path: Path) -> Path:
    path.write_bytes(b"no image at all")
    return path


def pixel(path: Path, **reading: bool) -> tuple[int, ...]:
    return read_image(path, **reading).getpixel((0, 0))


def png(header: bytes, data: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def test_the_inks_of_a_cmyk_jpeg_become_colours(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.JPEG", quality=100)
    np.testing.assert_allclose(pixel(tmp_path / "a.JPEG"), (255, 0, 0), atol=3)


def test_a_ycck_jpeg_is_read_as_its_marker_says(tmp_path: Path) -> None:
    """Mark a CMYK file as YCCK: its first planes are then the Y, Cb and Cr of the inks."""
    y, cb, cr = 100, 60, 200
    path = tmp_path / "a.JPEG"
    Image.new("CMYK", (8, 8), (255 - y, 255 - cb, 255 - cr, 0)).save(path, quality=100)
    content = path.read_bytes()
    adobe = content.index(b"Adobe")
    assert content[adobe + 11] == 0
    path.write_bytes(content[: adobe + 11] + b"\x02" + content[adobe + 12 :])
    cyan = y + 1.402 * (cr - 128)
    magenta = y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128)
    yellow = y + 1.772 * (cb - 128)
    np.testing.assert_allclose(pixel(path), 255 - np.clip([cyan, magenta, yellow], 0, 255), atol=4)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("1", 1, (255, 255, 255)),
        ("L", 77, (77, 77, 77)),
        ("LA", (77, 0), (77, 77, 77)),
        ("RGBA", (1, 2, 3, 0), (1, 2, 3)),
        ("RGB", (1, 2, 3), (1, 2, 3)),
    ],
)
def test_every_mode_becomes_rgb_and_alpha_is_dropped(
    tmp_path: Path, mode: str, colour: object, expected: tuple[int, ...]
) -> None:
    Image.new(mode, (3, 2), colour).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").mode == "RGB"
    assert pixel(tmp_path / "a.png") == expected


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("transparency", [0, b"\x00\x80"])
def test_a_palette_with_transparency_keeps_its_colours(tmp_path: Path, transparency) -> None:
    image = Image.new("P", (3, 2), 0)
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.save(tmp_path / "a.png", transparency=transparency)
    assert pixel(tmp_path / "a.png") == (10, 20, 30)


@pytest.mark.parametrize("suffix", ["png", "tif", "ppm"])
def test_grey_of_sixteen_bits_is_scaled_and_not_clipped(tmp_path: Path, suffix: str) -> None:
    values = np.array([[0, 255, 256, 32768, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / f"a.{suffix}")
    grey = np.asarray(read_image(tmp_path / f"a.{suffix}"))
    np.testing.assert_array_equal(grey[0], np.repeat([[0], [0], [1], [128], [255]], 3, axis=1))


def test_colour_and_grey_of_sixteen_bits_agree(tmp_path: Path) -> None:
    colour = struct.pack(">HHH", 40000, 40000, 40000)
    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    (tmp_path / "colour.png").write_bytes(png(header, zlib.compress(b"\x00" + colour)))
    Image.fromarray(np.array([[40000]], dtype=np.uint16)).save(tmp_path / "grey.png")
    assert pixel(tmp_path / "colour.png") == pixel(tmp_path / "grey.png") == (156, 156, 156)


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_pixels_of_thirty_two_bits_are_refused(tmp_path: Path, kind: type) -> None:
    Image.fromarray(np.ones((2, 2), dtype=kind)).save(tmp_path / "a.tif")
    with refused("a.tif", "32 bits"):
        read_image(tmp_path / "a.tif")


def test_a_png_named_jpeg_is_read(tmp_path: Path) -> None:
    Image.new("RGB", (4, 3), "blue").save(tmp_path / "a.JPEG", format="PNG")
    assert pixel(tmp_path / "a.JPEG") == (0, 0, 255)


def photograph(path: Path) -> Path:
    """Paint the left half red; the camera says to turn it, so that red comes up."""
    image = Image.new("RGB", (40, 20), "blue")
    image.paste("red", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[ORIENTATION] = QUARTER_TURN
    image.save(path, exif=exif, quality=100)
    return path


def test_a_photograph_is_turned_only_when_asked(tmp_path: Path) -> None:
    path = photograph(tmp_path / "a.jpg")
    stored, turned = read_image(path), read_image(path, exif=True)
    assert stored.size == (40, 20)
    assert turned.size == (20, 40)
    assert stored.getpixel((2, 18))[0] > 200
    assert turned.getpixel((18, 2))[0] > 200
    assert turned.getpixel((2, 38))[2] > 200


def test_size_and_boxes_are_of_the_turned_pixels(tmp_path: Path) -> None:
    boxes = torch.tensor([[0.0, 30.0, 19.0, 39.0]])
    listed = records(photograph(tmp_path / "a.jpg"), boxes=boxes)
    assert Images(listed, whole_view((8, 8)), Reading(exif=True))[0].size == (40, 20)
    with refused("a.jpg", "40 x 20", "(19, 39)"):
        Images(listed, whole_view((8, 8)))[0]


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (1, 300), (300, 1)])
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_takes_an_image_of_one_pixel(
    tmp_path: Path, view: str, size: tuple[int, int]
) -> None:
    path = painted(tmp_path / "a.png", size=size)
    sample = Images(records(path), VIEWS[view]((16, 16)))[Draw(0, 5)]
    assert sample.image.shape == (3, 16, 16)
    assert sample.size == size[::-1]
    assert sample.window.isfinite().all()


def test_twenty_boxes_come_through(tmp_path: Path) -> None:
    boxes = torch.arange(20.0)[:, None] + torch.tensor([0.0, 0.0, 10.0, 10.0])
    path = painted(tmp_path / "a.png", size=(30, 30))
    sample = Images(records(path, boxes=boxes), whole_view((16, 16)))[0]
    assert sample.boxes is not None
    assert torch.equal(sample.boxes, boxes)
    assert sample.corrupt is None


def truncated(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, format="JPEG")
    path.write_bytes(path.read_bytes()[:1500])


def damaged_png(path: Path) -> None:
    painted(path, size=(64, 64))
    content = bytearray(path.read_bytes())
    middle = content.index(b"IDAT") + 6
    content[middle : middle + 8] = b"garbage!"
    path.write_bytes(content)


def bomb(path: Path) -> None:
    path.write_bytes(png(struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0), b""))


def postscript(path: Path) -> None:
    """Write what Pillow would have Ghostscript run."""
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n")
    with Image.open(path) as image:
        assert image.format == "EPS"


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (truncated, "truncated"),
        (damaged_png, "a.png"),
        (bomb, "3600000000 pixels"),
        (postscript, "format"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_text("hello"), "format"),
        (lambda path: path.mkdir(), "Is a directory"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(tmp_path: Path, damage, part: str) -> None:
    damage(tmp_path / "a.png")
    with pytest.raises(UnreadableImageError) as error:
        Images(records(tmp_path / "a.png"), whole_view((8, 8)))[0]
    with refused(tmp_path / "a.png", part, "data.on_corrupt=skip"):
        raise error.value


def test_a_missing_file_is_an_error_even_where_corrupt_ones_are_skipped(tmp_path: Path) -> None:
    images = Images(records(tmp_path / "a.png"), whole_view((8, 8)), Reading(on_corrupt="skip"))
    for wanted in (0, Draw(0, 1)):
        with refused("a.png"):
            images[wanted]


def test_memory_that_is_full_is_no_corrupt_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(image: Image.Image) -> None:
        raise MemoryError

    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    images = Images(records(tmp_path / "a.png"), whole_view((8, 8)), Reading(on_corrupt="skip"))
    monkeypatch.setattr(PngImageFile, "load", full)
    with pytest.raises(MemoryError):
        images[0]


def test_boxes_beyond_the_image_are_an_error_even_where_corrupt_ones_are_skipped(
    tmp_path: Path,
) -> None:
    listed = records(painted(tmp_path / "a.png"), boxes=torch.tensor([[0.0, 0.0, 9.0, 5.0]]))
    with refused("a.png", "(9, 5)"):
        Images(listed, whole_view((8, 8)), Reading(on_corrupt="skip"))[0]


@pytest.mark.parametrize("view", VIEWS)
def test_an_evaluation_has_a_grey_image_of_no_size_for_a_corrupt_file(
    tmp_path: Path, view: str
) -> None:
    boxes = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    listed = records(painted(tmp_path / "a.png"), broken(tmp_path / "b.png"), boxes=boxes)
    sample = Images(listed, VIEWS[view]((16, 16)), Reading(on_corrupt="skip"))[1]
    assert torch.equal(sample.image, torch.full((3, 16, 16), 128, dtype=torch.uint8))
    assert sample.size == (0, 0)
    assert sample.window.tolist() == [0, 0, 0, 0]
    assert sample.window.dtype == torch.float32
    assert sample.boxes is not None
    assert torch.equal(sample.boxes, boxes)
    assert (sample.label, sample.id, sample.corrupt) == (1, "b.png", str(tmp_path / "b.png"))


def test_a_training_has_the_next_readable_image_under_the_same_seed(tmp_path: Path) -> None:
    gradient = Image.linear_gradient("L").convert("RGB")
    gradient.save(tmp_path / "a.png")
    listed = records(tmp_path / "a.png", broken(tmp_path / "b.png"), broken(tmp_path / "c.png"))
    images = Images(listed, random_view((16, 16)), Reading(on_corrupt="skip"))
    shown, corrupt = images[Draw(0, 7)], images[Draw(1, 7)]
    assert corrupt.corrupt == str(tmp_path / "b.png")
    assert (corrupt.label, corrupt.id, corrupt.size) == (0, "a.png", (256, 256))
    assert torch.equal(corrupt.image, shown.image)
    assert torch.equal(corrupt.window, shown.window)
    assert shown.corrupt is None
    assert images[Draw(2, 7)].corrupt == str(tmp_path / "c.png")


@pytest.mark.parametrize(("max_corrupt", "tries"), [(100, 3), (1, 2), (0, 1)])
def test_a_training_gives_up_after_so_many_corrupt_files_in_a_row(
    tmp_path: Path, max_corrupt: int, tries: int
) -> None:
    listed = records(*(broken(tmp_path / f"{name}.png") for name in "abc"))
    images = Images(listed, whole_view((8, 8)), Reading(on_corrupt="skip", max_corrupt=max_corrupt))
    with refused("b.png", tries, f"data.max_corrupt={max_corrupt}"):
        images[Draw(1, 0)]


@pytest.mark.parametrize("wanted", [0, Draw(0, 1)])
def test_a_corrupt_file_is_an_error_by_default(tmp_path: Path, wanted: int | Draw) -> None:
    listed = records(broken(tmp_path / "a.png"), painted(tmp_path / "b.png"))
    with refused("a.png"):
        Images(listed, whole_view((8, 8)))[wanted]
