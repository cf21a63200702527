"""Pictures of class maps and boxes: right and wrong ones, a fixed random choice.

Images without boxes are judged by their class; wrong ones also have the map of the predicted class.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from gapnet.data.loading.images import Images, read_image
from gapnet.data.sample import Batch, Sample, collate
from gapnet.evaluation.predictions import Predictions
from gapnet.localization.localizer import Localizer
from gapnet.models.gapnet import GapNet
from gapnet.ops.overlay import overlay
from gapnet.report.gallery_image import Box, Explained, GalleryImage
from gapnet.report.pictures import Judged, Picture
from gapnet.saliency import Saliency

SHOWN = 5  # of the most probable classes have a map on the page


@dataclass(frozen=True)
class Explainer:
    """A network, and the methods that explain it; the localizer's own method comes first."""

    network: GapNet
    localizer: Localizer
    methods: Mapping[str, Saliency] = field(default_factory=dict)

    def localizers(self) -> list[Localizer]:
        """Return a localizer per method."""
        others = [replace(self.localizer, saliency=method) for method in self.methods.values()]
        return [self.localizer, *others]

    def maps(self, localizer: Localizer, batch: Batch, labels: Sequence[int]) -> Tensor:
        """Return maps (K, h, w) of K classes of a batch of one image."""
        return class_maps_of(self.network, localizer, batch, list(labels))[0]


class Scored(NamedTuple):
    """An image by its row in a split, the verdict on its first guess, and its overlap."""

    row: int
    kind: str
    overlap: float | None = None


def choose(right: Tensor, count: int, examples: Sequence[int] = ()) -> list[int]:
    """Return `count` rows of verdicts (N,), half of them wrong if there are enough.

    At most half of the wrong rows are examples.
    """
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(right), generator=generator).tolist()
    good, bad = [row for row in order if right[row]], [row for row in order if not right[row]]
    wrong = max(count // 2, count - len(good))
    first = [row for row in examples if not right[row]][: wrong // 2]
    bad = list(dict.fromkeys([*first, *bad]))[:wrong]
    return [*good[: count - len(bad)], *bad]


@torch.inference_mode()
def gallery(
    explainer: Explainer,
    images: Images,
    judged: Judged,
    predictions: Predictions,
    *,
    count: int,
) -> list[Picture]:
    """Return pictures of `count` images of a split with its predictions.

    Images that cannot be read are left out.
    """
    chosen = choose(judged.right, count, judged.examples)
    return [
        picture
        for index in chosen
        for picture in _pictures(explainer, images, judged, predictions, index)
    ]


def _pictures(
    explainer: Explainer, images: Images, judged: Judged, predictions: Predictions, index: int
) -> Iterator[Picture]:
    """Yield the picture of one image; none if it cannot be read."""
    overlap = None if judged.overlaps is None else judged.overlaps[index].item()
    scored = Scored(int(judged.rows[index]), _kind(judged, index), overlap)
    entry = explained_image(explainer, images, predictions, scored)
    if entry is None:
        return
    drawn = _overlays(entry.explained[0], entry, boxed=overlap is not None)
    guess, other = entry.explained[0].ranked[0], drawn[1] if drawn[1:] else None
    right = bool(judged.right[index])
    yield Picture(entry.id, drawn[0], entry.label, guess, overlap, right, other, entry.small())


@torch.inference_mode()
def explained_image(
    explainer: Explainer, images: Images, predictions: Predictions, scored: Scored
) -> GalleryImage | None:
    """Return an image with the maps of every method; None if it cannot be read."""
    sample = images[scored.row]
    if sample.corrupt is not None:
        return None
    path, reading = images.records[scored.row].path, images.reading
    file = read_image(path, exif=reading.exif, files=reading.files)
    first, *others = _explain(explainer, sample, _Predicted.of(predictions.take([scored.row])))
    explained = [replace(first, kind=scored.kind, overlap=scored.overlap), *others]
    true = sample.boxes.tolist() if sample.boxes is not None else []
    return GalleryImage(sample.id, file, file.size, sample.label, true, explained)


class _Predicted(NamedTuple):
    """The most probable classes of an image, their scores, and the boxes of classes."""

    ranked: list[int]
    scores: list[float]
    known: Box | None
    guesses: dict[int, Box]

    @classmethod
    def of(cls, predictions: Predictions) -> "_Predicted":
        """Return what predictions of one image say."""
        guesses, known = predictions.guesses, predictions.known
        pairs = zip(guesses.labels[0].tolist(), guesses.boxes[0].tolist(), strict=True)
        return cls(
            predictions.classes[0, :SHOWN].tolist(),
            predictions.table["scores"][0].as_py()[:SHOWN],
            None if known is None else known[0].tolist(),
            dict(list(pairs)[:1]),
        )

    def boxes(self, label: int) -> dict[int, Box]:
        """Return the recorded boxes by class, where `label` is the true one."""
        return self.guesses | ({} if self.known is None else {label: self.known})


def _explain(explainer: Explainer, sample: Sample, predicted: _Predicted) -> list[Explained]:
    """Return maps of the most probable classes and of the true one, by every method."""
    classes = list(dict.fromkeys([*predicted.ranked, sample.label]))
    batch = collate([sample])
    window = sample.window.tolist()
    explained = []
    for localizer in explainer.localizers():
        maps = explainer.maps(localizer, batch, classes).float()
        boxes = _boxes(localizer, maps, batch, classes)
        if localizer is explainer.localizer:
            boxes |= predicted.boxes(sample.label)
        explained.append(
            Explained(predicted.ranked, predicted.scores, classes, maps, window, boxes)
        )
    return explained


def _boxes(
    localizer: Localizer, maps: Tensor, batch: Batch, classes: Sequence[int]
) -> dict[int, Box]:
    """Return the box of every map (K, h, w)."""
    boxes = localizer.boxes(maps[None], batch.windows, batch.sizes, batch.images)[0, :, 0]
    return dict(zip(classes, boxes.tolist(), strict=True))


def _kind(judged: Judged, index: int) -> str:
    """Return the verdict on an image: its kind, or whether its class is right."""
    if judged.kinds:
        return judged.kinds[index]
    return "right" if judged.right[index] else "wrong_class"


def _overlays(explained: Explained, image: GalleryImage, *, boxed: bool) -> list[Image.Image]:
    """Return the map of the true class; of an image without boxes, also of a wrong prediction."""
    window = torch.tensor(explained.window)
    heats = dict(zip(explained.classes, explained.maps, strict=True))
    if boxed:
        box, heat = explained.boxes.get(image.label), heats[image.label]
        return [overlay(image.picture, heat, window, predicted=box, true=image.boxes)]
    labels = dict.fromkeys([image.label, explained.ranked[0]])
    return [overlay(image.picture, heats[label], window) for label in labels]


def class_maps_of(network: GapNet, localizer: Localizer, batch: Batch, labels: list[int]) -> Tensor:
    """Return maps (1, K, h, w) of K classes of a batch of one image."""
    device = network.mean.device
    outputs = localizer.look(network, network.normalise(batch.images.to(device)))
    return localizer.maps(network, outputs, torch.tensor([labels], device=device), batch.ids)
