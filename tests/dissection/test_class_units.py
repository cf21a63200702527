"""Class-specific units, and what removing them does."""

import numpy as np
import pytest
import torch
from torch import nn

from gapnet.dissection.class_units import (
    AblationState,
    accuracy_of,
    class_units,
    without_units,
)
from gapnet.dissection.top_images import TopImages
from gapnet.errors import GapnetError
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import CamHead


@pytest.fixture
def network() -> GapNet:
    """Return a network whose class c is unit c, and with other units that no class uses."""
    network = GapNet(nn.Conv2d(3, 6, 1), CamHead(6, 3, added=None), Facts((4, 4), (4, 4)))
    with torch.no_grad():
        network.head.linear.weight.zero_()
        network.head.linear.bias.zero_()
        network.head.linear.weight[:, :3] = torch.eye(3)
    return network.eval()


def test_units_of_a_class_are_those_with_its_largest_weights(network: GapNet) -> None:
    (own,) = class_units(network, [2], 1)
    assert own == (2, [2], [1.0])
    with pytest.raises(GapnetError, match="units=7"):
        class_units(network, [2], 7)


def test_removing_its_units_hurts_a_class_more_than_others(network: GapNet) -> None:
    labels = torch.arange(3).repeat(10)
    features = torch.rand(30, 6, 4, 4) * 0.5
    features[torch.arange(30), labels] += 1
    chosen = class_units(network, [0, 1], 1)
    state = AblationState(2, 3, TopImages(6, 0, (4, 4)))
    passes = [features, *(without_units(features, own.units) for own in chosen)]
    with torch.inference_mode():
        state.add([network.forward_head(some).argmax(1) for some in passes], labels)
    assert accuracy_of(state, 0, 0) == (1, 0, 1, 1)
    assert accuracy_of(state, 1, 1) == (1, 0, 1, 1)


def test_accuracies_are_means_over_classes_with_images() -> None:
    state = AblationState(1, 4, TopImages(2, 0, (1, 1)))
    labels = torch.tensor([0, 0, 1, 1, 1, 1, 2, -1])
    state.add([torch.zeros(8, dtype=torch.int64), torch.ones(8, dtype=torch.int64)], labels)
    assert accuracy_of(state, 0, 0) == (1, 0, 0, 0.5)
    assert np.isnan(accuracy_of(state, 0, 3).own_before)
