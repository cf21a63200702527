"""Which commands fill a table, where their results are, and how many images they take."""

import functools
import re
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig
from PIL import Image

from gapnet.config.conf_folder import conf_folder
from gapnet.config.groups import FROM_RUN
from gapnet.config.overrides import override_key, own_keys, refuse_sweep, root_of, split
from gapnet.config.run_id import register_resolvers
from gapnet.config.score_jobs import rules_of
from gapnet.runs.layout import METRICS, SUBMISSION, TRAINED, VERDICTS
from gapnet.studies.table.overrides import merged, path_override
from gapnet.studies.table.plan import TablePlan
from gapnet.studies.table.table_command import Cell, TableCommand, in_order
from gapnet.studies.table.workload import workload
from tests.refusals import refused

STAND_IN = ("recipe=stand_in", "looks=single")
pytestmark = pytest.mark.slow  # each composes many configurations


@functools.cache
def composed(command: str, overrides: tuple[str, ...]) -> DictConfig:
    register_resolvers()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        return compose(command, list(overrides))


def of_training(overrides: list[str] | tuple[str, ...]) -> DictConfig:
    return composed("train", tuple(overrides))


def plan(number: int, *overrides: str, passed_on: tuple[str, ...] = ("data=shapes",)) -> TablePlan:
    cfg = composed("table", (f"table=table{number}", *overrides))
    return TablePlan(cfg, passed_on, of_training)


def cell(planned: TablePlan, column: str) -> Cell:
    """Return the cell of a column in a plan of one row."""
    (row,) = planned.rows
    return planned.cell(row, column)


def both(found: Cell) -> tuple[TableCommand | None, TableCommand]:
    """Return the training and the evaluation of a cell of one seed."""
    (command,) = found.commands
    return command.needs, command


def all_commands(*cells: Cell) -> list[TableCommand]:
    return in_order(command for each in cells for command in each.commands)


# What is passed on


@pytest.mark.parametrize(
    ("argument", "root"),
    [
        ("optim.lr=0.1", "optim"),
        ("+optim.lr=0.1", "optim"),
        ("++optim.lr=0.1", "optim"),
        ("~debug", "debug"),
        ("~optim.lr=1", "optim"),
        ("data@b=cub", "data"),
        ("hydra/launcher=joblib", "hydra"),
        ("paths.data=a=b.c", "paths"),
        ("rows=[a.b,c]", "rows"),
        ("-m", None),
        ("--cfg", None),
        ("job", None),
    ],
)
def test_the_topmost_key_of_an_argument(argument: str, root: str | None) -> None:
    assert root_of(argument) == root


def test_what_a_table_does_not_take_itself_is_passed_on() -> None:
    own = ["rows=[nin]", "checkpoints.nin=a.ckpt", "table=table1", "hydra.verbose=true"]
    others = ["data=shapes", "+trainer.x=1", "~debug", "view.margin=2"]
    kept, passed_on = split([*others[:2], *own, "--cfg", "job", *others[2:]], own_keys("table"))
    assert kept == [*own, "--cfg", "job"]
    assert passed_on == others


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("optim.lr=1", "optim.lr"),
        ("+optim.lr=1", "optim.lr"),
        ("++optim.lr=1", "optim.lr"),
        ("~optim.lr", "optim.lr"),
        ("data=cub", "data"),
    ],
)
def test_a_key_is_named_in_full(override: str, key: str) -> None:
    assert override_key(override) == key


@pytest.mark.parametrize("override", ["optim.lr=1,2", "seed=range(3)", "data=choice(cub,shapes)"])
def test_several_values_are_refused(override: str) -> None:
    with refused(override):
        refuse_sweep(override, "one at a time")


def test_a_list_is_one_value() -> None:
    refuse_sweep("data.size=[48,64]", "one at a time")


