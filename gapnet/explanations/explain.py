"""Explains pictures: the classes that a network sees in them, and where."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from gapnet.explanations.class_names import find_classes
from gapnet.explanations.explanation import Explanation
from gapnet.explanations.methods import boxer_of, method_of
from gapnet.explanations.pictures import Picture, to_image
from gapnet.explanations.shown_part import View, inside, show, spread
from gapnet.localization import Localizer, OnePerClass
from gapnet.localization.boxers.threshold import Boxer
from gapnet.models.adoption.explainable import explainable
from gapnet.models.gapnet import GapNet
from gapnet.models.surgery import in_eval
from gapnet.saliency import Saliency
from gapnet.system.value_checks import whole_number

BATCH = 16  # images in a forward pass


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
        network: a GapNet, or another module, whose images are those that timm states for it, or
            224 x 224 pixels with ImageNet's mean and deviation.
        images: paths, Pillow images, arrays (H, W, 3) or tensors (3, H, W), one or several.
        classes: indices, ids or names of the classes to explain; None is the most probable ones.
        method: cam, grad_cam, grad_cam_plus_plus, gradient, guided, deconvnet or occlusion, or an
            object of gapnet.saliency.
        boxer: threshold20, wsol, grabcut or released, or an object of gapnet.localization.
        top: number of the most probable classes, if `classes` is None.
        view: whole, or centre: the central part that published weights were evaluated on; maps are
            0 around it.
        batch_size: of images in one forward pass.
    """
    whole_number("top", top, least=1)
    whole_number("batch_size", batch_size, least=1)
    net = network if isinstance(network, GapNet) else explainable(network)
    ids = net.class_ids
    chosen = None if classes is None else find_classes(classes, ids, net.class_names)
    localizer = Localizer(method_of(method), boxer_of(boxer), OnePerClass(1))
    localizer.saliency.check(net)
    one = isinstance(images, str | Image.Image | np.ndarray | Tensor) or not isinstance(
        images, Sequence
    )
    pictures: Sequence[Picture] = [images] if one else images  # type: ignore[list-item,assignment]
    with in_eval(net) if net.training else nullcontext():
        return [
            explanation
            for start in range(0, len(pictures), batch_size)
            for explanation in _explain(
                net,
                pictures[start : start + batch_size],
                localizer,
                ids,
                chosen=chosen,
                top=top,
                view=view,
            )
        ]


def _explain(
    network: GapNet,
    pictures: Sequence[Picture],
    localizer: Localizer,
    ids: Sequence[str],
    *,
    chosen: list[int] | None,
    top: int,
    view: View,
) -> Iterator[Explanation]:
    images = [to_image(picture) for picture in pictures]
    names = [str(index) for index in range(len(images))]
    class_names = network.class_names
    shown = show(network, images, view)
    with torch.no_grad():
        seen = localizer.look(network, shown.images)
        scores = network.scores(seen.logits)
        if chosen is None:
            labels = scores.topk(min(top, scores.shape[1])).indices
        else:
            labels = torch.tensor([chosen] * len(images), device=scores.device)
        maps = localizer.maps(network, seen, labels, names)
    for image, window, image_maps, image_labels, image_scores in zip(
        images, shown.windows, maps, labels.cpu(), scores.cpu(), strict=True
    ):
        size = (image.height, image.width)
        boxes = _boxes(localizer, image_maps, image, window)
        indices = image_labels.tolist()
        yield Explanation(
            image=image,
            labels=indices,
            ids=[ids[label] for label in indices],
            names=[class_names[label] for label in indices],
            scores=image_scores[image_labels].tolist(),
            maps=spread(image_maps, window, size).numpy(),
            boxes=boxes.numpy(),
        )


def _boxes(localizer: Localizer, maps: Tensor, image: Image.Image, window: Tensor) -> Tensor:
    """Return the box (K, 4) of each map (K, h, w) of a window (4,) of an image."""
    size = (image.height, image.width)
    part = np.array(image.crop(inside(window, size)))
    picture = torch.from_numpy(part).permute(2, 0, 1)[None]
    return localizer.boxes(maps[None], window[None], torch.tensor([size]), picture)[0, :, 0]
