"""Networks by name: registered ones, and published ones of torchvision and timm."""

import fnmatch
from pathlib import Path

from gapnet.errors import GapnetError
from gapnet.models.adoption.no_class_maps import NoClassMapsError
from gapnet.models.adoption.split_published import split_published
from gapnet.models.gapnet import GapNet, Plain
from gapnet.models.registry import create, names


def list_models(pattern: str = "*") -> list[str]:
    """List the registered networks whose names match a pattern, such as "resnet*"."""
    return fnmatch.filter(names(), pattern)


def create_model(name: str, num_classes: int, **arguments: Plain) -> GapNet:
    """Build a registered network; `arguments` are those of its file in conf/model."""
    return create(name, {"num_classes": num_classes, **arguments})


def published(
    name: str,
    *,
    num_classes: int | None = None,
    pretrained: bool = True,
    weights: str | None = None,
    input_size: int | None = None,
    stride: int | None = None,
) -> GapNet:
    """Return a classifier of torchvision or timm as it is, in eval mode.

    One that has no class maps can be explained by Grad-CAM and gradients only.

    Args:
        name: torchvision/NAME or timm/NAME.
        num_classes: None keeps the classifier; another number initialises a new one.
        pretrained: load the published weights, from the cache or the internet.
        weights: a file of weights to load instead.
        input_size: a side of the images; None is the size that the weights expect. Larger images
            give finer maps.
        stride: pixels of the image per cell of the class maps, such as 16 in place of 32, which
            gives finer maps and changes the logits; None leaves the network as it is.
    """
    try:
        return published_with_class_maps(
            name,
            num_classes=num_classes,
            pretrained=pretrained,
            weights=weights,
            input_size=input_size,
            stride=stride,
        )
    except NoClassMapsError as error:
        if stride is not None:
            rule = f"only for networks with class maps; {error}"
            raise GapnetError(f"stride={stride}: {rule}") from error
        return split_published(
            name,
            num_classes,
            pretrained=pretrained and weights is None,
            weights=None if weights is None else Path(weights),
            reason=str(error),
            input_size=input_size,
        ).eval()


def published_with_class_maps(
    name: str,
    *,
    num_classes: int | None = None,
    pretrained: bool = True,
    weights: str | None = None,
    input_size: int | None = None,
    stride: int | None = None,
) -> GapNet:
    """Return a classifier as `published` does, or raise a NoClassMapsError."""
    from_file = weights is not None
    arguments: dict[str, Plain] = {
        "name": name,
        "num_classes": num_classes,
        "pretrained": pretrained and not from_file,
        "weights": weights,
        "reset_head": num_classes is not None and (pretrained or from_file),
        "input_size": input_size,
        "stride": stride,
    }
    return create("published", arguments).eval()
