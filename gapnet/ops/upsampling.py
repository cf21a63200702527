"""Bilinear resizing of maps on the CPU: the same bits as torch's `interpolate`, in less time.

torch computes the pixels of a few maps one by one, but many channels of a pixel at once. So maps
are resized horizontally first, which is little work, and then vertically, with columns as channels.
"""

from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import interpolate

LANES = 16  # channels at once, at most; torch rounds the channels left over in another way
SMALL = 128  # height + width up to which torch treats few maps like many channels
PROBE, PROBE_SIZE = (5, 9), (67, 90)  # sizes of a map that shows whether the bits are the same


def resize(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize maps (K, h, w) to `size` (height, width), bilinear between the cells' centres."""
    if _resizable(maps, size) and _same_bits(len(maps), torch.get_num_threads()):
        return _across_then_down(maps, size)
    return _directly(maps, size)


def _resizable(maps: Tensor, size: tuple[int, int]) -> bool:
    plain = maps.device.type == "cpu" and maps.dtype == torch.float32 and not maps.requires_grad
    height, width = min(maps.shape[1], size[0]), size[1]
    return plain and maps.numel() > 0 and width >= LANES and height + width > SMALL


@cache
def _same_bits(count: int, threads: int) -> bool:
    """Try whether so many maps get the same bits: that depends on the processor and on torch."""
    del threads  # a part of the key
    values = torch.arange(count * PROBE[0] * PROBE[1], dtype=torch.float32)
    maps = (values * 0.7548777).frac().view(count, *PROBE)  # spread evenly, without a seed
    size = (PROBE_SIZE[0], PROBE_SIZE[1] + SMALL)
    return torch.equal(_across_then_down(maps, size), _directly(maps, size))


def _directly(maps: Tensor, size: tuple[int, int]) -> Tensor:
    return interpolate(maps[None], size=size, mode="bilinear", align_corners=False)[0]


def _across_then_down(maps: Tensor, size: tuple[int, int]) -> Tensor:
    height, width = size
    across = _directly(maps, (maps.shape[1], width))
    resized = _down(across, height)
    if width % LANES:
        resized[..., -LANES:] = _down(across[..., -LANES:].contiguous(), height)
    return resized


def _down(maps: Tensor, height: int) -> Tensor:
    """Resize maps (K, h, w) to (K, height, w), with their columns as channels."""
    count, rows, width = maps.shape
    columns = maps.view(count, rows, 1, width).permute(0, 3, 1, 2)
    resized = interpolate(columns, size=(height, 1), mode="bilinear", align_corners=False)
    return resized.permute(0, 2, 3, 1).reshape(count, height, width)