def test_of_overrides_with_one_key_the_last_counts() -> None:
    assert merged(["a=1", "b=1"], ["+a=2", "c=1"], ["b.d=3", "b=2"]) == (
        *("+a=2", "b=2", "c=1"),
        "b.d=3",
    )


def test_a_group_is_overridden_and_its_keys_stay() -> None:
    assert merged(["data=shapes", "data.size=64"], ["data=cub"]) == ("data=cub", "data.size=64")


def test_a_place_is_absolute_and_quoted_where_it_must_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert path_override("run", Path("a")) == f"run={tmp_path}/a"
    assert path_override("run", Path("/a b=c")) == "run='/a b=c'"


# Which commands


def test_a_run_that_was_evaluated_so_when_it_was_trained_serves_a_cell(tmp_path: Path) -> None:
    planned = plan(2, *STAND_IN, "rows=[alexnet_gap]", f"runs={tmp_path}")
    training, evaluation = both(cell(planned, "threshold20"))
    assert "evaluate=false" in training.arguments
    assert evaluation.name == "evaluate"
    training.folder.mkdir(parents=True)
    for name in (METRICS, VERDICTS):
        (training.folder / name).touch()
    assert both(cell(planned, "threshold20")) == (None, training)
    assert both(cell(planned, "released"))[1].name == "evaluate"


def test_what_images_are_read_by_or_reported_makes_no_other_run_or_evaluation() -> None:
    row = "rows=[alexnet_gap]"
    plain = both(cell(plan(2, *STAND_IN, row), "released"))
    passed_on = ("data=shapes", "loader.num_workers=7", "report.images=0")
    other = both(cell(plan(2, *STAND_IN, row, passed_on=passed_on), "released"))
    assert [job.folder for job in plain] == [job.folder for job in other]


def test_the_same_rules_are_one_evaluation_however_they_are_told() -> None:
    ten = both(cell(plan(1, "recipe=stand_in", "rows=[alexnet]"), "ten"))
    grad_cam = both(cell(plan(2, "recipe=stand_in", "rows=[alexnet_grad_cam]"), "released"))
    assert ten[1].folder == grad_cam[1].folder


def test_a_network_that_is_not_trained_is_one_run_whatever_the_seeds() -> None:
    passed_on = ("data=ilsvrc", "data.root=nowhere")
    found = cell(plan(2, "rows=[googlenet]", "seeds=[0,1,2]", passed_on=passed_on), "threshold20")
    assert len(found.commands) == 1


@pytest.mark.parametrize(
    ("number", "row", "column"),
    [(1, "alexnet_gap", "ten"), (2, "alexnet_gap", "released"), (2, "alexnet_backprop", "grabcut")],
)
def test_another_rule_takes_another_evaluation(number: int, row: str, column: str) -> None:
    training, evaluation = both(cell(plan(number, *STAND_IN, f"rows=[{row}]"), column))
    assert training is not None
    assert evaluation.name == "evaluate"
    assert evaluation.folder.parent == training.folder / "evaluations"
    assert evaluation.arguments[0] == f"run={training.folder}"
    assert f"folder={evaluation.folder}" in evaluation.arguments
    assert "resume=true" in evaluation.arguments


def test_ten_looks_take_another_evaluation() -> None:
    ten = plan(2, "recipe=stand_in", "looks=ten", "rows=[alexnet_gap]")
    training, evaluation = both(cell(ten, "threshold20"))
    assert training == both(cell(plan(2, *STAND_IN, "rows=[alexnet_gap]"), "threshold20"))[0]
    assert "crops=ten" in evaluation.arguments
    assert evaluation is not training


def test_one_evaluation_of_two_tables_has_one_folder() -> None:
    second = plan(2, *STAND_IN, "rows=[googlenet_gap]")
    third = plan(3, *STAND_IN, "rows=[googlenet_gap]")
    assert both(cell(second, "released")) == both(cell(third, "released"))
    first = plan(1, "recipe=stand_in", "rows=[googlenet_gap]")
    ten = plan(2, "recipe=stand_in", "looks=ten", "rows=[googlenet_gap]")
    assert both(cell(first, "ten")) == both(cell(ten, "released"))


