"""Pictures of class maps and boxes: right and wrong ones, a fixed random choice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from PIL import Image

from gapnet.data.loading.images import Images, read_image
from gapnet.data.sample import Sample, collate
from gapnet.localization.localizer import Localizer
from gapnet.models.gapnet import GapNet
from gapnet.report.overlay import overlay


@dataclass(frozen=True)
class Picture:
    """An image with the map of the true class, and the facts for its caption."""

    id: str
    image: Image.Image
    label: int
    predicted: int
    iou: float
    right: bool


class GalleryPredictions(NamedTuple):
    """Predicted classes, overlaps of the true class's box, and whether it is right, all (N,)."""

    predicted: torch.Tensor
    overlaps: torch.Tensor
    right: torch.Tensor


def choose(right: torch.Tensor, count: int) -> list[int]:
    """Return `count` rows of verdicts (N,), half of them wrong if there are enough."""
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(right), generator=generator).tolist()
    good, bad = [row for row in order if right[row]], [row for row in order if not right[row]]
    wrong = bad[: max(count // 2, count - len(good))]
    return [*good[: count - len(wrong)], *wrong]


@torch.inference_mode()
def gallery(
    network: GapNet,
    localizer: Localizer,
    images: Images,
    predictions: GalleryPredictions,
    *,
    count: int,
) -> list[Picture]:
    """Return pictures of `count` images of a split, whose predictions are known.

    Images that cannot be read are left out.
    """
    pictures = []
    for row in choose(predictions.right, count):
        sample = images[row]
        if sample.corrupt is not None:
            continue
        path, reading = images.records[row].path, images.reading
        file = read_image(path, exif=reading.exif, files=reading.files)
        heat, box = _predict(network, localizer, sample)
        true_boxes = sample.boxes.tolist() if sample.boxes is not None else []
        pictures.append(
            Picture(
                id=sample.id,
                image=overlay(file, heat, sample.window, predicted=box, true=true_boxes),
                label=sample.label,
                predicted=int(predictions.predicted[row]),
                iou=predictions.overlaps[row].item(),
                right=bool(predictions.right[row]),
            )
        )
    return pictures


def contact_sheet(pictures: Sequence[Picture], *, columns: int = 6, gap: int = 4) -> Image.Image:
    """Return one white image with the pictures in rows, at the top left of their cells."""
    width = max(picture.image.width for picture in pictures) + gap
    height = max(picture.image.height for picture in pictures) + gap
    rows = -(-len(pictures) // columns)
    across = min(columns, len(pictures))
    sheet = Image.new("RGB", (across * width - gap, rows * height - gap), "white")
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        sheet.paste(picture.image, (column * width, row * height))
    return sheet


def _predict(
    network: GapNet, localizer: Localizer, sample: Sample
) -> tuple[torch.Tensor, Sequence[float]]:
    """Return the map (h, w) of the true class, and its box."""
    batch = collate([sample])
    device = network.mean.device
    outputs = localizer.look(network, network.normalise(batch.images.to(device)))
    maps = localizer.maps(network, outputs, batch.labels[:, None].to(device), batch.ids)
    boxes = localizer.boxes(maps, batch.windows, batch.sizes, batch.images)
    return maps[0, 0], boxes[0, 0, 0].tolist()
