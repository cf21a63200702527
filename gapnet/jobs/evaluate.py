"""Evaluate a network: the second half of training, and most of evaluating."""

from collections.abc import Sequence
from functools import partial

from omegaconf import DictConfig
from torch import Tensor

from gapnet.config.run_folder import short
from gapnet.errors import GapnetError
from gapnet.evaluation.ground_truth import truth_of
from gapnet.evaluation.predictions import Predictions
from gapnet.jobs.labels import numbers_of
from gapnet.jobs.predict import Subject, predict
from gapnet.jobs.results import Outcome, conclude
from gapnet.models.gapnet import GapNet
from gapnet.report.gallery import Picture, Seeing, gallery
from gapnet.system.ranks import is_first


def check_classes(network: GapNet, classes: Sequence[str], *, advice: str) -> None:
    """Refuse a data set whose classes, or their order, are not those of the checkpoint."""
    known = network.classes or ()
    if len(classes) != len(known):
        raise GapnetError(
            f"the data set has {len(classes)} classes, the checkpoint {len(known)}: {advice}"
        )
    for index, (mine, theirs) in enumerate(zip(classes, known, strict=True)):
        if mine != theirs:
            raise GapnetError(
                f"class {index} is {mine!r} in the data set, {theirs!r} in the checkpoint: {advice}"
            )


def evaluate_network(cfg: DictConfig, subject: Subject) -> None:
    """Predict, score, report and print."""
    source = subject.data.source
    split = cfg.split or source.test_split
    scored = truth_of(subject.data.records(split)).known
    chooses = scored and bool(subject.rules.localizer.boxer.thresholds())
    splits = [source.select_split, split] if chooses else [split]
    predictions = predict(cfg, subject, list(dict.fromkeys(splits)))
    if not is_first():
        return
    title = f"{subject.network.name} on {source.title}, {split} split"
    facts = {
        "network": f"{subject.network.name} {subject.network.arguments}",
        "checkpoint": str(short(subject.checkpoint)),
        "data": str(source.root),
        "localizer": str(subject.rules.localizer),
    }
    truths = {name: truth_of(subject.data.records(name)) for name in predictions}
    pictures = partial(_draw, cfg, subject, predictions[split])
    numbers = numbers_of(cfg, source)
    outcome = Outcome(title, source, predictions, truths, split, facts, pictures, numbers)
    closing = f"checkpoint: {short(subject.checkpoint)}"
    conclude(outcome, subject.rules.protocols, subject.folder, closing)


def _draw(
    cfg: DictConfig,
    subject: Subject,
    predictions: Predictions,
    right: Tensor,
    overlaps: Tensor,
) -> list[Picture]:
    """Draw pictures of right and of wrong boxes (N,), whose overlaps are at hand."""
    seeing = Seeing(predictions.classes[:, 0], overlaps, right)
    images = subject.data.images(predictions.about.split)
    localizer = subject.rules.localizer
    return gallery(subject.network, localizer, images, seeing, count=cfg.report.images)