def test_one_network_of_two_tables_is_trained_once() -> None:
    first = plan(1, *STAND_IN, "rows=[alexnet]").cells()
    second = plan(2, *STAND_IN, "rows=[alexnet_backprop]").cells()
    jobs = all_commands(*first, *second)
    assert [job.folder.parent.name for job in jobs if job.name == "train"] == ["alexnet"]


def test_backprop_shares_the_training_of_the_plain_row() -> None:
    first = cell(plan(1, *STAND_IN, "rows=[vgg16]"), "ten")
    second = cell(plan(2, *STAND_IN, "rows=[vgg16_backprop]"), "grabcut")
    assert both(first)[0] == both(second)[0]


def test_an_exception_of_a_column_counts_most() -> None:
    heuristics = plan(3, *STAND_IN, "rows=[heuristics]")
    told = {each: both(cell(heuristics, each))[1].arguments for each in ("threshold20", "released")}
    assert {"boxer=tight_loose", "guesses=tight_loose"} <= set(told["threshold20"])
    assert {"boxer=released", "guesses=tight_loose"} <= set(told["released"])


def test_every_seed_has_a_training_of_its_own() -> None:
    planned = plan(2, *STAND_IN, "rows=[alexnet_gap]", "seeds=[0,4]")
    found = cell(planned, "threshold20")
    first, second = (command.needs.arguments for command in found.commands)
    assert set(first) ^ set(second) == {"seed=0", "seed=4"}
    assert len(set(found.folders)) == 2


def test_each_training_comes_before_its_evaluations_and_once() -> None:
    cells = plan(2, *STAND_IN, "rows=[alexnet_gap,alexnet_backprop]").cells()
    jobs = all_commands(*cells)
    evaluations = ["evaluate"] * 2, ["evaluate"] * 3
    assert [job.name for job in jobs] == ["train", *evaluations[0], "train", *evaluations[1]]
    assert len({job.folder for job in jobs}) == len(jobs)


def test_quoted_rows_take_nothing() -> None:
    assert plan(3, *STAND_IN, "rows=[overfeat_full,alexnet_full]").cells() == []


def test_rows_come_in_the_order_of_the_table() -> None:
    planned = plan(2, "rows=[nin,alexnet_gap,googlenet_gap]")
    assert list(planned.rows) == ["googlenet_gap", "alexnet_gap", "nin"]


PASSED_ON = ("data=shapes", "data.size=64", "optim.lr=0.5", "report.images=0")


def test_an_evaluation_of_a_run_leaves_to_the_run_what_it_was_trained_with() -> None:
    planned = plan(2, *STAND_IN, "rows=[alexnet_gap]", passed_on=PASSED_ON)
    training, evaluation = both(cell(planned, "released"))
    assert training is not None
    assert set(PASSED_ON) <= set(training.arguments)
    assert set(PASSED_ON) & set(evaluation.arguments) == {"report.images=0"}
    plain = both(cell(plan(2, *STAND_IN, "rows=[alexnet_gap]"), "released"))[1]
    assert evaluation.folder.parent != plain.folder.parent


def test_an_evaluation_of_a_file_takes_all_but_what_is_of_training(tmp_path: Path) -> None:
    file = tmp_path / "mine.ckpt"
    file.touch()
    given = f"++checkpoints.alexnet_gap={file}"
    planned = plan(2, *STAND_IN, "rows=[alexnet_gap]", given, passed_on=PASSED_ON)
    assert set(PASSED_ON) - set(both(cell(planned, "released"))[1].arguments) == {"optim.lr=0.5"}


