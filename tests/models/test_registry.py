import pytest

from gapnet.models import create, names, register
from gapnet.models.heads import CamHead
from gapnet.models.zoo.tiny import tiny_gap
from tests.refusals import refused


def test_a_name_can_be_registered_once() -> None:
    def tiny_gap(num_classes: int) -> None:
        raise NotImplementedError

    with pytest.raises(ValueError, match="'tiny_gap'"):
        register(tiny_gap)


def test_an_unknown_name_gets_the_nearest() -> None:
    with refused("'tiny_gpa'", "'tiny_gap'"):
        create("tiny_gpa", {"num_classes": 2})


def test_a_name_without_a_near_one_gets_the_list() -> None:
    with refused("'?'", *names()):
        create("?", {})


def test_an_argument_that_the_builder_lacks_is_named() -> None:
    with refused("'tiny_gap'", "'depth': 3"):
        create("tiny_gap", {"num_classes": 2, "depth": 3})


def test_a_network_remembers_what_it_was_built_from() -> None:
    network = tiny_gap(5, pool="max")
    assert network.name == "tiny_gap"
    assert network.arguments["num_classes"] == 5
    assert network.arguments["pool"] == "max"
    assert network.arguments["width"] == 64  # a default, remembered in case it changes


def test_an_unknown_pooling_is_refused() -> None:
    with refused("model.pool=sum"):
        CamHead(3, 2, pool="sum")  # type: ignore[arg-type]


def test_a_head_without_width_pools_the_trunk_s_features() -> None:
    assert CamHead(3, 2, added=None).linear.in_features == 3
