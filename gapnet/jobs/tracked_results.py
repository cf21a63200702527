"""Sends the results of a training's evaluation to its loggers."""

from collections.abc import Sequence
from pathlib import Path

from pytorch_lightning.loggers import Logger

from gapnet.evaluation.score import Metric
from gapnet.jobs.results import Results
from gapnet.report.pictures import Picture
from gapnet.runs.layout import BEST, CHECKPOINTS, CONFIG, METRICS, REPORT, TRAINED
from gapnet.runs.metric_choice import OWN
from gapnet.system.files import read_json
from gapnet.text.plain_text import plain
from gapnet.training.logger_base import LoggedImage, RunLogger
from gapnet.training.metrics_csv import Curves

UPLOADED = (Path(CHECKPOINTS, f"{BEST}.ckpt"), Path(CONFIG), Path(METRICS), Path(REPORT))


def log_results(results: Results, loggers: Sequence[Logger], folder: Path) -> None:
    """Send metrics and pictures to the loggers, at the last step of the training.

    metrics.csv does not get them: checkpoints contain its text.
    """
    if not results.metrics:
        return
    step = read_json(folder / TRAINED)["steps"]
    metrics, images = final_metrics(results.metrics), logged_images(results.pictures)
    for logger in loggers:
        if isinstance(logger, RunLogger) and not isinstance(logger, Curves):
            logger.log_metrics(metrics, step)
            logger.log_images(images, step)


def final_metrics(metrics: Sequence[Metric]) -> dict[str, float]:
    """Return the metrics of the main protocol at the fixed threshold, such as test/top1_error."""
    return {
        f"{metric.split}/{metric.metric}": metric.value
        for metric in metrics
        if metric.protocol == metrics[0].protocol and metric.chosen_on in OWN
    }


def logged_images(pictures: Sequence[Picture]) -> list[LoggedImage]:
    """Return the pictures of the report, under the names "right" and "wrong"."""
    images = []
    for number, picture in enumerate(pictures):
        verdict = "right" if picture.right else "wrong"
        name = f"{verdict}/{number:02d} {plain(picture.id)}"
        images.append(LoggedImage(name, picture.id, picture.image))
        if picture.other is not None:
            images.append(LoggedImage(f"{name} as predicted", picture.id, picture.other))
    return images
