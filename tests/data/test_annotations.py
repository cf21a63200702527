from pathlib import Path

import pytest

from gapnet.data.readers.annotations import read_lines, read_synsets, read_voc, read_voc_clipped
from gapnet.data.readers.class_list import ClassList
from gapnet.data.readers.ilsvrc_truth_files import SolutionTable
from tests.refusals import refused

XML = """<annotation><size><width>50</width><height>40</height></size>
<object><name>n01</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>
</annotation>"""


LAUGHS = "".join(
    [
        '<!DOCTYPE a [<!ENTITY a0 "ha">',
        *(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 20)),
        "]><annotation>&a19;</annotation>",
    ]
)


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_box_is_read_as_it_stands(tmp_path: Path) -> None:
    annotation = read_voc(write(tmp_path / "a.xml", XML.format(3, 4, 49, 39)))
    assert annotation.class_id == "n01"
    assert annotation.boxes.tolist() == [[3, 4, 49, 39]]


def test_a_box_counted_from_one_is_let_in(tmp_path: Path) -> None:
    assert read_voc(write(tmp_path / "a.xml", XML.format(1, 1, 50, 40))).boxes.tolist() == [
        [1, 1, 50, 40]
    ]


@pytest.mark.parametrize(
    "box", [(0, 0, 51, 9), (-1, 0, 9, 9), (9, 0, 3, 9), (0, 0, 9, 41), (0, 9, 9, 3)]
)
def test_a_box_outside_its_image_is_named(tmp_path: Path, box: tuple[int, ...]) -> None:
    path = write(tmp_path / "a.xml", XML.format(*box))
    with refused("a.xml", list(box), "50 x 40"):
        read_voc(path)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("<annotation>", "a.xml"),
        ("<a>" * 10_000, "a.xml"),
        (LAUGHS, "a.xml"),
        (XML.format(0, 0, 1, 1).replace("50", "9" * 30), "9" * 30),
        (XML.format(0, 0, "9" * 5000, 1), "bndbox/xmax"),
        ("<annotation/>", "<size/width>=None"),
        (XML.format("a", 0, 1, 1), "<bndbox/xmin>='a'"),
        (
            XML.format(0, 0, 1, 1).replace(
                "</object>", "</object><object><name>n02</name></object>"
            ),
            ["n01", "n02"],
        ),
        (
            "<annotation><size><width>5</width><height>5</height></size></annotation>",
            [],
        ),
    ],
)
def test_what_is_wrong_in_an_xml_is_named(tmp_path: Path, text: str, part: object) -> None:
    with refused("a.xml", part):
        read_voc(write(tmp_path / "a.xml", text))


def test_a_missing_xml_is_named(tmp_path: Path) -> None:
    with refused("a.xml"):
        read_voc(tmp_path / "a.xml")


@pytest.mark.parametrize(
    ("box", "boxes", "others"),
    [
        ((3, 4, 49, 39), [[3, 4, 49, 39]], 0),
        ((1, 1, 50, 40), [[1, 1, 50, 40]], 0),
        ((-3, 4, 60, 39), [[0, 4, 50, 39]], 1),
        ((60, 4, 70, 39), [], 1),
        ((30, 4, 20, 39), [], 1),
    ],
)
def test_a_training_box_is_cut_at_the_edge(
    tmp_path: Path, box: tuple[int, ...], boxes: list[list[int]], others: int
) -> None:
    found = read_voc_clipped(write(tmp_path / "a.xml", XML.format(*box)), "n01")
    assert found.boxes.tolist() == boxes
    assert found.boxes.shape[1] == 4
    assert found.others == others


def test_training_boxes_of_another_class_are_left_out(tmp_path: Path) -> None:
    found = read_voc_clipped(write(tmp_path / "a.xml", XML.format(3, 4, 49, 39)), "n02")
    assert (found.boxes.tolist(), found.others) == ([], 1)


