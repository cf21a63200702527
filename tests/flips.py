"""Files with one bit flipped, as disks and memory flip them."""

import random
from collections.abc import Iterator, Mapping

import torch


def flipped(content: bytes, *, count: int = 300, ends: int = 0) -> Iterator[bytes]:
    """Give copies with one bit flipped at random, and one in each of so many bytes at the end."""
    chance = random.Random(0)
    places = [chance.randrange(len(content)) for _ in range(count)]
    for place in (*places, *range(len(content) - ends, len(content))):
        damaged = bytearray(content)
        damaged[place] ^= 1 << chance.randrange(8)
        yield bytes(damaged)


def assert_same_state(state: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> None:
    assert state.keys() == other.keys()
    for name, value in state.items():
        assert value.dtype == other[name].dtype
        assert torch.equal(value, other[name]), name
