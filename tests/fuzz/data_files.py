"""Files of data sets: annotations, lists, tables, images and the index of a split."""

import json
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from gapnet.data.index import cached
from gapnet.data.loading.images import read_image
from gapnet.data.object_reader import ObjectReader
from gapnet.data.options import Reading
from gapnet.data.readers.annotations import read_synsets, read_voc, read_voc_clipped
from gapnet.data.readers.box_files import BoxFile
from gapnet.data.readers.class_list import ClassList
from gapnet.data.readers.devkit import read_blacklist, read_kit_synsets, read_labels
from gapnet.data.readers.image_sizes import read_sizes
from gapnet.data.readers.solution_table import read_solutions
from gapnet.data.records import Record, Records
from gapnet.data.sources.coco import Coco
from gapnet.data.sources.csv_table import Csv
from gapnet.data.sources.cub import Cub
from gapnet.data.sources.folder import Folder
from gapnet.data.sources.metadata import Metadata
from gapnet.data.sources.voc import Voc
from gapnet.data.sources.yolo import Yolo
from gapnet.evaluation.pixels import pixel_histogram
from tests.data.test_devkit import write_meta
from tests.data.test_object_layouts import write as write_layout
from tests.fuzz.subject import Subject, sane_box, sane_records

CLASSES = ClassList(["n01", "n02", "n03"], "the list of classes")
IMAGES = ["train/cat/a.png", "train/cat/b.png", "train/dog/c.png", "train/dog/d.png"]
VOC = """<?xml version="1.0"?>
<annotation>
  <filename>a</filename>
  <size><width>50</width><height>40</height><depth>3</depth></size>
  <object><name>n01</name><bndbox>
    <xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox></object>
  <object><name>n01</name><bndbox>
    <xmin>10</xmin><ymin>12</ymin><xmax>50</xmax><ymax>20</ymax></bndbox></object>
</annotation>
"""
SOLUTION = """ImageId,PredictionString
a,n01 1 2 3 4 n01 5 6.5 7 8
b,n02 0 0 10 10
c,n03 4 5 60 70
"""
TABLE = "image,xmin,ymin,xmax,ymax,label\n" + "".join(
    f"{image},{place},2,{place + 20},30.5,{image.split('/')[1]}\n"
    for place, image in enumerate(IMAGES)
)


