"""Class maps, compared with those of another library."""

from copy import deepcopy

import cv2
import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from tests.models.conftest import CLASSES, SIDE, network_params, thin_network

NETWORKS = ["googlenet_gap", "resnet18_gap", "vgg16_gap", "tiny_gap"]


@pytest.mark.parametrize("name", network_params(NETWORKS, default={"resnet18_gap"}))
def test_grad_cam_on_the_last_conv_of_a_gap_network_is_its_class_map(name: str) -> None:
    """For average pooling the gradient of a score is its weights, the same at every place."""
    torch.manual_seed(1)
    network = deepcopy(thin_network(name))
    images = torch.randn(3, 3, SIDE, SIDE).double()
    with torch.no_grad():
        features = network.forward_features(images)
        every = network.class_maps(features, torch.arange(CLASSES).expand(3, -1)).numpy()
    classes = every.max((-2, -1)).argmax(1).tolist()  # those that there is something to see of
    layer = network.head.conv if list(network.head.conv.parameters()) else network.trunk
    with GradCAM(network, [layer]) as cam:
        theirs = cam(images, [ClassifierOutputTarget(label) for label in classes])
    for maps, label, grad_cam in zip(every, classes, theirs, strict=True):
        ours = maps[label]
        assert ours.max() > 0
        np.testing.assert_allclose(normalised(ours, grad_cam.shape), grad_cam, atol=2e-5)


def normalised(class_map: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Do what grad-cam does to a map: cut off below 0, stretch to 0..1, resize, stretch again."""

    def stretch(values: np.ndarray) -> np.ndarray:
        return (values - values.min()) / (1e-7 + values.max() - values.min())

    positive = np.maximum(class_map, 0)
    resized = cv2.resize(stretch(positive), size[::-1])
    return stretch(np.maximum(resized, 0))
