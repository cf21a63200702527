"""Advice to start from published weights, where training from scratch has too few images."""

import logging

from gapnet.data.sample import Source
from gapnet.models.gapnet import Facts, GapNet

DEFAULT_NETWORK, STAND_IN = "tiny_gap", "stand-in"  # the latter is the kind of the default data
FEW_IMAGES = 50_000
log = logging.getLogger(__name__)


def advise_pretraining(network: GapNet, source: Source, images: int) -> None:
    """Log a warning if the default network will learn a user's own few images from scratch."""
    if needs_pretraining(network, source, images):
        log.warning(
            "model=%s is a tiny network that is trained from scratch on %d images; "
            "experiment=finetune starts from published weights, which gives a much lower error",
            network.name,
            images,
        )


def needs_pretraining(network: GapNet, source: Source, images: int) -> bool:
    """Return whether the default network would learn a user's own few images from scratch."""
    is_own = not source.published_counts and source.kind != STAND_IN
    from_scratch = network.name == DEFAULT_NETWORK and network.facts.weights == Facts.weights
    return is_own and from_scratch and images < FEW_IMAGES
