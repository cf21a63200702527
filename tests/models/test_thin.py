import pytest
import torch

from gapnet.errors import GapnetError
from gapnet.models import create, names
from tests.models.conftest import marks_of

THINNED = [each for each in names() if each != "timm_gap"]  # whose default is a ConvNeXt


@pytest.mark.parametrize("name", [pytest.param(each, marks=marks_of(each)) for each in THINNED])
def test_a_quarter_of_the_units_is_about_a_sixteenth_of_the_weights(name: str) -> None:
    whole, few = (
        create(name, {"num_classes": 4, "input_size": 80, "thin": thin}).eval() for thin in (1, 4)
    )
    counts = [sum(each.numel() for each in network.parameters()) for network in (whole, few)]
    assert 12 < counts[0] / counts[1] <= 16
    images = torch.randn(2, 3, 80, 80)
    with torch.no_grad():
        features = few.forward_features(images)
        assert features.shape[1] * 4 == whole.forward_features(images).shape[1]
        assert few.forward_head(features).shape == (2, 4)


@pytest.mark.parametrize("name", ["alexnet_gap", "nin"])
def test_what_a_layer_gives_keeps_its_size(name: str) -> None:
    torch.manual_seed(0)
    images = torch.randn(4, 3, 80, 80)
    deviations = []
    for thin in (1, 4):
        network = create(name, {"num_classes": 4, "input_size": 80, "thin": thin}).eval()
        with torch.no_grad():
            deviations.append(network.forward_features(images).std().item())
    assert 0.4 < deviations[1] / deviations[0] < 2.5


def test_thinness_is_remembered() -> None:
    network = create("alexnet_gap", {"num_classes": 4, "input_size": 80, "thin": 4})
    again = create(network.name, network.arguments)
    again.load_state_dict(network.state_dict())
    assert network.arguments["thin"] == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"thin": 0}, r"model\.thin=0: must be an integer >= 1"),
        (
            {"thin": 7},
            r"model\.thin=7: trunk\.features\.0 has 64 units, which cannot be",
        ),
        ({"thin": 2, "pretrained": True}, r"model\.thin=2: "),
    ],
)
def test_what_cannot_be_thinned_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(GapnetError, match=message):
        create("alexnet_gap", {"num_classes": 4, "input_size": 80, **arguments})


def test_a_layer_that_is_not_known_is_refused() -> None:
    arguments = {"num_classes": 4, "input_size": 64, "name": "convnext_tiny", "thin": 2}
    with pytest.raises(GapnetError, match=r"model\.thin=2: .* is a LayerNorm2d, and only convs"):
        create("timm_gap", arguments)
