import html
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from gapnet.cli.commands.search import complete
from gapnet.config.job_identity import differences
from gapnet.runs.layout import LOGS
from gapnet.studies.search.page import search_page
from gapnet.studies.search.plots import ALL_EQUAL
from gapnet.studies.search.report import HEADER, trial_rows
from gapnet.studies.search.space import (
    Choices,
    Range,
    Steps,
    as_override,
    examples_of,
    quoted,
    space_of,
)
from gapnet.studies.search.study import BUSY, Next, next_step
from gapnet.studies.search.trials import (
    CURVES,
    ERROR,
    OVERRIDES,
    Objective,
    TrialFailedError,
    metric_of,
    read_epochs,
)
from tests.cli.conftest import CHECKOUT, QUICK, SMALL, Command, assert_one_line
from tests.few import few
from tests.refusals import refused

HOSTILE = "<img src=x onerror=document.title='run'>"
ODD = 'it\'s, ["so"] \\ {a: ${b}} = 1'
ONE_KEY = ["~search.optim.weight_decay", "name=it"]


def parsed(override: str) -> object:
    return OverridesParser.create().parse_override(override).value()


# What may be searched


def test_a_space_is_read_from_nested_keys() -> None:
    node = {
        "optim": {"lr": {"low": 1e-4, "high": 1, "log": True}},
        "model": {"width": {"low": 32, "high": 96, "step": 32}, "pool": ["avg", "max"]},
        "model.dropout": {"low": 0, "high": 0.5},
    }
    assert space_of(node) == {
        "optim.lr": Range(1e-4, 1.0, log=True),
        "model.width": Steps(32, 96, 32),
        "model.pool": Choices(("avg", "max")),
        "model.dropout": Range(0.0, 0.5),
    }


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ({"low": 2, "high": 1}, ["search.a.b", "low=2", "high=1"]),
        ({"low": 0, "high": 1, "log": True}, ["search.a.b.low=0", "log=true"]),
        ({"low": 1, "high": 2, "log": "yes"}, ["search.a.b.log=yes"]),
        ({"low": 0, "high": 5, "step": 2}, ["search.a.b.step=2", "low=0", "high=5"]),
        ({"low": 0, "high": 1, "step": 0.5}, ["search.a.b", "step=0.5"]),
        ({"low": 1, "high": 9, "step": 2, "log": True}, ["search.a.b", "step=2", "log"]),
        ({"low": "x", "high": 1}, ["search.a.b.low=x"]),
        ({"low": 1}, ["search.a.b={'low': 1}", "{low, high}"]),
        ({"low": 1, "high": 2, "steps": 1}, ["search.a.b", "'steps': 1", "{low, high}"]),
        ([1], ["search.a.b=[1]"]),
        (3, ["search.a.b=3", "{low, high}"]),
    ],
    ids=str,
)
def test_a_bad_space_is_an_error_that_names_the_key(value: object, parts: list[str]) -> None:
    with refused(*parts):
        space_of({"a": {"b": value}})


@pytest.mark.parametrize("value", ["avg", ODD, "5", "null", "a b", 5, 0.1, None, True, [1, "a,b"]])
def test_an_override_reads_the_value_that_it_was_written_from(value: object) -> None:
    assert parsed(f"key={as_override(value)}") == value


def test_examples_show_every_value_once() -> None:
    space = {"a": Choices(("x", "y", "z")), "b": Range(0.5, 1)}
    assert examples_of(space) == [["a=x", "b=0.5"], ["a=y", "b=1"], ["a=z", "b=1"]]


# What is handed on to the trainings


def test_what_the_search_does_not_know_is_for_the_trainings() -> None:
    of_trainings = [
        "optim=sgd",
        f"name2={quoted(ODD)}",
        "+trainer.x=1",
        "~debug",
        "data.size=[48,64]",
    ]
    own = ["n_trials=3", "search.optim.lr.low=1", "hydra.verbose=true", "--cfg", "job"]
    both = ["seed=3", "paths.runs=here", "imports=[mynet]"]
    *kept, train = complete([*of_trainings, *own, *both])
    assert kept == [*own, *both]
    node = OmegaConf.create({"train": parsed(train)})
    assert OmegaConf.to_container(node, resolve=False)["train"] == [*of_trainings, *both]


