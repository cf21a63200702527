"""The private names of Lightning that gapnet touches, each with a test of its own."""

import pytorch_lightning as pl
from pytorch_lightning.strategies.launchers import (
    _MultiProcessingLauncher,
    _SubprocessScriptLauncher,
)


def ignore_signals(trainer: pl.Trainer) -> None:
    """Keep a trainer from handling signals: it ends with status 0, and talks to other ranks."""
    trainer._signal_connector.register_signal_handlers = _do_nothing  # type: ignore[method-assign]


def _do_nothing() -> None: ...


def starts_ranks(trainer: pl.Trainer) -> bool:
    """Return whether a trainer would start other ranks by repeating its command line."""
    launcher = trainer.strategy.launcher
    return (
        isinstance(launcher, _SubprocessScriptLauncher)
        and not launcher.cluster_environment.creates_processes_externally
    )


def spawns_ranks(trainer: pl.Trainer) -> bool:
    """Return whether a trainer would start its ranks with multiprocessing."""
    return isinstance(trainer.strategy.launcher, _MultiProcessingLauncher)


def log_step_metrics(trainer: pl.Trainer) -> None:
    """Have a step's metrics logged now; Lightning does so after the last hook of a step."""
    trainer._logger_connector.update_train_step_metrics()


def begin_next_epoch(trainer: pl.Trainer) -> None:
    """Continue after the end of an epoch; a trainer that counts steps would end it again."""
    loop = trainer.fit_loop
    loop.epoch_progress.increment_completed()
    loop.epoch_loop.restarting = False
    loop._restarting = False
    loop.reset_restart_stage()
