"""Train a linear SVM on features, score it, and save the network that localizes its classes."""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gapnet.errors import GapnetError
from gapnet.evaluation.predict import digest_of_weights
from gapnet.evaluation.score import Metric
from gapnet.jobs.features import FeatureFolder
from gapnet.jobs.job import Run, open_job
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import save
from gapnet.runs.folder import short
from gapnet.runs.layout import METRICS, SVM
from gapnet.system.extras import load_extra
from gapnet.system.files import write_file
from gapnet.transfer.feature_rows import Features
from gapnet.transfer.fitting import Fitting, training_set
from gapnet.transfer.layers import GAP
from gapnet.transfer.scores import score_decisions
from gapnet.transfer.svm import LinearSvm

log = logging.getLogger(__name__)
NETWORK = "network"  # the folder of the network with the SVM as its linear layer


@dataclass(frozen=True)
class SvmJob:
    """Training of a linear SVM.

    Args:
        run: where the job writes.
        features: the folder of a features job.
        layer: whose vectors are used; None is the only one.
        train_split: None is the data set's.
        test_split: None is the data set's.
        fitting: how it is trained.
    """

    run: Run
    features: Path
    layer: str | None = None
    train_split: str | None = None
    test_split: str | None = None
    fitting: Fitting = field(default_factory=Fitting)


def train_svm(settings: SvmJob) -> list[str]:
    """Train and score an SVM, and return lines with its metrics and its files."""
    folder = settings.features
    with open_job(settings.run) as job:
        described = FeatureFolder.read(folder)
        layer = described.choose_layer(settings.layer)
        splits = (
            settings.train_split or described.train_split,
            settings.test_split or described.test_split,
        )
        training, test = (described.features(folder, split, layer) for split in splits)
        check_same_network(training, test)
        training_set(training, layer, settings.fitting)  # before an earlier run is moved aside
        network = _network(described, training) if layer == GAP else None
        job.open(continues=False)
        svm = fit(training, layer, settings.fitting, data=described.data)
        svm.save(job.folder / SVM)
        metrics = score_decisions(
            svm.decisions(test.vectors), test, data=described.data, rules=rules_of(svm)
        )
        write_metrics(metrics, job.folder)
        lines = [*map(line_of, metrics), f"SVM: {short(job.folder / SVM)}"]
        if network is not None:
            save(svm.network(network), job.folder / NETWORK)
            lines.append(f"network: {short(job.folder / NETWORK)}")
        return lines


def fit(features: Features, layer: str, fitting: Fitting, *, data: str) -> LinearSvm:
    """Train a linear SVM on the features of a split."""
    svm_fit = load_extra("gapnet.transfer.svm_fit", extra="transfer")
    planes = svm_fit.fit_svm(training_set(features, layer, fitting), fitting)
    about = features.about
    return LinearSvm(
        planes.weight, planes.bias, about.classes, layer, about.weights, data, planes.C
    )


def check_same_network(training: Features, test: Features) -> None:
    """Refuse features of two splits that were not made in the same way."""
    shared = {"split", "data"}
    differing = [name for name in training.about.differences(test.about) if name not in shared]
    if differing:
        raise GapnetError(
            f"split={test.about.split}: its features were made with another "
            f"{', '.join(differing)} than those of split {training.about.split!r}; write both with "
            "one command gapnet features"
        )


def _network(described: FeatureFolder, training: Features) -> GapNet | None:
    """Return the network that made the features; None if its checkpoint does not exist."""
    choice = described.network
    if choice.path is not None and not choice.path.is_file():
        log.warning("%s: no such file, so no network with this SVM is saved", choice.path)
        return None
    network = choice.load()
    if digest_of_weights(network) != training.about.weights:
        raise GapnetError(
            f"checkpoint={choice}: has other weights than the network that made the features; "
            "write the features again"
        )
    return network


def rules_of(svm: LinearSvm) -> str:
    """Describe an SVM in a line."""
    return f"linear SVM, C={svm.C:g}, layer {svm.layer}"


def write_metrics(metrics: Sequence[Metric], folder: Path) -> None:
    """Write metrics.json."""
    values = [asdict(metric) for metric in metrics]
    write_file(folder / METRICS, json.dumps(values, indent=2) + "\n")


def line_of(metric: Metric) -> str:
    """Describe a metric in a line."""
    return (
        f"{metric.metric} {metric.value:.2%} ({metric.low:.2%} to {metric.high:.2%}), "
        f"{metric.n:,} images of {metric.data}, {metric.split}; {metric.rules}"
    )
