"""Bad input ends with one line: what, where, what to do; exit status 1, and nothing lost."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from gapnet.data.sources.ilsvrc import Ilsvrc
from tests.cli.conftest import (
    QUICK,
    SMALL,
    Command,
    Train,
    Trained,
    assert_one_line,
    script,
)
from tests.few import few


@pytest.fixture
def tree(shapes_root: Path, tmp_path: Path) -> Path:
    """Copy the small data set, to be damaged."""
    return Path(shutil.copytree(shapes_root, tmp_path / "tree"))


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("argument", "parts"),
    few(
        [
            ("modl=tiny_gap", ["modl: ", "'model'"]),
            ("optim.learning_rate=1", ["optim.learning_rate"]),
            ("+optim.learning_rate=1", ["optim", "learning_rate", "optimizer, lr, weight_decay"]),
            ("model=tiny_gab", ["model=tiny_gab: ", "'tiny_gap'"]),
            ("lr=0.1", ["lr: ", "'optim.lr'"]),
            ("--epochs=3", ["--epochs: ", "trainer.max_epochs=3"]),
            ("--batch-size", ["--batch-size: ", "loader.batch_size=..."]),
            ("--foo", ["--foo: ", "KEY=VALUE"]),
            ("a b=c", ["a b=c"]),
            ("optim.lr=-1", ["optim.lr=-1: "]),
        ],
        3,
    ),
)
def test_a_wrong_argument_is_named(
    gapnet: Command, shapes_root: Path, tmp_path: Path, argument: str, parts: list[str]
) -> None:
    assert_one_line(gapnet("train", *SMALL, *QUICK, f"data.root={shapes_root}", argument), *parts)
    assert files(tmp_path) == set()


@pytest.mark.parametrize(
    ("argument", "parts"),
    few(
        [
            ("boxer.cut=2", ["boxer.cut=2"]),
            ("model.pool=sum", ["model.pool=sum: ", "avg", "max", "max_unit"]),
            ("checkpoint=newest", ["checkpoint=newest: ", "best, last"]),
            ("trainer.precision=3", ["trainer", "3"]),
            (
                "trainer.accelerator=gpu"
                if not torch.cuda.is_available()
                else "trainer.devices=99",
                ["trainer"],
            ),
            ("trainer.max_epochs=0", ["trainer.max_epochs=0", "checkpoint=last"]),
            ("trainer.max_epochs=-1", ["trainer.max_epochs=-1: "]),
            ("trainer.max_epochs=two", ["trainer.max_epochs=two: "]),
            ("trainer.check_val_every_n_epoch=9", ["check_val_every_n_epoch=9", "checkpoint=last"]),
            ("+trainer.max_steps=1", ["max_steps=1: "]),
            ("trainer.log_every_n_steps=x", ["trainer.log_every_n_steps=x: "]),
            ("+trainer.logger=false", ["trainer.logger: "]),
            ("trainer.auto_batch=yes", ["trainer.auto_batch=yes: ", "true", "false"]),
            ("trainer.auto_batch=true", ["trainer.auto_batch=true", "loader.batch_size"]),
            ("trainer.num_nodes=2", ["trainer.num_nodes=2: ", "torchrun"]),
            ("trainer.strategy=ddp_spawn", ["trainer.strategy", "ddp"]),
            ("seed=-1", ["seed=-1: "]),
            ("split=nope", ["split", "nope", "test, train_cls, val"]),
            ("model.input_size=4", ["input_size=4: "]),
            ("model.input_size=[64,64]", ["model.input_size=[64, 64]: "]),
            ("model.weights=nix.pth", ["model.weights=nix.pth: "]),
            ("model.pretrained=true", ["model.pretrained=true: "]),
            ("model.in_channels=2", ["model.in_channels=2: "]),
            ("model.in_channels=true", ["model.in_channels=True: "]),
            ("model.reset_head=maybe", ["model.reset_head=maybe: ", "true", "false"]),
            ("model.dropout=x", ["model.dropout=x: "]),
            ("model.width=0", ["model.width=0: "]),
            ("model._target_=nowhere.net", ["model._target_=nowhere.net: ", "imports=[nowhere]"]),
            ("+model.num_classes=7", ["model.num_classes: "]),
            ("imports=[nowhere]", ["imports=[nowhere]: "]),
            ("optim.freeze_until=layer9", ["optim.freeze_until=layer9: ", "0, 1, 2, 3"]),
            ("optim.train_only=trunk", ["optim.train_only=trunk: ", "head", "null"]),
            ("optim.warmup=x", ["optim.warmup=x: "]),
            ("optim.bias_multiplier=0", ["optim.bias_multiplier=0: "]),
            ("optim.weight_decay=-1", ["optim.weight_decay=-1"]),
            ("optim.optimizer.betas=[2,2]", ["classifier: ", "beta"]),
            ("optim.scale_lr=sqrt", ["optim.scale_lr=sqrt", "none", "linear"]),
            ("classifier.label_smoothing=2", ["classifier.label_smoothing=2: "]),
            ("+classifier.foo=1", ["classifier", "foo", "network, optim"]),
            ("loader.num_workers=-1", ["loader.num_workers=-1: "]),
            ("loader.batch_size=2.5", ["loader.batch_size=2.5: "]),
            ("loader.limit=abc", ["loader.limit=abc: "]),
            ("report.images=null", ["report.images=null: "]),
            ("callbacks.last.minutes=0", ["callbacks.last.minutes=0: "]),
            ("resume=nowhere", ["resume=nowhere: ", "auto"]),
            ("resume_changed=1", ["resume_changed=1: ", "true", "false"]),
            ("data.classes=1", ["data.classes=1"]),
        ],
        14,
    ),
)
def test_a_wrong_value_is_named(
    train_with: Train, tmp_path: Path, argument: str, parts: list[str]
) -> None:
    assert_one_line(train_with(argument), *parts)
    assert files(tmp_path) == set()


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["data=ilsvrc", "data.root=nowhere/at/all"], ["data.root=nowhere/at/all"]),
        (["data=mnist"], ["data=mnist", "ilsvrc", "shapes"]),
    ],
)
def test_data_that_is_not_there_is_named(
    gapnet: Command, tmp_path: Path, arguments: list[str], parts: list[str]
) -> None:
    assert_one_line(gapnet("train", *arguments), *parts)
    assert files(tmp_path) == set()


def empty_split(tree: Path) -> None:
    (tree / "ILSVRC/ImageSets/CLS-LOC/test.txt").write_text("")


def box_outside(tree: Path) -> None:
    path = first_xml(tree)
    path.write_text(path.read_text().replace("<xmax>", "<xmax>9"))


def unknown_label(tree: Path) -> None:
    path = first_xml(tree)
    path.write_text(path.read_text().replace("s0000000", "n0000000"))


def truncated_first_image(tree: Path) -> None:
    path = Ilsvrc(tree).records("test")[0].path
    path.write_bytes(path.read_bytes()[:500])


def first_xml(tree: Path) -> Path:
    return tree / "ILSVRC/Annotations/CLS-LOC/test/SHAPES_test_00000000.xml"


def other_layout(tree: Path) -> None:
    (tree / "LOC_synset_mapping.txt").unlink()


def missing_image(tree: Path) -> None:
    Ilsvrc(tree).records("test")[7].path.unlink()


def twice(tree: Path) -> None:
    listing = tree / "ILSVRC/ImageSets/CLS-LOC/val.txt"
    lines = listing.read_text().splitlines(keepends=True)
    listing.write_text("".join([*lines, lines[0]]))


@pytest.mark.parametrize(
    ("damage", "parts"),
    few(
        [
            (empty_split, ["test.txt"]),
            (box_outside, ["SHAPES_test_00000000.xml"]),
            (unknown_label, ["SHAPES_test_00000000.xml", "'n0000000"]),
            (truncated_first_image, ["SHAPES_test_00000000.JPEG"]),
            (missing_image, ["SHAPES_test_00000007.JPEG"]),
            (twice, ["'val'", "SHAPES_val_00000000"]),
            (other_layout, ["LOC_synset_mapping.txt"]),
        ],
        2,
    ),
)
def test_damaged_data_is_named_before_training(
    train_with: Train, tree: Path, tmp_path: Path, damage: Callable[[Path], None], parts: list[str]
) -> None:
    damage(tree)
    assert_one_line(train_with(f"data.root={tree}"), *parts)
    assert files(tmp_path) == {"tree"}


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_truncated_image_in_the_middle_is_named_in_the_log_too(
    train_with: Train, tree: Path, tmp_path: Path, workers: int
) -> None:
    path = Ilsvrc(tree).records("train_cls")[10].path
    path.write_bytes(path.read_bytes()[:500])
    outcome = train_with(f"data.root={tree}", f"loader.num_workers={workers}")
    assert outcome.status == 1
    last = outcome.err.strip().splitlines()[-1]
    assert last.startswith(f"gapnet train: {path}: ")
    assert "Traceback" not in outcome.err
    assert last in (tmp_path / "runs" / "latest" / "log.txt").read_text()


def test_a_runs_folder_that_cannot_be_written_is_named(train_with: Train, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file, not a folder")
    assert_one_line(train_with(), "runs/", "paths.runs=")
    assert (tmp_path / "runs").read_text() == "a file, not a folder"


def test_a_folder_that_is_no_run_is_left_alone(train_with: Train, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("mine")
    for place in ("precious", ""):
        assert_one_line(train_with(f"folder={place}"), place or str(tmp_path))
    assert files(tmp_path) == {"precious"}
    assert files(tmp_path / "precious") == {"thesis.txt"}


def test_a_data_folder_that_cannot_be_written_is_named(train_with: Train, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    outcome = train_with("data.root=null")
    assert outcome.status == 1
    assert outcome.err.splitlines()[-1].startswith("gapnet train: data: ")
    assert "paths.data=" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], ["run=null: ", "checkpoint="]),
        (["run=nowhere"], ["run=nowhere: ", "nowhere/config.yaml"]),
        (["checkpoint=nowhere.ckpt"], ["checkpoint", "nowhere.ckpt"]),
    ],
)
def test_nothing_to_evaluate_is_said(
    gapnet: Command, tmp_path: Path, arguments: list[str], parts: list[str]
) -> None:
    assert_one_line(gapnet("evaluate", *arguments), *parts)
    assert files(tmp_path) == set()


@pytest.mark.parametrize("content", ["a: [", "- 1", "seed: 0"])
def test_a_damaged_configuration_of_a_run_is_named(
    gapnet: Command, tmp_path: Path, content: str
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text(content)
    assert_one_line(gapnet("evaluate", "run=run"), "run/config.yaml: ")


@pytest.mark.parametrize(
    ("left", "parts"),
    few(
        [
            ({"last.ckpt"}, ["checkpoint=last", "resume="]),
            (set(), ["resume=auto"]),
            ({"last.ckpt", "training.json"}, ["best.ckpt", "checkpoint=last"]),
        ],
        1,
    ),
)
def test_a_run_without_a_best_checkpoint_says_what_to_do(
    gapnet: Command, trained: Trained, tmp_path: Path, left: set[str], parts: list[str]
) -> None:
    run = Path(shutil.copytree(trained.run, tmp_path / "run"))
    for path in (*(run / "checkpoints").iterdir(), run / "training.json"):
        if path.name not in left:
            path.unlink()
    assert_one_line(gapnet("evaluate", "run=run"), "run=run: ", *parts)
    assert_one_line(gapnet("export", "run=run", "to=safetensors"), "run=run: ", *parts)


def test_a_truncated_checkpoint_is_named(gapnet: Command, trained: Trained, tmp_path: Path) -> None:
    whole = (trained.run / "checkpoints" / "best.ckpt").read_bytes()
    (tmp_path / "half.ckpt").write_bytes(whole[: len(whole) // 2])
    assert_one_line(gapnet("evaluate", "checkpoint=half.ckpt"), "half.ckpt")


@pytest.mark.slow
def test_other_classes_than_the_checkpoint_s_are_refused(
    gapnet: Command, trained: Trained, tree: Path
) -> None:
    mapping = tree / "LOC_synset_mapping.txt"
    mapping.write_text("\n".join(reversed(mapping.read_text().splitlines())) + "\n")
    outcome = gapnet("evaluate", f"run={trained.run}", f"data.root={tree}")
    assert_one_line(outcome, "'s00000002'", "'s00000000'")


@pytest.mark.slow
def test_another_number_of_classes_is_refused(
    gapnet: Command, trained: Trained, tree: Path
) -> None:
    mapping = tree / "LOC_synset_mapping.txt"
    mapping.write_text(mapping.read_text() + "s9 more\n")
    outcome = gapnet("evaluate", f"run={trained.run}", f"data.root={tree}")
    assert_one_line(outcome, " 4 ", " 3")


@pytest.mark.slow
def test_the_traceback_is_shown_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["run=nowhere"]
    start, _ = script(tmp_path, "evaluate.py", *arguments).err.splitlines()
    assert start == "starting gapnet evaluate"
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    outcome = script(tmp_path, "evaluate.py", *arguments)
    assert outcome.status == 1
    assert "Traceback" in outcome.err
    assert "run=nowhere: " in outcome.err
