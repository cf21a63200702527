"""Make the plan of a training from a configuration."""

from collections.abc import Sequence
from typing import Any

from hydra import compose
from omegaconf import DictConfig, OmegaConf

from gapnet.config.jobs import train_job
from gapnet.errors import GapnetError
from gapnet.jobs.plan_job import PlanJob
from gapnet.system.value_checks import number, true_or_false, whole_number, wrong_value

# Keys of the training that is measured: on one device, for one epoch, without a validation in it
MEASURED = {
    "trainer.devices": 1,
    "trainer.num_nodes": 1,
    "trainer.strategy": "auto",
    "trainer.max_epochs": 1,
    "trainer.max_steps": -1,
    "trainer.limit_val_batches": 0,
    "checkpoint": "last",
    "evaluate": False,
    "resume": None,
}
DEVICES = "must be an integer >= 1, or a list of devices; a plan cannot count -1 and auto"


def plan_job(cfg: DictConfig) -> PlanJob:
    """Return the plan of the training that the list `train` describes."""
    number("minutes", cfg.minutes, above=0)
    true_or_false("json", cfg.json)
    training = compose("train", [*map(str, cfg.train), "name=plan", "folder=plan"])
    training.imports = cfg.imports
    trainer = training.trainer
    if trainer.get("auto_batch"):
        raise GapnetError("trainer.auto_batch=true: not allowed in a plan; set loader.batch_size")
    if training.loader.get("in_memory"):
        raise GapnetError("loader.in_memory=true: not allowed in a plan, which measures workers")
    whole_number("trainer.num_nodes", trainer.num_nodes, least=1)
    planned = {
        "devices": _count(trainer.devices),
        "machines": trainer.num_nodes,
        "epochs": trainer.max_epochs,
        "most_steps": trainer.get("max_steps", -1),
        "validate_every": trainer.check_val_every_n_epoch,
    }
    return PlanJob(train=train_job(_measured(training)), minutes=float(cfg.minutes), **planned)


def _count(devices: Any) -> int:
    """Return how many devices of a machine a trainer uses."""
    if OmegaConf.is_list(devices) or (isinstance(devices, Sequence) and "," in devices):
        listed = devices.split(",") if isinstance(devices, str) else devices
        return len([device for device in listed if str(device).strip()])
    text = str(devices)
    if isinstance(devices, bool) or not text.isdigit() or int(text) < 1:
        raise wrong_value("trainer.devices", devices, DEVICES)
    return int(text)


def _measured(training: DictConfig) -> DictConfig:
    """Return the configuration of the training that is measured."""
    measured = training.copy()
    for key, value in MEASURED.items():
        OmegaConf.update(measured, key, value, force_add=True)
    return measured
