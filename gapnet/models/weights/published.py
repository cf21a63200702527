"""Weights published by torchvision and timm, and how a network takes them."""

import logging
import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from urllib.error import URLError

import timm
import torch
import torchvision
from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError
from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset
from torch import Tensor, nn

from gapnet.errors import GapnetError
from gapnet.models.preprocessing import timm_config, torchvision_weights
from gapnet.models.weights.files import read_state
from gapnet.models.weights.renaming import lacking, translate, unwrap

log = logging.getLogger(__name__)
HASH_DIGITS = 8  # of the SHA-256 in the name of a file of torchvision
HUB_FILE = "model.safetensors"

# Networks that are recognised by their state dict, for an error message
FAMILIAR = (
    *("alexnet", "googlenet", "inception_v3", "vgg16", "vgg19", "vgg16_bn", "vgg19_bn"),
    *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "wide_resnet50_2"),
    *("resnext50_32x4d", "densenet121", "mobilenet_v2", "convnext_tiny"),
)


@dataclass(frozen=True)
class Published(ABC):
    """Published weights of a network, and the rules that rename them.

    A name without a rule belongs to the trunk.

    Args:
        architecture: its name at the publisher, with a tag if it has several weights: NAME.TAG.
        head: publisher's layers -> the head's layers, if the network keeps its head.
        replaced: layers of the trunk that differ from the publisher's.
    """

    architecture: str
    head: Mapping[str, str] = field(default_factory=dict)
    replaced: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        """Return the name without a tag."""
        return self.architecture.partition(".")[0]

    @property
    @abstractmethod
    def title(self) -> str:
        """Return the name of the weights."""

    @abstractmethod
    def layout(self) -> dict[str, torch.Size]:
        """Return the names and sizes of the publisher's state dict."""

    @abstractmethod
    def fetch(self) -> dict[str, Tensor]:
        """Return the weights by the publisher's names; download them unless they are cached."""

    def classes(self) -> tuple[str, ...]:
        """Return the ids of the classifier's classes, in order: those of ILSVRC."""
        return tuple(ImageNetInfo().label_names())  # type: ignore[no-untyped-call]

    def translate(
        self, state: Mapping[str, Tensor], layout: Mapping[str, torch.Size]
    ) -> dict[str, Tensor]:
        """Return weights by the publisher's names, if they are in a known dialect."""
        return translate(unwrap(state, layout), layout, self.base)

    def rename(self, name: str, own: Collection[str]) -> str | None:
        """Return the network's name for a publisher's name; None if it has no such layer."""
        if name.startswith(tuple(f"{layer}." for layer in self.replaced)):
            return None
        for theirs, ours in self.head.items():
            if name.startswith(f"{theirs}."):
                return f"head.{ours}.{name.removeprefix(f'{theirs}.')}"
        return next((trunk_name for trunk_name in self.in_trunk(name) if trunk_name in own), None)

    def in_trunk(self, name: str) -> list[str]:
        """Return the possible names in the trunk, or a head that is traced, for a name."""
        return [f"trunk.{name}", f"trunk.features.{name}", f"head.features.{name}"]


