"""A network as an ONNX file: bytes in; logits, the first classes and their maps out."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from gapnet.errors import GapnetError
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import describe

TOP = 5  # classes whose maps are given
OUTPUTS = ("logits", "classes", "maps")
TOLERANCE = 1e-4  # between torch and onnxruntime; relative, of values above 1


class Explained(nn.Module):
    """Answer bytes (B, 3, H, W) by logits (B, N), the first classes (B, K), maps (B, K, h, w)."""

    def __init__(self, network: GapNet) -> None:
        """Wrap a network with class maps."""
        super().__init__()
        network.pooling_head()
        self.network = network
        self.count = min(TOP, network.num_classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give the logits, the classes in their order, and the maps of these."""
        features = self.network.forward_features(self.network.normalise(images))
        logits = self.network.forward_head(features)
        classes = logits.topk(self.count).indices
        return logits, classes, self.network.class_maps(features, classes)


def export_onnx(network: GapNet, path: Path) -> float:
    """Write a network as ONNX for batches of any size, and check the file in onnxruntime.

    The file says in its metadata, under "gapnet", what network it is of and its classes.

    Returns:
        The largest difference from torch that the check saw, in logits and maps, as a share of
        values above 1.
    """
    explained = Explained(network).eval()
    program = torch.onnx.export(
        explained,
        (_bytes(network, 2),),
        input_names=["images"],
        output_names=list(OUTPUTS),
        dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    program.model.metadata_props["gapnet"] = json.dumps(describe(network))
    program.save(str(path))
    return max(_compare(explained, path, count) for count in (1, 3))


def _compare(explained: Explained, path: Path, count: int) -> float:
    """Run a batch through the file and through torch; they may differ by rounding."""
    images = _bytes(explained.network, count)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = session.run(list(OUTPUTS), {"images": images.numpy()})
    logits, classes, maps = given
    with torch.no_grad():  # the maps of the classes it chose: a tie may be ordered either way
        features = explained.network.forward_features(explained.network.normalise(images))
        expected = {
            "logits": explained.network.forward_head(features).numpy(),
            "maps": explained.network.class_maps(features, torch.from_numpy(classes)).numpy(),
        }
    apart = 0.0
    for name, theirs in (("logits", logits), ("maps", maps)):
        mine = expected[name]
        difference = np.abs(mine - theirs) / np.maximum(1, np.abs(mine))
        apart = max(apart, float(difference.max()))
        if not apart <= TOLERANCE:
            raise GapnetError(f"{path}: onnxruntime's {name} differ from torch's by {apart:.1e}")
    return apart


def _bytes(network: GapNet, count: int) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    size = (count, network.channels, *network.facts.input_size)
    return torch.randint(256, size, generator=generator, dtype=torch.uint8)
