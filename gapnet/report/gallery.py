"""Pictures of class maps and boxes: right and wrong ones, a fixed random choice.

Images without boxes are judged by their class; wrong ones also have the map of the predicted class.
"""

import torch
from PIL import Image
from torch import Tensor

from gapnet.data.loading.images import Images, read_image
from gapnet.data.sample import Batch, Sample, collate
from gapnet.localization.localizer import Localizer
from gapnet.models.gapnet import GapNet
from gapnet.ops.overlay import overlay
from gapnet.report.pictures import Judged, Picture


def choose(right: Tensor, count: int) -> list[int]:
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
    judged: Judged,
    *,
    predicted: Tensor,
    count: int,
) -> list[Picture]:
    """Return pictures of `count` images of a split, whose predicted classes (N,) are known.

    Images that cannot be read are left out.
    """
    pictures = []
    for index in choose(judged.right, count):
        row = int(judged.rows[index])
        sample, guess = images[row], int(predicted[row])
        if sample.corrupt is not None:
            continue
        path, reading = images.records[row].path, images.reading
        file = read_image(path, exif=reading.exif, files=reading.files)
        if judged.overlaps is None:
            iou, drawn = None, _class_maps(network, localizer, file, sample, guess)
        else:
            iou = judged.overlaps[index].item()
            drawn = [_boxed_map(network, localizer, file, sample)]
        right, other = bool(judged.right[index]), drawn[1] if drawn[1:] else None
        pictures.append(Picture(sample.id, drawn[0], sample.label, guess, iou, right, other))
    return pictures


def _boxed_map(
    network: GapNet, localizer: Localizer, file: Image.Image, sample: Sample
) -> Image.Image:
    """Return the map of the true class, its box, and the true boxes."""
    batch = collate([sample])
    maps = class_maps_of(network, localizer, batch, [sample.label])
    box = localizer.boxes(maps, batch.windows, batch.sizes, batch.images)[0, 0, 0].tolist()
    true = sample.boxes.tolist() if sample.boxes is not None else []
    return overlay(file, maps[0, 0], sample.window, predicted=box, true=true)


def _class_maps(
    network: GapNet, localizer: Localizer, file: Image.Image, sample: Sample, guess: int
) -> list[Image.Image]:
    """Return the maps of the true class, and of the predicted one if that is another."""
    labels = list(dict.fromkeys([sample.label, guess]))
    (maps,) = class_maps_of(network, localizer, collate([sample]), labels)
    return [overlay(file, heat, sample.window) for heat in maps]


def class_maps_of(network: GapNet, localizer: Localizer, batch: Batch, labels: list[int]) -> Tensor:
    """Return maps (1, K, h, w) of K classes of a batch of one image."""
    device = network.mean.device
    outputs = localizer.look(network, network.normalise(batch.images.to(device)))
    return localizer.maps(network, outputs, torch.tensor([labels], device=device), batch.ids)
