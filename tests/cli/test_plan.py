"""Which commands fill a table, where their outcomes lie, and about how long they take."""

import functools
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from gapnet.config.build import conf_folder
from gapnet.config.groups import FROM_RUN
from gapnet.config.jobs import rules_of
from gapnet.config.overrides import key_of, own_keys, refuse_sweep, root_of, split
from gapnet.config.run_id import register_resolvers
from gapnet.errors import GapnetError
from gapnet.runs.layout import METRICS, SUBMISSION, TRAINED, VERDICTS
from gapnet.studies.table.estimate import PUBLISHED, Work, count_images, work_of
from gapnet.studies.table.plan import Cell, Job, Plan, merged, ordered, placed

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


def plan(number: int, *overrides: str, handed: tuple[str, ...] = ("data=shapes",)) -> Plan:
    cfg = composed("table", (f"table=table{number}", *overrides))
    return Plan(cfg, handed, of_training)


def cell(planned: Plan, column: str) -> Cell:
    """Give the one cell of a plan of one row."""
    (row,) = planned.rows
    return planned._cell(row, column)


def both(found: Cell) -> tuple[Job | None, Job]:
    (jobs,) = found.jobs
    return jobs


# What is handed on


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


def test_what_a_table_does_not_take_itself_is_handed_on() -> None:
    own = ["rows=[nin]", "checkpoints.nin=a.ckpt", "table=table1", "hydra.verbose=true"]
    others = ["data=shapes", "+trainer.x=1", "~debug", "view.margin=2"]
    kept, handed = split([*others[:2], *own, "--cfg", "job", *others[2:]], own_keys("table"))
    assert kept == [*own, "--cfg", "job"]
    assert handed == others


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
    assert key_of(override) == key


@pytest.mark.parametrize("override", ["optim.lr=1,2", "seed=range(3)", "data=choice(cub,shapes)"])
def test_several_values_are_refused(override: str) -> None:
    with pytest.raises(GapnetError) as caught:
        refuse_sweep(override, "one at a time")
    assert str(caught.value) == f"{override}: one at a time"


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
    assert placed("run", Path("a")) == f"run={tmp_path}/a"
    assert placed("run", Path("/a b=c")) == "run='/a b=c'"


# Which commands


def test_a_run_that_was_evaluated_so_when_it_was_trained_serves_a_cell(tmp_path: Path) -> None:
    planned = plan(2, *STAND_IN, "rows=[alexnet_gap]", f"runs={tmp_path}")
    training, evaluation = both(cell(planned, "threshold20"))
    assert "evaluate=false" in training.arguments
    assert evaluation.command == "evaluate"
    training.folder.mkdir(parents=True)
    for name in (METRICS, VERDICTS):
        (training.folder / name).touch()
    assert both(cell(planned, "threshold20")) == (training, training)
    assert both(cell(planned, "released"))[1].command == "evaluate"


def test_what_images_are_read_by_or_reported_makes_no_other_run_or_evaluation() -> None:
    row = "rows=[alexnet_gap]"
    plain = both(cell(plan(2, *STAND_IN, row), "released"))
    handed = ("data=shapes", "loader.num_workers=7", "report.images=0")
    other = both(cell(plan(2, *STAND_IN, row, handed=handed), "released"))
    assert [job.folder for job in plain] == [job.folder for job in other]


def test_the_same_rules_are_one_evaluation_however_they_are_told() -> None:
    ten = both(cell(plan(1, "recipe=stand_in", "rows=[alexnet]"), "ten"))
    grad_cam = both(cell(plan(2, "recipe=stand_in", "rows=[alexnet_grad_cam]"), "released"))
    assert ten[1].folder == grad_cam[1].folder


def test_a_network_that_is_not_trained_is_one_run_whatever_the_seeds() -> None:
    handed = ("data=ilsvrc", "data.root=nowhere")
    found = cell(plan(2, "rows=[googlenet]", "seeds=[0,1,2]", handed=handed), "threshold20")
    assert len(found.jobs) == 1


@pytest.mark.parametrize(
    ("number", "row", "column"),
    [(1, "alexnet_gap", "ten"), (2, "alexnet_gap", "released"), (2, "alexnet_backprop", "grabcut")],
)
def test_another_rule_takes_another_evaluation(number: int, row: str, column: str) -> None:
    training, evaluation = both(cell(plan(number, *STAND_IN, f"rows=[{row}]"), column))
    assert training is not None
    assert evaluation.command == "evaluate"
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
    jobs = ordered([*first, *second], [])
    assert [job.folder.parent.name for job in jobs if job.command == "train"] == ["alexnet"]


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
    first, second = (training.arguments for training, _ in found.jobs)
    assert set(first) ^ set(second) == {"seed=0", "seed=4"}
    assert len(set(found.folders)) == 2


