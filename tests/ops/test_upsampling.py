import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from gapnet.ops import upsampling
from gapnet.ops.maps import upsample


def directly(maps: Tensor, size: tuple[int, int]) -> Tensor:
    return interpolate(maps[None], size=size, mode="bilinear", align_corners=False)[0]


@pytest.mark.parametrize("seed", range(60))
def test_maps_of_any_size_get_the_bits_of_interpolate(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    count, rows, columns = torch.randint(1, 30, (3,), generator=generator).tolist()
    size = tuple(torch.randint(1, 400, (2,), generator=generator).tolist())
    maps = torch.randn(min(count, 7), rows, columns, generator=generator) * 10.0 ** (seed % 7 - 3)
    assert torch.equal(upsample(maps, size), directly(maps, size))


@pytest.mark.parametrize("size", [(224, 224), (375, 500), (500, 333), (14, 300), (1, 200)])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 6])
def test_usual_sizes_get_the_bits_of_interpolate(size: tuple[int, int], count: int) -> None:
    maps = torch.randn(count, 14, 14)
    assert torch.equal(upsample(maps, size), directly(maps, size))


def test_large_maps_are_resized_across_and_then_down(monkeypatch) -> None:
    calls = []
    monkeypatch.setattr(upsampling, "_same_bits", lambda *key: calls.append(key) or True)
    upsample(torch.randn(5, 14, 14), (224, 224))
    assert calls == [(5, torch.get_num_threads())]


def test_other_bits_are_noticed_and_not_used(monkeypatch) -> None:
    upsampling._same_bits.cache_clear()
    across_then_down = upsampling._across_then_down
    monkeypatch.setattr(
        upsampling, "_across_then_down", lambda *arguments: across_then_down(*arguments) * 1.0000002
    )
    maps = torch.randn(5, 14, 14)
    assert torch.equal(upsample(maps, (224, 224)), directly(maps, (224, 224)))
    upsampling._same_bits.cache_clear()


def test_gradients_are_those_of_interpolate() -> None:
    maps = torch.randn(2, 5, 6, requires_grad=True)
    upsample(maps, (150, 170)).square().sum().backward()
    own, maps.grad = maps.grad, None
    directly(maps, (150, 170)).square().sum().backward()
    assert torch.equal(own, maps.grad)
