"""Optimiser and schedule: parameter groups, and the learning rate as a function of the step."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from gapnet.errors import GapnetError
from gapnet.models.gapnet import GapNet
from gapnet.system.value_checks import number, one_of, true_or_false
from gapnet.training.freezing import Part, batch_norms, freeze

Group = dict[str, Any]
Schedule = Literal["cosine", "step", "constant"]
ScaleLr = Literal["none", "linear"]


@dataclass(frozen=True)
class OptimRecipe:
    """Optimiser, learning rates, weight decay and schedule of a training.

    Args:
        optimizer: builds the optimiser from parameter groups with a learning rate.
        lr: the highest learning rate of the trunk.
        weight_decay: of weights; biases and normalisation parameters have 0.
        head_multiplier: factor of `lr` for the head, which is new if the trunk is pretrained.
        bias_multiplier: further factor for biases; Caffe's recipes have 2.
        freeze_until: a stage of the trunk; it and all layers before it are not trained.
        train_only: "head" does not train the trunk.
        head_first: share of the steps in which only the head is trained, at the highest rate;
            warm-up and schedule of all layers follow.
        keep_statistics: whether the batch norms of the trunk keep the statistics of its weights;
            those of small batches are less exact.
        schedule: how the rate decreases: along a cosine to 0, in steps, or not at all.
        warmup: share of the steps in which the rate rises from 0.
        decay: factor of the step schedule.
        decay_every: interval of the step schedule, as a share of all steps.
        scale_lr: whether the rate is multiplied by the number of batches per step, if there are
            several ranks or accumulated batches.
    """

    optimizer: Callable[..., Optimizer]
    lr: float
    weight_decay: float = 0.0
    head_multiplier: float = 1.0
    bias_multiplier: float = 1.0
    freeze_until: str | None = None
    train_only: Part | None = None
    head_first: float = 0.0
    keep_statistics: bool = False
    schedule: Schedule = "cosine"
    warmup: float = 0.0
    decay: float = 0.1
    decay_every: float = 0.25
    scale_lr: ScaleLr = "none"

    def __post_init__(self) -> None:
        """Check the ranges."""
        number("optim.lr", self.lr, above=0)
        number("optim.weight_decay", self.weight_decay, least=0)
        number("optim.head_multiplier", self.head_multiplier, above=0)
        number("optim.bias_multiplier", self.bias_multiplier, above=0)
        number("optim.head_first", self.head_first, least=0, below=1)
        true_or_false("optim.keep_statistics", self.keep_statistics)
        number("optim.warmup", self.warmup, least=0, below=1)
        number("optim.decay", self.decay, above=0, most=1)
        number("optim.decay_every", self.decay_every, above=0, most=1)
        one_of("optim.schedule", self.schedule, get_args(Schedule))
        one_of("optim.scale_lr", self.scale_lr, get_args(ScaleLr))

    def build(
        self, network: GapNet, total_steps: int, *, batches_a_step: int = 1
    ) -> tuple[Optimizer, LambdaLR]:
        """Return the optimiser of a network and the schedule over `total_steps`."""
        factor = self.lr_factor(batches_a_step)
        groups = [{**group, "lr": group["lr"] * factor} for group in self.groups(network)]
        optimizer = self.optimizer(groups)
        return optimizer, LambdaLR(optimizer, lambda step: self.rate(step, total_steps))

    def lr_factor(self, batches_a_step: int) -> int:
        """Return the factor of the learning rate for a number of batches per step."""
        return batches_a_step if self.scale_lr == "linear" else 1

    def freeze(self, network: GapNet) -> list[nn.Module]:
        """Freeze what is not trained; return the modules that must stay in eval mode."""
        until = (
            None if self.freeze_until is None else str(self.freeze_until)
        )  # a stage can be named 1
        frozen = freeze(network, until=until, train_only=self.train_only)
        return [*frozen, *batch_norms(network.trunk)] if self.keep_statistics else frozen

    def groups(self, network: GapNet) -> list[Group]:
        """Return the parameters that are trained, grouped by learning rate and weight decay."""
        groups: dict[tuple[float, float], list[Tensor]] = {}
        for name, parameter in network.named_parameters():
            if parameter.requires_grad:
                groups.setdefault(self._rate_and_decay(name, parameter), []).append(parameter)
        return [
            {"params": parameters, "lr": lr, "weight_decay": decay}
            for (lr, decay), parameters in groups.items()
        ]

    def rate(self, step: int, total_steps: int) -> float:
        """Return the rate at a step, as a share of the highest."""
        head_steps = self.head_steps(total_steps)
        if step < head_steps:
            return 1.0
        return self._rate_of_all_layers(step - head_steps, total_steps - head_steps)

    def head_steps(self, total_steps: int) -> int:
        """Return the number of steps at the start in which only the head is trained."""
        return int(self.head_first * total_steps)

    def _rate_of_all_layers(self, step: int, total_steps: int) -> float:
        if not self.warmup and self.schedule == "constant":
            return 1.0
        rising = self.warmup * total_steps
        if step < rising:
            return (step + 1) / (rising + 1)
        done = (step - rising) / max(1.0, total_steps - rising)
        return self._fall(min(done, 1.0))

    def _fall(self, done: float) -> float:
        if self.schedule == "cosine":
            return 0.5 * (1 + math.cos(math.pi * done))
        return float(self.decay ** int(done / self.decay_every)) if self.schedule == "step" else 1.0

    def _rate_and_decay(self, name: str, parameter: Tensor) -> tuple[float, float]:
        """Return the learning rate and the weight decay of a parameter."""
        head_factor = self.head_multiplier if name.startswith("head.") else 1.0
        bias_factor = self.bias_multiplier if name.endswith("bias") else 1.0
        return self.lr * head_factor * bias_factor, self.weight_decay if parameter.ndim > 1 else 0.0


def count_steps(
    batches: int, *, epochs: int | None, accumulate: int = 1, limit: float = 1.0, most: int = -1
) -> int:
    """Return the number of the optimiser's steps in a training.

    Args:
        batches: per epoch.
        epochs: of the training; None or -1 if only `most` ends it.
        accumulate: batches per step; the last step of an epoch may have fewer.
        limit: Lightning's limit_train_batches: a share of the batches (float) or a number (int).
        most: Lightning's max_steps; -1 for no limit.

    >>> count_steps(10, epochs=2, accumulate=4)
    6
    >>> count_steps(10, epochs=2, limit=3)
    6
    """
    used = min(batches, limit) if isinstance(limit, int) else int(batches * limit)
    endless = epochs is None or epochs < 0
    if endless and most < 0:
        raise GapnetError(
            f"trainer.max_epochs={epochs}: the schedule needs an end; set it or max_steps"
        )
    steps = math.inf if endless else (epochs or 0) * math.ceil(used / accumulate)
    steps = min(steps, most) if most >= 0 else steps
    if steps < 1:
        raise GapnetError(f"trainer.max_epochs={epochs}, max_steps={most}: must allow one step")
    return int(steps)
