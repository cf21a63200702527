import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from gapnet.data.loading.views import (
    apply_view,
    centre_view,
    random_crop_view,
    random_view,
    whole_view,
)


def test_the_whole_view_shows_the_whole_image() -> None:
    shown, window = apply_view(Image.new("RGB", (50, 30)), whole_view((64, 48)))
    assert shown.shape == (3, 64, 48)
    assert shown.dtype == torch.uint8
    assert window.tolist() == [0, 0, 50, 30]


def test_the_centre_view_shows_the_middle() -> None:
    shown, window = apply_view(Image.new("RGB", (200, 100)), centre_view((64, 64), margin=1.25))
    assert shown.shape == (3, 64, 64)
    # the short side of 100 becomes 80, of which 64 are shown: 80 pixels of the file, in the middle
    torch.testing.assert_close(window, torch.tensor([60.0, 10.0, 140.0, 90.0]))


def test_a_view_that_shows_more_than_the_image_has_a_window_beyond_it() -> None:
    _, window = apply_view(Image.new("RGB", (100, 100)), centre_view((64, 64), margin=0.5))
    torch.testing.assert_close(window, torch.tensor([-50.0, -50.0, 150.0, 150.0]))


def gradient() -> Image.Image:
    """Paint an image whose red says the column and whose green says the row."""
    image = Image.new("RGB", (200, 120))
    image.putdata([(x, y, 0) for y in range(120) for x in range(200)])
    return image


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "view",
    [
        random_view((40, 40), scale=(0.3, 0.9), flip=0.0),
        random_crop_view((40, 40), flip=0.0),
        random_crop_view((40, 40), keep_aspect=True, flip=0.0),
        centre_view((40, 40), keep_aspect=False),
    ],
)
def test_the_window_of_a_crop_is_what_the_pixels_say(view: v2.Transform, seed: int) -> None:
    torch.manual_seed(seed)
    shown, window = apply_view(gradient(), view)
    x1, y1, x2, y2 = window.tolist()
    columns, rows = shown[0].float().mean(0), shown[1].float().mean(1)
    cells = (torch.arange(40) + 0.5) / 40
    inner = slice(3, -3)  # the border is smoothed one-sidedly
    torch.testing.assert_close(
        columns[inner], (x1 + cells * (x2 - x1) - 0.5)[inner], atol=1.0, rtol=0
    )
    torch.testing.assert_close(rows[inner], (y1 + cells * (y2 - y1) - 0.5)[inner], atol=1.0, rtol=0)


def test_a_squashed_view_shows_seven_eighths_of_each_side() -> None:
    view = centre_view((224, 224), keep_aspect=False)
    _, window = apply_view(Image.new("RGB", (512, 256)), view)
    torch.testing.assert_close(window, torch.tensor([32.0, 16.0, 480.0, 240.0]))


def test_mirroring_happens_as_often_as_asked() -> None:
    always, never = (
        random_view((8, 8), scale=(1, 1), ratio=(1, 1), flip=1.0),
        random_view((8, 8), flip=0.0),
    )
    image = Image.linear_gradient("L").rotate(90).convert("RGB")
    left_to_right = apply_view(image, never)[0][0].float()
    mirrored = apply_view(image, always)[0][0].float()
    assert left_to_right[:, 0].mean() != mirrored[:, 0].mean()
    assert (mirrored[:, -1].mean() - mirrored[:, 0].mean()) * (
        left_to_right[:, -1].mean() - left_to_right[:, 0].mean()
    ) < 0
