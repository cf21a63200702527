"""What the loggers of a run have in common."""

from pytorch_lightning.loggers import Logger


class RunLogger(Logger):
    """Logger of one run: it has no name or version, and config.yaml holds the hyper-parameters."""

    @property
    def name(self) -> str | None:
        """Return no name."""
        return None

    @property
    def version(self) -> str:
        """Return no version."""
        return ""

    def log_hyperparams(self, params: object) -> None:
        """Write nothing."""
