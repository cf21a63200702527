"""Pictures of the map and box of a concept."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from PIL import Image

from gapnet.data.loading.images import Images, read_image
from gapnet.data.sample import collate
from gapnet.localization.localizer import Localizer
from gapnet.models.gapnet import GapNet
from gapnet.ops.overlay import overlay
from gapnet.report.gallery import class_maps_of


class Located(NamedTuple):
    """An image with the map of a class, and the inclusive box of the map in pixels of the file."""

    rank: int
    id: str
    image: Image.Image
    box: tuple[float, ...]


@torch.inference_mode()
def located_pictures(
    network: GapNet, localizer: Localizer, images: Images, ids: Sequence[str], *, label: int = 0
) -> list[Located]:
    """Return the maps and boxes of a class in images, with their place in the list from 1."""
    rows = {identity: row for row, identity in enumerate(images.records.ids)}
    pictures = []
    for rank, identity in enumerate(ids, start=1):
        sample = images[rows[identity]]
        batch = collate([sample])
        maps = class_maps_of(network, localizer, batch, [label])
        found = localizer.boxes(maps, batch.windows, batch.sizes, batch.images)[0, 0, 0]
        box = tuple(found.tolist())
        path, reading = images.records[rows[identity]].path, images.reading
        file = read_image(path, exif=reading.exif, files=reading.files)
        image = overlay(file, maps[0, 0], sample.window, predicted=box)
        pictures.append(Located(rank, identity, image, box))
    return pictures
