"""Networks without class maps: the same logits, and Grad-CAM at their last map."""

from collections.abc import Callable
from operator import itemgetter

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn
from torch.testing import assert_close
from torchvision.models import get_model

import gapnet
from gapnet.models.adoption.explainable import explainable
from gapnet.models.adoption.last_map import find_last_map
from gapnet.models.adoption.split_network import split
from gapnet.saliency import GradCam, Gradient, look
from tests.models.test_adoption import Net
from tests.refusals import refused

SIDE = 64
CLASSES = torch.tensor([[0, 4], [3, 1]])


def vit() -> nn.Module:
    options = {"img_size": SIDE, "embed_dim": 24, "num_heads": 2, "depth": 3, "num_classes": 5}
    return timm.create_model("vit_tiny_patch16_224", **options)


def mobilenet() -> nn.Module:
    return timm.create_model("mobilenetv3_small_050", num_classes=5)


def to_grid(tokens: Tensor) -> Tensor:
    side = SIDE // 16
    return tokens[:, 1:].transpose(1, 2).reshape(len(tokens), -1, side, side)


def last_of(module: nn.Module) -> tuple[nn.Module, Callable[[Tensor], Tensor] | None]:
    """Return the layer that pytorch-grad-cam's documentation chooses, and its transform."""
    if hasattr(module, "patch_embed"):
        return module.blocks[-1].norm1, to_grid
    return module.blocks[-1], None


@pytest.fixture(params=[vit, mobilenet], ids=["vit", "mobilenetv3"])
def module(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    return request.param().double().eval()


def by_autograd(module: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Derive Grad-CAM's maps (B, h, w) anew, from the output of one layer."""
    layer, transform = last_of(module)
    seen = []
    handle = layer.register_forward_hook(lambda _, __, output: seen.append(output))
    score = module(images).gather(1, labels[:, None]).sum()
    handle.remove()
    (gradient,) = torch.autograd.grad(score, seen[0])
    features = seen[0].detach()
    if transform is not None:
        features, gradient = transform(features), transform(gradient)
    return (gradient.mean((2, 3), keepdim=True) * features).sum(1).relu()


def test_logits_and_grad_cam_are_those_of_the_network(module: nn.Module) -> None:
    images = torch.randn(2, 3, SIDE, SIDE, dtype=torch.float64)
    network = split(module, input_size=SIDE, reason="reason")
    seen = look(network, images)
    assert_close(seen.logits, module(images), rtol=1e-12, atol=1e-12)
    assert seen.features.shape[2:] == network.facts.map_size
    maps = GradCam()(network, seen, CLASSES)
    for place, labels in enumerate(CLASSES.T):
        assert_close(maps[:, place], by_autograd(module, images, labels))
    assert maps.amax() > 0


def test_grad_cam_agrees_with_pytorch_grad_cam(module: nn.Module) -> None:
    peer = pytest.importorskip("pytorch_grad_cam").GradCAM
    images = torch.randn(2, 3, SIDE, SIDE, dtype=torch.float64)
    network = split(module, input_size=SIDE, reason="reason")
    maps = GradCam()(network, look(network, images), CLASSES)[:, 0]
    layer, transform = last_of(module)
    targets = [itemgetter(label) for label in CLASSES[:, 0].tolist()]
    with peer(module, [layer], reshape_transform=transform) as cam:
        cam(images, targets=targets)
        hooked = cam.activations_and_grads
        features, gradients = hooked.activations[0].numpy(), hooked.gradients[0].numpy()
        raw = cam.get_cam_image(images, layer, targets, features, gradients)
    assert_close(maps.numpy(), np.maximum(raw, 0))


def test_gradients_are_those_of_the_network(module: nn.Module) -> None:
    images = torch.randn(2, 3, SIDE, SIDE, dtype=torch.float64)
    network = split(module, input_size=SIDE, reason="reason")
    maps = Gradient()(network, look(network, images), CLASSES[:, :1])
    images.requires_grad_()
    score = module(images).gather(1, CLASSES[:, :1]).sum()
    (gradient,) = torch.autograd.grad(score, images)
    assert_close(maps[:, 0], gradient.abs().amax(1))


def test_a_layer_that_changes_its_input_in_place_changes_no_features() -> None:
    class InPlace(Net):
        def forward(self, images: Tensor) -> Tensor:
            maps = self.features(images)
            sums = maps.flatten(2)
            sums += 1
            return self.fc(sums.amax(2).relu())

    network = split(InPlace("plain"), input_size=SIDE, reason="reason")
    seen = look(network, torch.randn(2, 3, SIDE, SIDE))
    one, other = (GradCam()(network, seen, CLASSES) for _ in range(2))
    assert_close(one, other, rtol=0, atol=0)


def test_a_classifier_of_zeros_hides_no_map() -> None:
    module = vit()
    nn.init.zeros_(module.head.weight)
    nn.init.zeros_(module.head.bias)
    last = find_last_map(module, torch.randn(1, 3, SIDE, SIDE))
    assert last.node.target == "blocks.2.norm1"
    assert not module.head.weight.any()


def test_explain_takes_any_module_and_names_the_method_that_it_needs() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    module = mobilenet()
    (seen,) = gapnet.explain(module, picture, method="grad_cam")
    assert seen.maps.shape == (1, 60, 90)
    with refused("MobileNetV3", "Hardswish", "method=grad_cam"):
        gapnet.explain(module, picture)


def test_images_are_those_that_timm_states() -> None:
    facts = explainable(timm.create_model("test_vit")).facts
    assert facts.input_size == (160, 160)
    assert tuple(facts.mean) == (0.5, 0.5, 0.5)


def test_a_network_without_any_map_is_refused() -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3 * SIDE * SIDE, 5)

        def forward(self, images: Tensor) -> Tensor:
            return self.fc(images.flatten(1))

    with refused("Flat", "map"):
        split(Flat(), input_size=SIDE, reason="reason")


def test_published_weights_reach_both_halves(tmp_path) -> None:
    module = timm.create_model("mobilenetv3_small_050").eval()
    torch.save(module.state_dict(), tmp_path / "weights.pth")
    weights = str(tmp_path / "weights.pth")
    network = gapnet.published("timm/mobilenetv3_small_050", weights=weights)
    images = torch.randn(1, 3, SIDE, SIDE)
    with torch.no_grad():
        assert torch.equal(network(images), module(images))
    assert network.classes is not None
    assert network.classes[0] == "n01440764"
    with refused("MobileNetV3", "method=grad_cam"):
        network.pooling_head()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "grid"),
    [("torchvision/vit_b_16", (14, 14)), ("torchvision/alexnet", (6, 6)), ("timm/vgg11", (7, 7))],
)
def test_published_networks_are_split_at_the_map_that_people_use(name: str, grid) -> None:
    library, _, architecture = name.partition("/")
    build = timm.create_model if library == "timm" else get_model
    assert split(build(architecture), reason="reason").facts.map_size == grid