class Torchvision(Published):
    """Weights of torchvision, by the older recipe if there are several."""

    @property
    def title(self) -> str:
        """Return torchvision's name of the weights."""
        return str(torchvision_weights(self.architecture))

    def layout(self) -> dict[str, torch.Size]:
        """Return the names and sizes in torchvision's state dict."""
        return torchvision_layout(self.base)

    def fetch(self) -> dict[str, Tensor]:
        """Read the file in torch's cache, or download it first."""
        url = torchvision_weights(self.architecture).url
        path = Path(torch.hub.get_dir(), "checkpoints", url.rpartition("/")[2])
        if not path.is_file():
            self._download(url, path)
        return read_state(path)

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
    """Weights of timm."""

    @property
    def title(self) -> str:
        """Return the hub's name of the weights."""
        return timm_config(self.architecture).hf_hub_id or f"timm/{self.architecture}"

    def layout(self) -> dict[str, torch.Size]:
        """Return the names and sizes in timm's state dict."""
        state = timm.create_model(self.architecture).state_dict()
        return {name: value.shape for name, value in state.items()}

    def fetch(self) -> dict[str, Tensor]:
        """Read the file in the hub's cache, or download it first."""
        if not timm_config(self.architecture).hf_hub_id:
            raise GapnetError(
                f"model.pretrained=true: timm has no weights for {self.architecture}; "
                "use a file with model.weights=FILE, or train from scratch"
            )
        # It logs every attempt
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        try:
            path = try_to_load_from_cache(self.title, HUB_FILE)
            path = path if isinstance(path, str) else hf_hub_download(self.title, HUB_FILE)
        except (OSError, ValueError, HfHubHTTPError) as error:
            raise GapnetError(
                f"model.pretrained=true: {self.title} is not on this machine and cannot be "
                f"downloaded ({type(error).__name__}); get {HUB_FILE} from "
                f"https://huggingface.co/{self.title}, and pass its path with model.weights=FILE"
            ) from error
        return read_state(Path(path))

    def translate(
        self, state: Mapping[str, Tensor], layout: Mapping[str, torch.Size]
    ) -> dict[str, Tensor]:
        """Return weights by timm's names; timm itself renames those of the first publishers."""
        bare = unwrap(state, layout)
        renamed = self._renamed_by_timm(bare) if lacking(bare, layout) else bare
        better = len(lacking(renamed, layout)) < len(lacking(bare, layout))
        return translate(renamed if better else bare, layout, self.base)

    def _renamed_by_timm(self, state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        family = sys.modules[timm.models.model_entrypoint(self.base).__module__]
        rename = getattr(family, "checkpoint_filter_fn", None)
        if rename is None:
            return state
        try:
            renamed: Mapping[str, Tensor] = rename(dict(state), timm.create_model(self.base))
        except Exception as error:  # of any kind: it expects the weights of its family only
            log.debug("%s", error)
            return state
        return renamed

    def classes(self) -> tuple[str, ...]:
        """Return the ids of the classifier's classes, in order; timm knows several sets."""
        config = timm_config(self.architecture)
        subset = infer_imagenet_subset(asdict(config))
        return tuple(ImageNetInfo(subset).label_names()) if subset else ()  # type: ignore[no-untyped-call]

    def in_trunk(self, name: str) -> list[str]:
        """Return the possible names: timm's feature extractors add a prefix or flatten a name."""
        forms = (name, name.replace(".", "_", 1), f"model.{name}", f"body.{name}")
        in_trunk = [f"trunk.{name}", *(f"trunk.features.{form}" for form in forms)]
        return [*in_trunk, f"head.features.{name}"]


@cache
def torchvision_layout(architecture: str) -> dict[str, torch.Size]:
    """Return the names and sizes in the state dict of a network of torchvision."""
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a change of the initial weights
        state = torchvision_network(architecture).state_dict()
    return {name: value.shape for name, value in state.items()}


def torchvision_network(architecture: str, **options: int | bool) -> nn.Module:
    """Build a network of torchvision with random weights, on torch's default device."""
    device = torch.get_default_device()
    # RegNets compute their widths with tensors, which have no values on the meta device
    with torch.device("cpu" if architecture.startswith("regnet") else device):
        module: nn.Module = torchvision.models.get_model(architecture, weights=None, **options)
    return module.to(device)


def identify(state: Mapping[str, Tensor]) -> str | None:
    """Return the network of torchvision that weights belong to, for any number of classes."""
    kernels = {name: value.shape for name, value in state.items() if value.ndim > 2}  # noqa: PLR2004
    for architecture in FAMILIAR:
        layout = torchvision_layout(architecture)
        if kernels == {name: size for name, size in layout.items() if len(size) > 2}:  # noqa: PLR2004
            return architecture
    return None
