"""Concepts per pixel: Broden, VOC, ADE20K, masks and the stand-in data."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gapnet.data.color_names import COLORS, named_colors
from gapnet.data.loading.images import read_image
from gapnet.data.mask_concepts import MaskConcepts
from gapnet.data.records import Record
from gapnet.data.segmented import Annotation, Concept
from gapnet.data.sources.broden import Broden
from gapnet.data.sources.segmentations import Segmentations
from gapnet.data.sources.shapes.concepts import DrawnConcepts
from gapnet.errors import GapnetError
from tests.dissection.planted import write_planted
from tests.fixtures import small_shapes


@pytest.fixture
def broden(tmp_path: Path) -> Broden:
    return write_planted(tmp_path, images=6)


def test_a_label_of_broden_is_red_plus_256_times_green(broden: Broden, tmp_path: Path) -> None:
    text = (tmp_path / "label.csv").read_text().replace("4,plus", "260,plus")
    (tmp_path / "label.csv").write_text(text)
    table = tmp_path / "c_object.csv"
    table.write_text(table.read_text().replace(",4,plus", ",260,plus"))
    record = broden.records("all")[0]
    path = tmp_path / "images" / record.id.replace(".png", "_object.png")
    pixels = np.array(Image.open(path))
    pixels[pixels[..., 0] == 4] = (4, 1, 0)  # 4 + 256
    Image.fromarray(pixels).save(path)
    annotator = Broden(tmp_path).annotator("all")
    plane = annotator.annotation(record).planes[0]
    plus = annotator.concepts.index(Concept("plus", "object"))
    assert np.array_equal(plane == plus, pixels[..., 1] == 1)


def test_a_label_in_two_categories_belongs_to_that_where_it_covers_most(broden: Broden) -> None:
    assert Concept("striped", "texture") in broden.annotator("all").concepts
    assert Concept("striped", "color") not in broden.annotator("all").concepts


def test_a_number_in_the_index_is_a_label_of_the_whole_image(broden: Broden) -> None:
    annotator, records = broden.annotator("all"), broden.records("all")
    kitchen = annotator.concepts.index(Concept("kitchen-s", "scene"))
    wholes = [annotator.annotation(record).whole for record in records]
    assert wholes == [(), (kitchen,)] * 3


def test_splits_of_broden_are_those_of_its_index(broden: Broden) -> None:
    assert [len(broden.records(split)) for split in ("all", "train", "val")] == [6, 3, 3]
    with pytest.raises(GapnetError, match="split 'test'"):
        broden.records("test")


@pytest.mark.parametrize(
    ("name", "change", "part"),
    [
        ("index.csv", ("48,48,48,48", "48,48,24,24"), "says 24 x 24"),
        ("index.csv", ("drawn/000_object.png", "drawn/none.png"), "no such file"),
        ("index.csv", ("drawn/000_object.png", "../000.png"), "inside the data set"),
        ("index.csv", ("drawn/000_object.png", "77"), "label 77"),
        ("index.csv", ("48,48,48,48", "48,48,a,48"), "sh='a'"),
        ("label.csv", ("4,plus", "9,plus"), "none of the files c_"),
        ("label.csv", ("number", "code"), "no column 'number'"),
        ("c_object.csv", ("coverage", "cover"), "no column 'coverage'"),
    ],
)
def test_damaged_tables_of_broden_are_errors(
    broden: Broden, tmp_path: Path, name: str, change: tuple[str, str], part: str
) -> None:
    path = tmp_path / name
    path.write_text(path.read_text().replace(*change, 1))
    with pytest.raises(GapnetError, match=part):
        Broden(tmp_path).annotator("all").annotation(broden.records("all")[0])


def test_a_folder_without_an_index_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GapnetError, match=r"data\.root=.*index\.csv"):
        Broden(tmp_path)


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    """Write one image with a cat (number 8) whose edge is void."""
    root = tmp_path / "VOC"
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    (root / "ImageSets/Segmentation/val.txt").write_text("a\n")
    Image.new("RGB", (20, 10)).save(root / "JPEGImages/a.jpg")
    save_indices(root / "SegmentationClass/a.png", 8)
    return root


def save_indices(path: Path, number: int, *, size: tuple[int, int] = (10, 20)) -> None:
    numbers = np.zeros(size, np.uint8)
    numbers[2:8, 2:8], numbers[3:7, 3:7] = 255, number
    image = Image.fromarray(numbers).convert("P")
    image.putpalette([value for index in range(256) for value in (index, 0, 255 - index)])
    image.putdata(numbers.flatten().tolist())
    image.save(path)


def test_a_palette_index_of_voc_is_the_class_and_255_is_none(voc: Path) -> None:
    data = Segmentations(voc)
    annotator = data.annotator("val")
    annotation = annotator.annotation(data.records("val")[0])
    named = np.argwhere(annotation.planes[0] >= 0)
    assert annotator.concepts[annotation.planes[0].max()] == Concept("cat", "object")
    assert (named.min(0).tolist(), named.max(0).tolist()) == ([3, 3], [6, 6])


def test_segmentations_of_another_size_or_label_are_errors(voc: Path) -> None:
    data = Segmentations(voc)
    record, path = data.records("val")[0], voc / "SegmentationClass/a.png"
    save_indices(path, 77)
    with pytest.raises(GapnetError, match="label 77"):
        data.annotator("val").annotation(record)
    save_indices(path, 8, size=(10, 19))
    with pytest.raises(GapnetError, match="10 x 19"):
        data.annotator("val").annotation(record)


def test_ade20k_has_the_names_of_its_table(tmp_path: Path) -> None:
    for folder in ("images", "annotations"):
        (tmp_path / folder / "validation").mkdir(parents=True)
    lines = [
        "Idx\tRatio\tTrain\tVal\tStuff\tName",
        "1\t0.1\t5\t2\t1\twall",
        "2\t0.1\t5\t2\t1\tcar, auto",
    ]
    (tmp_path / "objectInfo150.txt").write_text("\n".join(lines))
    Image.new("RGB", (20, 10)).save(tmp_path / "images/validation/a.jpg")
    Image.fromarray(np.full((10, 20), 2, np.uint8)).save(tmp_path / "annotations/validation/a.png")
    data = Segmentations(tmp_path, test_split="validation")
    annotator = data.annotator("validation")
    assert [concept.name for concept in annotator.concepts] == ["wall", "car"]
    assert (annotator.annotation(data.records("validation")[0]).planes == 1).all()


def test_masks_are_the_class_of_their_image(tmp_path: Path) -> None:
    for index in range(2):
        mask = np.zeros((6, 6), np.uint8)
        mask[index] = 255
        Image.fromarray(mask).save(tmp_path / f"{index}.png")
    paths = (tmp_path / "0.png", tmp_path / "1.png")
    record = Record("a", tmp_path / "a.jpg", 1, None, masks=paths)
    annotator = MaskConcepts(["cat", "dog"])
    assert annotator.annotation(record).planes[0].tolist() == [[1] * 6] * 2 + [[-1] * 6] * 4
    assert not annotator.annotation(record._replace(masks=())).planes.size


def test_pure_colours_have_their_names() -> None:
    pixels = np.array([list(COLORS.values())], np.uint8)
    assert named_colors(pixels)[0].tolist() == list(range(len(COLORS)))


def test_objects_of_the_stand_in_data_fill_their_boxes(shapes_root: Path) -> None:
    source = small_shapes(shapes_root)
    annotator = DrawnConcepts.of(source.root, "test")
    for record in source.records("test"):
        planes = annotator.annotation(record).planes
        silhouette = annotator.concepts[planes[0].max()]
        assert record.boxes is not None
        inside = np.zeros(planes.shape[1:], bool)
        for x1, y1, x2, y2 in record.boxes.int().tolist():
            inside[y1 : y2 + 1, x1 : x2 + 1] = True
            named = np.argwhere(planes[0, y1 : y2 + 1, x1 : x2 + 1] >= 0)
            assert np.ptp(named, axis=0).tolist() >= [y2 - y1 - 3, x2 - x1 - 3]
        assert (planes[0][~inside] < 0).all()
        assert silhouette.name in source.class_names[record.label].split()[1]


def test_textures_of_the_stand_in_data_have_two_colours_and_parts_one(shapes_root: Path) -> None:
    source = small_shapes(shapes_root)
    annotator = DrawnConcepts.of(source.root, "test")
    record = source.records("test")[0]
    pixels = np.asarray(read_image(record.path)).mean(2)
    planes = annotator.annotation(record).planes
    assert pixels[planes[1] >= 0].std() > 1.5 * pixels[planes[2] >= 0].std()
    assert (planes[3] >= 0).all()


def test_an_annotation_is_resized_by_the_nearest_pixel() -> None:
    plane = np.arange(16, dtype=np.int16).reshape(1, 4, 4)
    assert Annotation((4, 4), plane).resized(2).planes.tolist() == [[[5, 7], [13, 15]]]
    assert Annotation((4, 4), plane).resized(None).planes is plane
