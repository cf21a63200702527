"""Table 4: a linear SVM on the features of whole images, of class maps' boxes, or of true boxes."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

import torch

from gapnet.data.loading.datamodule import DataModule
from gapnet.data.loading.images import Parts
from gapnet.errors import GapnetError
from gapnet.evaluation.compare import write_verdicts
from gapnet.evaluation.ground_truth import ground_truth_of
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.score import Metric
from gapnet.evaluation.verdicts import Verdict
from gapnet.jobs.evaluate_job import evaluate_network
from gapnet.jobs.evaluation import Evaluation, Subject
from gapnet.jobs.features import Extraction, extract
from gapnet.jobs.job import Job
from gapnet.jobs.network_job import NetworkJob, open_network_job
from gapnet.jobs.predict import predict
from gapnet.jobs.rules import Rules
from gapnet.jobs.svm import NETWORK, check_same_network, fit, line_of, rules_of, write_metrics
from gapnet.localization.guesses import OnePerClass
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import save
from gapnet.runs.folder import short
from gapnet.runs.layout import CONFIG, FEATURES, SVM, VERDICTS
from gapnet.system.distributed import wait_for_all
from gapnet.system.files import write_file
from gapnet.system.ranks import is_first
from gapnet.system.value_checks import one_of
from gapnet.transfer.extract import vector_sizes
from gapnet.transfer.feature_rows import Features, read_features
from gapnet.transfer.fitting import Fitting
from gapnet.transfer.layers import GAP
from gapnet.transfer.regions import MapClass, Region, predicted_parts, true_parts
from gapnet.transfer.scores import PROTOCOL, accuracy, score_decisions
from gapnet.transfer.svm import LinearSvm

LOCALIZATION = "localization"  # folder of the evaluation of the network with the SVM
BOXES = "boxes"  # folder of the predictions whose boxes are cropped
FULL: Region = "full"


@dataclass(frozen=True, kw_only=True)
class TransferJob(NetworkJob):
    """Transfer of a network's features to another data set.

    Args:
        extraction: how features are extracted.
        evaluation: how the SVM's class maps are evaluated.
        fitting: how the SVM is trained.
        region: full, the whole image; crop, the box of the SVM's class map; box, the true box.
        train_crops: the class whose map crops training images: predicted, or label, the true one;
            in test it is always the predicted one.
    """

    extraction: Extraction
    evaluation: Evaluation
    fitting: Fitting = field(default_factory=Fitting)
    region: Region = FULL
    train_crops: MapClass = "predicted"

    def __post_init__(self) -> None:
        """Check the values."""
        one_of("region", self.region, get_args(Region))
        one_of("train_crops", self.train_crops, get_args(MapClass))
        if len(self.extraction.layers) > 1:
            raise GapnetError(f"layer={self.layer},...: must be one layer")
        if self.region == "crop" and self.layer != GAP:
            raise GapnetError(f"layer={self.layer}: region=crop needs class maps; use layer={GAP}")

    @property
    def layer(self) -> str:
        """Return the layer whose vectors are used."""
        return str(self.extraction.layers[0])


def transfer(settings: TransferJob) -> list[str]:
    """Train and score the SVM, and return lines with metrics; only the first rank has lines."""
    with open_network_job(settings, settings.extraction.trainer) as opened:
        if opened is None:
            return []
        job, network = opened.job, opened.network
        vector_sizes(network, settings.extraction.layers)  # which raises an error without the layer
        source = settings.make_source()
        data = settings.data(source, network)
        data.check(source.train_split, source.test_split)
        parts = _true_parts(data) if settings.region == "box" else {}
        job.open_evaluation(resume=settings.resume, of_run=settings.of_run)
        return Transfer(settings, job, network, data).run(parts)


def _true_parts(data: DataModule) -> dict[str, Parts]:
    splits = (data.source.train_split, data.source.test_split)
    return {split: true_parts(data.records(split), split) for split in splits}


@dataclass(frozen=True)
class Transfer:
    """A transfer that is running: its job, the network, and the whole images."""

    settings: TransferJob
    job: Job
    network: GapNet
    whole: DataModule

    @property
    def splits(self) -> tuple[str, str]:
        """Return the splits for training and test."""
        return self.whole.source.train_split, self.whole.source.test_split

    def run(self, true: dict[str, Parts]) -> list[str]:
        """Train on the region, score, and write what belongs to the result."""
        region, folder = self.settings.region, self.job.folder
        if region == FULL:
            svm, test = self.train(FULL, {})
            localization = self.localize(svm) if self._localizes() else []
        else:
            parts = true if region == "box" else self.crops()
            (svm, test), localization = self.train(region, parts), []
        if not is_first():
            return []
        svm.save(folder / SVM)
        if self.settings.layer == GAP:
            save(svm.network(self.network), folder / NETWORK)
        decisions, data = svm.decisions(test.vectors), self.whole.source.title
        metrics = score_decisions(decisions, test, data=data, rules=f"{region}, {rules_of(svm)}")
        self._write_verdicts(svm, test)
        write_metrics([*metrics, *localization], folder)
        return [
            *map(line_of, metrics),
            *(_short_line(metric) for metric in localization if "gt_known" in metric.metric),
            f"SVM: {short(folder / SVM)}",
        ]

    def train(self, region: Region, parts: dict[str, Parts]) -> tuple[LinearSvm, Features]:
        """Extract the features of a region, and train an SVM; return it and the test features."""
        settings, folder, layer = self.settings, self.job.folder / region, self.settings.layer
        make, source = settings.data, self.whole.source
        data = make(source, self.network, parts=parts) if parts else self.whole
        extract(
            self.network, data, settings.extraction, self.splits, folder, resume=settings.resume
        )
        training, test = (
            read_features(folder / FEATURES / split, [layer], layer) for split in self.splits
        )
        check_same_network(training, test)
        path = folder / SVM
        if is_first() and not (settings.resume and path.is_file()):
            fit(training, layer, settings.fitting, data=source.title).save(path)
        wait_for_all()
        return LinearSvm.load(path), test

    def _localizes(self) -> bool:
        """Return whether there are class maps, and true boxes to compare them with."""
        truth = ground_truth_of(self.whole.records(self.splits[1]))
        return self.settings.layer == GAP and truth.boxes is not None

    def crops(self) -> dict[str, Parts]:
        """Return the boxes of the class maps of an SVM that was trained on whole images."""
        train, test = self.splits
        svm, _ = self.train(FULL, {})
        rules = self.settings.evaluation.rules
        one_box = replace(rules.localizer, guesses=OnePerClass(classes=1))
        evaluation = replace(self.settings.evaluation, rules=Rules(one_box, rules.protocols))
        predictions: dict[str, Predictions] = predict(
            self._subject(svm),
            evaluation,
            self.splits,
            self.job.folder / BOXES,
            resume=self.settings.resume,
        )
        return {
            train: predicted_parts(predictions[train], self.settings.train_crops),
            test: predicted_parts(predictions[test], "predicted"),
        }

    def localize(self, svm: LinearSvm) -> list[Metric]:
        """Evaluate the class maps of the network with the SVM."""
        folder = self.job.folder / LOCALIZATION
        if is_first():
            folder.mkdir(exist_ok=True)
            write_file(folder / CONFIG, (self.job.folder / CONFIG).read_bytes())
        wait_for_all()
        results = evaluate_network(
            self._subject(svm), self.settings.evaluation, folder, resume=self.settings.resume
        )
        return [] if results is None else results.metrics

    def _subject(self, svm: LinearSvm) -> Subject:
        origin = Path(str(self.settings.network))
        return Subject(svm.network(self.network), origin, self.whole)

    def _write_verdicts(self, svm: LinearSvm, test: Features) -> None:
        """Write for every image whether its class is right, so that runs can be compared."""
        if test.multi_label:
            return
        truth = ground_truth_of(self.whole.records(self.splits[1]))
        hits = accuracy(svm.decisions(test.vectors), test.labels)
        right = dict(zip(test.ids, hits.tolist(), strict=True))
        values = torch.tensor([right.get(image, 0.0) for image in truth.ids], dtype=torch.double)
        verdict = Verdict("accuracy", values, torch.ones(len(values), dtype=torch.bool))
        path, title = self.job.folder / VERDICTS, self.whole.source.title
        write_verdicts(truth, {PROTOCOL: [verdict]}, path, data=title, split=self.splits[1])


def _short_line(metric: Metric) -> str:
    """Describe a metric of the class maps in a line, without its rules."""
    chosen = "" if metric.chosen_on is None else f", {metric.chosen_on}"
    return f"{metric.metric} {metric.value:.2%} ({metric.low:.2%} to {metric.high:.2%}){chosen}"
