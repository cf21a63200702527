"""The real entry points, on a data set that is small enough."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gapnet.evaluation.breakdown import KINDS
from tests.cli.conftest import QUICK, SMALL, Command, Trained, script


def figures(folder: Path) -> list[dict]:
    return json.loads((folder / "metrics.json").read_text())


def only_evaluation(run: Path) -> Path:
    (folder,) = (run / "evaluations").iterdir()
    return folder


@pytest.fixture
def run(trained: Trained, tmp_path: Path) -> Path:
    """Copy the trained run, to be evaluated again."""
    return Path(shutil.copytree(trained.run, tmp_path / "a run"))


def test_the_run_folder_says_all(trained: Trained) -> None:
    names = {path.name for path in trained.run.iterdir()}
    assert names == {
        "config.yaml",
        "env.json",
        "log.txt",
        "checkpoints",
        "predictions",
        "metrics.json",
        "training.json",
        "verdicts.parquet",
        "classes.csv",
        "report.html",
        "pictures.jpg",
        "logs",
    }
    assert {path.name for path in (trained.run / "checkpoints").iterdir()} == {
        "best.ckpt",
        "last.ckpt",
    }
    assert trained.run.parent == trained.home / "runs" / "small"


def test_nothing_is_written_outside_the_runs(trained: Trained) -> None:
    assert {path.name for path in trained.home.iterdir()} == {"runs"}
    assert {path.name for path in (trained.home / "runs").iterdir()} == {"small", "latest"}


def test_it_ends_with_a_table_and_the_path_of_the_report(trained: Trained) -> None:
    assert "ground-truth-known, fixed threshold" in trained.out
    folder = trained.run.relative_to(trained.home)
    *_, before, last = trained.out.strip().splitlines()
    assert before == f"all metrics: {folder / 'metrics.json'}"
    assert last == f"report: {folder / 'report.html'}"


def test_metrics_name_every_figure_in_full(trained: Trained) -> None:
    metrics = [(each["metric"], each["chosen_on"]) for each in figures(trained.run)]
    assert metrics == [
        ("top1_error", None),
        ("top2_error", None),
        ("top1_localization_error", "fixed"),
        *((f"top1_localization_error/{kind}", "fixed") for kind in KINDS),
        ("top2_localization_error", "fixed"),
        ("gt_known_error", "fixed"),
        ("gt_known_error", "val"),
        ("gt_known_error", "test (oracle)"),
        ("whole_image_gt_known_error", None),
        ("centred_box_gt_known_error", metrics[-1][1]),
    ]
    for each in figures(trained.run):
        assert each["n"] == 12
        assert each["low"] <= each["value"] <= each["high"]
        assert each["protocol"] == "ilsvrc"
        assert (each["data"], each["split"]) == ("shapes (stand-in data)", "test")


def test_the_environment_is_recorded(trained: Trained) -> None:
    environment = json.loads((trained.run / "env.json").read_text())
    assert environment["seed"] == 0
    assert environment["packages"]["torch"] == torch.__version__.partition("+")[0]


def test_predictions_hold_a_row_per_image(trained: Trained) -> None:
    for split in ("val", "test"):
        assert pq.read_table(trained.run / "predictions" / split).num_rows == 12


def test_checkpoints_load_without_running_code(trained: Trained) -> None:
    for path in (trained.run / "checkpoints").iterdir():
        checkpoint = torch.load(path, weights_only=True)
        assert checkpoint["hyper_parameters"]["network"]["name"] == "tiny_gap"


def test_tensorboard_has_the_values_of_metrics_csv(trained: Trained) -> None:
    board = EventAccumulator(str(trained.run / "logs")).Reload()
    with (trained.run / "logs" / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    logged = {
        (name, int(row["step"]), np.float32(value))
        for row in rows
        for name, value in row.items()
        if value and name != "step"
    }
    curves = [name for name in board.Tags()["scalars"] if not name.startswith("test/")]
    assert {"train/loss", "val/top1_error", "val/gt_known_error", "epoch"} <= set(curves)
    assert any(name.startswith("lr-AdamW") for name in curves)
    shown = {
        (name, value.step, np.float32(value.value))
        for name in curves
        for value in board.Scalars(name)
    }
    speeds = {value for value in shown if value[0] == "train/images_per_second"}
    assert speeds
    assert all(speed > 0 for _, _, speed in speeds)
    assert shown - speeds == logged


def test_tensorboard_has_the_metrics_of_the_evaluation_and_no_placeholder(trained: Trained) -> None:
    board = EventAccumulator(str(trained.run / "logs")).Reload()
    metrics = json.loads((trained.run / "metrics.json").read_text())
    (error,) = (row["value"] for row in metrics if row["metric"] == "top1_error")
    (final,) = board.Scalars("test/top1_error")
    assert (final.step, final.value) == (3, np.float32(error))
    assert not any("hp_metric" in tag for tag in board.Tags()["scalars"])
    assert board.Tags()["tensors"] == ["_hparams_/session_start_info"]


def test_tensorboard_has_eight_images_of_the_validation_and_those_of_the_report(
    trained: Trained,
) -> None:
    board = EventAccumulator(str(trained.run / "logs")).Reload()
    tags = board.Tags()["images"]
    validated = [tag for tag in tags if tag.startswith("pictures/")]
    assert len(validated) == len({tag.partition(" ")[2] for tag in validated}) == 8
    assert all([image.step for image in board.Images(tag)] == [2] for tag in validated)
    assert len(tags) - len(validated) == 4


def test_the_report_stands_alone(trained: Trained) -> None:
    page = (trained.run / "report.html").read_text()
    assert page.count('"picture": "') == 4
    assert page.count("<svg") == 1
    assert "http://" not in page
    assert page.count("<link") == page.count('<link rel="icon" href="data:,">') == 1


@pytest.mark.slow
def test_the_same_seed_gives_the_same_metrics_figure_for_figure(
    trained: Trained, tmp_path: Path
) -> None:
    root = yaml.safe_load((trained.run / "config.yaml").read_text())["data"]["root"]
    outcome = script(tmp_path, "train.py", *SMALL, *QUICK, f"data.root={root}", "name=small")
    assert outcome.status == 0, outcome.err
    again = (tmp_path / "runs" / "latest").resolve()
    assert again.name == trained.run.name
    assert json.loads((again / "env.json").read_text())["command"][1].endswith("train.py")
    assert (again / "metrics.json").read_bytes() == (trained.run / "metrics.json").read_bytes()


@pytest.mark.slow
def test_a_run_made_again_keeps_the_earlier_one(
    gapnet: Command, shapes_root: Path, tmp_path: Path
) -> None:
    arguments = [*SMALL, *QUICK, f"data.root={shapes_root}", "name=small"]
    assert gapnet("train", *arguments).status == 0
    first = (tmp_path / "runs" / "latest").resolve()
    (first / "note.txt").write_text("mine")
    assert gapnet("train", *arguments).status == 0
    assert (tmp_path / "runs" / "latest").resolve() == first
    assert not (first / "note.txt").exists()
    assert (first.with_name(f"{first.name}.1") / "note.txt").read_text() == "mine"


@pytest.mark.slow
def test_evaluating_again_gives_the_same_figures(gapnet: Command, run: Path) -> None:
    assert gapnet("evaluate", f"run={run}").status == 0
    assert figures(only_evaluation(run)) == figures(run)


@pytest.mark.slow
def test_evaluating_another_split_reports_that_split(gapnet: Command, run: Path) -> None:
    assert gapnet("evaluate", f"run={run}", "split=val").status == 0
    known = [
        each["chosen_on"]
        for each in figures(only_evaluation(run))
        if each["metric"] == "gt_known_error"
    ]
    assert known == ["fixed", "val (oracle)"]


@pytest.mark.slow
def test_evaluating_by_another_rule_changes_the_fixed_threshold(gapnet: Command, run: Path) -> None:
    assert gapnet("evaluate", f"run={run}", "boxer.cut=0.5").status == 0
    fixed = [
        each["threshold"] for each in figures(only_evaluation(run)) if each["chosen_on"] == "fixed"
    ]
    assert set(fixed) == {0.5}


@pytest.mark.slow
def test_evaluating_on_another_data_set_reads_that(
    gapnet: Command, run: Path, tmp_path: Path
) -> None:
    drawn = [
        "data=shapes",
        "data.scenes=sparse",
        "data.size=[40,56]",
        "data.classes=3",
        "data.train=6",
        "data.val=6",
        "data.test=9",
    ]
    outcome = gapnet("evaluate", f"run={run}", *drawn, "loader.num_workers=0")
    assert outcome.status == 0, outcome.err
    assert {each["n"] for each in figures(only_evaluation(run))} == {9}
    assert [path.name[:12] for path in (tmp_path / "data").iterdir()] == ["shapes-40x56"]


@pytest.mark.slow
def test_the_last_checkpoint_can_be_evaluated(gapnet: Command, run: Path) -> None:
    assert gapnet("evaluate", f"run={run}", "checkpoint=last").status == 0
    assert figures(only_evaluation(run)) == figures(run)  # one epoch: the last is the best


@pytest.mark.slow
def test_a_checkpoint_in_its_run_finds_the_run(gapnet: Command, run: Path) -> None:
    assert gapnet("evaluate", f"checkpoint='{run / 'checkpoints' / 'best.ckpt'}'").status == 0
    assert figures(only_evaluation(run)) == figures(run)


@pytest.mark.slow
def test_a_checkpoint_on_its_own_is_evaluated_on_the_data_that_is_named(
    gapnet: Command, run: Path, shapes_root: Path, tmp_path: Path
) -> None:
    alone = Path(shutil.move(run / "checkpoints" / "best.ckpt", tmp_path / "alone.ckpt"))
    outcome = gapnet(
        "evaluate",
        f"checkpoint={alone}",
        *SMALL[:-1],
        f"data.root={shapes_root}",
        "loader.num_workers=0",
    )
    assert outcome.status == 0, outcome.err
    (folder,) = (tmp_path / "runs" / "evaluate").iterdir()
    assert figures(folder) == figures(run)


@pytest.mark.slow
def test_a_sweep_makes_a_run_for_each_job(
    gapnet: Command, shapes_root: Path, tmp_path: Path
) -> None:
    outcome = gapnet(
        "train", "-m", *SMALL, *QUICK, f"data.root={shapes_root}", "seed=0,1", "name=two"
    )
    assert outcome.status == 0, outcome.err
    seeds = [
        json.loads(path.read_text())["seed"]
        for path in (tmp_path / "runs" / "two").glob("*/env.json")
    ]
    assert sorted(seeds) == [0, 1]


@pytest.mark.slow
def test_every_other_choice_runs_too(gapnet: Command, shapes_root: Path) -> None:
    choices = ["callbacks=ema", "optim=sgd", "view=centre", "augment=imagenet", "model.pool=max"]
    more = ["model.dropout=0.2", "optim.schedule=step", "trainer.accumulate_grad_batches=2"]
    assert gapnet("train", *SMALL, *QUICK, *choices, *more, f"data.root={shapes_root}").status == 0


@pytest.mark.slow
def test_the_last_checkpoint_is_the_end_of_the_training(
    gapnet: Command, shapes_root: Path, tmp_path: Path
) -> None:
    """Train into a dead end: the first epoch is the best, and Lightning's own last would be it."""
    worse = ["trainer.max_epochs=3", "optim.lr=1e-9", "optim.schedule=constant", "optim.warmup=0"]
    outcome = gapnet("train", *SMALL, *QUICK, *worse, f"data.root={shapes_root}", "name=worse")
    assert outcome.status == 0, outcome.err
    folder = tmp_path / "runs" / "latest" / "checkpoints"
    steps = {
        path.stem: torch.load(path, weights_only=True)["global_step"] for path in folder.iterdir()
    }
    assert steps["last"] == 9
    assert steps["best"] <= steps["last"]