@pytest.mark.parametrize(
    ("argument", "remedy"),
    [
        ("-m", "search="),
        ("optim.lr=1,2", "+search.optim.lr=[...]"),
    ],
)
def test_a_sweep_is_no_search(argument: str, remedy: str) -> None:
    with refused(argument, remedy):
        complete([argument])


@pytest.mark.parametrize(
    ("argument", "parts"),
    few(
        [
            ("optm.lr=1", ["optm: ", "'optim'"]),
            ("model=alexnet_gapp", ["alexnet_gapp"]),
            ("+search.optim.lrr=[1,2]", ["optim.lrr: ", "'lr'"]),
            ("+search.model.pool=[avg]", ["search.model.pool=['avg']: "]),
            ("optim.lr=1", ["optim.lr: "]),
            ("n_trials=0", ["n_trials=0: "]),
            ("metric=test/top1_error", ["metric=test/top1_error: ", "val/"]),
            ("direction=up", ["direction=up: ", "minimise", "maximise"]),
            ("name=a/b", ["name=a/b: "]),
            (f"name={'n' * 300}", ["nnn"]),
            ("storage=nonsense", ["storage"]),
            ("storage=postgresql://me:hunter2@host/db", ["storage=postgresql://***@host/db: "]),
            (
                "storage='postgresql://host/db?password=hunter2'",
                ["storage=postgresql://host/db?***"],
            ),
            ("prune.n_warmup_steps=-1", ["prune: "]),
        ],
        1,
    ),
)
def test_a_wrong_argument_is_one_line(gapnet: Command, argument: str, parts: list[str]) -> None:
    assert_one_line(gapnet("search", argument), *parts)


