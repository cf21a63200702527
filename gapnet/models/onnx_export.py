"""Exports a network as an ONNX file: bytes in; logits, the first classes and their maps out."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from gapnet.errors import GapnetError
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import network_description

TOP = 5  # classes whose maps are returned
OUTPUTS = ("logits", "classes", "maps")
TOLERANCE = 1e-4  # between torch and onnxruntime; relative, of values above 1


class OnnxNetwork(nn.Module):
    """Network from bytes (B, 3, H, W) to logits (B, N), classes (B, K) and maps (B, K, h, w)."""

    def __init__(self, network: GapNet) -> None:
        """Wrap a network with class maps."""
        super().__init__()
        network.pooling_head()
        self.network = network
        self.count = min(TOP, network.num_classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logits, the first classes in order, and their maps."""
        features = self.network.forward_features(self.network.normalise(images))
        logits = self.network.forward_head(features)
        classes = logits.topk(self.count).indices
        return logits, classes, self.network.class_maps(features, classes)


def export_onnx(network: GapNet, path: Path) -> float:
    """Write a network as ONNX for batches of any size, and check the file in onnxruntime.

    The metadata of the file has the network's description, with its classes, under "gapnet".

    Returns:
        The largest difference from torch in logits and maps, relative for values above 1.
    """
    model = OnnxNetwork(network).eval()
    program = torch.onnx.export(
        model,
        (_bytes(network, 2),),
        input_names=["images"],
        output_names=list(OUTPUTS),
        dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    program.model.metadata_props["gapnet"] = json.dumps(network_description(network))
    program.save(str(path))
    return max(_compare(model, path, count) for count in (1, 3))


def _compare(model: OnnxNetwork, path: Path, count: int) -> float:
    """Return the largest difference between the file and torch on a batch, up to `TOLERANCE`."""
    images = _bytes(model.network, count)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    outputs = session.run(list(OUTPUTS), {"images": images.numpy()})
    logits, classes, maps = outputs
    with torch.no_grad():  # of onnxruntime's classes: ties may be in any order
        features = model.network.forward_features(model.network.normalise(images))
        expected = {
            "logits": model.network.forward_head(features).numpy(),
            "maps": model.network.class_maps(features, torch.from_numpy(classes)).numpy(),
        }
    largest = 0.0
    for name, theirs in (("logits", logits), ("maps", maps)):
        ours = expected[name]
        difference = np.abs(ours - theirs) / np.maximum(1, np.abs(ours))
        largest = max(largest, float(difference.max()))
        if not largest <= TOLERANCE:
            raise GapnetError(f"{path}: onnxruntime's {name} differ from torch's by {largest:.1e}")
    return largest


def _bytes(network: GapNet, count: int) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    size = (count, network.channels, *network.facts.input_size)
    return torch.randint(256, size, generator=generator, dtype=torch.uint8)
