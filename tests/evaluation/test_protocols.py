"""Every protocol against an independent derivation of what its code computes."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from PIL import Image

from gapnet.config.conf_folder import conf_folder
from gapnet.data.records import Record
from gapnet.errors import GapnetError
from gapnet.evaluation.overlaps import framed_truth
from gapnet.evaluation.pixels import average_precision, pixel_histogram
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.protocols import Protocol, together
from gapnet.evaluation.rows import Laid, known_row
from gapnet.evaluation.score import Metric, Scoring, score_predictions
from gapnet.evaluation.store import SCHEMA, About, Row
from gapnet.localization.boxers.contours import ContourBoxer
from gapnet.localization.guesses import OnePerClass
from gapnet.localization.localizer import Localizer
from gapnet.saliency.cam.cam import Cam
from tests.evaluation.drawn import Drawn, draw
from tests.oracles import conventions
from tests.oracles.devkit import devkit_errors

PUBLISHED = ["wsol", "tscam", "psol", "adl"]


def protocol_of(name: str) -> Protocol:
    node = OmegaConf.load(conf_folder() / "protocol" / f"{name}.yaml")
    made = instantiate(node, resamples=10, _convert_="all")
    assert isinstance(made, Protocol)
    return made


def metrics_of(drawn: Drawn, protocol: Protocol) -> list[Metric]:
    return score_predictions(
        Scoring(drawn.predictions, drawn.truth, "drawn", "test"), protocol
    ).metrics


def values(metrics: list[Metric], by: str | None = None) -> dict[str, float]:
    """Return values by metric; of the known box, the one at the boxer's cut."""
    return {one.metric: one.value for one in reversed(metrics) if by in (None, one.chosen_on)}


@pytest.fixture(scope="module")
def many() -> Drawn:
    return draw(1_000)


def test_the_devkit_s_curves_on_a_thousand_images(many: Drawn) -> None:
    drawn = many
    truths = list(zip(drawn.labels, drawn.true_boxes, strict=True))
    labels, boxes = devkit_errors(drawn.guesses, truths, blacklist=drawn.blacklist)
    metrics = metrics_of(drawn, protocol_of("ilsvrc"))
    by_metric = values(metrics)
    for k in range(1, 6):
        assert by_metric[f"top{k}_error"] == pytest.approx(labels[k - 1], abs=1e-12)
        assert by_metric[f"top{k}_localization_error"] == pytest.approx(boxes[k - 1], abs=1e-12)
    n = {metric.metric: metric.n for metric in metrics}
    assert n["top1_error"] == 1_000
    assert n["top1_localization_error"] == 1_000 - len(drawn.blacklist) < 1_000


def test_overlaps_of_exactly_one_half_are_among_the_cases(many: Drawn) -> None:
    strict = protocol_of("ilsvrc").__dict__ | {"above": True}
    touching = values(metrics_of(many, protocol_of("ilsvrc")))["top5_localization_error"]
    above = values(metrics_of(many, Protocol(**strict)))["top5_localization_error"]
    assert above > touching + 0.01


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_convention_equals_its_oracle(name: str) -> None:
    drawn, protocol = draw(300, seed=3), protocol_of(name)
    sizes = torch.tensor(drawn.sizes)
    frame = protocol.frame_of()

    def framed(boxes: list[tuple[float, ...]], row: int) -> list[tuple[float, ...]]:
        moved = frame.predicted_boxes(torch.tensor(boxes).double()[None], sizes[row : row + 1])[0]
        return [tuple(box) for box in moved.tolist()]

    guesses = []
    for row, some in enumerate(drawn.guesses):
        boxes = framed([box for _, box in some], row)
        guesses.append([(label, box) for (label, _), box in zip(some, boxes, strict=True)])
    known = [framed([box], row)[0] for row, box in enumerate(drawn.known)]
    expected = conventions.convention_errors(
        name, guesses, known, drawn.labels, drawn.true_boxes, sizes=drawn.sizes
    )
    by_metric = values(metrics_of(drawn, protocol), "fixed")
    assert by_metric["top1_localization_error"] == pytest.approx(expected["top1"], abs=1e-12)
    assert by_metric["top5_localization_error"] == pytest.approx(expected["top5"], abs=1e-12)
    assert by_metric["gt_known_error"] == pytest.approx(expected["gt_known"], abs=1e-12)
    assert 0.02 < expected["top1"] < 0.98


