"""Any convolutional network of timm, cut where timm itself says that a stage ends."""

import timm
from timm.layers.format import Format
from timm.models import FeatureInfo
from torch import Tensor, nn

from gapnet.errors import GapnetError
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import Added, CamHead, Pool
from gapnet.models.published import Timm, timm_config
from gapnet.models.registry import register

NEAR = 5  # names that an error offers


@register
def timm_gap(
    num_classes: int,
    *,
    name: str = "convnext_tiny",
    stage: int = -2,
    pool: Pool = "avg",
    width: int | None = 1024,
    dropout: float = 0.0,
    input_size: int | None = None,
) -> GapNet:
    """Cut a network of timm after a stage; the last but one mostly has maps of 14 x 14.

    Args:
        num_classes: of the data set.
        name: of the network, of those in `timm.list_models()`.
        stage: counted from 0, or from the end if negative.
        pool: avg or max.
        width: of the added conv; without it the classes are read off the stage.
        dropout: of what is pooled.
        input_size: a side of the images; without it the one that timm's weights expect.
    """
    trunk = Stage(name, stage)
    known = timm_config(name)
    side = input_size or known.input_size[-1]
    facts = Facts.of(trunk, side, mean=known.mean, std=known.std)
    head = CamHead(trunk.channels, num_classes, added=Added.of(width), pool=pool, dropout=dropout)
    return GapNet(trunk, head, facts, Timm(name))


class Stage(nn.Module):
    """Run a network of timm up to a stage; what lies beyond it is not built."""

    def __init__(self, name: str, stage: int) -> None:
        """Build the network's features with fresh weights."""
        super().__init__()
        features = timm.create_model(name, features_only=True, out_indices=(_place(name, stage),))
        told = features.feature_info
        assert isinstance(told, FeatureInfo)
        self.features = features
        self.channels: int = told.channels()[-1]
        self.last = getattr(features, "output_fmt", None) == Format.NHWC

    def forward(self, images: Tensor) -> Tensor:
        """Give the stage's maps (B, C, h, w)."""
        maps: Tensor = self.features(images)[-1]
        return maps.permute(0, 3, 1, 2) if self.last else maps


def _place(name: str, stage: int) -> int:
    """Count a stage from the front, among those that timm tells of."""
    if not timm.is_model(name):
        near = ", ".join(timm.list_models(f"*{name.partition('_')[0]}*")[:NEAR])
        hint = f"near are {near}" if near else "see timm.list_models()"
        raise GapnetError(f"model.name={name}: timm has no such network; {hint}")
    told = getattr(timm.create_model(name, num_classes=0), "feature_info", None)
    if not told:
        raise GapnetError(f"model.name={name}: timm tells of no stages of it to cut at")
    count = len(told)
    if not -count <= stage < count:
        every = ", ".join(f"{place} ({told[place]['module']})" for place in range(count))
        raise GapnetError(f"model.stage={stage}: {name} has {every}")
    return stage % count
