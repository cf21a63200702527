"""What a training would take, against numbers computed by hand."""

from dataclasses import replace

import pytest

from gapnet.errors import GapnetError
from gapnet.report.plan_table import plan_lines, plan_tables
from gapnet.training.run_plan import Measured, Plan, Planned

MEASURED = Measured(
    device="a device",
    cores=16,
    workers=2,
    input_rate=200.0,
    step_rate=400.0,
    train_rate=180.0,
    train_steps=40,
    validation_rate=500.0,
    checkpoint_bytes=100,
)
PLANNED = Planned(
    network="net",
    data="data",
    images=1000,
    validation_images=300,
    batch_size=32,
    accumulate=2,
    devices=4,
    machines=2,
    epochs=3,
    most_steps=-1,
    validate_every=1,
    checkpoints=("last", "previous", "best"),
)
PLAN = Plan(MEASURED, PLANNED)


def test_an_epoch_is_shared_by_all_devices() -> None:
    # 8 devices take 256 images at a time, so 4 batches of 32 each, two batches a step
    assert (PLANNED.batches, PLANNED.steps) == (4, 6)


def test_time_of_the_training_is_that_of_the_batches_of_one_device() -> None:
    assert PLAN.training_seconds == pytest.approx(3 * 4 * 32 / 180)
    assert PLAN.validation_seconds == pytest.approx(3 * 300 / 8 / 500)
    assert PLAN.seconds == pytest.approx(PLAN.training_seconds + PLAN.validation_seconds)
    assert PLAN.device_hours == pytest.approx(PLAN.seconds * 8 / 3600)


def test_steps_end_a_training_without_epochs() -> None:
    plan = Plan(MEASURED, replace(PLANNED, epochs=None, most_steps=3))
    assert plan.training_seconds == pytest.approx(6 * 32 / 180)
    assert plan.validation_seconds == pytest.approx(300 / 8 / 500)  # after the only whole epoch


def test_a_training_without_end_is_refused() -> None:
    with pytest.raises(GapnetError, match=r"trainer\.max_epochs=-1"):
        _ = replace(PLANNED, epochs=-1).steps


def test_enough_workers_read_as_many_images_as_the_device_trains_on() -> None:
    assert PLAN.is_input_bound
    assert PLAN.enough_workers == 4  # 100 images per second each, for 400
    assert PLAN.fastest_seconds == pytest.approx(3 * 4 * 32 / 400)


def test_the_device_is_the_bottleneck_if_workers_read_more() -> None:
    plan = Plan(replace(MEASURED, input_rate=900.0), PLANNED)
    assert not plan.is_input_bound
    assert plan.enough_workers == 1


def test_disk_has_room_for_a_checkpoint_that_is_being_written() -> None:
    assert PLAN.disk_bytes == 4 * 100


def test_what_was_not_measured_is_named() -> None:
    several, one = PLAN.assumptions(), Plan(MEASURED, replace(PLANNED, devices=1, machines=1))
    assert any("8 devices" in line for line in several)
    assert not any("devices" in line for line in one.assumptions())
    many = Plan(replace(MEASURED, cores=8), PLANNED)
    assert any("16 workers" in line for line in many.assumptions())


def test_the_lines_fit_80_columns() -> None:
    assert all(len(line) < 80 for line in plan_lines(PLAN))
    assert len(plan_tables(PLAN)) == 2