@pytest.mark.parametrize("name", PUBLISHED)
def test_true_boxes_come_into_the_frame_as_published(name: str) -> None:
    drawn, protocol = draw(150, seed=5), protocol_of(name)
    assert drawn.truth.boxes is not None
    moved = framed_truth(drawn.truth.boxes, torch.tensor(drawn.sizes), protocol)
    for row, (boxes, size) in enumerate(zip(drawn.true_boxes, drawn.sizes, strict=True)):
        expected = conventions.true_box_in_frame(name, boxes[0], size)
        got = tuple(moved.xyxy[row, 0].tolist())
        if expected[0] < expected[2] and expected[1] < expected[3]:  # not outside the crop
            assert got == pytest.approx(expected, abs=1e-9)


def test_protocols_of_one_name_are_refused() -> None:
    with pytest.raises(GapnetError, match=r"protocol\.protocols="):
        together({"a": Protocol(), "b": Protocol(iou=0.3)})


def test_masks_are_not_scored_under_a_view_that_shows_a_part() -> None:
    record = Record("a", Path("a"), 0, None, (Path("mask.png"),))
    localizer = Localizer(Cam(), ContourBoxer(), OnePerClass())
    row, window = Row("a", 40, 40, [0], [1.0], [], []), torch.tensor([4.0, 4.0, 36.0, 36.0])
    with pytest.raises(GapnetError, match="image a: "):
        known_row(row, Laid(torch.rand(3, 3), window), localizer, record)


@pytest.mark.parametrize("name", ["wsol", "tscam", "adl"])
def test_a_box_of_whole_cells_comes_back_from_the_file_unchanged(name: str) -> None:
    frame = protocol_of(name).frame_of()
    sizes = torch.randint(1, 3000, (200, 2))
    cells = torch.randint(0, 112, (200, 1, 4)).double() + torch.tensor([0, 0, 111, 111])
    sides = sizes.flip(-1).repeat(1, 2)[:, None] / getattr(frame, "resize", 1)
    margin = (getattr(frame, "resize", 0) - getattr(frame, "crop", 0)) / 2
    last = torch.tensor([0, 0, 1, 1])
    in_file = ((cells + last + margin) * sides - last).float().double()
    assert torch.equal(frame.predicted_boxes(in_file, sizes), cells)


def contour_predictions(drawn: Drawn, maps: list[np.ndarray], boxer: ContourBoxer) -> Predictions:
    localizer, rows = Localizer(Cam(), boxer, OnePerClass()), []
    for row, (height, width) in enumerate(drawn.sizes):
        plain = Row(f"image{row}", height, width, [0], [1.0], [0], [0.0, 0.0, 1.0, 1.0])
        record = Record(plain.id, Path(plain.id), drawn.labels[row], torch.zeros(1, 4))
        window = torch.tensor([0.0, 0.0, width, height])
        heat = torch.from_numpy(maps[row])
        rows.append(known_row(plain, Laid(heat, window), localizer, record))
    table = pa.Table.from_pylist([row._asdict() for row in rows], schema=SCHEMA)
    cuts = tuple(boxer.thresholds())
    return Predictions(table, About("test", ("a", "b"), "net", "", boxer.cut, cuts))


def smooth_map(rng: np.random.Generator, side: int) -> np.ndarray:
    values = rng.normal(size=(5, 5)).astype(np.float32)
    image = Image.fromarray(values).resize((side, side), Image.Resampling.BICUBIC)
    return np.array(image)


