"""Evaluate a network: predict, score, report."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gapnet.data.loading.datamodule import DataModule
from gapnet.evaluation.ground_truth import ground_truth_of
from gapnet.evaluation.predictions import Predictions
from gapnet.jobs.evaluation import (
    Evaluation,
    MakeData,
    Subject,
    evaluated_data,
    is_test_only,
    method_name,
)
from gapnet.jobs.job import Run, open_job
from gapnet.jobs.outcome import Outcome
from gapnet.jobs.predict import predict
from gapnet.jobs.results import Results, write_results
from gapnet.jobs.rules import MakeSource
from gapnet.jobs.trainer_ranks import connect, run_in_ranks
from gapnet.jobs.trainers import predicting_trainer
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import load
from gapnet.report.gallery import Explainer, gallery
from gapnet.report.gallery_data import GallerySource
from gapnet.report.pictures import Judged, Picture
from gapnet.runs.folder import short
from gapnet.system.distributed import first_on_machine
from gapnet.system.ranks import is_first

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EvaluateJob:
    """Evaluation of a checkpoint.

    Args:
        run: where the evaluation writes.
        checkpoint: of the network.
        source: makes the data set.
        data: makes the data module of a data set and a network.
        evaluation: how it is done.
        resume: whether existing predictions are reused.
        of_run: the run that is evaluated, if the evaluation is in its folder.
    """

    run: Run
    checkpoint: Path
    source: MakeSource
    data: MakeData
    evaluation: Evaluation
    resume: bool = False
    of_run: Path | None = None


def evaluate(settings: EvaluateJob) -> Results | None:
    """Evaluate a checkpoint; only the first rank has results."""
    evaluation = settings.evaluation
    localizer = evaluation.rules.localizer
    with open_job(settings.run) as job:
        trainer = predicting_trainer(evaluation.trainer)
        if run_in_ranks(job.run, trainer):
            return None
        connect(trainer)
        network = load(settings.checkpoint)
        evaluation.check_methods(network)
        with first_on_machine():  # it draws or downloads what the other ranks then read
            source = settings.source()
        data = evaluated_data(settings.data, source, network, localizer)
        evaluation.labels.numbers_of(data.source)
        data.check(*_chosen_on(data), evaluation.split_of(data.source))
        job.open_evaluation(resume=settings.resume, of_run=settings.of_run)
        subject = Subject(network, settings.checkpoint, data)
        return evaluate_network(subject, evaluation, job.folder, resume=settings.resume)


def evaluate_network(
    subject: Subject, evaluation: Evaluation, folder: Path, *, resume: bool
) -> Results | None:
    """Predict, score and report into a folder."""
    source, network, rules = subject.data.source, subject.network, evaluation.rules
    split = evaluation.split_of(source)
    height, width = network.facts.input_size
    splits = _splits(subject, evaluation, split)
    predictions = predict(subject, evaluation, splits, folder, resume=resume)
    if not is_first():
        return None
    outcome = Outcome(
        title=f"{network.name} on {source.title}, {split} split",
        source=source,
        predictions=predictions,
        truths={name: ground_truth_of(subject.data.records(name)) for name in predictions},
        split=split,
        subject={
            "data": f"{source.title}, {split} split",
            "network": " ".join([network.name, *_architecture(network)]),
            "maps": method_name(rules.localizer.saliency),
        },
        facts={
            "network": f"{network.name} {network.arguments}",
            "checkpoint": str(short(subject.checkpoint)),
            "data": str(source.root),
            "input": f"{width} x {height} pixels, {network.facts.interpolation}",
            "localizer": str(rules.localizer),
        },
        pictures=_pictures(subject, evaluation, predictions[split]),
        sources=_sources(evaluation),
        numbers=evaluation.labels.numbers_of(source),
    )
    closing = f"checkpoint: {short(subject.checkpoint)}"
    return write_results(outcome, rules.protocols, folder, closing)


def _splits(subject: Subject, evaluation: Evaluation, split: str) -> list[str]:
    """List the splits to predict: the reported one, and the one that chooses thresholds."""
    scored = ground_truth_of(subject.data.records(split)).known
    chooses = scored and bool(evaluation.rules.localizer.boxer.thresholds())
    chosen_on = _chosen_on(subject.data) if chooses else []
    if chooses and not chosen_on:
        log.info(
            "%s: has only a test split, so no threshold is chosen on other images",
            subject.data.source.root,
        )
    return list(dict.fromkeys([*chosen_on, split]))


def _chosen_on(data: DataModule) -> list[str]:
    """List the split that chooses thresholds; none if the data set has a test split only."""
    return [] if is_test_only(data) else [data.source.select_split]


def _pictures(
    subject: Subject, evaluation: Evaluation, predictions: Predictions
) -> Callable[[Judged], list[Picture]]:
    """Return a function that draws pictures of images that are judged right or wrong."""

    def draw(judged: Judged) -> list[Picture]:
        return gallery(
            Explainer(subject.network, evaluation.rules.localizer, evaluation.methods),
            subject.data.images(predictions.about.split),
            judged,
            predictions,
            count=evaluation.pictures,
        )

    return draw


def _architecture(network: GapNet) -> list[str]:
    """Return the name of the architecture that a network such as `published` was made from."""
    name = network.arguments.get("name")
    return [] if name is None else [str(name)]


def _sources(evaluation: Evaluation) -> list[GallerySource]:
    """List the methods that explain the pictures: the evaluation's own comes first."""
    localizer = evaluation.rules.localizer
    names = [method_name(localizer.saliency), *evaluation.methods]
    return [GallerySource.of(name, localizer.boxer) for name in names]