@pytest.mark.parametrize("missing", ["optuna", "sklearn"])
def test_a_missing_extra_is_one_line(
    gapnet: Command, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    loaded = [name for name in sys.modules if name.startswith("gapnet.studies.search")]
    for name in loaded:  # so that it is imported again
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.setitem(sys.modules, name, None)
    outcome = gapnet("search")
    assert_one_line(outcome, missing, "pip install 'gapnet[search]'")


# When a worker starts a trial


@pytest.mark.parametrize(
    ("states", "step"),
    [
        ([], Next.START),
        (["COMPLETE", "PRUNED", "RUNNING"], Next.WAIT),
        (["COMPLETE", "PRUNED", "FAIL"], Next.START),
        (["COMPLETE", "RUNNING", "WAITING"], Next.START),
        (["COMPLETE", "PRUNED", "COMPLETE", "RUNNING"], Next.END),
    ],
    ids=str,
)
def test_a_worker_counts_what_is_finished_and_what_runs(states: list[str], step: Next) -> None:
    assert next_step([TrialState[each] for each in states], 3) == step


# What a trial is worth


def test_the_curves_are_where_a_run_keeps_them() -> None:
    assert Path(LOGS, "metrics.csv") == CURVES


def test_epochs_are_read_from_a_file_in_the_writing(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    assert read_epochs(path) == []
    path.write_text(
        "epoch,step,train/loss,val/top1_error\n0,9,,0.5\n0,9,1.5,\n1,19,,0.25\n2,29,,0.1"
    )
    assert [(row["epoch"], row["val/top1_error"]) for row in read_epochs(path)] == [
        (0, 0.5),
        (1, 0.25),
    ]


def test_a_trial_is_worth_what_the_checkpoint_is_that_counts() -> None:
    epochs = [{"epoch": n, "val/top1_error": e, "val/b": n} for n, e in enumerate([0.5, 0.2, 0.3])]
    assert metric_of(epochs, "val/top1_error", "best") == 0.2
    assert metric_of(epochs, "val/b", "best") == 1
    assert metric_of(epochs, "val/b", "last") == 2
    with pytest.raises(TrialFailedError, match=r"val/c.*val/b, val/top1_error"):
        metric_of(epochs, "val/c", "best")


# How it is reported


def study_of(*values: float | None) -> optuna.Study:
    study = optuna.create_study()
    for place, value in enumerate(values):
        lost = value is None
        study.add_trial(
            create_trial(
                state=TrialState.FAIL if lost else TrialState.COMPLETE,
                value=value,
                params={"optim.lr": 0.1 + place % 8},
                distributions={"optim.lr": FloatDistribution(0, 9)},
                user_attrs={OVERRIDES: [f"optim.lr={place}"], **({ERROR: "<no>"} if lost else {})},
            )
        )
    return study


def test_trials_are_listed_with_the_best_first() -> None:
    rows = trial_rows(study_of(0.5, None, 0.25))
    assert rows == [
        ("2", "complete", "0.2500", "optim.lr=2"),
        ("0", "complete", "0.5000", "optim.lr=0"),
        ("1", "failed", "", "<no>"),
    ]


@pytest.mark.parametrize(("values", "plots"), [((), 0), ((0.5,), 1), ((1, 1), 1), ((1, 2, 3), 3)])
@pytest.mark.slow
def test_the_page_shows_what_can_be_plotted(values: tuple[float, ...], plots: int) -> None:
    study = study_of(*values, None)
    objective = Objective(Path(), [ODD], {"optim.lr": Range(0, 9)}, "val/top1_error", "best", 3)
    rows = trial_rows(study)
    page = search_page(study, objective, header=HEADER, rows=rows, best="the best")
    assert page.count("<svg") == plots
    assert (ALL_EQUAL in page) == (plots == 1)
    assert "&lt;no&gt;" in page
    assert "<script" not in page
    assert "optim.lr from 0 to 9" in page


@pytest.mark.slow
def test_names_of_classes_are_text_in_the_page() -> None:
    study = optuna.create_study(study_name=HOSTILE)
    for number, text in enumerate([HOSTILE, "plain"]):
        study.add_trial(
            create_trial(
                value=number,
                params={"data.phrase": text},
                distributions={"data.phrase": CategoricalDistribution([HOSTILE, "plain"])},
                user_attrs={OVERRIDES: [f"data.phrase={text}"]},
            )
        )
    failed = {OVERRIDES: [], ERROR: f"data: class {HOSTILE} has no images"}
    study.add_trial(create_trial(state=TrialState.FAIL, user_attrs=failed))
    space = {f"data.{HOSTILE}": Choices((HOSTILE, "plain"))}
    objective = Objective(Path(), [f"data.phrase={HOSTILE}"], space, HOSTILE, "best", 3)
    page = search_page(study, objective, header=HEADER, rows=trial_rows(study), best=HOSTILE)
    assert "<img" not in page
    assert page.count(html.escape(HOSTILE)) >= 9
    assert html.escape(f"data: class {HOSTILE} has no images") in page


@pytest.mark.slow
def test_the_page_of_2000_trials_has_less_than_a_megabyte() -> None:
    study = study_of(*[trial % 97 for trial in range(2000)])
    objective = Objective(Path(), [], {"optim.lr": Range(0, 9)}, "val/top1_error", "best", 2000)
    page = search_page(study, objective, header=HEADER, rows=trial_rows(study), best="the best")
    assert len(page.encode()) < 1_000_000
    assert "The best 500 of 2000 trials" in page


@pytest.mark.parametrize(("value", "text"), [(0.098764, "0.09876"), (0.123459, "0.12346")])
def test_a_trial_chooses_a_rounded_number_inside_its_range(value: float, text: str) -> None:
    assert Range(0.001, 0.12346).suggest(optuna.trial.FixedTrial({"x": value}), "x") == text


# Searches


def command(*arguments: str, n_trials: int, epochs: int) -> list[str]:
    own = [f"n_trials={n_trials}", *ONE_KEY, "report.images=0"]
    known = [each for each in QUICK if not each.startswith("trainer.max_epochs")]
    given = [*SMALL, *known, f"trainer.max_epochs={epochs}", *own, *arguments]
    return [sys.executable, "-m", "gapnet", "search", *given]


@pytest.fixture
def home(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in an empty folder, from which trainings find gapnet and drawn data."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    (tmp_path / "data").mkdir()
    return tmp_path


def run(arguments: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=300)


def trials_in(home: Path) -> list[optuna.trial.FrozenTrial]:
    url = f"sqlite:///{home / 'runs/searches/it/study.db'}"
    return optuna.load_study(study_name="it", storage=url).get_trials()


def by_state(home: Path, state: TrialState) -> list[optuna.trial.FrozenTrial]:
    return [trial for trial in trials_in(home) if trial.state == state]


def processes_of(folder: Path) -> list[str]:
    """List the processes whose arguments name a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        found += [path.parent.name] if str(folder).encode() in words else []
    return found


def wait_for(condition: Callable[[], object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


@pytest.mark.slow
def test_a_search_tries_and_reports_and_leaves_the_test_split_alone(
    home: Path, shapes_root: Path
) -> None:
    odd = shutil.copytree(shapes_root, home / "it's, [odd] = a root")
    arguments = command(f"data.root={quoted(str(odd))}", n_trials=2, epochs=2)
    done = run(arguments)
    assert done.returncode == 0, done.stderr
    folder = home / "runs" / "searches" / "it"
    assert [trial.state for trial in trials_in(home)] == 2 * [TrialState.COMPLETE]
    assert done.stderr.count("best so far") == 2
    assert not list(folder.rglob("predictions"))
    assert not list(folder.rglob("metrics.json"))
    assert not (home / "runs" / "latest").exists()
    best = min(trials_in(home), key=lambda trial: trial.value)
    pasted = shlex.split(next(x for x in done.stdout.splitlines() if x.startswith("gapnet train")))
    page = (folder / "report.html").read_text()
    (shown,) = re.findall("<pre>(.*)</pre>", page)
    assert shlex.split(html.unescape(shown)) == pasted
    assert len(page.encode()) < 1_000_000
    saved = OmegaConf.load(folder / "trials" / str(best.number) / "config.yaml")
    composed = run([sys.executable, "-m", *pasted, "--cfg", "job", "--resolve"])
    assert composed.returncode == 0, composed.stderr
    now, then = (
        OmegaConf.to_container(each) for each in (OmegaConf.create(composed.stdout), saved)
    )
    assert differences(then, now) == []
    assert now["evaluate"]
    assert then["group"] == "it"
    for trial in trials_in(home):
        config = OmegaConf.load(folder / "trials" / str(trial.number) / "config.yaml")
        assert config.data.root == str(odd)
        assert config.optim.lr == pytest.approx(trial.params["optim.lr"], rel=1e-3)
        epochs = read_epochs(folder / "trials" / str(trial.number) / CURVES)
        assert [*trial.intermediate_values.values()] == [e["val/top1_error"] for e in epochs]
        assert trial.value == min(trial.intermediate_values.values())
    again = run(arguments)
    assert again.returncode == 0
    assert len(trials_in(home)) == 2
    other = run([*arguments, "optim=sgd"])
    assert other.returncode == 1
    assert "train=" in other.stderr.splitlines()[-1]


@pytest.mark.nightly
def test_a_killed_worker_leaves_no_training_and_its_trial_is_run_again(
    home: Path, shapes_root: Path
) -> None:
    arguments = command(f"data.root={quoted(str(shapes_root))}", n_trials=3, epochs=40)
    folder = home / "runs" / "searches" / "it"
    worker = subprocess.Popen(arguments, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wait_for((folder / "trials" / "1" / CURVES).is_file, 120)
    assert processes_of(folder)
    worker.kill()
    worker.wait()
    wait_for(lambda: not processes_of(folder), 5)
    (first,) = by_state(home, TrialState.COMPLETE)
    (lost,) = by_state(home, TrialState.RUNNING)
    written = (folder / "trials" / "0" / CURVES).stat().st_mtime_ns
    done = run(arguments)
    assert done.returncode == 0, done.stderr
    complete = by_state(home, TrialState.COMPLETE)
    assert len(complete) == 3
    assert first in complete
    assert (folder / "trials" / "0" / CURVES).stat().st_mtime_ns == written
    chosen = [trial.params["optim.lr"] for trial in complete]
    assert len(set(chosen)) == 3
    assert lost.params["optim.lr"] in chosen
    assert "lost, run again" in done.stdout


@pytest.mark.nightly
def test_two_workers_share_a_search(home: Path, shapes_root: Path) -> None:
    arguments = command(f"data.root={quoted(str(shapes_root))}", n_trials=4, epochs=2)
    workers = [
        subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [worker.communicate(timeout=300) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], outputs
    complete = by_state(home, TrialState.COMPLETE)
    assert len(complete) == 4
    assert len({trial.params["optim.lr"] for trial in complete}) == 4
    assert all("best so far" in err for _, err in outputs)


@pytest.mark.nightly
def test_a_pruned_training_is_stopped(home: Path, shapes_root: Path) -> None:
    at_once = ["~prune.n_startup_trials", "prune.n_warmup_steps=0", "+prune.upper=-1"]
    pruner = "prune._target_=optuna.pruners.ThresholdPruner"
    root = f"data.root={quoted(str(shapes_root))}"
    done = run(command(root, pruner, *at_once, n_trials=1, epochs=2000))
    assert done.returncode == 0, done.stderr
    assert [trial.state for trial in trials_in(home)] == [TrialState.PRUNED]
    assert "no trial ran to its end: all were pruned" in done.stdout
    assert not processes_of(home / "runs" / "searches" / "it")


@pytest.mark.slow
def test_an_interrupted_worker_says_so_and_its_trial_is_kept_for_the_next(
    home: Path, shapes_root: Path
) -> None:
    arguments = command(f"data.root={quoted(str(shapes_root))}", n_trials=1, epochs=2000)
    folder = home / "runs" / "searches" / "it"
    worker = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
    try:
        wait_for((folder / "trials" / "0" / CURVES).is_file, 300)
        os.kill(worker.pid, signal.SIGINT)
        # A signal in the middle of a write makes others wait for the database, BUSY at most
        _, err = worker.communicate(timeout=2 * BUSY)
    finally:
        worker.kill()
    assert worker.returncode == 1
    assert err.splitlines()[-1].startswith("gapnet search: ")
    assert "Traceback" not in err
    assert not processes_of(folder)
    lost, waiting = trials_in(home)
    assert waiting.state == TrialState.WAITING
    assert waiting.system_attrs["fixed_params"] == lost.params


@pytest.mark.nightly
def test_a_failed_trial_stops_no_other_and_hopeless_ones_do(home: Path, shapes_root: Path) -> None:
    root = f"data.root={quoted(str(shapes_root))}"
    some = run(command(root, "+search.optim.schedule=[cosine,wrong]", n_trials=2, epochs=1))
    assert some.returncode == 0, some.stderr
    assert len(by_state(home, TrialState.COMPLETE)) == 2
    failed = len(by_state(home, TrialState.FAIL))
    assert failed
    assert some.stderr.count("optim.schedule=wrong: ") == failed
    assert f"{failed} of {2 + failed} trials" in some.stdout
    all_fail = run(command(root, "name=bad", "optim.warmup=2", n_trials=5, epochs=1))
    assert all_fail.returncode == 1
    assert "optim.warmup=2: " in all_fail.stderr.splitlines()[-1]
