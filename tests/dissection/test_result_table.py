"""Tables of NetDissect and of gapnet."""

from pathlib import Path

import pytest

from gapnet.dissection.result_table import read_result, write_result
from gapnet.dissection.scores import LabelledUnit, Match, summarise
from gapnet.errors import GapnetError
from gapnet.jobs.dissect_job import recount

# Three rows of the table that NetDissect published for conv5 of AlexNet, trained on Places365:
# the file plot/caffe_reference_places365.csv in its repository
PUBLISHED = """\
unit,category,label,score,object-label,object-truth,object-activation,object-intersect,object-iou,\
color-label,color-truth,color-activation,color-intersect,color-iou,\
texture-label,texture-truth,texture-activation,texture-intersect,texture-iou
107,object,road,0.15546507972764645,road,13092677,3044167.0,2171174,0.15546507972764645,\
grey-c,161925849,3316515.0,2036296,0.012476840015531775,\
potholed,1608894,77845.0,22649,0.013610441742934578
252,texture,waffled,0.138518479368644,patty,65965,956080.0,17574,0.017495776383788082,\
orange-c,30864899,3215699.0,783924,0.023543612794479113,\
waffled,1583356,700043.0,277811,0.138518479368644
241,color,red-c,0.092954906895588343,bus,1654056,2074010.0,83801,0.022995309067809284,\
red-c,21346526,3874708.0,2145045,0.092954906895588343,\
banded,2617645,394847.0,86625,0.02960660891284532
"""
UNIT = LabelledUnit(
    3,
    (
        Match("object", "cat", 10, 20, 5),
        Match("color", "red", 0, 0, 0),
        Match("part", "=a", 4, 4, 2),
    ),
)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "published.csv"
    path.write_text(PUBLISHED)
    return path


def test_labels_and_iou_of_published_rows_follow_from_their_counts(published: Path) -> None:
    table = read_result(published)
    assert [(unit.unit + 1, unit.best.label) for unit in table.units] == [
        (107, "road"),
        (241, "red-c"),
        (252, "waffled"),
    ]
    ious = [0.15546507972764645, 0.092954906895588343, 0.138518479368644]
    assert [unit.best.iou for unit in table.units] == pytest.approx(ious, rel=1e-12)
    assert table.differing == 0


def test_detectors_of_published_rows_are_recounted(published: Path) -> None:
    (units,) = recount([published], min_iou=0.1).sets
    assert (units.summary.detectors, units.summary.unique) == (2, 2)
    assert units.summary.by_category == {"object": 1, "color": 0, "texture": 1}


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "result.csv"
    write_result(path, [UNIT], ["object", "color", "part"])
    header, row = path.read_text().splitlines()
    assert header.startswith("unit,category,label,score,object-label,object-truth,")
    assert row.startswith("4,part,'=a,0.3333")  # no spreadsheet runs the label
    (unit,) = read_result(path).units
    assert unit.matches[:2] == UNIT.matches[:2]


def test_units_with_the_same_label_are_one_unique_detector() -> None:
    summary = summarise([UNIT, UNIT], ["object", "color", "part"])
    assert (summary.detectors, summary.unique) == (2, 1)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (("object-label", "label"), "object-label"),
        (("13092677", "many"), "object-truth=many"),
        (("unit,", "number,"), "'unit'"),
    ],
)
def test_a_damaged_table_is_an_error(published: Path, change: tuple[str, str], part: str) -> None:
    published.write_text(PUBLISHED.replace(*change, 1))
    with pytest.raises(GapnetError, match=part):
        read_result(published)
