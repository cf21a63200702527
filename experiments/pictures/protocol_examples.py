"""One image under every protocol: its frame, the true and the predicted box, and the verdict."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import yaml
from free_photographs import coffee, network
from gallery import Figure
from numpy.typing import NDArray
from PIL import Image

import gapnet
from gapnet.evaluation.box_frames import FileFrame
from gapnet.evaluation.protocols import Protocol
from gapnet.explanations.montage import Tile
from gapnet.ops.boxes import iou
from gapnet.ops.overlay import draw_box

CONF = Path(__file__).resolve().parents[2] / "conf" / "protocol"
PROTOCOLS = ("ilsvrc", "wsol", "tscam", "psol", "adl")
TRUE_BOX = (157.0, 6.0, 437.0, 306.0)  # of the cup, drawn by hand; the overlap is close to 0.5
TRUE, PREDICTED = (64, 220, 64), (255, 48, 48)


def protocol_examples() -> Iterator[Figure]:
    """Yield the figure of docs/concepts.md."""
    (explanation,) = gapnet.explain(network(), coffee())
    tiles = [_tile(coffee(), explanation.boxes[0], protocol_of(name)) for name in PROTOCOLS]
    yield "protocols", len(PROTOCOLS), tiles


def protocol_of(name: str) -> Protocol:
    """Return a protocol by the name of its file."""
    arguments = yaml.safe_load((CONF / f"{name}.yaml").read_text())
    del arguments["_target_"]
    return Protocol(**arguments)


def _tile(image: Image.Image, box: NDArray[np.float32], protocol: Protocol) -> Tile:
    """Draw the frame of a protocol with both boxes; the text is their overlap, and the verdict."""
    frame, size = protocol.frame_of(), torch.tensor([[image.height, image.width]])
    true = frame.true_boxes(torch.tensor([[TRUE_BOX]]), size)[0, 0]
    predicted = frame.predicted_boxes(torch.tensor(box)[None, None], size)[0, 0]
    overlap = iou(predicted, true, inclusive=protocol.inclusive)
    picture = _framed(image, protocol)
    for corners, colour in ((true, TRUE), (predicted, PREDICTED)):
        draw_box(picture, corners.tolist(), scale=1, colour=colour)
    verdict = "right" if protocol.right(overlap) else "wrong"
    return picture, f"{protocol.name}: IoU {overlap:.3f}, {verdict}"


def _framed(image: Image.Image, protocol: Protocol) -> Image.Image:
    """Return what a protocol shows of an image."""
    frame = protocol.frame_of()
    if isinstance(frame, FileFrame):
        return image.copy()
    margin = (frame.resize - frame.crop) // 2
    edges = (margin, margin, margin + frame.crop, margin + frame.crop)
    return image.resize((frame.resize, frame.resize)).crop(edges)
