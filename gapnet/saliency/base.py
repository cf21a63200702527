"""Interface of saliency methods, and the targets that they explain."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch
from torch import Tensor

from gapnet.errors import GapnetError

if TYPE_CHECKING:
    from gapnet.models.gapnet import GapNet

# From outputs, logits (B, N) or a layer's (B, C, h, w), to one score per image (B,). An image's
# score depends on its own output only.
Target = Callable[[Tensor], Tensor]
# Classes (B, K), which may differ between images, or K targets, the same for every image.
Targets = Tensor | Sequence[Target]


class Seen(NamedTuple):
    """A forward pass: normalised images (B, 3, H, W), features (B, C, h, w), logits (B, N).

    `beside` is what else the network's head takes, if it does not only take the features.
    """

    images: Tensor
    features: Tensor
    logits: Tensor
    beside: tuple[object, ...] = ()


class Saliency(Protocol):
    """A method that maps where in an image the evidence for a target is.

    A method takes a finished forward pass because the classes are mostly chosen by its logits. A
    method that needs only the features then takes no second pass.
    """

    def __call__(self, network: "GapNet", seen: Seen, targets: Targets) -> Tensor:
        """Return maps (B, K, h, w) of classes (B, K), or of K other targets."""
        ...

    def check(self, network: "GapNet") -> None:
        """Raise an error if the method cannot be used with this network."""
        ...

    def passes(self, targets: int, size: tuple[int, int]) -> int:
        """Return how many passes through the whole network the maps of one image take.

        Forward and backward passes count; the forward pass that saw the image does not.

        Args:
            targets: K, how many maps.
            size: (height, width) of the image.
        """
        ...


def look(network: "GapNet", images: Tensor) -> Seen:
    """Run the network once over normalised images (B, 3, H, W)."""
    features, beside = network.forward_parts(images)
    return Seen(images, features, network.forward_head(features, *beside), beside)


def head_after(network: "GapNet", seen: Seen) -> Callable[[Tensor], Tensor]:
    """Return the function from features (B, C, h, w) of a forward pass to logits (B, N)."""
    return lambda features: network.forward_head(features, *seen.beside)


def score_targets(outputs: Tensor, targets: Targets) -> Tensor:
    """Return the scores (B, K) of targets, from outputs (B, N); for other targets also (B, ...).

    >>> outputs = torch.tensor([[1.0, 5.0], [2.0, 3.0]])
    >>> score_targets(outputs, torch.tensor([[1], [0]])).tolist()
    [[5.0], [2.0]]
    >>> score_targets(outputs, [lambda outputs: outputs[:, 1] - outputs[:, 0]]).tolist()
    [[4.0], [1.0]]
    """
    if isinstance(targets, Tensor):
        return outputs.gather(1, targets.clone())  # a copy: autograd saves no inference tensors
    none = single(outputs.new_empty(len(outputs), 0))
    return torch.cat([none, *(_score(target, outputs)[:, None] for target in targets)], 1)


def targets_of(targets: Targets, images: Tensor) -> Targets:
    """Return the targets of a selection of images, by their indices (b,)."""
    return targets[images] if isinstance(targets, Tensor) else targets


def single(values: Tensor) -> Tensor:
    """Turn half precision, which autocast gives, into single; keep double.

    >>> single(torch.ones(1, dtype=torch.bfloat16)).dtype
    torch.float32
    """
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _score(target: Target, outputs: Tensor) -> Tensor:
    scores = target(single(outputs))
    if isinstance(scores, Tensor) and scores.shape == outputs.shape[:1]:
        return scores
    result = tuple(scores.shape) if isinstance(scores, Tensor) else f"a {type(scores).__name__}"
    raise GapnetError(
        f"target={target!r}: returned {result} for outputs {tuple(outputs.shape)}; must be a "
        f"tensor ({len(outputs)},), one score per image"
    )
