"""Figures 10 and 11: find a concept in images by an SVM with mined negatives, and localize it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapnet.data.concept_reader import OTHER
from gapnet.data.loading.datamodule import DataModule
from gapnet.data.sample import Source
from gapnet.errors import GapnetError
from gapnet.evaluation.score import Metric
from gapnet.jobs.csv_file import write_csv_file
from gapnet.jobs.evaluation import MakeData, MakeSource
from gapnet.jobs.features import Extraction
from gapnet.jobs.job import Run, open_job
from gapnet.jobs.network_features import split_features
from gapnet.jobs.svm import NETWORK, write_metrics
from gapnet.jobs.trainers import predicting_trainer
from gapnet.localization.localizer import Localizer
from gapnet.models.gapnet import GapNet
from gapnet.models.network_choice import NetworkChoice
from gapnet.models.saved import save
from gapnet.report.concept_pictures import Located, located_pictures
from gapnet.report.section_page import Captioned, Section, write_sections
from gapnet.runs.folder import short
from gapnet.runs.layout import REPORT, SVM
from gapnet.system.distributed import first_on_machine
from gapnet.system.extras import load_extra
from gapnet.system.files import atomic_file, write_file
from gapnet.system.ranks import is_first
from gapnet.system.value_checks import whole_number
from gapnet.transfer.concept import Detector, Ranked, rank, score_detector, train_detector
from gapnet.transfer.feature_rows import Features
from gapnet.transfer.fitting import Fitting
from gapnet.transfer.layers import GAP
from gapnet.transfer.mining import Mining, Plane
from gapnet.transfer.svm import LinearSvm

MAPS, SUMMARY = "maps", "concept.json"


@dataclass(frozen=True)
class ConceptJob:
    """Training of the detector of a concept.

    Args:
        run: where the job writes.
        network: whose features are used.
        source: makes the data set.
        data: makes the data module of a data set and a network.
        extraction: how features are extracted; of one layer.
        localizer: makes the boxes of the pictures.
        concept: the class that is the concept; None: the one beside `other`.
        mining: how negatives are chosen.
        fitting: how an SVM is trained, with one C.
        pictures: maps that are drawn: those of the test images with the highest decision values.
        resume: whether existing features are reused.
        of_run: the run whose network it is, if the folder is in its folder.
    """

    run: Run
    network: NetworkChoice
    source: MakeSource
    data: MakeData
    extraction: Extraction
    localizer: Localizer
    concept: str | None = None
    mining: Mining = field(default_factory=Mining)
    fitting: Fitting = field(default_factory=Fitting)
    pictures: int = 24
    resume: bool = False
    of_run: Path | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        whole_number("pictures", self.pictures)
        if len(self.extraction.layers) > 1:
            raise GapnetError(f"layer={self.layer},...: must be one layer")
        if len(self.fitting.costs) > 1:
            raise GapnetError(f"C={list(self.fitting.costs)}: must be one value")

    @property
    def layer(self) -> str:
        """Return the layer whose vectors are used."""
        return str(self.extraction.layers[0])


def find_concept(settings: ConceptJob) -> list[str]:
    """Train the detector, and return lines with metrics; only the first rank has lines."""
    with open_job(settings.run) as job:
        trainer = predicting_trainer(settings.extraction.trainer)
        if job.run_in_ranks(trainer):
            return []
        job.connect(trainer)
        network = settings.network.load()
        with first_on_machine():  # it draws or downloads what the other ranks then read
            source = settings.source()
        label = label_of(source, settings.concept)
        fit = load_extra("gapnet.transfer.svm_fit", extra="transfer").fit_class
        data = settings.data(source, network)
        data.check(source.train_split, source.test_split)
        job.open_evaluation(resume=settings.resume, of_run=settings.of_run)
        training, test = split_features(
            network, data, settings.extraction, job.folder, resume=settings.resume
        )
        if not is_first():
            return []
        trained = partial(_plane, fit, settings.fitting)
        detector = train_detector(training, label, settings.mining, trained)
        return _write(settings, job.folder, network, data, detector, (training, test, label))


def label_of(source: Source, concept: str | None) -> int:
    """Return the index of the class that is the concept."""
    classes = source.classes
    if concept is None and len(classes) == 2 and classes[0] == OTHER:  # noqa: PLR2004
        return 1
    if concept not in classes:
        raise GapnetError(
            f"concept={concept or 'null'}: must be a class of the data set, such as {classes[0]!r}"
        )
    return classes.index(concept)


def _plane(
    fit: object, fitting: Fitting, vectors: NDArray[np.float64], positive: NDArray[np.bool_]
) -> Plane:
    """Train one SVM."""
    weight, bias, _ = fit(vectors, positive, fitting.costs[0], fitting)  # type: ignore[operator]
    return Plane(weight, bias)


def _write(
    settings: ConceptJob,
    folder: Path,
    network: GapNet,
    data: DataModule,
    detector: Detector,
    features: tuple[Features, Features, int],
) -> list[str]:
    """Write the SVM, its network, metrics, tables, maps and the page; return lines."""
    training, test, label = features
    title, ranked = data.source.title, rank(detector, test, label)
    svm = _svm_of(settings, detector, training, title)
    svm.save(folder / SVM)
    rules = f"{settings.mining}, C={svm.C:g}, layer {svm.layer}"
    metrics = score_detector(detector, test, label, data=title, rules=rules)
    write_metrics(metrics, folder)
    _write_tables(detector, ranked, folder)
    located: list[Located] = []
    if settings.layer == GAP:
        detecting = svm.network(network)
        detecting.multi_label = True  # one class: its probability is that of a sigmoid
        save(detecting, folder / NETWORK)
        count = min(settings.pictures, len(ranked.ids))
        located = located_pictures(
            detecting, settings.localizer, data.images(test.about.split), ranked.ids[:count]
        )
        _write_maps(located, ranked, folder)
    _write_summary(detector, ranked, metrics, folder)
    _write_page(detector, ranked, metrics, located, folder)
    lines = [_line(metric) for metric in metrics]
    names = [f"SVM: {short(folder / SVM)}", f"report: {short(folder / REPORT)}"]
    return [*lines, *_warnings(detector), *names]


def _svm_of(settings: ConceptJob, detector: Detector, training: Features, data: str) -> LinearSvm:
    weight, bias = detector.plane
    return LinearSvm(
        weight=weight[None],
        bias=np.array([bias]),
        classes=(detector.concept,),
        layer=settings.layer,
        weights=training.about.weights,
        data=data,
        C=settings.fitting.costs[0],
    )


def _write_tables(detector: Detector, ranked: Ranked, folder: Path) -> None:
    header = ("round", "negatives", "hard", "added", "dropped")
    rounds = [(number, *entry[1:]) for number, entry in enumerate(detector.rounds, start=1)]
    write_csv_file(folder / "mining.csv", header, rounds)
    rows = zip(ranked.ids, ranked.positive.astype(int), ranked.decisions.tolist(), strict=True)
    write_csv_file(folder / "decisions.csv", ("image", "has_concept", "decision"), rows)


def _write_maps(located: Sequence[Located], ranked: Ranked, folder: Path) -> None:
    """Write the pictures, numbered by rank, and the boxes of their maps."""
    (folder / MAPS).mkdir(exist_ok=True)
    for picture in located:
        with atomic_file(folder / MAPS / f"{picture.rank:03d}.jpg") as unfinished:
            picture.image.save(unfinished, format="JPEG", quality=90)
    rows = (
        (picture.rank, picture.id, ranked.decisions[picture.rank - 1], *picture.box)
        for picture in located
    )
    header = ("rank", "image", "decision", "xmin", "ymin", "xmax", "ymax")
    write_csv_file(folder / "boxes.csv", header, rows)


def _write_summary(
    detector: Detector, ranked: Ranked, metrics: Sequence[Metric], folder: Path
) -> None:
    tested = int(ranked.positive.sum())
    values = {
        "concept": detector.concept,
        "training_images": {"with": detector.positives, "without": detector.pool},
        "test_images": {"with": tested, "without": len(ranked.ids) - tested},
        "rounds": len(detector.rounds),
        "negatives": detector.rounds[-1].negatives,
        "complete": detector.complete,
        "metrics": {
            metric.metric: {"value": metric.value, "interval": [metric.low, metric.high]}
            for metric in metrics
        },
    }
    write_file(folder / SUMMARY, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def _write_page(
    detector: Detector,
    ranked: Ranked,
    metrics: Sequence[Metric],
    located: Sequence[Located],
    folder: Path,
) -> None:
    tested = int(ranked.positive.sum())
    facts = {
        "training": f"{detector.positives:,} images with the concept, {detector.pool:,} without",
        "test": f"{tested:,} images with the concept, {len(ranked.ids) - tested:,} without",
        "rounds": f"{len(detector.rounds)}, {detector.rounds[-1].negatives:,} negatives in the last",
        "data": metrics[0].data,
    }
    rows = [("metric", "value", "95% interval")]
    rows += [(metric.metric, f"{metric.value:.4f}", _interval(metric)) for metric in metrics]
    pictures = [
        Captioned(
            picture.image,
            f"{picture.rank}. {picture.id}, {ranked.decisions[picture.rank - 1]:.2f}",
            right=bool(ranked.positive[picture.rank - 1]),
        )
        for picture in located
    ]
    text = (
        "Class map and box of the test images with the highest decision values; the edge is green "
        "for an image with the concept, red for one without."
    )
    sections = [Section("Metrics", rows=rows)]
    sections += [Section("Pictures", text, pictures=pictures)] if pictures else []
    write_sections(detector.concept, facts, sections, folder / REPORT)


def _line(metric: Metric) -> str:
    return f"{metric.metric} {metric.value:.4f} ({_interval(metric)}), {metric.n:,} test images"


def _interval(metric: Metric) -> str:
    return f"{metric.low:.4f} to {metric.high:.4f}"


def _warnings(detector: Detector) -> list[str]:
    last = detector.rounds[-1]
    if detector.complete:
        return [f"rounds: {len(detector.rounds)}; no hard negative is left"]
    return [
        f"rounds: {len(detector.rounds)}; {last.hard:,} hard negatives are left: raise mining.rounds"
    ]
