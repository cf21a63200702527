"""The stand-in data set: scenes drawn to disk in ILSVRC's layout, to run without a download."""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gapnet.data.options import OnCorrupt
from gapnet.data.sources import ilsvrc
from gapnet.data.sources.shapes import ilsvrc_scenes, sparse_scenes
from gapnet.data.sources.shapes.painting import Placed
from gapnet.data.sources.shapes.traits import CLASSES, SILHOUETTES, TEXTURES, class_traits
from gapnet.errors import GapnetError, reading, reason
from gapnet.system.folders import shared_folder
from gapnet.system.progress import track
from gapnet.system.value_checks import one_of, whole_number, wrong_value
from gapnet.system.workers import worker_pool

log = logging.getLogger(__name__)

SPARSE = "sparse"
SCENES = {SPARSE: sparse_scenes, "ilsvrc": ilsvrc_scenes}
VERSION = 1  # of the drawing: raise it if any byte changes
SMALLEST = 32  # pixels of a side: a texture needs some
QUALITY = 92  # of the JPEG files
FOLDERS = {"train_cls": "train", "val": "val", "test": "test"}


@dataclass(frozen=True)
class Drawing:
    """Everything that determines the bytes of a drawn data set; `size` is (height, width)."""

    size: tuple[int, int]
    classes: int
    train_cls: int
    val: int
    test: int
    seed: int
    version: int = VERSION
    scenes: str = SPARSE

    def __post_init__(self) -> None:
        """Check the ranges."""
        one_of("data.scenes", self.scenes, SCENES)
        whole_number("data.classes", self.classes, least=2, most=CLASSES)
        for side in self.size:
            whole_number("data.size", side, least=SMALLEST)
        for split in FOLDERS:  # at least one image per class
            key = f"data.{split.removesuffix('_cls')}"
            whole_number(key, getattr(self, split), least=self.classes)

    def values(self) -> dict[str, Any]:
        """Return what identifies the drawing.

        The kind of sparse scenes is left out: they were drawn before there were other kinds.
        """
        values = asdict(self)
        if self.scenes == SPARSE:
            del values["scenes"]
        return values

    def folder_name(self) -> str:
        """Return a name that is different for every drawing."""
        digest = hashlib.sha256(json.dumps(self.values()).encode()).hexdigest()[:8]
        return f"shapes-{self.size[0]}x{self.size[1]}-{self.classes}-seed{self.seed}-{digest}"


def shapes(
    *,
    root: str | Path | None = None,
    size: int | Sequence[int] = 112,
    classes: int = 12,
    train: int = 2400,
    val: int = 600,
    test: int = 600,
    seed: int = 0,
    scenes: str = SPARSE,
    folder: str | Path = "data",
    drawn: str | Path | None = None,
    on_corrupt: OnCorrupt = "raise",
    max_corrupt: int = 100,
) -> ilsvrc.Ilsvrc:
    """Open the stand-in data set; draw it first if it does not exist.

    Args:
        root: its folder; by default one in `folder`, with a name made from the other arguments.
        size: of the images, (height, width) or the side of a square.
        classes: number of classes.
        train: number of training images; the classes take turns.
        val: number of images to select thresholds and checkpoints on.
        test: number of images to report.
        seed: of the drawing, not of the training.
        scenes: sparse, small objects on plain ground; ilsvrc, objects of the sizes and positions of
            ILSVRC's, on textured and cluttered ground.
        folder: parent folder of the data sets that are drawn without a `root`.
        drawn: a folder that may be this data set or contain it; it is only read.
        on_corrupt: see `CorruptFiles`.
        max_corrupt: see `CorruptFiles`.
    """
    drawing = Drawing(_height_width(size), classes, train, val, test, seed, scenes=scenes)
    place = Path(root) if root is not None else Path(folder) / drawing.folder_name()
    if root is None and drawn is not None:
        place = _existing(Path(drawn), drawing) or place
    if not place.exists():
        draw(drawing, place)
    _check_stamp(drawing, place)
    return ilsvrc.Ilsvrc(place, test_split="test", on_corrupt=on_corrupt, max_corrupt=max_corrupt)


def _existing(place: Path, drawing: Drawing) -> Path | None:
    """Return the drawn data set that a folder is, or contains."""
    candidates = (place, place / drawing.folder_name())
    return next((folder for folder in candidates if (folder / ilsvrc.STAND_IN).is_file()), None)


def _height_width(size: int | Sequence[int]) -> tuple[int, int]:
    match size:
        case int():
            return size, size
        case [int(height), int(width)]:
            return height, width
    raise wrong_value("data.size", size, "must be one number, or two: [height, width]")


def draw(drawing: Drawing, root: Path) -> None:
    """Draw into a temporary folder beside `root`, and rename it when it is complete."""
    log.info("drawing the stand-in data set into %s", root)
    try:
        _draw(drawing, root)
    except OSError as error:
        raise GapnetError(
            f"{root.parent}: cannot be written ({reason(error)}); make room there, "
            "or choose another folder with paths.data=... or data.root=..."
        ) from error