def test_what_a_table_is_about_is_not_overridden_by_the_recipe() -> None:
    training, evaluation = both(cell(plan(2, *STAND_IN, "rows=[alexnet_backprop]"), "grabcut"))
    cfg = of_training(evaluation.composed_by)
    assert cfg.boxer._target_.endswith("GrabCutBoxer")
    assert cfg.saliency._target_.endswith("Gradient")
    assert {key: cfg[key] for key in FROM_RUN} != {
        key: of_training(training.composed_by)[key] for key in FROM_RUN
    }


@pytest.mark.parametrize(
    ("recipe", "network", "experiment"),
    [
        ("modern", "googlenet_gmp", "googlenet_gmp"),
        ("modern", "vgg16", "vgg16"),
        ("caffe", "googlenet_gap", "googlenet_gap_caffe"),
        ("caffe", "nin", "nin"),
        ("caffe", "vgg16", "vgg16"),
        ("stand_in", "nin", "stand_in"),
    ],
)
def test_a_recipe_falls_back_to_the_network_s_experiment(
    recipe: str, network: str, experiment: str
) -> None:
    assert plan(1, f"recipe={recipe}").experiment(network) == experiment


def test_every_network_has_an_experiment_of_each_recipe() -> None:
    for recipe in ("modern", "caffe"):
        planned = plan(1, f"recipe={recipe}")
        for network in planned.cfg.table.networks:
            name = planned.experiment(network)
            assert (conf_folder() / "experiment" / f"{name}.yaml").is_file(), (recipe, network)


def test_a_checkpoint_is_evaluated_and_not_trained(tmp_path: Path) -> None:
    file = tmp_path / "mine.ckpt"
    file.touch()
    given = f"++checkpoints.alexnet_gap={file}"
    planned = plan(2, *STAND_IN, "rows=[alexnet_gap]", "seeds=[0,1]", given, f"runs={tmp_path}")
    training, evaluation = both(cell(planned, "released"))
    assert training is None
    assert evaluation.arguments[0] == f"checkpoint={file}"
    assert evaluation.folder.is_relative_to(tmp_path / "alexnet_gap")
    assert {job.name for job in all_commands(*planned.cells())} == {"evaluate"}