def text(name: str, content: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_text(content)
        return folder / name

    return make


def read_voc_file(path: Path) -> Any:
    annotation, clipped = read_voc(path), read_voc_clipped(path, "n01")
    for box in [*annotation.boxes.tolist(), *clipped.boxes.tolist()]:
        sane_box(box)
    return annotation.class_id, annotation.boxes.tolist(), clipped.boxes.tolist(), clipped.others


def read_solution(path: Path) -> Any:
    solutions = read_solutions(path, CLASSES)
    for label, flat in solutions.values():
        assert 0 <= label < len(CLASSES.ids)
        for start in range(0, len(flat), 4):
            sane_box(flat[start : start + 4])
    return solutions


def make_images(folder: Path) -> None:
    for number, name in enumerate(IMAGES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (60, 50), (number, 2, 3)).save(folder / name)


def boxes(name: str, content: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        make_images(folder)
        return text(name, content)(folder)

    return make


def coco() -> str:
    drawn = [
        {"id": place, "image_id": place, "category_id": 7 + place // 2, "bbox": [place, 1, 20.5, 9]}
        for place in range(len(IMAGES))
    ]
    content = {
        "images": [{"id": place, "file_name": name} for place, name in enumerate(IMAGES)],
        "categories": [{"id": 7, "name": "cat"}, {"id": 8, "name": "dog"}],
        "annotations": drawn,
    }
    return json.dumps(content, indent=1)


def read_boxes(path: Path) -> Any:
    file = BoxFile(path, path.parent)
    tensors = [file.boxes(image, image.split("/")[1]) for image in IMAGES]
    lists = [None if boxes is None else boxes.tolist() for boxes in tensors]
    for box in chain.from_iterable(filter(None, lists)):
        sane_box(box)
    return lists


def read_folder_classes(path: Path) -> Any:
    source = Folder(path.parent, select_split="train", test_split="train")
    return sane_records(source.records("train"), len(source.classes))


def kit(path: Path) -> Any:
    synsets = read_kit_synsets(path)
    assert [synset.id for synset in synsets] == list(range(1, len(synsets) + 1))
    return synsets


def make_meta(folder: Path) -> Path:
    return write_meta(folder / "meta.mat", {1: "n02", 2: "n01", 3: "n03"})


def read_kit_labels(path: Path) -> Any:
    labels = read_labels(path, {1: 2, 2: 0, 3: 1}, 6)
    assert set(labels) <= {0, 1, 2}
    return labels


def read_kit_blacklist(path: Path) -> Any:
    rows = read_blacklist(path, 6)
    assert set(rows) <= set(range(6))
    return rows


BIRDS = ("001.Sparrow", "002.Gull")
CUB = {
    "classes.txt": "".join(f"{number + 1} {name}\n" for number, name in enumerate(BIRDS)),
    "images.txt": "".join(f"{n} {BIRDS[n % 2]}/bird_{n}.jpg\n" for n in range(8)),
    "image_class_labels.txt": "".join(f"{n} {n % 2 + 1}\n" for n in range(8)),
    "train_test_split.txt": "".join(f"{n} {int(n < 6)}\n" for n in range(8)),
    "bounding_boxes.txt": "".join(f"{n} {n}.0 2.0 20.0 10.0\n" for n in range(8)),
}


def cub(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        for file, content in CUB.items():
            (folder / file).write_text(content)
        return folder / name

    return make


def read_cub(path: Path) -> Any:
    source = Cub(path.parent, held_out=1)
    return [sane_records(source.records(split), len(source.classes)) for split in ("train", "val")]


WSOL = {
    "image_ids.txt": "a/1.jpg\na/2.jpg\nb/3.jpg\n",
    "class_labels.txt": "a/1.jpg,0\na/2.jpg,1\nb/3.jpg,2\n",
    "localization.txt": "a/1.jpg,1,2,3,4\na/2.jpg,0,0,7,5\nb/3.jpg,5,5,5,5\na/1.jpg,0,0,1,1\n",
}


def wsol(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        for split in ("train", "val"):
            (folder / split).mkdir()
            for file, content in WSOL.items():
                (folder / split / file).write_text(content)
        return folder / "val" / name

    return make


def read_wsol(path: Path) -> Any:
    source = Metadata(path.parent.parent, metadata=path.parent.parent)
    return sane_records(source.records("val"), len(source.classes))


def image(name: str, mode: str = "RGB", **options: Any) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
        Image.fromarray(pixels).convert(mode).save(folder / name, **options)
        return folder / name

    return make


def read_image_file(path: Path) -> Any:
    (size,) = read_sizes([path], Reading(exif=True)).tolist()
    assert all(0 <= side < 2**31 for side in size)
    picture = read_image(path, exif=True)
    assert picture.mode == "RGB"
    return picture.size, picture.tobytes()


def read_mask_file(path: Path) -> Any:
    record = Record("a", path, 0, None, masks=(path,))
    return pixel_histogram(np.zeros((7, 9), np.float32), record).tolist()


def layout(kind: str, name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        write_layout(kind, folder)
        return folder / name

    return make


def read_layout(kind: type[ObjectReader]) -> Callable[[Path], Any]:
    def read(path: Path) -> Any:
        root = next(parent for parent in path.parents if parent.name not in INNER)
        source = kind(root, select_split="train", test_split="train")
        return sane_records(source.records("train"), len(source.classes))

    return read


def make_index(folder: Path) -> Path:
    read_index(folder)
    (file,) = (folder / "cache").iterdir()
    return file


def read_index(path: Path) -> Any:
    """Read an index whose cached file is spoiled: it is built again, or it is read rightly."""
    root = path.parent if path.is_file() else path
    root = root.parent if root.name == "cache" else root
    rows = [Record(f"é{n}", root / f"{n}.jpg", n % 3, None) for n in range(20)]
    built = Records.of(rows, root)
    records = cached(("val",), lambda: built, root, state="s")
    assert records == built
    return records.ids


def make_records(folder: Path) -> Path:
    box = torch.tensor([[1.0, 2.0, 30.0, 40.0]])
    rows = [Record(f"é{n}", folder / f"{n}.jpg", n % 3, box, blacklisted=n == 1) for n in range(9)]
    Records.of(rows, folder).save(folder / "val.arrow")
    return folder / "val.arrow"


def read_records(path: Path) -> Any:
    """Read records without a checksum: values may change, within what is allowed."""
    records = Records.open(path, path.parent)
    assert len(list(records)) == len(records.labels)
    return records.ids, records.boxes


INNER = {"Annotations", "annotations", "labels", "train"}  # folders of a layout
SUBJECTS = [
    Subject("voc.xml", text("a.xml", VOC), read_voc_file),
    Subject("solution.csv", text("a.csv", SOLUTION), read_solution),
    Subject("boxes.csv", boxes("boxes.csv", TABLE), read_boxes),
    Subject("boxes.json", boxes("boxes.json", coco()), read_boxes),
    Subject(
        "folder-classes.txt", boxes("classes.txt", "dog A dog\ncat A cat\n"), read_folder_classes
    ),
    Subject("voc-layout.xml", layout("voc", "Annotations/c.xml"), read_layout(Voc)),
    Subject("coco.json", layout("coco", "annotations/instances_train.json"), read_layout(Coco)),
    Subject("yolo.txt", layout("yolo", "labels/train/a.txt"), read_layout(Yolo)),
    Subject("yolo.yaml", layout("yolo", "data.yaml"), read_layout(Yolo)),
    Subject("table.csv", layout("csv", "labels.csv"), read_layout(Csv)),
    Subject("synsets.txt", text("a.txt", "n01 a tench\nn02 a fish\n"), read_synsets),
    Subject("kit.txt", text("map_clsloc.txt", "n02 1 kit_fox\nn01 2 a_b\nn03 3 c\n"), kit),
    Subject("kit.mat", make_meta, kit),
    Subject("kit-labels.txt", text("a.txt", "3\n1\n2\n2\n1\n3\n"), read_kit_labels),
    Subject("kit-blacklist.txt", text("a.txt", "2\n5\n"), read_kit_blacklist),
    *(Subject(f"cub-{name}", cub(name), read_cub) for name in CUB),
    *(Subject(f"wsol-{name}", wsol(name), read_wsol) for name in WSOL),
    Subject("image.jpg", image("a.jpg"), read_image_file),
    Subject("image-cmyk.jpg", image("a.jpg", "CMYK", progressive=True), read_image_file),
    Subject("image.png", image("a.png", "RGBA"), read_image_file),
    Subject("image.webp", image("a.webp"), read_image_file),
    Subject("image.tif", image("a.tif", "L", compression="tiff_lzw"), read_image_file),
    Subject("mask.png", image("a.png", "L"), read_mask_file),
    Subject("index.arrow", make_index, read_index, checksum="file", refuses=False),
    Subject("records.arrow", make_records, read_records),
]