def _draw(drawing: Drawing, root: Path) -> None:
    root.parent.mkdir(parents=True, exist_ok=True)
    with shared_folder(root, ilsvrc.STAND_IN) as unfinished:
        _draw_tree(drawing, unfinished)
        (unfinished / ilsvrc.STAND_IN).write_text(json.dumps(drawing.values(), indent=2) + "\n")


def _draw_tree(drawing: Drawing, root: Path) -> None:
    ids = [_class_id(index) for index in range(drawing.classes)]
    names = [_class_name(index) for index in range(drawing.classes)]
    mapping = "".join(f"{class_id} {name}\n" for class_id, name in zip(ids, names, strict=True))
    (root / ilsvrc.MAPPING).write_text(mapping)
    (root / ilsvrc.IMAGE_SETS).mkdir(parents=True)
    jobs = []
    for number, (split, folder) in enumerate(FOLDERS.items()):
        stems = [_stem(folder, index, ids) for index in range(getattr(drawing, split))]
        listing = "".join(f"{stem} {index + 1}\n" for index, stem in enumerate(stems))
        (root / ilsvrc.IMAGE_SETS / f"{split}.txt").write_text(listing)
        for parent in {str(Path(folder, stem).parent) for stem in stems}:
            (root / ilsvrc.IMAGES / parent).mkdir(parents=True, exist_ok=True)
            (root / ilsvrc.ANNOTATIONS / parent).mkdir(parents=True, exist_ok=True)
        jobs += [(number, index, f"{folder}/{stem}") for index, stem in enumerate(stems)]
    with worker_pool() as pool:
        drawn = pool.map(partial(_draw_image, drawing, root), jobs, chunksize=32)
        for _ in track(drawn, "drawing shapes", total=len(jobs)):
            pass


def placed_objects(drawing: Drawing, seed: np.random.SeedSequence) -> list[Placed]:
    """Return where the objects of the scene of a seed are."""
    placed: list[Placed] = SCENES[drawing.scenes].placed_objects(seed, size=drawing.size)
    return placed


def _draw_image(drawing: Drawing, root: Path, job: tuple[int, int, str]) -> None:
    number, index, name = job
    label = index % drawing.classes
    seed = np.random.SeedSequence([drawing.seed, number, index])
    image, boxes = SCENES[drawing.scenes].draw_scene(seed, label, size=drawing.size)
    Image.fromarray(image).save(root / ilsvrc.IMAGES / f"{name}.JPEG", quality=QUALITY)
    _write_voc(root / ilsvrc.ANNOTATIONS / f"{name}.xml", _class_id(label), drawing.size, boxes)


def _write_voc(path: Path, class_id: str, size: tuple[int, int], boxes: NDArray[np.int64]) -> None:
    root = ElementTree.Element("annotation")
    ElementTree.SubElement(root, "filename").text = path.stem
    shape = ElementTree.SubElement(root, "size")
    for side, value in (("width", size[1]), ("height", size[0]), ("depth", 3)):
        ElementTree.SubElement(shape, side).text = str(value)
    for box in boxes.tolist():
        entry = ElementTree.SubElement(root, "object")
        ElementTree.SubElement(entry, "name").text = class_id
        corners = ElementTree.SubElement(entry, "bndbox")
        for side, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True):
            ElementTree.SubElement(corners, side).text = str(value)
    ElementTree.indent(root)
    path.write_bytes(ElementTree.tostring(root) + b"\n")


def _stem(folder: str, index: int, ids: list[str]) -> str:
    class_id = ids[index % len(ids)]
    return (
        f"{class_id}/{class_id}_{index:06d}"
        if folder == "train"
        else f"SHAPES_{folder}_{index:08d}"
    )


def _class_id(index: int) -> str:
    return f"s{index:08d}"


def _class_name(index: int) -> str:
    silhouette, texture, part = class_traits(index)
    return (
        f"{TEXTURES[texture].name} {SILHOUETTES[silhouette].name} with a {SILHOUETTES[part].name}"
    )


def _check_stamp(drawing: Drawing, root: Path) -> None:
    stamp = root / ilsvrc.STAND_IN
    if not stamp.exists():
        raise GapnetError(
            f"data.root={root}: exists, but is not the complete stand-in data "
            f"(it lacks {ilsvrc.STAND_IN}); "
            "name another data.root, delete it so that it is generated again, "
            "or read another data set with data=..."
        )
    with reading(stamp, "is damaged", f"delete {root} to have it drawn again"):
        actual = dict(json.loads(stamp.read_text()))
    expected = {"scenes": SPARSE} | json.loads(json.dumps(drawing.values()))
    actual = {"scenes": SPARSE} | actual
    differing = [
        f"{key}={actual.get(key)} (not {expected[key]})"
        for key in expected
        if actual.get(key) != expected[key]
    ]
    if differing:
        raise GapnetError(
            f"data.root={root}: was generated with {', '.join(differing)}; name another data.root"
        )
