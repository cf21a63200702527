"""The LightningModule of a training: the loss, and error rates in validation."""

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.classification import MultilabelAveragePrecision

from gapnet.data.loading.datamodule import DataModule
from gapnet.data.sample import Batch
from gapnet.localization.crops import CropOutputs
from gapnet.localization.localizer import Localizer
from gapnet.metrics.classification import Mean, TopKError
from gapnet.metrics.localization import GtKnownError
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import network_description
from gapnet.training.freezing import set_trained
from gapnet.training.loss import ClassWeights, Kind, Loss
from gapnet.training.optim import OptimRecipe

TOP_5_FROM = 6  # classes: with fewer, the top-5 error is always 0


class Classifier(pl.LightningModule):
    """LightningModule that trains a network to classify, and measures its localization error."""

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
        loss: Kind = "cross_entropy",
        label_smoothing: float = 0.0,
        class_weights: ClassWeights = "none",
        channels_last: bool = False,
        compile: bool = False,  # noqa: A002  (torch's name for it)
    ) -> None:
        """Prepare a training.

        Args:
            network: that is trained.
            optim: the recipe.
            localizer: for the localization error.
            total_steps: of the schedule.
            iou: at which a box is right.
            inclusive: whether a box's last pixel belongs to it when the IoU is computed.
            seed: of random operations in the network, such as dropout.
            batches_a_step: over ranks and accumulation, for a recipe that scales its rate.
            loss: cross_entropy, or bce if an image may have several classes.
            label_smoothing: of the loss.
            class_weights: of the loss: none, or balanced if the classes have different numbers of
                images.
            channels_last: memory layout of images and weights, which is fast on tensor cores.
            compile: whether torch compiles the network for the training steps.
        """
        super().__init__()
        self.loss = Loss(loss, label_smoothing=label_smoothing, class_weights=class_weights)
        network.multi_label = loss == "bce"
        self.frozen = optim.freeze(network)
        self.head_steps = optim.head_steps(total_steps)
        self.trained_later = [value for value in network.trunk.parameters() if value.requires_grad]
        self.trains_head_only = False
        self.allow_zero_length_dataloader_with_multiple_devices = True  # with few validation images
        # Errors of the recipe are raised before the training
        optim.build(network, total_steps, batches_a_step=batches_a_step)
        self.network = network
        self.optim = optim
        self.localizer = localizer
        self.total_steps, self.batches_a_step, self.seed = total_steps, batches_a_step, seed
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        network.to(memory_format=self.layout)
        if compile:
            network.compile()
        self.save_hyperparameters({"network": network_description(network)})
        self.mean_loss = Mean()
        self.mean_average_precision = (
            MultilabelAveragePrecision(network.num_classes) if network.multi_label else None
        )
        self.top1_error = TopKError(k=1)
        self.top5_error = TopKError(k=5) if network.num_classes >= TOP_5_FROM else None
        self.gt_known_error = GtKnownError(inclusive=inclusive, threshold=iou)
        self.train()

    def on_fit_start(self) -> None:
        """Count the images of the classes, if they are weighted."""
        data: DataModule | None = self.trainer.datamodule  # type: ignore[attr-defined]
        if data is not None:
            self.loss.count(data.records(data.source.train_split), self.network.num_classes)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Freeze the trunk at the start of the training, and train it later."""
        head_only = self.global_step < self.head_steps
        if head_only != self.trains_head_only:
            self.trains_head_only = head_only
            set_trained(self.trained_later, trained=not head_only)
            self.train()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch; its random numbers depend on its position only."""
        seed = step_seed(self.seed, self.current_epoch, batch_idx, self.global_rank)
        seed_generators(seed, self.device)
        logits = self.network(self.input_of(batch.images))
        loss = self.loss(logits, batch)
        self.log("train/loss", loss, on_step=True, on_epoch=False, prog_bar=True)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Add a batch to the error rates."""
        outputs = self.localizer.look(self.network, self.input_of(batch.images))
        self.mean_loss.update(self.loss.per_image(outputs.logits, batch))
        if self.mean_average_precision is not None:
            targets = batch.targets(self.network.num_classes).long()
            self.mean_average_precision.update(outputs.logits, targets)
        self.top1_error.update(outputs.logits, batch.labels)
        if self.top5_error is not None:
            self.top5_error.update(outputs.logits, batch.labels)
        if any(boxes is not None for boxes in batch.boxes):
            self._localize(outputs, batch)

    def on_validation_epoch_start(self) -> None:
        """Reset the metrics."""
        for _, metric in self._metrics():
            metric.reset()

    def on_validation_epoch_end(self) -> None:
        """Log the metrics over all ranks; one without images is left out."""
        for name, metric in self._metrics():
            value = metric.compute()
            if not value.isnan():
                self.log(name, value, prog_bar=True)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Return the optimiser, and its schedule, which is updated in every step."""
        optimizer, schedule = self.optim.build(
            self.network, self.total_steps, batches_a_step=self.batches_a_step
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def train(self, mode: bool = True) -> "Classifier":  # noqa: FBT001, FBT002  (torch's)
        """Set training or eval mode; frozen modules stay in eval mode."""
        super().train(mode)
        waiting = self.network.trunk.modules() if self.trains_head_only else ()
        for module in (*self.frozen, *waiting):
            module.training = False
        return self

    def input_of(self, images: Tensor) -> Tensor:
        """Return the network's input from images in bytes (B, 3, H, W)."""
        return self.network.normalise(images).contiguous(memory_format=self.layout)

    def _localize(self, outputs: CropOutputs, batch: Batch) -> None:
        maps = self.localizer.maps(self.network, outputs, batch.labels[:, None], batch.ids)
        predicted = self.localizer.boxes(maps, batch.windows, batch.sizes, batch.images)[:, 0, 0]
        rows = [row for row, boxes in enumerate(batch.boxes) if boxes is not None]
        self.gt_known_error.update(
            predicted[rows], [boxes for boxes in batch.boxes if boxes is not None]
        )

    def _metrics(self) -> list[tuple[str, Metric]]:
        metrics = {
            "val/loss": self.mean_loss,
            "val/mean_average_precision": self.mean_average_precision,
            "val/top1_error": self.top1_error,
            "val/top5_error": self.top5_error,
            "val/gt_known_error": self.gt_known_error,
        }
        return [(name, metric) for name, metric in metrics.items() if metric is not None]


def seed_generators(seed: int, device: torch.device) -> None:
    """Seed the generators of the CPU and of a device.

    `torch.manual_seed` does the same, and takes a millisecond for the kinds of devices that this
    machine does not have.
    """
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)


def step_seed(*position: int) -> int:
    """Return the seed of a batch, from the seed of the training and the batch's position."""
    return int(np.random.SeedSequence(position).generate_state(1, np.uint64)[0] >> 1)
