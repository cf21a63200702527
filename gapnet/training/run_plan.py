"""What a training would take, computed from what was measured on one device."""

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from gapnet.training.optim import count_steps

LIMIT = 0.95  # the input is the bottleneck if it reads fewer images than this share of the device's


@dataclass(frozen=True)
class Measured:
    """What was measured on one device.

    Args:
        device: its name.
        cores: of this machine's processor that gapnet may use.
        workers: processes that read images.
        input_rate: images per second that the workers read, with nothing else running.
        step_rate: images per second that the device trains on, from images in memory.
        train_rate: images per second of a training that reads its images.
        train_steps: that were timed for `train_rate`.
        validation_rate: images per second of a validation.
        checkpoint_bytes: size of a checkpoint.
    """

    device: str
    cores: int
    workers: int
    input_rate: float
    step_rate: float
    train_rate: float
    train_steps: int
    validation_rate: float
    checkpoint_bytes: int


@dataclass(frozen=True)
class Planned:
    """The training that is planned.

    Args:
        network: name of the network.
        data: name of the data set.
        images: of the training split.
        validation_images: of the split that chooses checkpoints.
        batch_size: images per batch and device.
        accumulate: batches per step and device.
        devices: per machine.
        machines: number of machines.
        epochs: of the training; None or -1 if only `most_steps` ends it.
        most_steps: of the training; -1 for no limit.
        validate_every: epochs between validations.
        checkpoints: names of those that are kept.
    """

    network: str
    data: str
    images: int
    validation_images: int
    batch_size: int
    accumulate: int
    devices: int
    machines: int
    epochs: int | None
    most_steps: int
    validate_every: int
    checkpoints: tuple[str, ...]

    @property
    def processes(self) -> int:
        """Return the number of devices of all machines."""
        return self.devices * self.machines

    @property
    def batches(self) -> int:
        """Return the number of batches of a device in an epoch."""
        return math.ceil(self.images / (self.batch_size * self.processes))

    @property
    def steps(self) -> int:
        """Return the number of the optimiser's steps."""
        return count_steps(
            self.batches, epochs=self.epochs, accumulate=self.accumulate, most=self.most_steps
        )

    @property
    def steps_an_epoch(self) -> int:
        """Return the number of steps of an epoch."""
        return math.ceil(self.batches / self.accumulate)


@dataclass(frozen=True)
class Plan:
    """What a training would take."""

    measured: Measured
    planned: Planned

    @property
    def device_rate(self) -> float:
        """Return the images per second that the device trains on, if none has to be waited for.

        On a busy machine, the training that reads images may have been timed in a quieter moment.
        """
        return max(self.measured.step_rate, self.measured.train_rate)

    @property
    def is_input_bound(self) -> bool:
        """Return whether reading images takes longer than training on them."""
        return self.measured.input_rate < LIMIT * self.device_rate

    @property
    def enough_workers(self) -> int:
        """Return how many workers of a device read as many images as it trains on."""
        a_worker = self.measured.input_rate / max(self.measured.workers, 1)
        return math.ceil(self.device_rate / a_worker)

    @cached_property
    def training_seconds(self) -> float:
        """Return the time of all steps, if the devices do not wait for each other."""
        passed = self.planned.steps / self.planned.steps_an_epoch * self.planned.batches
        return passed * self.planned.batch_size / self.measured.train_rate

    @property
    def fastest_seconds(self) -> float:
        """Return the time of all steps if reading images took no time."""
        return self.training_seconds * self.measured.train_rate / self.device_rate

    @cached_property
    def validation_seconds(self) -> float:
        """Return the time of all validations."""
        epochs = self.planned.steps // self.planned.steps_an_epoch
        images = self.planned.validation_images * (epochs // self.planned.validate_every)
        return images / self.planned.processes / self.measured.validation_rate

    @property
    def seconds(self) -> float:
        """Return the time of the training with its validations."""
        return self.training_seconds + self.validation_seconds

    @property
    def device_hours(self) -> float:
        """Return the hours of all devices together."""
        return self.seconds * self.planned.processes / 3600

    @property
    def disk_bytes(self) -> int:
        """Return the space of the checkpoints, with one that is being written."""
        return self.measured.checkpoint_bytes * (len(self.planned.checkpoints) + 1)

    def values(self) -> dict[str, Any]:
        """Return the plan as plain values for JSON: measured, planned, and computed from both."""
        return {
            "measured": asdict(self.measured),
            "planned": asdict(self.planned),
            "computed": {
                "steps": self.planned.steps,
                "seconds": self.seconds,
                "training_seconds": self.training_seconds,
                "training_seconds_if_input_took_no_time": self.fastest_seconds,
                "validation_seconds": self.validation_seconds,
                "device_hours": self.device_hours,
                "disk_bytes": self.disk_bytes,
                "bottleneck": "input" if self.is_input_bound else "device",
                "enough_workers_per_device": self.enough_workers,
            },
            "assumed": self.assumptions(),
        }

    def assumptions(self) -> list[str]:
        """Say what the numbers rest on that was not measured."""
        planned, measured = self.planned, self.measured
        lines = [f"all steps take as long as the {measured.train_steps} that were timed"]
        if planned.processes > 1:
            lines.append(
                f"{planned.processes} devices of this kind train {planned.processes} times as fast "
                "as one: what they wait for each other, and for shared files, is not known"
            )
        workers = self.enough_workers if self.is_input_bound else measured.workers
        if planned.devices * workers > measured.cores:
            lines.append(
                f"each of the {planned.devices * workers} workers of a machine has a core; this "
                f"machine has {measured.cores}"
            )
        lines.append("the start and the evaluation after the training are not included")
        return lines
