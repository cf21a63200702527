"""Explains pictures: the classes that a network sees in them, and where."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from gapnet.explanations.class_names import find_classes
from gapnet.explanations.explanation import Explanation
from gapnet.explanations.methods import boxer_of, method_of
from gapnet.explanations.pictures import Picture, to_image
from gapnet.explanations.shown_part import (
    View,
    in_whole_picture,
    pixels_of_window,
    prepare_pictures,
)
from gapnet.localization import Localizer, OnePerClass
from gapnet.localization.boxers.threshold import Boxer
from gapnet.models.adoption.explainable import explainable
from gapnet.models.gapnet import GapNet
from gapnet.models.surgery import in_eval
from gapnet.saliency import Saliency
from gapnet.system.value_checks import whole_number

BATCH = 16  # images in a forward pass


def on_gpu(network: GapNet) -> GapNet:
    """Move a network to a GPU, if there is one."""
    return network.to("cuda" if torch.cuda.is_available() else "cpu")


def explain(
    network: GapNet | nn.Module,
    images: Picture | Sequence[Picture],
    classes: Sequence[int | str] | None = None,
    *,
    method: str | Saliency = "cam",
    boxer: str | Boxer = "threshold20",
    top: int = 1,
    view: View = "whole",
    batch_size: int = BATCH,
) -> list[Explanation]:
    """Return what a network sees in each picture, and where.

    The whole picture is resized to the network's input size, so that its maps cover all of it.
    Normalisation and interpolation are those of the network's weights.

    Args:
        network: a GapNet; another module is adopted, or, without class maps, split at its last map.
        images: paths, Pillow images, arrays (H, W, 3) or tensors (3, H, W), one or several.
        classes: indices, ids or names of the classes to explain; None is the most probable ones.
        method: cam, contrast_cam, grad_cam, grad_cam_plus_plus, gradient, guided, deconvnet or
            occlusion, or an object of gapnet.saliency.
        boxer: threshold20, wsol, grabcut or released, or an object of gapnet.localization.
        top: number of the most probable classes, if `classes` is None.
        view: whole, or centre: the central part that published weights were evaluated on; maps are
            0 around it.
        batch_size: of images in one forward pass.
    """
    one = isinstance(images, str | Image.Image | np.ndarray | Tensor) or not isinstance(
        images, Sequence
    )
    pictures: Sequence[Picture] = [images] if one else images  # type: ignore[list-item,assignment]
    explanations = explain_by_methods(
        network,
        pictures,
        classes,
        methods=[method],
        boxer=boxer,
        top=top,
        view=view,
        batch_size=batch_size,
    )
    return [explanation for (explanation,) in explanations]


def explain_by_methods(
    network: GapNet | nn.Module,
    pictures: Sequence[Picture],
    classes: Sequence[int | str] | None = None,
    *,
    methods: Sequence[str | Saliency],
    boxer: str | Boxer = "threshold20",
    top: int = 1,
    view: View = "whole",
    batch_size: int = BATCH,
) -> list[list[Explanation]]:
    """Return an explanation of every picture by every method; all methods share a forward pass.

    The arguments are those of `explain`.
    """
    whole_number("top", top, least=1)
    whole_number("batch_size", batch_size, least=1)
    localizers = [Localizer(method_of(name), boxer_of(boxer), OnePerClass(1)) for name in methods]
    net = network if isinstance(network, GapNet) else explainable(network)
    chosen = None if classes is None else find_classes(classes, net.class_ids, net.class_names)
    question = _Question(chosen, top, view)
    for localizer in localizers:
        localizer.saliency.check(net)
    with in_eval(net) if net.training else nullcontext():
        return [
            explanations
            for start in range(0, len(pictures), batch_size)
            for explanations in _explain(
                net, pictures[start : start + batch_size], localizers, question
            )
        ]


class _Question(NamedTuple):
    """Classes to explain (None: the `top` most probable ones), and the part that is shown."""

    classes: list[int] | None
    top: int
    view: View

    def labels(self, scores: Tensor) -> Tensor:
        """Return the classes (B, K) to explain, from scores (B, N)."""
        if self.classes is None:
            return scores.topk(min(self.top, scores.shape[1])).indices
        return torch.tensor([self.classes] * len(scores), device=scores.device)


class _Classes(NamedTuple):
    """Classes of a picture: their indices, ids, names and scores."""

    labels: list[int]
    ids: list[str]
    names: list[str]
    scores: list[float]


def _explain(
    network: GapNet,
    pictures: Sequence[Picture],
    localizers: Sequence[Localizer],
    question: _Question,
) -> Iterator[list[Explanation]]:
    images = [to_image(picture) for picture in pictures]
    shown = prepare_pictures(network, images, question.view)
    numbers = [str(index) for index in range(len(images))]
    with torch.no_grad():
        seen = localizers[0].look(network, shown.images)
        scores = network.scores(seen.logits)
        labels = question.labels(scores)
        maps = [localizer.maps(network, seen, labels, numbers) for localizer in localizers]
    for index, image in enumerate(images):
        classes = _classes(network, labels[index], scores[index])
        yield [
            _explanation(image, method_maps[index], shown.windows[index], localizer, classes)
            for localizer, method_maps in zip(localizers, maps, strict=True)
        ]


def _classes(network: GapNet, labels: Tensor, scores: Tensor) -> _Classes:
    """Describe classes (K,) of a picture that has scores (N,)."""
    ids, names, chosen = network.class_ids, network.class_names, labels.tolist()
    return _Classes(
        chosen,
        [ids[label] for label in chosen],
        [names[label] for label in chosen],
        scores[labels].tolist(),
    )


def _explanation(
    image: Image.Image, maps: Tensor, window: Tensor, localizer: Localizer, classes: _Classes
) -> Explanation:
    """Return the explanation of an image from its maps (K, h, w) of a window (4,)."""
    return Explanation(
        image=image,
        labels=classes.labels,
        ids=classes.ids,
        names=classes.names,
        scores=classes.scores,
        maps=in_whole_picture(maps, window, (image.height, image.width)).numpy(),
        boxes=_boxes(localizer, maps, image, window).numpy(),
    )


def _boxes(localizer: Localizer, maps: Tensor, image: Image.Image, window: Tensor) -> Tensor:
    """Return the box (K, 4) of each map (K, h, w) of a window (4,) of an image."""
    size = (image.height, image.width)
    part = np.array(image.crop(pixels_of_window(window, size)))
    picture = torch.from_numpy(part).permute(2, 0, 1)[None]
    return localizer.boxes(maps[None], window[None], torch.tensor([size]), picture)[0, :, 0]