def test_each_training_comes_before_its_evaluations_and_once() -> None:
    cells = plan(2, *STAND_IN, "rows=[alexnet_gap,alexnet_backprop]").cells()
    jobs = ordered(cells, [])
    evaluations = ["evaluate"] * 2, ["evaluate"] * 3
    assert [job.command for job in jobs] == ["train", *evaluations[0], "train", *evaluations[1]]
    assert len({job.folder for job in jobs}) == len(jobs)


def test_quoted_rows_take_nothing() -> None:
    assert plan(3, *STAND_IN, "rows=[overfeat_full,alexnet_full]").cells() == []


def test_rows_come_in_the_order_of_the_table() -> None:
    planned = plan(2, "rows=[nin,alexnet_gap,googlenet_gap]")
    assert list(planned.rows) == ["googlenet_gap", "alexnet_gap", "nin"]


HANDED = ("data=shapes", "data.size=64", "optim.lr=0.5", "report.images=0")


def test_an_evaluation_of_a_run_leaves_to_the_run_what_it_was_trained_with() -> None:
    planned = plan(2, *STAND_IN, "rows=[alexnet_gap]", handed=HANDED)
    training, evaluation = both(cell(planned, "released"))
    assert training is not None
    assert set(HANDED) <= set(training.arguments)
    assert set(HANDED) & set(evaluation.arguments) == {"report.images=0"}
    plain = both(cell(plan(2, *STAND_IN, "rows=[alexnet_gap]"), "released"))[1]
    assert evaluation.folder.parent != plain.folder.parent


def test_an_evaluation_of_a_file_takes_all_but_what_is_of_training(tmp_path: Path) -> None:
    file = tmp_path / "mine.ckpt"
    file.touch()
    given = f"++checkpoints.alexnet_gap={file}"
    planned = plan(2, *STAND_IN, "rows=[alexnet_gap]", given, handed=HANDED)
    assert set(HANDED) - set(both(cell(planned, "released"))[1].arguments) == {"optim.lr=0.5"}


