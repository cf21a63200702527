"""The ranks of a job that uses a Lightning trainer."""

import pytorch_lightning as pl

from gapnet.errors import GapnetError
from gapnet.jobs.job import Run
from gapnet.system.ranks import run_ranks, started_together
from gapnet.training.lightning_internals import starts_ranks


def run_in_ranks(run: Run, trainer: pl.Trainer) -> bool:
    """Start the ranks if the trainer needs them and no launcher has; return whether it did."""
    if not starts_ranks(trainer):
        return False
    if trainer.num_nodes > 1:
        raise GapnetError(
            f"trainer.num_nodes={trainer.num_nodes}: start the command on every machine with "
            "torchrun or srun; for this machine alone set trainer.num_nodes=1"
        )
    if not run.command:
        raise GapnetError(
            f"trainer.devices={trainer.num_devices}: a job without a command cannot start "
            "processes; start this program with torchrun"
        )
    name, *arguments = run.command
    run_ranks(name, arguments, count=trainer.num_devices)
    return True


def connect(trainer: pl.Trainer) -> None:
    """Connect with the other ranks, if a launcher has started them."""
    if started_together():
        trainer.strategy.setup_environment()
