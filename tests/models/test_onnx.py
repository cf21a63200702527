"""ONNX files, run by onnxruntime."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from gapnet.models import create
from gapnet.models.onnx_export import export_onnx
from tests.refusals import refused

SMALL = {"num_classes": 7, "input_size": 64}


SLOW = pytest.mark.slow  # torch's exporter alone takes seconds to load


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        pytest.param("tiny_gap", {"pool": "max"}, marks=SLOW),
        pytest.param("googlenet_gap", {"profile": "caffe", "thin": 8}, marks=pytest.mark.nightly),
        pytest.param("resnet18_gap", {"in_channels": 1, "thin": 8}, marks=SLOW),
        pytest.param("vgg16_gap", {"thin": 8}, marks=pytest.mark.nightly),
        pytest.param("timm_gap", {"name": "test_convnext"}, marks=SLOW),
    ],
)
def test_onnxruntime_gives_torch_s_logits_and_maps_for_any_batch(
    name: str, arguments: dict, tmp_path: Path
) -> None:
    network = create(name, {**SMALL, **arguments}).eval()
    network.classes = tuple("abcdefg")
    assert export_onnx(network, tmp_path / "a.onnx") < 1e-4
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx")
    for count in (1, 2, 5):
        images = torch.randint(256, (count, network.channels, 64, 64), dtype=torch.uint8)
        logits, classes, maps = session.run(
            ["logits", "classes", "maps"], {"images": images.numpy()}
        )
        with torch.no_grad():
            features = network.forward_features(network.normalise(images))
            expected = network.class_maps(features, torch.from_numpy(classes))
            np.testing.assert_allclose(logits, network.forward_head(features), atol=1e-4, rtol=1e-4)
        np.testing.assert_allclose(maps, expected, atol=1e-4, rtol=1e-4)
        assert (np.sort(-logits)[:, :5] == np.take_along_axis(-logits, classes, 1)).all()


@SLOW
def test_the_file_describes_its_network_and_has_all_maps_of_few_classes(tmp_path: Path) -> None:
    network = create("tiny_gap", {**SMALL, "num_classes": 2}).eval()
    network.set_classes(["c1", "c2"], ["cat", "dog"])
    export_onnx(network, tmp_path / "a.onnx")
    metadata = {entry.key: entry.value for entry in onnx.load(tmp_path / "a.onnx").metadata_props}
    described = json.loads(metadata["gapnet"])
    assert described["classes"] == ["c1", "c2"]
    assert described["class_names"] == ["cat", "dog"]
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx")
    assert [output.shape[1] for output in session.get_outputs()] == [2, 2, 2]


def test_a_network_without_class_maps_is_refused(tmp_path: Path) -> None:
    with torch.device("meta"):
        network = create("alexnet", SMALL)
    with refused("'alexnet'"):
        export_onnx(network, tmp_path / "a.onnx")