def test_what_a_table_is_about_is_not_overridden_by_the_recipe() -> None:
    training, evaluation = both(cell(plan(2, *STAND_IN, "rows=[alexnet_backprop]"), "grabcut"))
    cfg = of_training(evaluation.like)
    assert cfg.boxer._target_.endswith("GrabCutBoxer")
    assert cfg.saliency._target_.endswith("Gradient")
    assert {key: cfg[key] for key in FROM_RUN} != {
        key: of_training(training.like)[key] for key in FROM_RUN
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
    assert plan(1, f"recipe={recipe}")._recipe(network) == experiment


def test_every_network_has_an_experiment_of_each_recipe() -> None:
    for recipe in ("modern", "caffe"):
        planned = plan(1, f"recipe={recipe}")
        for network in planned.cfg.table.networks:
            name = planned._recipe(network)
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
    assert {job.command for job in ordered(planned.cells(), [])} == {"evaluate"}


def test_a_checkpoint_without_class_maps_is_evaluated_by_maps_that_it_can_have(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mine.ckpt"
    file.touch()
    planned = plan(1, *STAND_IN, "rows=[alexnet]", f"++checkpoints.alexnet={file}")
    assert "saliency=grad_cam" in both(cell(planned, "ten"))[1].arguments


def test_a_checkpoint_that_is_not_there_is_named() -> None:
    planned = plan(2, *STAND_IN, "rows=[alexnet_gap]", "++checkpoints.alexnet_gap=nix.ckpt")
    with pytest.raises(GapnetError, match=r"checkpoints.alexnet_gap=nix.ckpt: no such file"):
        planned.cells()


def test_an_unknown_row_gets_the_list() -> None:
    with pytest.raises(GapnetError, match=r"rows=\['nix'\]: no row nix; there are: \['heuristics'"):
        _ = plan(3, "rows=[nix]").rows


def test_submissions_predict_the_test_split_by_every_column() -> None:
    planned = plan(3, *STAND_IN, "rows=[heuristics,overfeat_full]", "submit=true")
    plain, released = planned.submissions()
    assert {"split=test", "boxer=tight_loose"} <= set(plain.arguments)
    assert {"split=test", "boxer=released"} <= set(released.arguments)
    others = {each.folder for each in ordered(planned.cells(), [])}
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
    assert Job("evaluate", (), tmp_path, ()).done == done


def test_a_training_is_done_when_it_has_ended(tmp_path: Path) -> None:
    training = Job("train", (), tmp_path, ())
    assert not training.done
    (tmp_path / TRAINED).touch()
    assert training.done


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_rules_of_every_cell_go_together(number: int) -> None:
    planned, wanted = plan(number), set()
    for row in planned.rows.values():
        for column in planned.columns_of(row):
            exceptions = row.get("exceptions", {}).get(column, ())
            told = planned.cfg.table.columns[column].evaluate
            rules = merged(told, row.get("evaluate", ()), exceptions)
            wanted.add(tuple(each for each in rules if not each.startswith(("view=", "crops="))))
    assert wanted
    for each in wanted:
        assert rules_of(of_training(each)), each


# How long


def multiply_adds_of_alexnet_gap() -> int:
    """Count by hand, at 224 x 224: units x (channels x side x side) x cells of each layer."""
    convs = [
        (64, 3 * 11 * 11, 55),
        (192, 64 * 5 * 5, 27),
        (384, 192 * 3 * 3, 13),
        (256, 384 * 3 * 3, 13),
        (256, 256 * 3 * 3, 13),
        (1024, 256 * 3 * 3, 13),
    ]
    return sum(units * taps * cells**2 for units, taps, cells in convs) + 1024 * 1000


LARGE = ("data=ilsvrc", "model=alexnet_gap")
SOME = {"trained": 1000, "evaluated": 10}


def test_multiply_adds_are_those_by_hand() -> None:
    work = work_of(of_training(LARGE), SOME, trains=True)
    assert work.multiplies == pytest.approx(multiply_adds_of_alexnet_gap(), rel=0.01)
    assert work.multiplies == pytest.approx(1.06e9, rel=0.01)


def test_hours_of_a_training_by_hand() -> None:
    cfg = of_training((*LARGE, "trainer.max_epochs=2"))
    operations = 2 * multiply_adds_of_alexnet_gap() * (3 * 2 * 1000 + 10)
    hours = work_of(cfg, SOME, trains=True).hours(5.0)
    assert hours == pytest.approx(operations / 5e12 / 3600, rel=0.01)


def test_an_evaluation_does_not_train() -> None:
    assert work_of(of_training(LARGE), SOME, trains=False).trained == 0


def test_hours_grow_with_epochs() -> None:
    passed = [
        work_of(of_training((*LARGE, f"trainer.max_epochs={each}")), SOME, trains=True)
        for each in (1, 3)
    ]
    assert [each.trained for each in passed] == [1000, 3000]
    assert passed[0].hours(30) < passed[1].hours(30)


def test_ten_crops_take_ten_times_the_passes() -> None:
    one, ten = (
        work_of(of_training((*LARGE, f"crops={each}")), SOME, trains=False)
        for each in ("single", "ten")
    )
    assert (one.passed, ten.passed) == (10, 100)


def test_backprop_takes_a_backward_pass_for_each_class() -> None:
    work = work_of(of_training((*LARGE, "saliency=gradient")), SOME, trains=False)
    assert work.passed == 10 * (1 + 1 + 6)  # the look; again, recorded; five guesses, and the truth


def test_a_device_twice_as_fast_takes_half_as_long() -> None:
    work = Work(1e9, 100, 10)
    assert work.hours(20) == work.hours(10) / 2


@pytest.mark.parametrize(
    ("split", "evaluated"), [("null", 50_000), ("test", 150_000), ("val", 50_000)]
)
def test_ilsvrc_is_counted_as_published_where_it_does_not_lie_here(
    split: str, evaluated: int
) -> None:
    cfg = composed("train", ("data=ilsvrc", "data.root=nowhere", f"split={split}"))
    assert PUBLISHED["train"] == 1_281_167
    assert count_images(cfg) == {"trained": 1_281_167, "evaluated": evaluated}


def test_stand_in_data_is_counted_and_not_drawn(tmp_path: Path) -> None:
    told = (f"paths.data={tmp_path}", "data.train=30", "data.val=24", "data.test=18")
    assert count_images(composed("train", told)) == {"trained": 30, "evaluated": 42}
    assert count_images(composed("train", (*told, "split=val")))["evaluated"] == 24
    assert list(tmp_path.iterdir()) == []


def test_other_data_is_read(tmp_path: Path) -> None:
    with pytest.raises(GapnetError, match="nowhere"):
        count_images(composed("train", ("data=cub", "data.root=nowhere")))
