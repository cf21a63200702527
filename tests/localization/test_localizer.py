import pytest
import torch
from PIL import Image

from gapnet.data.loading.views import apply_view, centre_view, whole_view
from gapnet.errors import GapnetError
from gapnet.localization.boxers.threshold import ThresholdBoxer
from gapnet.localization.guesses import OnePerClass
from gapnet.localization.localizer import Localizer
from gapnet.models.zoo.tiny import tiny_gap
from gapnet.saliency.base import look
from gapnet.saliency.cam.cam import Cam

LOCALIZER = Localizer(Cam(), ThresholdBoxer(), OnePerClass())


def test_cam_is_the_network_s_class_map() -> None:
    network = tiny_gap(3, input_size=32).eval()
    seen = look(network, torch.randn(2, 3, 32, 32))
    classes = torch.tensor([[0, 2], [1, 1]])
    assert torch.equal(Cam()(network, seen, classes), network.class_maps(seen.features, classes))


def bright_square(size: tuple[int, int], box: tuple[int, int, int, int]) -> Image.Image:
    image = Image.new("RGB", (size[1], size[0]))
    image.paste((255, 255, 255), (box[0], box[1], box[2] + 1, box[3] + 1))
    return image


@pytest.mark.parametrize("size", [(112, 112), (90, 160), (200, 120), (37, 53)])
@pytest.mark.parametrize(
    "view", [whole_view((64, 64)), centre_view((64, 64), margin=1.25)], ids=["whole", "centre"]
)
def test_a_box_found_in_the_view_is_where_the_object_is_in_the_file(size, view) -> None:
    height, width = size
    box = (width * 3 // 8, height * 3 // 8, width * 5 // 8, height * 5 // 8)
    shown, window = apply_view(bright_square(size, box), view)
    evidence = shown[:1].float()[None] - 127
    found = LOCALIZER.boxes(evidence, window[None], torch.tensor([size]))[0, 0, 0]
    cell = max((window[2] - window[0]) / 64, (window[3] - window[1]) / 64, 1.0)
    assert (found - torch.tensor(box)).abs().max() <= cell + 0.5


def test_each_image_has_the_boxes_of_its_own_size() -> None:
    maps = torch.zeros(2, 1, 4, 4)
    windows = torch.tensor([[0.0, 0.0, 20.0, 10.0], [0.0, 0.0, 7.0, 9.0]])
    boxes = LOCALIZER.boxes(maps, windows, torch.tensor([[10, 20], [9, 7]]))
    assert boxes[:, 0, 0].tolist() == [[0, 0, 19, 9], [0, 0, 6, 8]]


def test_a_box_never_leaves_its_image() -> None:
    windows = torch.tensor([[-8.0, -4.0, 28.0, 14.0]])  # a view that shows more than the image
    boxes = LOCALIZER.boxes(torch.ones(1, 1, 2, 2), windows, torch.tensor([[10, 20]]))
    assert boxes[0, 0, 0].tolist() == [0, 0, 19, 9]


def test_nan_is_an_error_that_names_the_image() -> None:
    network = tiny_gap(3, input_size=32).eval()
    looked = LOCALIZER.look(network, torch.randn(2, 3, 32, 32))
    looked.seen[0].features[1, 0, 0, 0] = float("nan")
    with pytest.raises(GapnetError, match=r"image b\.JPEG: .* NaN"):
        LOCALIZER.maps(network, looked, torch.tensor([[0], [0]]), ["a.JPEG", "b.JPEG"])