@pytest.mark.parametrize("interval", [0.1, 0.01, pytest.param(0.001, marks=pytest.mark.slow)])
def test_max_box_acc_equals_wsolevaluation_s(interval: float) -> None:
    drawn, rng = draw(8, classes=2, seed=9), np.random.default_rng(0)
    maps = [smooth_map(rng, 224) for _ in drawn.sizes]
    predictions = contour_predictions(drawn, maps, ContourBoxer(interval=interval))
    metrics = score_predictions(
        Scoring(predictions, drawn.truth, "drawn", "test"), protocol_of("wsol")
    ).metrics
    (first,) = [metric for metric in metrics if metric.metric == "max_box_acc"]
    (second,) = [metric for metric in metrics if metric.metric == "max_box_acc_v2"]
    normal = [conventions.normalised(heat) for heat in maps]
    accuracy, cut = conventions.max_box_acc(
        normal, drawn.sizes, drawn.true_boxes, interval=interval
    )
    assert first.value == pytest.approx(accuracy, abs=1e-12)
    assert first.threshold == pytest.approx(cut)
    assert first.chosen_on == "test (oracle)"
    accuracy = conventions.max_box_acc_v2(normal, drawn.sizes, drawn.true_boxes, interval=interval)
    assert second.value == pytest.approx(accuracy, abs=1e-12)


def test_the_default_sweep_of_contours_has_every_level_once() -> None:
    cuts = ContourBoxer().thresholds()
    assert [int(cut * 255) for cut in cuts] == list(range(255))


def test_a_map_without_evidence_has_the_first_cell() -> None:
    boxer = ContourBoxer()
    (heat,) = boxer.heat(torch.zeros(1, 3, 3), boxer.grid((5, 5)))
    assert boxer.boxes(heat, None).tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize("wrong", [{"cut": 1.0}, {"interval": 0.0}, {"interval": 1.0}, {"side": 0}])
def test_a_contour_rule_out_of_range_is_refused(wrong: dict) -> None:
    with pytest.raises(GapnetError, match=f"boxer.{next(iter(wrong))}="):
        ContourBoxer(**wrong)


def test_pixel_average_precision_equals_wsolevaluation_s(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    counts, maps, masks, ignores = [], [], [], []
    for place in range(3):
        heat = conventions.normalised(smooth_map(rng, 224)).astype(np.float32)
        some = [(rng.random((40, 60)) < 0.3).astype(np.uint8) * 255 for _ in range(2)]
        ignore = (rng.random((40, 60)) < 0.1).astype(np.uint8) * 255
        paths = []
        for part, mask in enumerate([*some, ignore]):
            paths.append(tmp_path / f"{place}-{part}.png")
            Image.fromarray(mask).save(paths[-1])
        record = Record("a", Path("a"), 0, None, tuple(paths[:2]), paths[2])
        counts.append(torch.from_numpy(pixel_histogram(heat, record)).view(2, -1))
        maps.append(heat)
        masks.append(some)
        ignores.append(ignore)
    got = average_precision(torch.stack(counts).double().sum(0)[None]).item()
    assert got == pytest.approx(conventions.px_ap(maps, masks, ignores, interval=0.001), abs=1e-12)


@pytest.mark.parametrize(
    "wrong",
    [
        {"iou": 0.0},
        {"iou": 1.5},
        {"resamples": 0},
        {"frame": "round"},
        {"truth": "some"},
        {"within": [6]},
        {"within": []},
        {"within": [5, 1]},
        {"known_ious": [0]},
        {"name": "a/b"},
    ],
)
def test_a_protocol_out_of_range_is_refused(wrong: dict) -> None:
    with pytest.raises(GapnetError, match=f"protocol.{next(iter(wrong))}="):
        Protocol(**wrong)
