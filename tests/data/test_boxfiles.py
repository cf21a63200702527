import json
from pathlib import Path

import pytest

from gapnet.data.readers.box_files import BoxFile
from tests.refusals import refused

HEADER = "image,xmin,ymin,xmax,ymax"
A, B = "train/cat/a.jpg", "train/dog/b.jpg"
XML = """<annotation><size><width>50</width><height>40</height></size>{}</annotation>"""
OBJECT = """<object><name>{}</name><bndbox>
<xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (A, B):
        (tmp_path / "images" / name).parent.mkdir(parents=True)
        (tmp_path / "images" / name).touch()
    return tmp_path / "images"


def table(root: Path, *lines: str, encoding: str = "utf-8") -> BoxFile:
    path = root.parent / "boxes.csv"
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return BoxFile(path, root)


def coco(root: Path, *annotations: dict, **changes: object) -> BoxFile:
    content = {
        "images": [{"id": 1, "file_name": A}, {"id": 2, "file_name": B}],
        "categories": [{"id": 7, "name": "cat"}, {"id": 8, "name": "dog"}],
        "annotations": annotations,
        **changes,
    }
    path = root.parent / "boxes.json"
    path.write_text(json.dumps(content))
    return BoxFile(path, root)


def drawn(image: int, category: int, *bbox: float, **changes: object) -> dict:
    return {"id": 1, "image_id": image, "category_id": category, "bbox": bbox, **changes}


def found(file: BoxFile, image: str, class_id: str | None) -> list | None:
    boxes = file.boxes(image, class_id)
    return None if boxes is None else boxes.tolist()


def test_a_table_gives_all_boxes_of_an_image(root: Path) -> None:
    file = table(root, HEADER, f"{A},1,2,3,4", f"{B},0,0,0,0", f"{A},5,6,7.5,8")
    assert found(file, A, "cat") == [[1, 2, 3, 4], [5, 6, 7.5, 8]]
    assert found(file, B, None) == [[0, 0, 0, 0]]


def test_columns_may_be_in_any_order_and_others_are_not_read(root: Path) -> None:
    file = table(root, "note,ymax,xmax,ymin,xmin,image", f"'',4,3,2,1,{A}")
    assert found(file, A, "cat") == [[1, 2, 3, 4]]


def test_a_table_as_spreadsheets_save_it_is_read(root: Path) -> None:
    file = table(root, HEADER, f'"{A}", 1, 2, 3, 4', encoding="utf-8-sig")
    assert found(file, A, "cat") == [[1, 2, 3, 4]]


def test_boxes_of_another_label_are_left_out(root: Path) -> None:
    file = table(root, f"{HEADER},label", f"{A},1,2,3,4,cat", f"{A},5,6,7,8,dog")
    assert found(file, A, "cat") == [[1, 2, 3, 4]]
    assert found(file, A, None) == [[1, 2, 3, 4], [5, 6, 7, 8]]


def test_an_image_without_a_line_has_no_box(root: Path) -> None:
    assert found(table(root, HEADER, f"{A},1,2,3,4"), B, "dog") is None


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        (["image,xmin,ymin,xmax", f"{A},1,2,3"], "image,xmin,ymin,xmax,ymax"),
        ([f"{HEADER},xmin", f"{A},1,2,3,4,1"], f"{HEADER},xmin"),
        ([HEADER, f"{A},1,2,3"], f"'{A},1,2,3'"),
        ([HEADER, f"{A},1,2,x,4"], ["1", "2", "x", "4"]),
        ([HEADER, f"{A},1,2,nan,4"], ["1", "2", "nan", "4"]),
        ([HEADER, f"{A},1,2,inf,4"], ["1", "2", "inf", "4"]),
        ([HEADER, f"{A},1,2,1e39,4"], ["1", "2", "1e39", "4"]),
        ([HEADER, f"{A},1,2,{'9' * 200_000},4"], "boxes.csv"),
        ([HEADER, f"{A},3,2,1,4"], [3.0, 2.0, 1.0, 4.0]),
        ([HEADER, f"{A},-1,2,1,4"], [-1.0, 2.0, 1.0, 4.0]),
        ([HEADER, f"{A},1,5,3,4"], [1.0, 5.0, 3.0, 4.0]),
        ([HEADER, f"{'x' * 5000},1,2,3,4"], "File name too long"),
        ([HEADER, "cat/a.jpg,1,2,3,4"], "'cat/a.jpg'"),
        ([""], "boxes.csv"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(root: Path, lines: list[str], part: object) -> None:
    with refused("boxes.csv", part):
        table(root, *lines)


def test_a_box_of_coco_ends_a_pixel_before_its_edge(root: Path) -> None:
    file = coco(root, drawn(1, 7, 10, 20, 30, 40), drawn(1, 7, 0, 0, 1, 1.5))
    assert found(file, A, "cat") == [[10, 20, 39, 59], [0, 0, 0, 0.5]]
    assert found(file, B, "dog") is None


def test_other_categories_and_crowds_are_left_out(root: Path) -> None:
    boxes = [drawn(1, 7, 1, 1, 5, 5), drawn(1, 8, 2, 2, 5, 5), drawn(1, 7, 3, 3, 5, 5, iscrowd=1)]
    assert found(coco(root, *boxes), A, "cat") == [[1, 1, 5, 5]]


def test_an_image_with_boxes_of_other_categories_only_is_an_error(root: Path) -> None:
    categories = [{"id": 7, "name": "Cat"}]
    file = coco(root, drawn(1, 7, 1, 1, 5, 5), categories=categories)
    with refused(A, "class 'cat'", "Cat"):
        file.boxes(A, "cat")


@pytest.mark.parametrize(
    ("annotation", "changes", "part"),
    [
        (drawn(3, 7, 1, 1, 5, 5), {}, "KeyError: 3"),
        (drawn(1, 9, 1, 1, 5, 5), {}, "KeyError: 9"),
        ({"id": 1, "image_id": 1, "category_id": 7}, {}, "KeyError: 'bbox'"),
        (drawn(1, 7, 1, 1, 5), {}, [1, 1, 5]),
        (drawn(1, 7, 1, 1, float("nan"), 5), {}, "nan"),
        (drawn(1, 7, 1, 1, 0, 5), {}, [1.0, 1.0, 0.0, 5.0]),
        (drawn(1, 7, -1, 1, 5, 5), {}, [-1.0, 1.0, 5.0, 5.0]),
        (None, {}, "AttributeError"),
        (drawn(1, 7, 1, 1, 5, 5), {"images": [{"id": 1, "file_name": "a.jpg"}]}, "'a.jpg'"),
        (drawn(1, 7, 1, 1, 5, 5), {"images": [{"id": 1, "file_name": A}] * 2}, "file_name"),
        (
            drawn(1, 7, 1, 1, 5, 5),
            {"categories": [{"id": 7, "name": "a"}, {"id": 8, "name": "a"}]},
            "name",
        ),
    ],
)
def test_what_is_wrong_in_a_coco_file_is_named(
    root: Path, annotation: dict, changes: dict, part: object
) -> None:
    with refused("boxes.json", part):
        coco(root, annotation, **changes)


@pytest.mark.parametrize(
    "text",
    ["{", "[" * 100_000, '{"images": ' + "9" * 5000, "[]"],
)
def test_a_json_that_is_no_coco_file_is_named(root: Path, text: str) -> None:
    path = root.parent / "boxes.json"
    path.write_text(text)
    with refused("boxes.json"):
        BoxFile(path, root)


def voc(root: Path, image: str, class_id: str) -> BoxFile:
    folder = root.parent / "annotations"
    path = (folder / image).with_suffix(".xml")
    path.parent.mkdir(parents=True)
    path.write_text(XML.format(OBJECT.format(class_id, 1, 2, 30, 20)))
    return BoxFile(folder, root)


def test_a_folder_of_xml_lies_parallel_to_the_images(root: Path) -> None:
    file = voc(root, A, "cat")
    assert found(file, A, "cat") == [[1, 2, 30, 20]]
    assert found(file, B, "dog") is None


def test_an_xml_of_another_class_is_an_error(root: Path) -> None:
    with refused("class 'cat'", "dog"):
        voc(root, A, "dog").boxes(A, "cat")


def test_a_folder_that_is_off_by_a_level_is_an_error(root: Path) -> None:
    with refused("a.xml", "cat/a", "data.boxes"):
        voc(root, "cat/a.jpg", "cat")


@pytest.mark.parametrize(
    "name",
    ["boxes.csv", "images/train/cat/a.jpg", "images"],
)
def test_what_holds_no_boxes_is_named(root: Path, name: str) -> None:
    with refused(f"data.boxes={root.parent / name}"):
        BoxFile(root.parent / name, root)