def test_synsets_keep_their_order_and_names(tmp_path: Path) -> None:
    path = write(tmp_path / "map.txt", "n02 goldfish, Carassius auratus\nn01 tench\n")
    assert read_synsets(path) == {"n02": "goldfish, Carassius auratus", "n01": "tench"}
    assert list(read_synsets(path)) == ["n02", "n01"]


def test_a_class_listed_twice_is_an_error(tmp_path: Path) -> None:
    with refused("map.txt", 1):
        read_synsets(write(tmp_path / "map.txt", "n01 a\nn01 b\n"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lists_and_tables_are_read_as_editors_save_them(
    tmp_path: Path, encoding: str, end: str
) -> None:
    rows = [HEADER, "a,n01 0 0 9 9", "b,n02 1 2 3 4"]
    (tmp_path / "a.csv").write_bytes(end.join(rows).encode(encoding))
    assert read_lines(tmp_path / "a.csv") == rows
    assert SolutionTable(tmp_path / "a.csv").labels(IDS, CLASSES) == [0, 1]


def test_an_empty_list_is_an_error(tmp_path: Path) -> None:
    with refused("val.txt"):
        read_lines(write(tmp_path / "val.txt", "\n\n"))


def test_bytes_that_are_no_text_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "val.txt").write_bytes(b"\xff\xfe\x00")
    with refused("val.txt"):
        read_lines(tmp_path / "val.txt")


IDS, CLASSES = ["a", "b"], ClassList(["n01", "n02"], "map.txt")
HEADER = "ImageId,PredictionString"


def table(folder: Path, *rows: str) -> SolutionTable:
    return SolutionTable(write(folder / "LOC.csv", "\n".join([HEADER, *rows])))


def test_a_table_of_solutions_is_read_in_the_order_of_the_images(tmp_path: Path) -> None:
    found = table(tmp_path, "b,n02 1 2 3 4 n02 5 6 7.5 8 ", "", "a,n01 0 0 9 9")
    assert found.truth(IDS, CLASSES) == ([0, 1], [[0, 0, 9, 9], [1, 2, 3, 4, 5, 6, 7.5, 8]])


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ("b,n01 0 0 39", ("line 3", "image 'b'", 4)),
        ("b,", ("line 3", 0)),
        ("b,n01 0 0 39 x", (["0", "0", "39", "x"],)),
        ("b,n01 0 0 nan 9", ("x1 <= x2", ["0", "0", "nan", "9"])),
        ("b,n01 0 0 inf 9", ("x1 <= x2", ["0", "0", "inf", "9"])),
        ("b,n01 0 0 1e39 9", ("x1 <= x2", ["0", "0", "1e39", "9"])),
        ("b,n01 9 0 3 9", ("x1 <= x2", ["9", "0", "3", "9"])),
        ("b,n01 0 -1 3 9", ("x1 <= x2", ["0", "-1", "3", "9"])),
        ("b,n99 0 0 3 9", ("class 'n99'", "map.txt")),
        ("b,n01 0 0 3 9 n02 0 0 3 9", (["n01", "n02"],)),
        ("a,n01 0 0 3 9", ("line 3", "image 'a'")),
        ("c,n01 0 0 3 9", ("image 'b'", "1 of 2")),
        ("b", ("line 3", 1)),
        ("b,n01 0 0 3 9\nc,n01 0 0 3 9", ("image 'c'",)),
    ],
)
def test_a_wrong_row_of_a_table_is_named(tmp_path: Path, row: str, parts: tuple) -> None:
    with refused("LOC.csv", *parts):
        table(tmp_path, "a,n01 0 0 9 9", row).truth(IDS, CLASSES)


def test_a_table_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "LOC.csv", "id,label\n")
    with refused("LOC.csv", "line 1", HEADER, ["id", "label"]):
        SolutionTable(path).truth(IDS, CLASSES)
    path.write_bytes(b"\xff\xfe")
    with refused("LOC.csv"):
        SolutionTable(path).truth(IDS, CLASSES)
    path.write_text(f"{HEADER}\na,{'x' * 200_000}\n")
    with refused("LOC.csv"):
        SolutionTable(path).truth(IDS, CLASSES)
