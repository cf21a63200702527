"""Write the table of networks in docs/networks.md: python experiments/networks_table.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from torch.utils.flop_counter import FlopCounterMode

from gapnet.models import create, names

PAGE = Path(__file__).resolve().parents[1] / "docs" / "networks.md"
START = "<!-- networks: written by experiments/networks_table.py -->\n"
END = "<!-- end of networks -->"
HEAD = """\
| `model=` | parameters | multiply-adds | input | map | notes |
|---|---|---|---|---|---|
"""
RESNET = "`model.map_size=7`, 14 or 28; `model.width=null` adds no conv"
NOTES = {
    "alexnet": "unmodified; no class maps",
    "alexnet_gap": "cut after conv5",
    "alexnet_star_gap": "two added convs: AlexNet*",
    "gapified": "`model.name=torchvision/resnet50` and `model.cut=layer3`, or any network of "
    "torchvision or timm and a submodule of it",
    "googlenet": "unmodified",
    "googlenet_gap": "cut after inception4e",
    "inception_v3_gap": "cut after Mixed_6e",
    "nin": "unmodified; its last conv has one map per class",
    "published": "`model.name=torchvision/resnet50`, or another network that ends in global "
    "pooling and one linear layer",
    "resnet101_gap": RESNET,
    "resnet18_gap": RESNET,
    "resnet50": "unmodified",
    "resnet50_gap": RESNET,
    "timm_gap": "`model.name=convnext_tiny`, or any convolutional network of timm",
    "tiny_gap": "the default: trained from scratch in minutes",
    "vgg16": "unmodified; no class maps",
    "vgg16_bn": "unmodified, with batch normalisation; no class maps",
    "vgg16_bn_gap": "with batch normalisation",
    "vgg16_gap": "cut after conv5-3",
    "vgg19_bn_gap": "with batch normalisation",
    "vgg19_gap": "cut after conv5-4",
}


def table_row(name: str) -> str:
    """Return the row of a network for 1000 classes."""
    with torch.device("meta"):
        network = create(name, {"num_classes": 1000}).eval()
    facts = network.facts
    with FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 3, *facts.input_size, device="meta"))
    cells = (
        f"`{name}`",
        f"{sum(parameter.numel() for parameter in network.parameters()) / 1e6:.2f} M",
        f"{counter.get_total_flops() / 2e9:.2f} G",  # a multiply-add is two operations
        str(facts.input_size[0]),
        f"{facts.map_size[0]} x {facts.map_size[1]}",
        NOTES.get(name, ""),
    )
    return f"| {' | '.join(cells)} |\n"


def write_table(page: Path) -> None:
    """Replace the table in a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(START)
    table = "\n" + HEAD + "".join(map(table_row, names())) + "\n"
    page.write_text(before + START + table + rest[rest.index(END) :], encoding="utf-8")


if __name__ == "__main__":
    write_table(PAGE)
