import pytest
import torch

from gapnet.models import create, names
from tests.models.conftest import CLASSES, SIDE, THIN, TINY_TIMM, network_params, thin_network
from tests.refusals import refused

SMALL = {"num_classes": CLASSES, "input_size": SIDE}
THINNED = [name for name in names() if name != "timm_gap"]  # whose default is a ConvNeXt


@pytest.mark.parametrize("name", network_params(THINNED))
def test_an_eighth_of_the_units_is_about_a_64th_of_the_weights(name: str) -> None:
    with torch.device("meta"):
        whole = create(name, SMALL).eval()
        expected = whole.forward_features(torch.empty(2, 3, SIDE, SIDE)).shape
    few = thin_network(name)
    count, few_count = (
        sum(parameter.numel() for parameter in network.parameters()) for network in (whole, few)
    )
    assert THIN**2 / 2 < count / few_count <= THIN**2
    with torch.no_grad():
        features = few.forward_features(torch.randn(2, 3, SIDE, SIDE).double())
        assert features.shape == (2, expected[1] // THIN, *expected[2:])
        assert few.forward_head(features).shape == (2, CLASSES)


@pytest.mark.parametrize("name", ["alexnet_gap", "nin"])
@torch.no_grad()
def test_the_outputs_of_a_layer_keep_their_size(name: str) -> None:
    images = torch.randn(4, 3, SIDE, SIDE)
    whole, few = (create(name, {**SMALL, "thin": thin}).eval() for thin in (1, 2))
    ratio = few.forward_features(images).std() / whole.forward_features(images).std()
    assert 0.5 < ratio < 3  # with weights that are not multiplied it is below 0.3


def test_thinness_is_remembered() -> None:
    with torch.device("meta"):
        network = create("alexnet_gap", {**SMALL, "thin": 4})
        again = create(network.name, network.arguments)
    again.load_state_dict(network.state_dict())  # sizes are checked on the meta device as well
    assert network.arguments["thin"] == 4


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"thin": 0}, ["model.thin=0"]),
        ({"thin": 7}, ["model.thin=7", "trunk.features.0", 64]),
        ({"thin": 2, "pretrained": True}, ["model.pretrained=true", "model.thin=2"]),
    ],
)
def test_what_cannot_be_thinned_is_refused(arguments: dict, parts: list) -> None:
    with refused(*parts), torch.device("meta"):
        create("alexnet_gap", {**SMALL, **arguments})


def test_a_layer_that_is_not_known_is_refused() -> None:
    with refused("model.thin=2", "LayerNorm2d"):
        create("timm_gap", {**SMALL, "name": TINY_TIMM, "thin": 2})
