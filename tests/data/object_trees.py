"""Small data sets of images with objects, in the layouts that people have."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

WIDTH, HEIGHT = 40, 30
Box = Sequence[float]
Objects = Mapping[str, Sequence[tuple[str, Box]]]  # by image, such as "a.jpg"


def image(path: Path, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path, format="JPEG")


def xml_of(objects: Sequence[tuple[str, Box]], size: tuple[int, int] = (WIDTH, HEIGHT)) -> str:
    sides = ("xmin", "ymin", "xmax", "ymax")
    parts = [
        f"<object><name>{name}</name><bndbox>"
        + "".join(f"<{side}>{value}</{side}>" for side, value in zip(sides, box, strict=True))
        + "</bndbox></object>"
        for name, box in objects
    ]
    width, height = size
    return (
        f"<annotation><size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
        + "".join(parts)
        + "</annotation>"
    )


def voc(root: Path, *, train: Objects, val: Objects) -> Path:
    """Write Pascal VOC's folders."""
    for split, images in (("train", train), ("val", val)):
        for name, objects in images.items():
            image(root / "JPEGImages" / name)
            place = root / "Annotations" / Path(name).with_suffix(".xml")
            place.parent.mkdir(exist_ok=True)
            place.write_text(xml_of(objects))
        lists = root / "ImageSets/Main"
        lists.mkdir(parents=True, exist_ok=True)
        (lists / f"{split}.txt").write_text("".join(f"{Path(name).stem}\n" for name in images))
        (lists / f"cat_{split}.txt").write_text(
            "".join(f"{Path(name).stem} 1\n" for name in images)
        )
    return root


def coco_of(images: Objects, *, names: Sequence[str] = ("dog", "cat")) -> dict[str, object]:
    """Return a file of instances; boxes are x, y, width, height, and categories count from 7."""
    annotations = [
        {
            "image_id": number,
            "category_id": 7 + names.index(name),
            "bbox": list(box),
            "iscrowd": 0,
        }
        for number, objects in enumerate(images.values())
        for name, box in objects
    ]
    return {
        "images": [
            {"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT}
            for number, name in enumerate(images)
        ],
        "categories": [{"id": 7 + number, "name": name} for number, name in enumerate(names)],
        "annotations": [{"id": number, **entry} for number, entry in enumerate(annotations)],
    }


def coco(root: Path, **splits: Objects) -> Path:
    (root / "annotations").mkdir(parents=True)
    for split, images in splits.items():
        for name in images:
            image(root / split / name)
        path = root / "annotations" / f"instances_{split}.json"
        path.write_text(json.dumps(coco_of(images)))
    return root


def yolo(root: Path, **splits: Objects) -> Path:
    """Write images and labels; boxes are the centre's x and y, width, height, in shares."""
    names = ["dog", "cat"]
    for split, images in splits.items():
        for name, objects in images.items():
            image(root / "images" / split / name)
            lines = [f"{names.index(label)} {' '.join(map(str, box))}\n" for label, box in objects]
            path = root / "labels" / split / Path(name).with_suffix(".txt")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(lines))
    (root / "data.yaml").write_text("path: .\nnames:\n  0: dog\n  1: cat\n")
    return root


def table(root: Path, text: str, *images: str) -> Path:
    for name in images:
        image(root / name)
    (root / "labels.csv").write_text(text)
    return root
