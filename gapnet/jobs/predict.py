"""Predict splits, or their missing images, in one process or several."""

import logging
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from gapnet.data.records_digest import digest_of_data
from gapnet.evaluation.identities import batches_identity, network_identity
from gapnet.evaluation.predict import (
    Predictor,
    SavedMaps,
    SplitToPredict,
    digest_of_weights,
)
from gapnet.evaluation.predictions import Predictions, read_aligned
from gapnet.evaluation.store import About, Writer, done
from gapnet.jobs.evaluation import NATIVE, Evaluation, Subject
from gapnet.jobs.labels import devkit_ids
from gapnet.jobs.trainers import predicting_trainer
from gapnet.runs.identity import identity_of
from gapnet.runs.layout import MAPS, PREDICTIONS
from gapnet.system.distributed import wait_for_all

log = logging.getLogger(__name__)


def predict(
    subject: Subject, evaluation: Evaluation, splits: Sequence[str], folder: Path, *, resume: bool
) -> dict[str, Predictions]:
    """Predict splits into a folder, and read back what was written."""
    trainer = predicting_trainer(evaluation.trainer)
    device = trainer.strategy.root_device.type
    weights = digest_of_weights(subject.network)
    jobs, loaders = [], []
    for split in splits:
        about = _about(subject, evaluation, split, weights=weights, device=device)
        place = folder / PREDICTIONS / split
        finished = done(place, about) if resume else set()
        records = subject.data.records(split)
        left = sum(image not in finished for image in records.ids)
        _log_work(subject, evaluation, split, images=left, resumed=bool(finished))
        if left:
            saved_maps = _saved_maps(evaluation.keep_maps, folder / MAPS / split)
            jobs.append(SplitToPredict(records, Writer(place, about), saved_maps))
            loaders.append(subject.data.loader(split, done=finished))
    if jobs:
        localizer = evaluation.rules.localizer
        with closing(Predictor(subject.network, localizer, jobs)) as predictor:
            trainer.predict(predictor, loaders, return_predictions=False)
    wait_for_all()
    return {
        split: read_aligned(folder / PREDICTIONS / split, subject.data.records(split).ids)
        for split in splits
    }


def _log_work(
    subject: Subject, evaluation: Evaluation, split: str, *, images: int, resumed: bool
) -> None:
    passes = images * evaluation.rules.localizer.passes(subject.network)
    log.info(
        "predicting %s: %d images%s, %s passes through the network",
        split,
        images,
        " that are missing" * resumed,
        f"{passes:,}",
    )


def _about(
    subject: Subject, evaluation: Evaluation, split: str, *, weights: str, device: str
) -> About:
    """Return the description of predictions: network, rules, data and batches."""
    network, source, localizer = subject.network, subject.data.source, evaluation.rules.localizer
    size, precision, numbers = (
        subject.data.batch_size,
        evaluation.precision,
        devkit_ids(source) or {},
    )
    return About(
        split=split,
        classes=tuple(source.classes),
        network=f"{network.name} {network.arguments}",
        rules=str(localizer),
        cut=localizer.boxer.cut,
        cuts=tuple(localizer.boxer.thresholds()),
        weights=weights,
        data=digest_of_data(subject.data.records(split)),
        batches=f"{evaluation.view} {size} a batch, {precision} on {device}",
        numbers=tuple(sorted(numbers, key=numbers.__getitem__)),
        identity={
            "network": network_identity(network.name, network.arguments),
            "rules": identity_of(localizer),
            "batches": batches_identity(evaluation.view, size, precision, device),
        },
    )


def _saved_maps(keep: str | int | None, folder: Path) -> SavedMaps | None:
    """Return where maps are saved, or None."""
    if keep is None:
        return None
    return SavedMaps(folder, None if keep == NATIVE else int(keep))
