"""The README's table of networks, computed again."""

import re

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from gapnet.models import names
from tests.cli.conftest import CHECKOUT
from tests.models.conftest import for_imagenet

ROW = re.compile(r"\| `(\w+)` \| ([\d.]+) M \| ([\d.]+) G \| (\d+) \| (\d+) x (\d+) \|")
ROWS = {row[0]: row[1:] for row in ROW.findall((CHECKOUT / "README.md").read_text())}


def test_it_has_a_row_for_each_network() -> None:
    assert sorted(ROWS) == names()


@pytest.mark.parametrize("name", names())
def test_a_row_gives_parameters_multiply_adds_input_and_map(name: str) -> None:
    network = for_imagenet(name)
    with FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 3, *network.facts.input_size, device="meta"))
    parameters = sum(each.numel() for each in network.parameters())
    computed = (
        f"{parameters / 1e6:.2f}",
        f"{counter.get_total_flops() / 2e9:.2f}",  # a multiply-add is two operations
        *map(str, (network.facts.input_size[0], *network.facts.map_size)),
    )
    assert {name: computed}.items() <= ROWS.items()
