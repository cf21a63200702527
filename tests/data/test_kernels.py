"""The faster ways to read and resize against Pillow and torchvision."""

import io
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

from gapnet.data.loading import jpeg
from gapnet.data.loading.geometry import plan_of
from gapnet.data.loading.images import (
    Draw,
    Images,
    UnreadableImageError,
    read_image,
    read_picture,
)
from gapnet.data.loading.kernels import Loading
from gapnet.data.loading.views import (
    apply_view,
    centre_view,
    published_view,
    random_crop_view,
    random_view,
    whole_view,
)
from gapnet.data.options import Reading
from gapnet.data.records import Record, Records
from tests.refusals import refused

ORIENTATION, QUARTER_TURN = 0x0112, 6
needs_simplejpeg = pytest.mark.skipif(
    find_spec("simplejpeg") is None, reason="simplejpeg is in the extra fast"
)
VIEWS = {
    "whole": whole_view((32, 24)),
    "bicubic": whole_view((32, 24), interpolation="bicubic"),
    "centre": centre_view((32, 32)),
    "centre of odd sizes": centre_view((31, 32), margin=1.3),
    "squashed centre": centre_view((32, 32), keep_aspect=False),
    "padded centre": centre_view((32, 32), margin=0.5),
    "published": published_view((32, 32), crop=0.875, squash=True),
    "random crop": random_crop_view((32, 32)),
    "random crop in aspect": random_crop_view((32, 32), keep_aspect=True),
    "random": random_view((32, 32)),
    "mild": random_view((32, 32), scale=(0.8, 1.0)),
    "always mirrored": random_view((32, 32), flip=1.0),
}
SIZES = [(1, 1), (1, 40), (97, 3), (32, 32), (75, 50), (50, 75), (101, 133)]  # (width, height)


