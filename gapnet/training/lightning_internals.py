"""The private names of Lightning that gapnet uses.

No other file may use one. tests/training/test_lightning_internals.py has a test for every function
here, which fails if another version of Lightning works differently.
"""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.strategies import DDPStrategy
from pytorch_lightning.strategies.launchers import (
    _MultiProcessingLauncher,
    _SubprocessScriptLauncher,
)

# Key in the fit loop's state in a checkpoint, under which Lightning counts validation batches
VALIDATION = "epoch_loop.val_loop.batch_progress"
NO_BATCH = {"ready": 0, "started": 0, "processed": 0, "completed": 0}
INTERRUPTED = {
    "total": NO_BATCH | {"ready": 1, "started": 1},
    "current": NO_BATCH,
    "is_last_batch": False,
}


def ignore_signals(trainer: pl.Trainer) -> None:
    """Stop a trainer from handling signals.

    Lightning's own handlers end a process with status 0, and wait for the other ranks.
    """
    trainer._signal_connector.register_signal_handlers = _do_nothing  # type: ignore[method-assign]


def _do_nothing() -> None: ...


def starts_ranks(trainer: pl.Trainer) -> bool:
    """Return whether a trainer would start the other ranks by repeating its command line."""
    launcher = trainer.strategy.launcher
    return (
        isinstance(launcher, _SubprocessScriptLauncher)
        and not launcher.cluster_environment.creates_processes_externally
    )


def spawns_ranks(trainer: pl.Trainer) -> bool:
    """Return whether a trainer would start its ranks with multiprocessing."""
    return isinstance(trainer.strategy.launcher, _MultiProcessingLauncher)


def allow_unused_parameters(trainer: pl.Trainer) -> None:
    """Let several processes train a network of which some parameters have no gradient in a step."""
    if isinstance(trainer.strategy, DDPStrategy):
        trainer.strategy._ddp_kwargs["find_unused_parameters"] = True


def log_step_metrics(trainer: pl.Trainer) -> None:
    """Send the metrics of a step to the loggers now; Lightning does so after the step's last hook.

    Call it before `on_train_batch_end` saves or stops, or the checkpoint lacks them.
    """
    trainer._logger_connector.update_train_step_metrics()


def logged_step(trainer: pl.Trainer) -> int:
    """Return the step under which Lightning logs metrics now."""
    return trainer.fit_loop.epoch_loop._batches_that_stepped


def begin_next_epoch(trainer: pl.Trainer) -> None:
    """Start the next epoch, if a training resumes from a checkpoint of the end of an epoch.

    Call it in `on_train_start`. With `max_steps`, Lightning would end the old epoch again first.
    """
    loop = trainer.fit_loop
    if loop.restarted_on_epoch_end:
        loop.epoch_progress.increment_completed()
        loop.epoch_loop.restarting = False
        loop._restarting = False
        loop.reset_restart_stage()


def repeat_validation(checkpoint: dict[str, Any]) -> None:
    """Change a checkpoint that was made during a validation: resuming from it repeats that one."""
    checkpoint["loops"]["fit_loop"][VALIDATION] = INTERRUPTED
