"""Figures 10 and 11: find a concept in images by an SVM with mined negatives, and localize it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapnet.data.concept_reader import OTHER
from gapnet.data.loading.images import Images
from gapnet.data.sample import Source
from gapnet.errors import GapnetError
from gapnet.jobs.concept_files import Found, write_concept
from gapnet.jobs.features import Extraction
from gapnet.jobs.network_features import split_features
from gapnet.jobs.network_job import NetworkJob, open_network_job
from gapnet.jobs.svm import NETWORK
from gapnet.localization.localizer import Localizer
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import save
from gapnet.report.concept_pictures import Located, located_pictures
from gapnet.runs.layout import SVM
from gapnet.system.extras import load_extra
from gapnet.system.ranks import is_first
from gapnet.system.value_checks import whole_number
from gapnet.transfer.concept import Detector, Ranked, rank, score_detector, train_detector
from gapnet.transfer.feature_rows import Features
from gapnet.transfer.fitting import Fitting
from gapnet.transfer.layers import GAP
from gapnet.transfer.mining import Mining, Plane
from gapnet.transfer.svm import LinearSvm

Train = Callable[..., tuple[NDArray[np.float64], float, bool]]  # fit_class of svm_fit


@dataclass(frozen=True, kw_only=True)
class ConceptJob(NetworkJob):
    """Training of the detector of a concept.

    Args:
        extraction: how features are extracted; of one layer.
        localizer: makes the boxes of the pictures.
        concept: the class that is the concept; None: the one beside `other`.
        mining: how negatives are chosen.
        fitting: how an SVM is trained, with one C.
        pictures: maps that are drawn: those of the test images with the highest decision values.
    """

    extraction: Extraction
    localizer: Localizer
    concept: str | None = None
    mining: Mining = field(default_factory=Mining)
    fitting: Fitting = field(default_factory=Fitting)
    pictures: int = 24

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
    with open_network_job(settings, settings.extraction.trainer) as opened:
        if opened is None:
            return []
        job, network = opened.job, opened.network
        source = settings.make_source()
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
        svm = _svm_of(settings, detector, training, source.title)
        svm.save(job.folder / SVM)
        located: list[Located] = []
        ranked = rank(detector, test, label)
        if settings.layer == GAP:
            images = data.images(source.test_split)
            located = _locate(settings, svm.network(network), images, ranked, job.folder)
        rules = f"{settings.mining}, C={svm.C:g}, layer {svm.layer}"
        metrics = score_detector(detector, test, label, data=source.title, rules=rules)
        return write_concept(Found(detector, ranked, metrics, located), job.folder)


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
    fit: Train, fitting: Fitting, vectors: NDArray[np.float64], positive: NDArray[np.bool_]
) -> Plane:
    """Train one SVM."""
    weight, bias, _ = fit(vectors, positive, fitting.costs[0], fitting)
    return Plane(weight, bias)


def _locate(
    settings: ConceptJob, network: GapNet, images: Images, ranked: Ranked, folder: Path
) -> list[Located]:
    """Save the network with the SVM, and return its maps of the highest ranked images."""
    network.multi_label = True  # one class: its probability is that of a sigmoid
    save(network, folder / NETWORK)
    return located_pictures(network, settings.localizer, images, ranked.ids[: settings.pictures])


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
