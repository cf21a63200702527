"""Boxes: xyxy floats in pixels of the original image.

An inclusive box gives the first and the last pixel that belong to it, as in VOC and ILSVRC: its
width is x2 - x1 + 1. An exclusive box gives its edges: its width is x2 - x1. Functions whose
result depends on this have a parameter `inclusive`.
"""

import torch
from torch import Tensor

LARGEST = 2**24  # pixels of a side: single precision represents every integer up to it


def area(boxes: Tensor, *, inclusive: bool) -> Tensor:
    """Return the area (...) of boxes (..., 4); 0 for a box whose x2 < x1 or y2 < y1.

    >>> area(torch.tensor([2.0, 3.0, 4.0, 3.0]), inclusive=True).item()
    3.0
    """
    sides = (boxes[..., 2:] - boxes[..., :2] + int(inclusive)).clamp(min=0)
    return sides[..., 0] * sides[..., 1]


def intersection(boxes: Tensor, others: Tensor, *, inclusive: bool) -> Tensor:
    """Return the area (...) that boxes (..., 4) have in common, broadcast.

    >>> left, right = torch.tensor([[0.0, 0.0, 4.0, 9.0], [4.0, 0.0, 9.0, 9.0]])
    >>> intersection(left, right, inclusive=True).item()
    10.0
    """
    common = torch.cat(
        [
            torch.maximum(boxes[..., :2], others[..., :2]),
            torch.minimum(boxes[..., 2:], others[..., 2:]),
        ],
        -1,
    )
    return area(common, inclusive=inclusive)


def iou(boxes: Tensor, others: Tensor, *, inclusive: bool) -> Tensor:
    """Return the intersection over union (...) of boxes (..., 4), broadcast; 0 if both are empty.

    >>> whole, half = torch.tensor([[0.0, 0.0, 9.0, 9.0], [0.0, 0.0, 9.0, 4.0]])
    >>> iou(whole, half, inclusive=True).item()
    0.5
    """
    shared = intersection(boxes, others, inclusive=inclusive)
    union = area(boxes, inclusive=inclusive) + area(others, inclusive=inclusive) - shared
    return torch.where(
        union > 0, shared / union.clamp(min=torch.finfo(union.dtype).tiny), torch.zeros_like(union)
    )


def centred(sizes: Tensor, share: float) -> Tensor:
    """Return the centred inclusive box (N, 4) of images (N, 2), with `share` of both sides."""
    height, width = sizes.unbind(-1)
    margin_x, margin_y = width * (1 - share) / 2, height * (1 - share) / 2
    return torch.stack([margin_x, margin_y, width - margin_x - 1, height - margin_y - 1], -1)


def leave_window(boxes: Tensor, window: Tensor, grid: tuple[int, int]) -> Tensor:
    """Convert inclusive boxes (..., 4) from cells of a grid over a window to pixels of the image.

    Args:
        boxes: in cells of the grid.
        window: edges x1, y1, x2, y2 of the part that the grid covers, in pixels, (4,).
        grid: (height, width) in cells.
    """
    origin, far = window[:2], window[2:]
    cell = (far - origin) / torch.tensor(
        [grid[1], grid[0]], dtype=window.dtype, device=window.device
    )
    near_edge = origin + boxes[..., :2] * cell
    far_edge = origin + (boxes[..., 2:] + 1) * cell
    return torch.cat([near_edge, far_edge - 1], -1)


def clip(boxes: Tensor, sizes: Tensor) -> Tensor:
    """Clip the edges of inclusive boxes (..., 4) to images of sizes (..., 2), (height, width).

    A box outside the image becomes the nearest pixel of its border.

    >>> clip(torch.tensor([-3.0, 2.0, 30.0, 8.0]), torch.tensor([10, 20])).tolist()
    [0.0, 2.0, 19.0, 8.0]
    """
    far_edges = sizes.flip(-1).to(boxes)
    near, far = boxes[..., :2], boxes[..., 2:] + 1
    near = torch.where(near < far_edges, near, far_edges - 1).clamp(min=0)
    far = torch.where(far > 0, far, 1).minimum(far_edges)
    return torch.cat([near, far - 1], -1)
