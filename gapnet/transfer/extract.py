"""Runs a network over splits, and writes the vectors of its layers, one row per image."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import pytorch_lightning as pl
import torch
from torch import Tensor

from gapnet.data.loading.images import Parts
from gapnet.data.sample import Batch
from gapnet.errors import GapnetError
from gapnet.evaluation.store import Writer
from gapnet.models.gapnet import GapNet
from gapnet.transfer.feature_rows import FeatureRow
from gapnet.transfer.layers import Layer, layer_vectors


@dataclass(frozen=True)
class Extracted:
    """The vectors (B, D) of a batch by layer, on the CPU."""

    vectors: dict[str, Tensor]
    batch: Batch

    def rows(self) -> list[FeatureRow]:
        """Return the rows of the images."""
        return [self._row(index) for index in range(len(self.batch.ids))]

    def _row(self, index: int) -> FeatureRow:
        batch, readable = self.batch, self.batch.corrupt[index] is None
        height, width = batch.sizes[index].tolist()
        return FeatureRow(
            id=batch.ids[index],
            height=height,
            width=width,
            label=int(batch.labels[index]),
            labels=batch.label_sets[index] if batch.label_sets else (),
            vectors={
                name: values[index].numpy() if readable else None
                for name, values in self.vectors.items()
            },
        )


class Extractor(pl.LightningModule):
    """Lightning module that writes the vectors of one image per row; it returns nothing."""

    def __init__(self, network: GapNet, layers: Sequence[Layer], writers: Sequence[Writer]) -> None:
        """Take the vectors of `layers`; every writer has a data loader."""
        super().__init__()
        self.network, self.layers, self.writers = network, list(layers), list(writers)
        self.stage_names = [f"features of {writer.about.split}" for writer in writers]
        # There may be more ranks than batches
        self.allow_zero_length_dataloader_with_multiple_devices = True

    def on_predict_start(self) -> None:
        """Name the parts after the rank."""
        for writer in self.writers:
            writer.rank = self.global_rank

    def predict_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:  # noqa: ARG002
        """Write the rows of a batch."""
        images = self.network.normalise(batch.images)
        vectors = layer_vectors(self.network, images, self.layers)
        check_finite(vectors, batch.ids)
        on_cpu = {str(layer): values.cpu() for layer, values in vectors.items()}
        self.writers[dataloader_idx].add(Extracted(on_cpu, batch.to(torch.device("cpu"))).rows())

    def on_predict_epoch_end(self) -> None:
        """Write the remaining rows."""
        for writer in self.writers:
            writer.flush()


def check_finite(vectors: dict[Layer, Tensor], ids: Sequence[str]) -> None:
    """Refuse vectors with NaN or infinite values."""
    for layer, values in vectors.items():
        wrong = (~torch.isfinite(values)).any(1).nonzero().flatten().tolist()
        if wrong:
            raise GapnetError(
                f"image {ids[wrong[0]]}: layer={layer} has NaN or infinite values; check the "
                "network's weights"
            )


def vector_sizes(network: GapNet, layers: Sequence[Layer]) -> dict[str, int]:
    """Return the sizes of layers' vectors, from one pass over an empty image."""
    like = network.mean
    blank = torch.zeros(1, network.channels, *network.facts.input_size).to(like)
    with torch.inference_mode():
        vectors = layer_vectors(network, blank, layers)
    return {str(layer): values.shape[1] for layer, values in vectors.items()}


def digest_of_parts(parts: Parts | None) -> str:
    """Return a digest of the boxes that are shown in place of whole images; empty if none are."""
    if parts is None:
        return ""
    plain = {image: [float(edge) for edge in box] for image, box in parts.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]
