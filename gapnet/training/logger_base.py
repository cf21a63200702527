"""Base class of the loggers of a run."""

from pytorch_lightning.loggers import Logger


class RunLogger(Logger):
    """Logger of one run: it has no name or version, and config.yaml holds the hyper-parameters."""

    @property
    def name(self) -> str | None:
        """Return None: a run has no name."""
        return None

    @property
    def version(self) -> str:
        """Return an empty string: a run has no version."""
        return ""

    def log_hyperparams(self, params: object) -> None:
        """Write nothing."""
