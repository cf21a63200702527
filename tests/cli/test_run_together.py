"""Commands of a table that run at the same time."""

import sys
from pathlib import Path

import pytest

from gapnet.studies.table import run_together as tested
from gapnet.studies.table.run_together import run_together
from gapnet.studies.table.table_command import TableCommand

WRITE = "import sys, pathlib; path = pathlib.Path(sys.argv[1]); path.touch()"
WAIT = "import time; time.sleep(60)"


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace gapnet's commands by scripts: the last argument."""

    def command(name: str, arguments: list[str]) -> list[str]:
        folder = Path(arguments[0])
        folder.mkdir(parents=True)
        file = folder / ("training.json" if name == "train" else "metrics.json")
        (folder / "verdicts.parquet").touch()
        return [sys.executable, "-c", arguments[-1], str(file)]

    monkeypatch.setattr(tested, "gapnet_command", command)


def training(folder: Path, script: str = WRITE, seed: int = 0) -> TableCommand:
    return TableCommand("train", (str(folder), f"seed={seed}", script), folder)


def evaluation(of: TableCommand) -> TableCommand:
    folder = of.folder / "evaluations" / "a"
    return TableCommand("evaluate", (str(folder), WRITE), folder, needs=of)


def test_evaluations_run_after_their_trainings(tmp_path: Path) -> None:
    trainings = [training(tmp_path / name / "0") for name in ("one", "two")]
    commands = [*map(evaluation, trainings), *trainings]
    assert run_together(commands, tmp_path / "out", parallel=2, seconds=None) == []


def test_what_has_no_time_is_interrupted_and_named(tmp_path: Path) -> None:
    slow = training(tmp_path / "slow" / "0", WAIT)
    commands = [slow, evaluation(slow)]
    assert run_together(commands, tmp_path / "out", parallel=2, seconds=0.5) == commands


def test_an_evaluation_without_its_training_does_not_run(tmp_path: Path) -> None:
    failing = training(tmp_path / "failing" / "0", "raise SystemExit(1)")
    left = run_together([failing, evaluation(failing)], tmp_path / "out", parallel=2, seconds=None)
    assert [command.name for command in left] == ["train", "evaluate"]
    assert not (failing.folder / "evaluations").exists()


def test_all_networks_are_trained_with_the_first_seed_before_the_second(tmp_path: Path) -> None:
    order = tmp_path / "order.txt"
    script = f"import sys; open({str(order)!r}, 'a').write(sys.argv[1] + '\\n'); " + WRITE
    commands = [
        training(tmp_path / f"{name}{seed}" / "0", script, seed)
        for name in ("a", "b")
        for seed in (0, 1)
    ]
    run_together(commands, tmp_path / "out", parallel=1, seconds=None)
    names = [Path(line).parent.parent.name for line in order.read_text().splitlines()]
    assert names == ["a0", "b0", "a1", "b1"]
