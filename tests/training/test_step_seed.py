"""Seeding of a step: the same random numbers as by torch.manual_seed."""

import pytest
import torch

from gapnet.training.classifier import seed_generators

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


@pytest.mark.parametrize("device", DEVICES)
def test_the_numbers_are_those_of_manual_seed(device: str) -> None:
    torch.manual_seed(2**62 + 7)
    expected = [torch.rand(4, device=where).tolist() for where in ("cpu", device)]
    seed_generators(2**62 + 7, torch.device(device))
    assert [torch.rand(4, device=where).tolist() for where in ("cpu", device)] == expected
