import pytest

from gapnet.errors import GapnetError
from gapnet.models import create, names, register
from gapnet.models.heads import CamHead
from gapnet.models.zoo.tiny import tiny_gap


def test_a_name_can_be_registered_once() -> None:
    def tiny_gap(num_classes: int) -> None:
        raise NotImplementedError

    with pytest.raises(ValueError, match=r"tiny_gap.* is registered twice"):
        register(tiny_gap)


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(GapnetError, match="'tiny_gpa' is not registered; did you mean 'tiny_gap'"):
        create("tiny_gpa", {"num_classes": 2})


def test_a_strange_name_gets_the_list() -> None:
    with pytest.raises(GapnetError, match=f"known are {', '.join(names())}"):
        create("?", {})


def test_an_argument_that_the_builder_lacks_is_named() -> None:
    with pytest.raises(GapnetError, match="depth"):
        create("tiny_gap", {"num_classes": 2, "depth": 3})


def test_a_network_remembers_what_it_was_built_from() -> None:
    network = tiny_gap(5, pool="max")
    assert network.name == "tiny_gap"
    assert network.arguments["num_classes"] == 5
    assert network.arguments["pool"] == "max"
    assert network.arguments["width"] == 64  # a default, remembered in case it changes


def test_an_unknown_pooling_is_refused() -> None:
    with pytest.raises(GapnetError, match=r"model\.pool=sum: "):
        CamHead(3, 2, pool="sum")  # type: ignore[arg-type]


def test_a_head_without_width_pools_the_trunk_s_features() -> None:
    assert CamHead(3, 2, added=None).linear.in_features == 3