@pytest.mark.slow
def test_a_run_can_be_evaluated_from_elsewhere(
    gapnet: Command, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert gapnet("evaluate", f"run={run}").status == 0
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.slow
def test_a_failed_job_does_not_stop_a_sweep(
    gapnet: Command, shapes_root: Path, tmp_path: Path
) -> None:
    outcome = gapnet(
        "train", "-m", *SMALL, *QUICK, f"data.root={shapes_root}", "optim.lr=0,0.01", "name=two"
    )
    assert outcome.status == 1
    assert "gapnet train: optim.lr=0: " in outcome.err
    assert len(list((tmp_path / "runs" / "two").glob("*/metrics.json"))) == 1


def test_the_smoke_run_goes_through_everything(
    gapnet: Command, shapes_root: Path, tmp_path: Path
) -> None:
    outcome = gapnet(
        "train", "debug=fast", *SMALL, f"data.root={shapes_root}", "trainer.accelerator=cpu"
    )
    assert outcome.status == 0, outcome.err
    assert (tmp_path / "runs" / "debug").is_dir()


@pytest.mark.slow
def test_a_trained_run_is_what_another_training_starts_from(
    gapnet: Command, run: Path, shapes_root: Path, tmp_path: Path
) -> None:
    start = [f"data.root={shapes_root}", f"model.weights='{run}'", "trainer.max_epochs=0"]
    outcome = gapnet("train", *SMALL, *QUICK, *start, "checkpoint=last", "report.images=0")
    assert outcome.status == 0, outcome.err
    again = (tmp_path / "runs" / "latest").resolve()
    assert figures(again) == figures(run)
    assert f": {run}" in (again / "log.txt").read_text()


@pytest.mark.slow
def test_weights_are_evaluated_untrained_where_there_is_no_training_split(
    gapnet: Command, run: Path, shapes_root: Path, tmp_path: Path
) -> None:
    tree = Path(shutil.copytree(shapes_root, tmp_path / "tree"))
    (tree / "ILSVRC/ImageSets/CLS-LOC/train_cls.txt").unlink()
    start = ["data=ilsvrc", f"data.root={tree}", "data.test_split=test", f"model.weights='{run}'"]
    untrained = ["trainer.max_epochs=0", "checkpoint=last"]
    outcome = gapnet("train", SMALL[-1], *QUICK, *start, *untrained)
    assert outcome.status == 0, outcome.err


@pytest.mark.slow
def test_weights_for_other_classes_are_refused_or_their_classifier_is_reset(
    gapnet: Command, run: Path
) -> None:
    other = [*SMALL, *QUICK, "data.classes=4", "data.train=8", "data.seed=1"]
    start = ["data.val=8", "data.test=8", f"model.weights='{run}'"]
    outcome = gapnet("train", *other, *start)
    assert outcome.status == 1
    last = outcome.err.splitlines()[-1]
    assert all(part in last for part in (" 3 ", " 4", "model.reset_head=true")), last
    outcome = gapnet("train", *other, *start, "model.reset_head=true")
    assert outcome.status == 0, outcome.err


@pytest.mark.slow
def test_weights_for_classes_of_other_names_are_refused(
    gapnet: Command, run: Path, shapes_root: Path
) -> None:
    path = run / "checkpoints" / "best.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["hyper_parameters"]["network"]["classes"] = ["s00000000", "cat", "dog"]
    torch.save(checkpoint, path)
    arguments = [*SMALL, *QUICK, f"data.root={shapes_root}", f"model.weights='{path}'"]
    outcome = gapnet("train", *arguments)
    assert outcome.status == 1
    last = outcome.err.splitlines()[-1]
    assert all(part in last for part in ("'s00000001'", "'cat'", "model.reset_head=true")), last
    assert gapnet("train", *arguments, "model.reset_head=true").status == 0


@pytest.mark.nightly
def test_a_network_without_class_maps_is_trained_with_gradient_maps(
    gapnet: Command, shapes_root: Path
) -> None:
    flat = ["model=alexnet", "saliency=gradient", "model.input_size=64", "report.images=1"]
    tiny = ["loader.limit=8", "loader.num_workers=0", "trainer.max_epochs=1"]
    outcome = gapnet("train", *SMALL[:-1], f"data.root={shapes_root}", *flat, *tiny)
    assert outcome.status == 0, outcome.err


@pytest.mark.slow
def test_a_grey_network_is_trained_on_colours(gapnet: Command, shapes_root: Path) -> None:
    outcome = gapnet("train", *SMALL, *QUICK, f"data.root={shapes_root}", "model.in_channels=1")
    assert outcome.status == 0, outcome.err
