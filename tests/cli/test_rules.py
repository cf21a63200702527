"""Evaluations by other crops, boxers, guesses and saliency methods than a training's."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Command, Trained

QUIETLY = ["report.images=2", "loader.num_workers=0", "trainer.accelerator=cpu", "folder=out"]


def evaluated(gapnet: Command, trained: Trained, *arguments: str) -> tuple[list[dict], str]:
    outcome = gapnet("evaluate", f"run={trained.run}", *QUIETLY, *arguments)
    assert outcome.status == 0, outcome.err
    return json.loads(Path("out/metrics.json").read_text()), outcome.err


@pytest.mark.slow
def test_ten_crops_take_ten_passes_and_keep_the_map_of_the_whole_image(
    gapnet: Command, trained: Trained
) -> None:
    figures, err = evaluated(gapnet, trained, "view=whole", "crops=ten", "keep_maps=native")
    assert "predicting test: 12 images, 120 passes through the network" in err
    (first, *_) = sorted(Path("out/maps/test").glob("*.npy"))
    assert np.load(first).shape == (55, 55)  # 48 times 256 / 224
    assert all("TenCrops" in figure["rules"] for figure in figures)


@pytest.mark.slow
def test_a_program_without_one_threshold_has_no_other_than_its_own_figure(
    gapnet: Command, trained: Trained
) -> None:
    figures, err = evaluated(gapnet, trained, "boxer=released", "guesses=tight_loose")
    known = [figure for figure in figures if figure["metric"] == "gt_known_error"]
    assert [(each["threshold"], each["chosen_on"]) for each in known] == [(None, None)]
    assert "predicting val" not in err  # nothing is chosen there
    rows = pq.read_table("out/predictions/test").to_pylist()
    for row in rows:
        classes = row["classes"]
        assert row["guess_labels"] == [classes[0]] * 2 + [classes[1]] * 2 + [classes[2]]
        assert len(row["guess_boxes"]) == 20
        assert row["swept_boxes"] == []
    assert Path("out/report.html").is_file()


@pytest.mark.slow
def test_a_tight_box_lies_in_the_loose_one(gapnet: Command, trained: Trained) -> None:
    figures, _ = evaluated(gapnet, trained, "boxer=tight_loose", "guesses=tight_loose")
    assert {each["threshold"] for each in figures if "top1_loc" in each["metric"]} == {0.2}
    for row in pq.read_table("out/predictions/test").to_pylist():
        loose, tight = np.array(row["guess_boxes"]).reshape(-1, 4)[:2]
        assert np.prod(tight[2:] - tight[:2] + 1) <= np.prod(loose[2:] - loose[:2] + 1)


@pytest.mark.parametrize(
    ("arguments", "passes"),
    [
        pytest.param(["saliency=grad_cam"], 1, marks=pytest.mark.slow),
        pytest.param(["saliency=gradient", "boxer=grabcut"], 6, marks=pytest.mark.nightly),
        pytest.param(["saliency=guided", "crops=ten"], 60, marks=pytest.mark.slow),
        pytest.param(["saliency=occlusion", "saliency.window=24"], 10, marks=pytest.mark.slow),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_saliency_method_says_how_many_passes_it_takes(
    gapnet: Command, trained: Trained, arguments: list[str], passes: int
) -> None:
    more = ["saliency.stride=12"] if "saliency=occlusion" in arguments else []
    _, err = evaluated(gapnet, trained, *arguments, *more)
    assert f"predicting test: 12 images, {12 * passes:,} passes through the network" in err


def test_two_boxes_a_class_need_a_boxer_that_gives_two(gapnet: Command, trained: Trained) -> None:
    outcome = gapnet("evaluate", f"run={trained.run}", *QUIETLY, "guesses=tight_loose")
    assert outcome.status == 1
    assert "guesses=TightLoose: " in outcome.err
    assert not Path("out").exists()


@pytest.mark.slow
def test_maps_of_other_tools_cannot_be_boxed_by_colour(gapnet: Command, trained: Trained) -> None:
    evaluated(gapnet, trained, "keep_maps=native")
    quietly = [argument for argument in QUIETLY if argument != "folder=out"]
    arguments = [f"run={trained.run}", "maps=out/maps/test", "boxer=grabcut", "folder=boxed"]
    outcome = gapnet("evaluate", *arguments, *quietly)
    assert outcome.status == 1
    assert "boxer=grabcut: " in outcome.err
