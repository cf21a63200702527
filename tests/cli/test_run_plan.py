"""`gapnet plan`: its numbers, and what it refuses."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import QUICK, SMALL, Command, assert_one_line

SHORT = "minutes=0.001"


def test_a_plan_for_several_devices_is_measured_on_one(gapnet: Command, shapes_root: Path) -> None:
    arguments = [*SMALL, *QUICK, "trainer.devices=8", "trainer.num_nodes=2"]
    outcome = gapnet("plan", SHORT, "json=true", f"data.root={shapes_root}", *arguments)
    assert outcome.status == 0
    plan = json.loads(outcome.out)
    assert (plan["planned"]["devices"], plan["planned"]["machines"]) == (8, 2)
    assert plan["planned"]["images"] == 24
    assert plan["computed"]["steps"] == 1  # 16 devices take all images at once
    assert plan["measured"]["train_steps"] >= 3
    assert min(plan["measured"][name] for name in ("input_rate", "step_rate", "train_rate")) > 0
    assert plan["measured"]["checkpoint_bytes"] > 10_000
    assert any("16 devices" in line for line in plan["assumed"])


@pytest.mark.slow
def test_a_plan_keeps_nothing_and_fits_80_columns(gapnet: Command, shapes_root: Path) -> None:
    outcome = gapnet("plan", SHORT, f"data.root={shapes_root}", *SMALL, *QUICK)
    assert outcome.status == 0
    assert "bottleneck: " in outcome.out
    assert all(len(line) <= 80 for line in outcome.out.splitlines())
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("argument", "rule"),
    [
        ("minutes=0", "> 0"),
        ("trainer.devices=auto", ">= 1"),
        ("trainer.max_epochs=0", "nothing"),
        ("trainer.auto_batch=true", "loader.batch_size"),
        ("trainer.device=2", "device"),
        ("seed=0,1", "one value"),
    ],
)
def test_bad_input_is_refused_in_one_line(gapnet: Command, argument: str, rule: str) -> None:
    assert_one_line(gapnet("plan", argument), argument.partition("=")[0], rule)
