"""Pictures of what a network saw: right and wrong ones, at random but always the same."""

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
    """Hold an overlay for the true class, and what to write under it."""

    id: str
    image: Image.Image
    label: int
    predicted: int
    iou: float
    right: bool


class Seeing(NamedTuple):
    """Hold the predicted classes, the overlaps of the true class's box, and verdicts, (N,) each."""

    predicted: torch.Tensor
    overlaps: torch.Tensor
    right: torch.Tensor


def choose(right: torch.Tensor, count: int) -> list[int]:
    """Choose `count` rows, half of them wrong ones as far as there are, from verdicts (N,)."""
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
    seen: Seeing,
    *,
    count: int,
) -> list[Picture]:
    """Draw `count` images of a split, of which it is known what was seen.

    Images that cannot be read are left out.
    """
    pictures = []
    for row in choose(seen.right, count):
        sample = images[row]
        if sample.corrupt is not None:
            continue
        path, reading = images.records[row].path, images.reading
        file = read_image(path, exif=reading.exif, files=reading.files)
        heat, found = _look(network, localizer, sample)
        true = sample.boxes.tolist() if sample.boxes is not None else []
        pictures.append(
            Picture(
                id=sample.id,
                image=overlay(file, heat, sample.window, found=found, true=true),
                label=sample.label,
                predicted=int(seen.predicted[row]),
                iou=seen.overlaps[row].item(),
                right=bool(seen.right[row]),
            )
        )
    return pictures


def contact_sheet(pictures: Sequence[Picture], *, columns: int = 6, gap: int = 4) -> Image.Image:
    """Lay pictures out in rows on one white image; those that are smaller stay at the top left."""
    width = max(picture.image.width for picture in pictures) + gap
    height = max(picture.image.height for picture in pictures) + gap
    rows = -(-len(pictures) // columns)
    across = min(columns, len(pictures))
    sheet = Image.new("RGB", (across * width - gap, rows * height - gap), "white")
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        sheet.paste(picture.image, (column * width, row * height))
    return sheet


def _look(
    network: GapNet, localizer: Localizer, sample: Sample
) -> tuple[torch.Tensor, Sequence[float]]:
    batch = collate([sample])
    device = network.mean.device
    looked = localizer.look(network, network.normalise(batch.images.to(device)))
    maps = localizer.maps(network, looked, batch.labels[:, None].to(device), batch.ids)
    found = localizer.boxes(maps, batch.windows, batch.sizes, batch.images)
    return maps[0, 0], found[0, 0, 0].tolist()
