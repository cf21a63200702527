"""Time the class maps of the five most probable classes against torch-cam and pytorch-grad-cam.

python experiments/benchmarks/peers.py [--networks resnet18_gap resnet50_gap googlenet_gap]

All explain the same untrained network on the same images, from pixels to maps in the size of the
features (pytorch-grad-cam also resizes them, and rescales them to 0..1). Behind average pooling,
class maps are Grad-CAM's up to a factor, without negative values.
"""

from operator import itemgetter

import torch
from pytorch_grad_cam import GradCAM
from side_by_side import OURS, Row, alternate, options_of, parser_of, publish
from torch import Tensor
from torch.testing import assert_close
from torchcam.methods import CAM

import gapnet.models
from gapnet.models.gapnet import GapNet
from gapnet.saliency.base import look
from gapnet.saliency.cam.cam import Cam

NETWORKS = ("resnet18_gap", "resnet50_gap", "googlenet_gap")
GOALS = {"torch-cam": 0.95, "pytorch-grad-cam": 0.10}
CLASSES, IMAGES, TOP = 1000, 4, 5
LAYER, LINEAR = "head.conv", "head.linear"  # of the features, and of the classes


def main() -> None:
    """Check, time and publish."""
    parser = parser_of(__doc__)
    parser.add_argument("--networks", nargs="+", default=["resnet18_gap"], choices=NETWORKS)
    options = options_of(parser)
    rows = []
    for name in options.networks:
        torch.manual_seed(0)
        network: GapNet = getattr(gapnet.models, name)(CLASSES, pretrained=False).eval()
        rows += _time(name, network, options.repeats)
    publish("peers", rows, options.to)


def _time(name: str, network: GapNet, repeats: int) -> list[Row]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(IMAGES, 3, *network.facts.input_size, generator=generator)
    size = tuple(images.shape[1:])
    with CAM(network, LAYER, LINEAR, input_shape=size) as extractor:

        def torch_cam() -> Tensor:
            with torch.inference_mode():
                ranked = network(images).topk(TOP).indices
                columns = ranked.T.tolist()
                maps = [extractor(class_idx=column, normalized=False)[0] for column in columns]
            return torch.stack(maps, 1)

        extractor.disable_hooks()
        expected = _check_grad_cam(network, images)
        extractor.enable_hooks()
        assert_close(torch_cam(), expected, rtol=1e-4, atol=1e-5)
        ways = {OURS: lambda: _ours(network, images), "torch-cam": torch_cam}
        seconds = alternate(ways, repeats=repeats)
    peer = {"pytorch-grad-cam": lambda: _grad_cam(network, images)}
    seconds_grad = alternate({OURS: lambda: _ours(network, images), **peer}, repeats=repeats)
    times = {"torch-cam": seconds, "pytorch-grad-cam": seconds_grad}
    return [
        Row(f"{name}, {IMAGES} images, {TOP} maps each, {way}", times[way], way, goal=goal)
        for way, goal in GOALS.items()
    ]


@torch.inference_mode()
def _ours(network: GapNet, images: Tensor) -> Tensor:
    seen = look(network, images)
    return Cam()(network, seen, seen.logits.topk(TOP).indices)


def _grad_cam(network: GapNet, images: Tensor) -> None:
    with torch.inference_mode():
        ranked = network(images).topk(TOP).indices
    with GradCAM(network, [network.get_submodule(LAYER)]) as cam:
        for column in ranked.T.tolist():
            cam(images, targets=[itemgetter(label) for label in column])


def _check_grad_cam(network: GapNet, images: Tensor) -> Tensor:
    """Return our maps, after a comparison of the first ones with those of pytorch-grad-cam."""
    maps = _ours(network, images)
    with torch.inference_mode():
        first = network(images).topk(TOP).indices[:, 0].tolist()
    targets = [itemgetter(label) for label in first]
    with GradCAM(network, [network.get_submodule(LAYER)]) as cam:
        cam(images, targets=targets)
        hooked = cam.activations_and_grads
        parts = (hooked.activations[0].numpy(), hooked.gradients[0].numpy())
        raw = torch.from_numpy(cam.get_cam_image(images, network.head.conv, targets, *parts))
    cells = maps.shape[-2] * maps.shape[-1]
    assert_close(raw * cells, maps[:, 0].clone(), rtol=1e-3, atol=1e-4)
    return maps


if __name__ == "__main__":
    main()
