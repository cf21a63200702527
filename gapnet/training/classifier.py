"""The LightningModule: cross entropy on the label, errors on the validation split."""

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.nn.functional import cross_entropy

from gapnet.data.sample import Batch
from gapnet.localization.crops import CropOutputs
from gapnet.localization.localizer import Localizer
from gapnet.metrics.classification import ErrorRate, TopKError
from gapnet.metrics.localization import GtKnownError
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import describe
from gapnet.system.value_checks import number
from gapnet.training.optim import OptimRecipe

TOP_5_FROM = 6  # classes: with fewer, a top-5 error says nothing


class Classifier(pl.LightningModule):
    """Train a network to classify, and watch how well it localizes though it is shown no box."""

    def __init__(
        self,
        network: GapNet,
        optim: OptimRecipe,
        localizer: Localizer,
        *,
        total_steps: int,
        iou: float,
        inclusive: bool,
        seed: int = 0,
        batches_a_step: int = 1,
        label_smoothing: float = 0.0,
        channels_last: bool = False,
        compile: bool = False,  # noqa: A002  (what it does, as everybody calls it)
    ) -> None:
        """Train over `total_steps` steps; `iou` and `inclusive` say when a box is right.

        `seed` is that of what is random in the network. `batches_a_step` counts those that go into
        a step, over processes and accumulation, for a recipe that scales its rate.

        `channels_last` lays images and weights out as tensor cores like them; `compile` has torch
        compile the network for the training steps.
        """
        super().__init__()
        number("classifier.label_smoothing", label_smoothing, least=0, most=1)
        self.frozen = optim.freeze(network)
        self.allow_zero_length_dataloader_with_multiple_devices = True  # few images to validate on
        # What is wrong with the recipe shows before the training
        optim.build(network, total_steps, batches_a_step=batches_a_step)
        self.network = network
        self.optim = optim
        self.localizer = localizer
        self.total_steps, self.batches_a_step, self.seed = total_steps, batches_a_step, seed
        self.label_smoothing = label_smoothing
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        network.to(memory_format=self.layout)
        if compile:
            network.compile()
        self.save_hyperparameters({"network": describe(network)})
        self.top1_error = TopKError(k=1)
        self.top5_error = TopKError(k=5) if network.num_classes >= TOP_5_FROM else None
        self.gt_known_error = GtKnownError(inclusive=inclusive, threshold=iou)
        self.train()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Give the loss of a batch; what is random in it follows from its place alone."""
        torch.manual_seed(step_seed(self.seed, self.current_epoch, batch_idx, self.global_rank))
        logits = self.network(self._shown(batch))
        loss = cross_entropy(logits, batch.labels, label_smoothing=self.label_smoothing)
        self.log("train/loss", loss, on_step=True, on_epoch=False, prog_bar=True)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Count the errors of a batch."""
        looked = self.localizer.look(self.network, self._shown(batch))
        self.top1_error.update(looked.logits, batch.labels)
        if self.top5_error is not None:
            self.top5_error.update(looked.logits, batch.labels)
        if all(boxes is not None for boxes in batch.boxes):
            self._localize(looked, batch)

    def on_validation_epoch_start(self) -> None:
        """Count from zero."""
        for _, metric in self._errors():
            metric.reset()

    def on_validation_epoch_end(self) -> None:
        """Log the errors over all processes; one of them may have had no image."""
        for name, metric in self._errors():
            error = metric.compute()
            if not error.isnan():
                self.log(name, error, prog_bar=True)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Build the optimiser, and step its schedule with it."""
        optimizer, schedule = self.optim.build(
            self.network, self.total_steps, batches_a_step=self.batches_a_step
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def train(self, mode: bool = True) -> "Classifier":  # noqa: FBT001, FBT002  (torch's own)
        """Train, or not, all but what is frozen."""
        super().train(mode)
        for part in self.frozen:
            part.training = False
        return self

    def _shown(self, batch: Batch) -> Tensor:
        return self.network.normalise(batch.images).contiguous(memory_format=self.layout)

    def _localize(self, looked: CropOutputs, batch: Batch) -> None:
        maps = self.localizer.maps(self.network, looked, batch.labels[:, None], batch.ids)
        boxes = self.localizer.boxes(maps, batch.windows, batch.sizes, batch.images)[:, 0, 0]
        self.gt_known_error.update(boxes, [each for each in batch.boxes if each is not None])

    def _errors(self) -> list[tuple[str, ErrorRate]]:
        every = {
            "val/top1_error": self.top1_error,
            "val/top5_error": self.top5_error,
            "val/gt_known_error": self.gt_known_error,
        }
        return [(name, each) for name, each in every.items() if each is not None]


def step_seed(*places: int) -> int:
    """Derive the seed of a batch from the training's seed and where the batch stands."""
    return int(np.random.SeedSequence(places).generate_state(1, np.uint64)[0] >> 1)