def test_a_checkpoint_without_class_maps_is_evaluated_by_maps_that_it_can_have(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mine.ckpt"
    file.touch()
    planned = plan(1, *STAND_IN, "rows=[alexnet]", f"++checkpoints.alexnet={file}")
    assert "saliency=grad_cam" in both(cell(planned, "ten"))[1].arguments


def test_a_checkpoint_that_is_not_there_is_named() -> None:
    planned = plan(2, *STAND_IN, "rows=[alexnet_gap]", "++checkpoints.alexnet_gap=nix.ckpt")
    with refused("checkpoints.alexnet_gap", "nix.ckpt"):
        planned.cells()


def test_an_unknown_row_gets_the_list() -> None:
    with refused("rows", "nix", "heuristics"):
        _ = plan(3, "rows=[nix]").rows


def test_submissions_predict_the_test_split_by_every_column() -> None:
    planned = plan(3, *STAND_IN, "rows=[heuristics,overfeat_full]", "submit=true")
    plain, released = planned.submissions()
    assert {"split=test", "boxer=tight_loose"} <= set(plain.arguments)
    assert {"split=test", "boxer=released"} <= set(released.arguments)
    others = {each.folder for each in all_commands(*planned.cells())}
    assert not {plain.folder, released.folder} & others


def test_nothing_is_submitted_unless_it_is_asked_for() -> None:
    assert plan(3, *STAND_IN, "rows=[heuristics]").submissions() == []


@pytest.mark.parametrize(
    ("names", "done"),
    [
        ([METRICS, VERDICTS], True),
        ([METRICS], False),
        ([VERDICTS], False),
        ([f"{SUBMISSION}/"], False),
        ([f"{SUBMISSION}/", f"{SUBMISSION}/kaggle.csv"], True),
        ([f"{SUBMISSION}/", f"{SUBMISSION}/.kaggle.csv.unfinished"], False),
        ([f"{SUBMISSION}/", f"{SUBMISSION}/devkit.txt"], False),
        ([TRAINED], False),
        ([], False),
    ],
)
def test_a_job_is_done_when_its_outcome_is_whole(
    tmp_path: Path, names: list[str], *, done: bool
) -> None:
    for name in names:
        (tmp_path / name).mkdir() if name.endswith("/") else (tmp_path / name).touch()
    assert TableCommand("evaluate", (), tmp_path, ()).done == done


def test_a_training_is_done_when_it_has_ended(tmp_path: Path) -> None:
    training = TableCommand("train", (), tmp_path, ())
    assert not training.done
    (tmp_path / TRAINED).touch()
    assert training.done


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_rules_of_every_cell_go_together(number: int) -> None:
    planned, wanted = plan(number), set()
    for row in planned.rows.values():
        for column in planned.columns_of(row):
            exceptions = row.get("exceptions", {}).get(column, ())
            told = planned.cfg.table.columns[column].arguments
            rules = merged(told, row.get("arguments", ()), exceptions)
            wanted.add(tuple(each for each in rules if not each.startswith(("view=", "crops="))))
    assert wanted
    for each in wanted:
        assert rules_of(of_training(each)), each


# How much there is to do


@pytest.mark.parametrize(
    ("overrides", "work"),
    [
        (("trainer.max_epochs=20",), "1,281,167 images x 20 epochs"),
        (
            ("+trainer.max_steps=600", "loader.batch_size=32"),
            "600 steps of 32, of 1,281,167 images",
        ),
    ],
)
def test_the_work_of_a_training(overrides: tuple[str, ...], work: str) -> None:
    cfg = of_training(("data=ilsvrc", "data.root=nowhere", *overrides))
    assert workload("train", cfg) == work


def test_a_network_that_is_not_trained_takes_no_images() -> None:
    cfg = of_training(("data=ilsvrc", "data.root=nowhere", "trainer.max_epochs=0"))
    assert not re.search(r"\d", workload("train", cfg))


@pytest.mark.parametrize(
    ("split", "images"), [("null", "50,000"), ("test", "150,000"), ("val", "50,000")]
)
def test_an_evaluation_takes_its_split_and_the_one_that_chooses_thresholds(
    split: str, images: str
) -> None:
    cfg = of_training(("data=ilsvrc", "data.root=nowhere", f"split={split}"))
    assert workload("evaluate", cfg) == f"{images} images"


def test_stand_in_data_is_counted_and_not_drawn(tmp_path: Path) -> None:
    told = (f"paths.data={tmp_path}", "data.train=30", "data.val=24", "data.test=18")
    assert workload("train", of_training((*told, "trainer.max_epochs=2"))) == "30 images x 2 epochs"
    assert workload("evaluate", of_training(told)) == "42 images"
    assert workload("evaluate", of_training((*told, "split=val"))) == "24 images"
    assert list(tmp_path.iterdir()) == []


def test_data_that_is_there_is_counted(tmp_path: Path) -> None:
    for name, count in (("train", 3), ("val", 2), ("test", 1)):
        for number in range(count):
            path = tmp_path / name / "cat" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8)).save(path)
    cfg = of_training(("data=folder", f"data.root={tmp_path}", "trainer.max_epochs=4"))
    assert workload("train", cfg) == "3 images x 4 epochs"
    assert workload("evaluate", cfg) == "3 images"


def test_data_of_unknown_size_that_is_not_there_is_no_error() -> None:
    cfg = of_training(("data=cub", "data.root=nowhere", "trainer.max_epochs=4"))
    unknown = workload("evaluate", cfg)
    assert "data.root=nowhere" in unknown
    assert workload("train", cfg) == f"{unknown} x 4 epochs"
