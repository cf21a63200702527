from pathlib import Path

import pytest

from gapnet.data.annotations import read_lines, read_synsets, read_voc
from gapnet.errors import GapnetError

XML = """<annotation><size><width>50</width><height>40</height></size>
<object><name>n01</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>
</annotation>"""


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
    with pytest.raises(
        GapnetError, match=rf"a\.xml: box \[{box[0]}, .*lies outside its image of 50 x 40"
    ):
        read_voc(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<annotation>", "not well-formed"),
        ("<annotation/>", "<size/width> must be a whole number, found None"),
        (XML.format("a", 0, 1, 1), "<bndbox/xmin> must be a whole number, found 'a'"),
        (
            XML.format(0, 0, 1, 1).replace(
                "</object>", "</object><object><name>n02</name></object>"
            ),
            "of one class",
        ),
        (
            "<annotation><size><width>5</width><height>5</height></size></annotation>",
            "of one class, found \\[\\]",
        ),
    ],
)
def test_what_is_wrong_in_an_xml_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(GapnetError, match=message):
        read_voc(write(tmp_path / "a.xml", text))


def test_a_missing_xml_is_named(tmp_path: Path) -> None:
    with pytest.raises(GapnetError, match=r"a\.xml: no such annotation"):
        read_voc(tmp_path / "a.xml")


def test_synsets_keep_their_order_and_names(tmp_path: Path) -> None:
    path = write(tmp_path / "map.txt", "n02 goldfish, Carassius auratus\nn01 tench\n")
    assert read_synsets(path) == {"n02": "goldfish, Carassius auratus", "n01": "tench"}
    assert list(read_synsets(path)) == ["n02", "n01"]


def test_a_class_listed_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GapnetError, match="1 class ids are listed twice"):
        read_synsets(write(tmp_path / "map.txt", "n01 a\nn01 b\n"))


def test_an_empty_list_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GapnetError, match=r"val\.txt: is empty"):
        read_lines(write(tmp_path / "val.txt", "\n\n"))


def test_bytes_that_are_no_text_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "val.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(GapnetError, match="is not a text file"):
        read_lines(tmp_path / "val.txt")