def drawn(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Draw smooth colours with noise."""
    rng = np.random.default_rng(width * 1000 + height)
    small = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))
    noisy = (smooth + rng.normal(0, 8, smooth.shape)).clip(0, 255).astype(np.uint8)
    return Image.fromarray(noisy).convert(mode)


def jpeg_bytes(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def images(path: Path, view: v2.Transform, **loading: str) -> Images:
    listed = Records.of([Record(path.name, path, 0, None)], path.parent)
    return Images(listed, view, loading=Loading(**loading))


def by_torchvision(image: Image.Image, view: v2.Transform, seed: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(seed)
    return apply_view(image, view)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_pixels_and_window_are_those_of_torchvision(
    tmp_path: Path, view: v2.Transform, size: tuple[int, int]
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_bytes(drawn(*size)))
    for seed in range(3):
        sample = images(path, view)[Draw(0, seed)]
        shown, window = by_torchvision(read_image(path), view, seed)
        assert torch.equal(sample.image, shown)
        assert sample.window.numpy().tobytes() == window.numpy().tobytes()
        assert sample.size == size[::-1]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_torch_differs_by_the_rounding_only(
    tmp_path: Path, view: v2.Transform, size: tuple[int, int]
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_bytes(drawn(*size)))
    for seed in range(3):
        sample = images(path, view, resize="torch")[Draw(0, seed)]
        shown, window = by_torchvision(read_image(path), view, seed)
        assert (sample.image.int() - shown.int()).abs().max() <= 2  # of two passes, in tiny images
        assert torch.equal(sample.window, window)


@pytest.mark.parametrize(
    ("view", "most"),
    [(random_view((224, 224)), 0.04), (centre_view((224, 224)), 0.004)],
    ids=["random", "centre"],
)
def test_torch_differs_by_one_level_in_few_values_of_a_photograph(
    view: v2.Transform, most: float
) -> None:
    plan, picture = plan_of(view), drawn(500, 375)
    assert plan is not None
    for _ in range(3):
        geometry = plan.draw((375, 500))
        assert geometry is not None
        exact, fast = (
            Loading(resize=name).kernel(picture, geometry, plan.interpolation).int()
            for name in ("pil", "torch")
        )
        assert (exact - fast).abs().max() <= 1
        assert (exact != fast).float().mean() < most


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_every_view_of_gapnet_is_known_and_draws_what_torchvision_draws(view: v2.Transform) -> None:
    plan = plan_of(view)
    assert plan is not None
    torch.manual_seed(3)
    plan.draw((50, 75))
    after = torch.rand(1)
    by_torchvision(drawn(75, 50), view, 3)
    assert torch.equal(torch.rand(1), after)


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [v2.PILToTensor()],
        [v2.Resize(8)],
        [v2.Resize(8), v2.ColorJitter(0.5), v2.PILToTensor()],
        [v2.RandomHorizontalFlip(), v2.Resize([8, 8]), v2.PILToTensor()],
        [v2.Resize(8), v2.RandomCrop(8, padding=2), v2.PILToTensor()],
        [v2.Resize(8, max_size=9), v2.PILToTensor()],
        [v2.RandomResizedCrop(8), v2.CenterCrop(9), v2.PILToTensor()],
    ],
)
def test_a_view_with_other_steps_is_left_to_torchvision(steps: list[v2.Transform]) -> None:
    assert plan_of(_compose(steps)) is None


def _compose(steps: list[v2.Transform]) -> v2.Transform:
    return v2.Compose(steps) if steps else v2.Identity()


PLAIN_FILES = {
    "4:2:0": jpeg_bytes(drawn(75, 53), subsampling="4:2:0"),
    "4:2:2": jpeg_bytes(drawn(75, 53), subsampling="4:2:2"),
    "4:4:4": jpeg_bytes(drawn(75, 53), subsampling="4:4:4"),
    "progressive": jpeg_bytes(drawn(75, 53), progressive=True),
    "restart markers": jpeg_bytes(drawn(75, 53), restart_marker_blocks=2),
    "low quality": jpeg_bytes(drawn(75, 53), quality=5),
    "one pixel": jpeg_bytes(drawn(1, 1)),
    "bytes after the end": jpeg_bytes(drawn(75, 53)) + b"more",
}


@needs_simplejpeg
@pytest.mark.parametrize("content", PLAIN_FILES.values(), ids=PLAIN_FILES)
def test_a_plain_jpeg_has_the_values_of_pillow(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    pixels = read_picture(path)
    assert isinstance(pixels, np.ndarray)
    assert np.array_equal(pixels, np.asarray(read_image(path)))


def damaged(content: bytes, at: float) -> bytes:
    """Return a JPEG with zeros in its data."""
    start = int(len(content) * at)
    return content[:start] + bytes(40) + content[start + 40 :]


def turned(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = QUARTER_TURN
    return jpeg_bytes(image, exif=exif)


NOISE = jpeg_bytes(drawn(75, 53), quality=95)
OTHER_FILES = {
    "grey": jpeg_bytes(drawn(75, 53, "L")),
    "CMYK": jpeg_bytes(drawn(75, 53, "CMYK")),
    "RGB": jpeg_bytes(drawn(75, 53), keep_rgb=True),
    "no end": NOISE[:-2],
    "half": NOISE[: len(NOISE) // 2],
    "header": NOISE[:200],
    "start": NOISE[:3],
    "zeros": damaged(NOISE, 0.6),
    "zeros in the header": damaged(NOISE, 0.05),
    "empty": b"",
    "text": b"no image at all",
}


def outcome(path: Path, read: object, **reading: bool) -> object:
    """Return the pixels, or the message of the error."""
    try:
        return np.asarray(read(path, **reading)).tolist()
    except UnreadableImageError as error:
        return str(error)


@pytest.mark.parametrize("content", OTHER_FILES.values(), ids=OTHER_FILES)
def test_every_other_file_ends_as_by_pillow(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    assert outcome(path, read_picture) == outcome(path, read_image)


@pytest.mark.parametrize(("exif", "shape"), [(False, (53, 75, 3)), (True, (75, 53, 3))])
def test_an_orientation_counts_only_when_asked(tmp_path: Path, *, exif: bool, shape: tuple) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(turned(drawn(75, 53)))
    assert outcome(path, read_picture, exif=exif) == outcome(path, read_image, exif=exif)
    assert np.asarray(read_picture(path, exif=exif)).shape == shape


@pytest.mark.parametrize(
    ("name", "mode"), [("a.png", "RGBA"), ("a.png", "I;16"), ("a.png", "P"), ("a.tif", "L")]
)
def test_files_of_other_formats_are_the_same(tmp_path: Path, name: str, mode: str) -> None:
    path = tmp_path / name
    drawn(30, 20, "L" if mode == "I;16" else "RGB").convert(mode).save(path)
    assert outcome(path, read_picture) == outcome(path, read_image)


def test_an_image_of_too_many_pixels_is_refused_as_by_pillow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(PLAIN_FILES["4:2:0"])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with refused(path, "data.on_corrupt=skip"):
        read_picture(path)


@needs_simplejpeg
def test_a_decoder_with_other_values_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    simplejpeg = import_module("simplejpeg")
    decode = simplejpeg.decode_jpeg
    monkeypatch.setattr(simplejpeg, "decode_jpeg", lambda content: decode(content) ^ 1)
    assert jpeg.load_decoder.__wrapped__() is None


def test_without_simplejpeg_pillow_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(PLAIN_FILES["4:2:0"])
    monkeypatch.setattr(jpeg, "load_decoder", lambda: None)
    assert isinstance(read_picture(path), Image.Image)


@pytest.mark.parametrize(("key", "value"), [("decoder", "cv2"), ("resize", "area")])
def test_an_unknown_way_is_refused(key: str, value: str) -> None:
    with refused(f"loader.{key}={value}"):
        Loading(**{key: value})


def test_parts_of_images_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(PLAIN_FILES["4:2:0"])
    listed = Records.of([Record("a.jpg", path, 0, None)], tmp_path)
    parts = {"a.jpg": (10, 5, 60.5, 40)}
    fast, exact = (
        Images(listed, whole_view((16, 16)), Reading(), parts, loading=Loading(decoder=name))[0]
        for name in ("auto", "pil")
    )
    assert torch.equal(fast.image, exact.image)
    assert fast.window.tolist() == exact.window.tolist() == [10, 5, 62, 41]
