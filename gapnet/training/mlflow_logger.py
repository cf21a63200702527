"""Logger for MLflow."""

import logging
import os
import re
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from pytorch_lightning.utilities import rank_zero_only

from gapnet.errors import GapnetError
from gapnet.text.redact import redact
from gapnet.training.logger_base import LoggedImage, LoggedRun, ServiceLogger
from gapnet.training.tracked_ids import save_tracked_id, tracked_id

NAME = "mlflow"  # in the file of ids
STORE = "MLFLOW_TRACKING_URI"
PATIENCE = 120  # seconds that another process may take to create the database
MOST = 1000  # metrics that MLflow takes at once
FORBIDDEN = re.compile(r"[^\w\-./ ]")  # in the name of an image
log = logging.getLogger(__name__)


class MlflowLogger(ServiceLogger):
    """Logger for MLflow; a run that continues in its folder keeps its MLflow run."""

    service = "logger.mlflow"

    def __init__(
        self,
        *,
        experiment: str,
        tracking_uri: str | None,
        tags: Mapping[str, str],
        artifacts: bool,
    ) -> None:
        """Describe the MLflow run, which begins at the start."""
        super().__init__()
        self.experiment, self.tracking_uri = experiment, tracking_uri
        self.tags, self.artifacts = dict(tags), artifacts
        self._waiting: list[Metric] = []
        self._client: MlflowClient
        self._id = ""

    def open(self, run: LoggedRun) -> None:
        """Begin or continue the MLflow run."""
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        place = run.runs.absolute()
        uri = self.tracking_uri or os.environ.get(STORE)
        try:
            if uri is not None:
                self._client = MlflowClient(uri)
                self._id = self._begin(run, self._experiment(None))
            else:
                with FileLock(place / ".mlflow.lock", timeout=PATIENCE):
                    uri = f"sqlite:///{place / 'mlflow.db'}"
                    self._client = MlflowClient(uri)
                    self._id = self._begin(run, self._experiment(place / "mlartifacts"))
        except (MlflowException, ImportError, OSError) as error:
            reason = redact(str(error).partition("\n")[0])
            raise GapnetError(
                f"{self.service}: cannot start ({reason}); check logger.mlflow.tracking_uri"
            ) from error
        log.info("MLflow run: %s in %s", self._id, redact(uri))

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add metrics; they are sent together with later ones."""
        now = round(time.time() * 1000)
        self._waiting += [Metric(name, value, now, step or 0) for name, value in metrics.items()]
        if len(self._waiting) > MOST // 2:
            self._send()

    @rank_zero_only
    def log_images(self, images: Sequence[LoggedImage], step: int) -> None:
        """Add images."""
        if not self._started:
            return
        for item in images:
            key = FORBIDDEN.sub("_", item.name)
            log_image = partial(self._client.log_image, self._id, item.image, key=key, step=step)
            self.attempt(log_image)

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Send the metrics that wait."""
        self._send()

    def finish(self, *, failed: bool, files: Sequence[Path] = ()) -> None:
        """Upload files if artifacts are on, and end the MLflow run."""
        self._send()
        for path in files if self.artifacts else ():
            self.attempt(partial(self._client.log_artifact, self._id, str(path)))
        status = "FAILED" if failed else "FINISHED"
        self.attempt(lambda: self._client.set_terminated(self._id, status))
        self._started = False

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), MOST):
            batch = waiting[start : start + MOST]
            self.attempt(partial(self._client.log_batch, self._id, metrics=batch))

    def _experiment(self, artifacts: Path | None) -> str:
        """Return the id of the experiment, which is created if there is none."""
        known = self._client.get_experiment_by_name(self.experiment)
        if known is not None:
            return str(known.experiment_id)
        location = None if artifacts is None else artifacts.as_uri()
        return str(self._client.create_experiment(self.experiment, artifact_location=location))

    def _begin(self, run: LoggedRun, experiment: str) -> str:
        """Begin or continue an MLflow run; return its id."""
        known = tracked_id(run.folder, NAME)
        if known is not None:
            self._client.update_run(known, status="RUNNING")
            return known
        group = {} if run.group is None else {"group": run.group}
        begun = self._client.create_run(
            experiment, run_name=run.name, tags=self.tags | group | {"folder": str(run.folder)}
        )
        params = [Param(name, str(value)) for name, value in run.hyperparameters.items()]
        self._client.log_batch(begun.info.run_id, params=params)
        save_tracked_id(run.folder, NAME, begun.info.run_id)
        return str(begun.info.run_id)
