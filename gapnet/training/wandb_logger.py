"""Logger for Weights & Biases (W&B)."""

import logging
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import wandb
from pytorch_lightning.utilities import rank_zero_only

from gapnet.errors import GapnetError
from gapnet.runs.layout import LOGS
from gapnet.text.plain_text import plain
from gapnet.training.logger_base import LoggedImage, LoggedRun, ServiceLogger
from gapnet.training.tracked_ids import save_tracked_id, tracked_id

NAME = "wandb"  # in the file of ids
BYTES = 6  # of a new id
Mode = Literal["online", "offline", "disabled"]
log = logging.getLogger(__name__)


class WandbLogger(ServiceLogger):
    """Logger for W&B; a run that continues in its folder keeps its W&B run.

    W&B ignores steps that it has already, so a resumed training does not repeat them.
    """

    service = "logger.wandb"

    def __init__(
        self,
        *,
        project: str,
        entity: str | None,
        mode: Mode | None,
        tags: Sequence[str],
        artifacts: bool,
    ) -> None:
        """Describe the W&B run, which begins at the start."""
        super().__init__()
        self.project, self.entity, self.mode = project, entity, mode
        self.tags, self.artifacts = list(tags), artifacts
        self._run: Any = None

    def open(self, run: LoggedRun) -> None:
        """Begin or continue the W&B run."""
        run_id = tracked_id(run.folder, NAME) or secrets.token_hex(BYTES)
        save_tracked_id(run.folder, NAME, run_id)
        try:
            self._run = wandb.init(
                project=self.project,
                entity=self.entity,
                mode=self.mode,
                id=run_id,
                resume="allow",
                name=run.name,
                group=run.group,
                tags=self.tags,
                dir=str(run.folder / LOGS),
                config=dict(run.hyperparameters),
                settings=_settings(),
            )
        except wandb.Error as error:
            reason = str(error).partition("\n")[0]
            raise GapnetError(
                f"{self.service}: cannot start ({reason}); run `wandb login`, or set "
                "logger.wandb.mode=offline"
            ) from error
        log.info("W&B run: %s", self._run.dir if self._run.offline else self._run.url)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add metrics."""
        self.attempt(lambda: self._run.log(dict(metrics), step=step))

    @rank_zero_only
    def log_images(self, images: Sequence[LoggedImage], step: int) -> None:
        """Add images; those whose names have the same first part are one panel."""
        panels = defaultdict(list)
        for item in images:
            name, _, _ = item.name.partition("/")
            panels[name].append(wandb.Image(item.image, caption=plain(item.caption)))
        self.attempt(lambda: self._run.log(dict(panels), step=step))

    def finish(self, *, failed: bool, files: Sequence[Path] = ()) -> None:
        """Upload files if artifacts are on, and end the W&B run."""
        if self.artifacts:
            self.attempt(lambda: self._upload(files))
        self.attempt(lambda: self._run.finish(exit_code=int(failed)))
        self._started = False

    def _upload(self, files: Sequence[Path]) -> None:
        artifact = wandb.Artifact(f"run-{self._run.id}", type="run")
        for path in files:
            artifact.add_file(str(path))
        self._run.log_artifact(artifact)


def _settings() -> wandb.Settings:
    """Return settings without the command line, which may have secrets, the code and the output."""
    return wandb.Settings(
        silent=True, console="off", x_disable_meta=True, disable_git=True, save_code=False
    )
