"""The smallest training: a linear layer, and a trainer that writes nothing."""

import signal
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

BATCHES = 3  # of an epoch
SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)


class Line(pl.LightningModule):
    """A line through one point that records batches and signal handlers."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.seen: list[tuple[int, int]] = []
        self.validated: list[int] = []
        self.handlers: list[object] = []

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        self.seen.append((self.current_epoch, batch_idx))
        self.handlers = [signal.getsignal(number) for number in SIGNALS]
        loss = self.layer(batch).square().mean()
        self.log("loss", loss)
        return loss

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        self.validated.append(batch_idx)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def train_dataloader(self) -> DataLoader[Tensor]:
        return DataLoader(torch.ones(BATCHES, 1))

    def val_dataloader(self) -> DataLoader[Tensor]:
        return DataLoader(torch.ones(BATCHES, 1))


def make_trainer(folder: Path, *callbacks: pl.Callback, **changes: Any) -> pl.Trainer:
    options: dict[str, Any] = {
        "max_epochs": 1,
        "devices": 1,
        "logger": False,
        "limit_val_batches": 0,
        "num_sanity_val_steps": 0,
    }
    return pl.Trainer(
        accelerator="cpu",
        callbacks=list(callbacks),
        default_root_dir=folder,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options | changes,
    )
