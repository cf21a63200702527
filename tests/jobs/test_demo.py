"""The demo: what it shows, and its page, which needs Gradio."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gapnet
from gapnet.explanations.demo_view import (
    explain_class,
    methods_for,
    probabilities,
    with_box_at,
)
from gapnet.jobs.demo_job import DemoJob, open_demo
from gapnet.models import GapNet
from gapnet.models.network_choice import NetworkChoice
from gapnet.models.saved import save
from tests.refusals import refused

HAS_GRADIO = importlib.util.find_spec("gradio") is not None


@pytest.fixture
def network() -> GapNet:
    torch.manual_seed(0)
    network = gapnet.create_model("tiny_gap", 3, input_size=48).eval()
    network.set_classes(("a", "b", "c"))
    return network


@pytest.fixture
def picture() -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    return Image.fromarray(values)


def test_the_box_follows_the_threshold_without_the_network(
    network: GapNet, picture: Image.Image
) -> None:
    seen = explain_class(network, picture, "b", method="cam")
    assert seen.names == ["b"]
    np.testing.assert_allclose(with_box_at(seen, 0.2).boxes, seen.boxes, atol=1)
    areas = []
    for threshold in (0.0, 0.3, 0.6, 0.9):
        x1, y1, x2, y2 = with_box_at(seen, threshold).boxes[0]
        areas.append((x2 - x1 + 1) * (y2 - y1 + 1))
    assert areas == sorted(areas, reverse=True)


def test_the_most_probable_classes_are_those_of_explain(
    network: GapNet, picture: Image.Image
) -> None:
    (seen,) = gapnet.explain(network, picture, top=3)
    assert probabilities(network, picture) == dict(zip(seen.names, seen.scores, strict=True))
    assert explain_class(network, picture, None, method="cam").names == seen.names[:1]


def test_only_methods_that_work_are_offered(network: GapNet) -> None:
    assert "cam" in methods_for(network)
    without = gapnet.create_model("alexnet", 3, thin=16)
    assert "cam" not in methods_for(without)
    assert "grad_cam" in methods_for(without)


@pytest.mark.parametrize("port", [0, 70_000, "here"])
def test_a_port_that_does_not_exist_is_refused(port: object) -> None:
    with refused(f"port={port}"):
        DemoJob(NetworkChoice(Path("net")), port)


@pytest.mark.skipif(HAS_GRADIO, reason="Gradio is installed")
def test_without_gradio_the_extra_is_named() -> None:
    with refused("gradio", "gapnet[demo]"):
        open_demo(DemoJob(NetworkChoice(Path("net"))))


@pytest.mark.slow
@pytest.mark.skipif(not HAS_GRADIO, reason="needs Gradio: pip install 'gapnet[demo]'")
def test_the_page_explains_a_picture_and_moves_its_box(
    network: GapNet, picture: Image.Image, tmp_path: Path
) -> None:
    client_of = pytest.importorskip("gradio_client")
    save(network, tmp_path / "net")
    picture.save(tmp_path / "a.png")
    page = open_demo(DemoJob(NetworkChoice(tmp_path / "net")))
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    try:
        client = client_of.Client(url, verbose=False)
        file = client_of.handle_file(tmp_path / "a.png")
        overlay, label, text = client.predict(file, "b", "cam", 0.2, api_name="/explain")
        assert Image.open(overlay if isinstance(overlay, str) else overlay["path"]).size == (90, 60)
        assert {entry["label"] for entry in label["confidences"]} == {"a", "b", "c"}
        assert text.startswith("b ")
        _, moved = client.predict(0.9, api_name="/move_box")
        *_, again = client.predict(file, "b", "cam", 0.9, api_name="/explain")
        assert moved == again != text
    finally:
        page.close()
