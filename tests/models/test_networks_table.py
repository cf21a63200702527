"""The table of networks in docs/networks.md, computed again."""

import pytest

from experiments import networks_table
from experiments.networks_table import END, PAGE, START, table_row
from gapnet.models import names
from tests.models.conftest import for_imagenet, network_params

TABLE = PAGE.read_text().partition(START)[2].partition(END)[0]
REMEDY = "run python experiments/networks_table.py"


def test_it_has_a_row_for_each_network() -> None:
    assert [line.split("`")[1] for line in TABLE.splitlines()[3:] if line] == names(), REMEDY


@pytest.mark.parametrize("name", network_params(names()))
def test_a_row_is_what_the_network_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks_table, "create", lambda name, _: for_imagenet(name))  # built once
    assert table_row(name) in TABLE, REMEDY
