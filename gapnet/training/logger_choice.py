"""Loggers as a configuration describes them, before they have a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, get_args

from gapnet.system.extras import load_extra
from gapnet.system.value_checks import one_of, true_or_false, wrong_value
from gapnet.training.logger_base import RunLogger
from gapnet.training.tensorboard import Board

Mode = Literal["online", "offline", "disabled"]


class LoggerChoice(Protocol):
    """A logger that is chosen."""

    def make(self, folder: Path, *, step: int | None) -> RunLogger:
        """Return the logger of a run.

        Args:
            folder: for logs, in the run's folder.
            step: at which the training continues; None if it is new.
        """
        ...


@dataclass(frozen=True)
class TensorBoard:
    """Event files for TensorBoard."""

    def make(self, folder: Path, *, step: int | None) -> RunLogger:
        """Return the logger of a run."""
        return Board(folder, purge_step=step)


@dataclass(frozen=True)
class Wandb:
    """A run of Weights & Biases.

    Args:
        project: of the W&B run.
        entity: user or team; None is the user's default.
        mode: online, offline or disabled; None is WANDB_MODE, or else online.
        tags: of the W&B run.
        artifacts: whether checkpoint, configuration, metrics and report are uploaded at the end.
    """

    project: str = "gapnet"
    entity: str | None = None
    mode: Mode | None = None
    tags: Sequence[str] = ()
    artifacts: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        one_of("logger.wandb.mode", self.mode, get_args(Mode), optional=True)
        true_or_false("logger.wandb.artifacts", self.artifacts)
        if isinstance(self.tags, str):
            raise wrong_value("logger.wandb.tags", self.tags, "must be a list of texts")

    def make(self, folder: Path, *, step: int | None) -> RunLogger:
        """Return the logger of a run; without W&B, raise an error."""
        del folder, step
        logger: RunLogger = load_extra("gapnet.training.wandb_logger", extra="wandb").WandbLogger(
            project=self.project,
            entity=self.entity,
            mode=self.mode,
            tags=self.tags,
            artifacts=self.artifacts,
        )
        return logger


@dataclass(frozen=True)
class Mlflow:
    """A run of MLflow.

    Args:
        experiment: of the MLflow run.
        tracking_uri: of the store; None is MLFLOW_TRACKING_URI, or else a database in the folder
            of all runs.
        tags: of the MLflow run.
        artifacts: whether checkpoint, configuration, metrics and report are uploaded at the end.
    """

    experiment: str = "gapnet"
    tracking_uri: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    artifacts: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        true_or_false("logger.mlflow.artifacts", self.artifacts)
        if not isinstance(self.tags, Mapping):
            raise wrong_value("logger.mlflow.tags", self.tags, "must be a mapping of texts")

    def make(self, folder: Path, *, step: int | None) -> RunLogger:
        """Return the logger of a run; without MLflow, raise an error."""
        del folder, step
        module = load_extra("gapnet.training.mlflow_logger", extra="mlflow")
        logger: RunLogger = module.MlflowLogger(
            experiment=self.experiment,
            tracking_uri=self.tracking_uri,
            tags={str(name): str(value) for name, value in self.tags.items()},
            artifacts=self.artifacts,
        )
        return logger
