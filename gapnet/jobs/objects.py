"""Figure 9: the objects that class maps of scenes mark, beside the most frequent objects."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from gapnet.data.loading.datamodule import DataModule
from gapnet.data.object_masks import Segmented, check_masks
from gapnet.data.records_digest import digest_of_data
from gapnet.data.sample import Source
from gapnet.errors import GapnetError
from gapnet.evaluation.identities import batches_identity, network_identity
from gapnet.evaluation.predict import digest_of_weights
from gapnet.evaluation.store import About, Writer, done
from gapnet.jobs.features import Extraction
from gapnet.jobs.job import Job
from gapnet.jobs.network_features import split_features
from gapnet.jobs.network_job import NetworkJob, open_network_job
from gapnet.jobs.object_files import write_objects
from gapnet.jobs.svm import fit, line_of, rules_of, write_metrics
from gapnet.jobs.trainers import predicting_trainer
from gapnet.localization.localizer import Localizer
from gapnet.models.gapnet import GapNet
from gapnet.report.concept_pictures import located_pictures
from gapnet.report.section_page import Captioned
from gapnet.runs.layout import SVM
from gapnet.system.distributed import wait_for_all
from gapnet.system.ranks import is_first
from gapnet.system.value_checks import whole_number
from gapnet.transfer.fitting import Fitting
from gapnet.transfer.layers import GAP
from gapnet.transfer.object_rows import (
    OBJECTS,
    ObjectCounter,
    read_objects,
)
from gapnet.transfer.overlap import ImageObjects, OverlapRule, RankedObject, objects_of_scene
from gapnet.transfer.scores import score_decisions
from gapnet.transfer.svm import LinearSvm

ROWS = "objects"  # folder of the counts


@dataclass(frozen=True, kw_only=True)
class ObjectsJob(NetworkJob):
    """Search for the informative objects of scenes; the data set has masks of objects.

    Args:
        extraction: how features are extracted; of the layer gap.
        localizer: makes the maps of the pictures.
        rule: when an object overlaps a map.
        fitting: how the SVMs of the scenes are trained.
        pictures: for every scene.
    """

    extraction: Extraction
    localizer: Localizer
    rule: OverlapRule = field(default_factory=OverlapRule)
    fitting: Fitting = field(default_factory=Fitting)
    pictures: int = 3

    def __post_init__(self) -> None:
        """Check the values."""
        whole_number("pictures", self.pictures)


def find_objects(settings: ObjectsJob) -> list[str]:
    """Rank the objects of scenes, and return lines; only the first rank has lines."""
    with open_network_job(settings, settings.extraction.trainer) as opened:
        if opened is None:
            return []
        job, network = opened.job, opened.network
        source = settings.make_source()
        segmented = _with_masks(source)
        data = settings.data(source, network)
        data.check(source.train_split, source.test_split)
        check_masks(segmented, data.records(source.test_split))
        job.open_evaluation(resume=settings.resume, of_run=settings.of_run)
        return _find(settings, job, network, data, segmented)


def _with_masks(source: Source) -> Segmented:
    if not isinstance(source, Segmented):
        raise GapnetError(
            f"data: {source.title} has no masks of objects; use data=ade, ade_scenes or "
            "masked_scenes"
        )
    return source


def _find(
    settings: ObjectsJob, job: Job, network: GapNet, data: DataModule, segmented: Segmented
) -> list[str]:
    folder, source = job.folder, data.source
    training, test = split_features(
        network, data, settings.extraction, folder, resume=settings.resume
    )
    path = folder / SVM
    if is_first() and not (settings.resume and path.is_file()):
        fit(training, GAP, settings.fitting, data=source.title).save(path)
    wait_for_all()
    svm = LinearSvm.load(path)
    scenes = svm.network(network)
    _count(settings, folder, scenes, data, segmented)
    if not is_first():
        return []
    metrics = score_decisions(
        svm.decisions(test.vectors), test, data=source.title, rules=rules_of(svm)
    )
    write_metrics(metrics, folder)
    ranked = rank_scenes(read_objects(folder / ROWS), source.classes, settings.rule)
    pictures = {scene: _pictures(settings, scenes, data, scene) for scene in ranked}
    facts = {"data": f"{source.title}, {source.test_split}", "metrics": line_of(metrics[0])}
    lines = write_objects(ranked, settings.rule, folder, facts=facts, pictures=pictures)
    return [*lines[:-2], line_of(metrics[0]), *lines[-2:]]


def _count(
    settings: ObjectsJob, folder: Path, network: GapNet, data: DataModule, segmented: Segmented
) -> None:
    """Write the objects of the test images, or of those that are missing."""
    trainer, split = predicting_trainer(settings.extraction.trainer), data.source.test_split
    about = _about(settings, network, data, device=trainer.strategy.root_device.type)
    place, records = folder / ROWS, data.records(split)
    finished = done(place, about, kind=OBJECTS) if settings.resume else set()
    if any(image not in finished for image in records.ids):
        writer = Writer(place, about, kind=OBJECTS)
        counter = ObjectCounter(network, segmented, records, writer, high=settings.rule.high)
        trainer.predict(counter, data.loader(split, done=finished), return_predictions=False)
    wait_for_all()


def _about(settings: ObjectsJob, network: GapNet, data: DataModule, *, device: str) -> About:
    """Return what the counts are made from: network with SVM, map, data and batches."""
    extraction, source, split = settings.extraction, data.source, data.source.test_split
    size, precision = data.batch_size, extraction.precision
    records = data.records(split)
    masks = "".join(
        str(path) for record in records for path in _with_masks(source).mask_paths(record)
    )
    return About(
        split=split,
        classes=tuple(source.classes),
        network=f"{network.name} {network.arguments}",
        rules=f"map of the predicted scene, at least {settings.rule.high} of its maximum",
        weights=digest_of_weights(network),
        data=f"{digest_of_data(records)}-{sha256(masks.encode()).hexdigest()[:16]}",
        batches=f"{extraction.view} {size} a batch, {precision} on {device}",
        identity={
            "network": network_identity(network.name, network.arguments),
            "rules": {"high": settings.rule.high},
            "batches": batches_identity(extraction.view, size, precision, device),
        },
    )


def rank_scenes(
    images: Sequence[ImageObjects], scenes: Sequence[str], rule: OverlapRule
) -> dict[str, list[RankedObject]]:
    """Return the objects of every scene that has images."""
    objects = {name: objects_of_scene(images, label, rule) for label, name in enumerate(scenes)}
    return {name: ranked for name, ranked in objects.items() if ranked}


def _pictures(
    settings: ObjectsJob, network: GapNet, data: DataModule, scene: str
) -> list[Captioned]:
    """Return the maps of a scene in some of its test images."""
    label = data.source.classes.index(scene)
    images = data.images(data.source.test_split)
    own = [record.id for record in images.records if record.label == label]
    shown = own[: settings.pictures]
    located = located_pictures(network, settings.localizer, images, shown, label=label)
    return [Captioned(picture.image, picture.id) for picture in located]
