"""Weights that others have published: where they are had, and which of them a network takes."""

import logging
import warnings
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError

import timm
import torch
import torchvision
from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError
from timm.data.imagenet_info import ImageNetInfo
from timm.models import PretrainedCfg
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.models.weights.files import read_state

RECIPE = "IMAGENET1K_V1"  # the recipe of the paper's time; DEFAULT is another for some networks
HASH_DIGITS = 8  # of a published file's SHA-256, which torchvision puts into its name
HUB_FILE = "model.safetensors"

# Whose state dicts are told apart when one does not fit
FAMILIAR = (
    *("alexnet", "googlenet", "inception_v3", "vgg16", "vgg19", "vgg16_bn", "vgg19_bn"),
    *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "wide_resnet50_2"),
    *("resnext50_32x4d", "densenet121", "mobilenet_v2", "convnext_tiny"),
)


@dataclass(frozen=True)
class Published(ABC):
    """Say whose weights fit a network, and how their names become its own.

    A name that no rule is for is the trunk's.

    Args:
        architecture: by its publisher's name.
        head: their layers that the head has -> its own; of a network that keeps its head.
        replaced: layers of the trunk that are not theirs any more.
    """

    architecture: str
    head: Mapping[str, str] = field(default_factory=dict)
    replaced: tuple[str, ...] = ()

    @property
    @abstractmethod
    def title(self) -> str:
        """Name the weights."""

    @abstractmethod
    def layout(self) -> dict[str, torch.Size]:
        """Give every name of the publisher's network, with its size."""

    @abstractmethod
    def fetch(self) -> dict[str, Tensor]:
        """Get the weights, by the publisher's names: from this machine, or else from his."""

    def classes(self) -> tuple[str, ...]:
        """Give the ids of the classes that the classifier is for, in its order: ILSVRC's."""
        return tuple(ImageNetInfo().label_names())  # type: ignore[no-untyped-call]

    def rename(self, name: str, own: Collection[str]) -> str | None:
        """Turn a publisher's name into one of the network's own; None if that has no such layer."""
        if name.startswith(tuple(f"{layer}." for layer in self.replaced)):
            return None
        for theirs, ours in self.head.items():
            if name.startswith(f"{theirs}."):
                return f"head.{ours}.{name.removeprefix(f'{theirs}.')}"
        return next((each for each in self.in_trunk(name) if each in own), None)

    def in_trunk(self, name: str) -> list[str]:
        """List what a publisher's name may be called in the trunk."""
        return [f"trunk.{name}"]


class Torchvision(Published):
    """Take torchvision's weights, of the recipe that the paper's networks compare with."""

    @property
    def title(self) -> str:
        """Name the weights as torchvision does."""
        return str(self._weights())

    def layout(self) -> dict[str, torch.Size]:
        """Build the network on no device."""
        return torchvision_layout(self.architecture)

    def fetch(self) -> dict[str, Tensor]:
        """Read the file in the hub's cache, or download it there."""
        url = self._weights().url
        path = Path(torch.hub.get_dir(), "checkpoints", url.rpartition("/")[2])
        if not path.is_file():
            self._download(url, path)
        return read_state(path)

    def _weights(self) -> torchvision.models.WeightsEnum:
        return torchvision.models.get_model_weights(self.architecture)[RECIPE]

    def _download(self, url: str, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            digits = path.stem.rpartition("-")[2][:HASH_DIGITS]
            torch.hub.download_url_to_file(url, str(path), hash_prefix=digits)
        except (URLError, OSError, RuntimeError) as error:
            raise GapnetError(
                f"model.pretrained=true: {self.title} is not on this machine and cannot be "
                f"downloaded ({error}); get {url} and put it at {path}"
            ) from error


class Timm(Published):
    """Take timm's weights."""

    @property
    def title(self) -> str:
        """Name the weights as the hub does."""
        return timm_config(self.architecture).hf_hub_id or f"timm/{self.architecture}"

    def layout(self) -> dict[str, torch.Size]:
        """Build the network."""
        state = timm.create_model(self.architecture).state_dict()
        return {name: value.shape for name, value in state.items()}

    def fetch(self) -> dict[str, Tensor]:
        """Read the file in the hub's cache, or download it there."""
        if not timm_config(self.architecture).hf_hub_id:
            raise GapnetError(
                f"model.pretrained=true: timm has no weights for {self.architecture}; "
                "give a file with model.weights=FILE, or train from scratch"
            )
        logging.getLogger("huggingface_hub").setLevel(
            logging.ERROR
        )  # it tells of each of its tries
        try:
            path = try_to_load_from_cache(self.title, HUB_FILE)
            path = path if isinstance(path, str) else hf_hub_download(self.title, HUB_FILE)
        except (OSError, ValueError, HfHubHTTPError) as error:
            raise GapnetError(
                f"model.pretrained=true: {self.title} is not on this machine and cannot be "
                f"downloaded ({type(error).__name__}); get {HUB_FILE} from "
                f"https://huggingface.co/{self.title}, put it anywhere, and name it with "
                "model.weights=FILE"
            ) from error
        return read_state(Path(path))

    def in_trunk(self, name: str) -> list[str]:
        """Allow for what timm puts before a name, and for what it flattens, in its features."""
        forms = (name, name.replace(".", "_", 1), f"model.{name}", f"body.{name}")
        return [f"trunk.features.{form}" for form in forms]


def timm_config(architecture: str) -> PretrainedCfg:
    """Give what timm knows of a network, with or without weights."""
    known = timm.get_pretrained_cfg(architecture)
    assert known is not None, f"timm has no {architecture}"
    return known


def torchvision_layout(architecture: str) -> dict[str, torch.Size]:
    """Give every name of a network of torchvision, with its size."""
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a change in how weights start
        state = torchvision.models.get_model(architecture, weights=None).state_dict()
    return {name: value.shape for name, value in state.items()}


def identify(state: Mapping[str, Tensor]) -> str | None:
    """Name torchvision's network whose weights these are, whatever classes they are for."""
    kernels = {name: value.shape for name, value in state.items() if value.ndim > 2}  # noqa: PLR2004
    for architecture in FAMILIAR:
        layout = torchvision_layout(architecture)
        if kernels == {name: size for name, size in layout.items() if len(size) > 2}:  # noqa: PLR2004
            return architecture
    return None
