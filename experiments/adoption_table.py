"""Write the table in docs/adoption.md: python experiments/adoption_table.py."""

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import timm
import torch
from timm.models import list_modules

from gapnet.errors import GapnetError
from gapnet.models import GapNet, catalogue

PAGE = Path(__file__).resolve().parents[1] / "docs" / "adoption.md"
START = "<!-- families: written by experiments/adoption_table.py -->\n"
END = "<!-- end of families -->"
HEAD = """
| family | network | class maps | Grad-CAM | reason |
|---|---|---|---|---|
"""
LARGEST = 60e6  # weights of a network that is tried
TRIED = 2  # networks of a family whose weights are counted


def smallest(family: str) -> str | None:
    """Return a small network of a family of timm; None if all that are counted are large."""
    names = timm.list_models(module=family)
    step = max(1, len(names) // TRIED)
    sizes: dict[str, int] = {}
    for name in names[::step]:
        with torch.device("meta"):
            network = timm.create_model(name)
        sizes[name] = sum(parameter.numel() for parameter in network.parameters())
    small = [name for name in sizes if sizes[name] <= LARGEST]
    return min(small, key=lambda name: sizes[name], default=None)


def family_row(family: str) -> str:
    """Return the row of a family."""
    name = smallest(family)
    if name is None:
        return f"| {family} | | | | not tried: too large |\n"
    full_name = f"timm/{name}"
    try:
        network = catalogue.published_with_class_maps(full_name, pretrained=False)
    except GapnetError as error:
        reason = str(error).partition(": ")[2].partition("; ")[0].replace("|", "/")
        return f"| {family} | `{name}` | no | {grad_cam_map(full_name)} | {reason} |\n"
    size = map_size(network)
    return f"| {family} | `{name}` | {size} | {size} | |\n"


def grad_cam_map(name: str) -> str:
    """Return the size of the map that Grad-CAM uses in a network without class maps."""
    try:
        return map_size(catalogue.published(name, pretrained=False))
    except GapnetError:
        return "no"


def map_size(network: GapNet) -> str:
    """Return the size of the maps of a network as text."""
    height, width = network.facts.map_size
    return f"{height} x {width}"


def write_table(page: Path) -> None:
    """Replace the table in the page."""
    families = [name for name in list_modules() if timm.list_models(module=name)]
    rows = []
    for family in families:
        rows.append(family_row(family))
        print(rows[-1].strip(), flush=True)
    tried = [row for row in rows if "not tried" not in row]
    taken = sum("` | no | " not in row for row in tried)
    explained = sum(" | no | no | " not in row for row in tried)
    summary = (
        f"\nOf {len(tried)} families that were tried, {taken} have class maps, and Grad-CAM works "
        f"on {explained}.\n"
    )
    before, _, rest = page.read_text(encoding="utf-8").partition(START)
    table = START + summary + HEAD + "".join(rows) + "\n"
    page.write_text(before + table + rest[rest.index(END) :], encoding="utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write_table(PAGE)
