"""A run that is compared with others: its network, its images and its predictions."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from gapnet.data.loading.images import Images
from gapnet.data.records_digest import digest_of_data
from gapnet.data.sample import Source
from gapnet.errors import GapnetError
from gapnet.evaluation.agreement import Agreement
from gapnet.evaluation.ground_truth import ground_truth_of
from gapnet.evaluation.overlaps import own_overlaps
from gapnet.evaluation.predictions import Predictions, align
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.store import read_parts
from gapnet.explanations.explain import on_gpu
from gapnet.jobs.evaluation import MakeData, evaluated_data
from gapnet.jobs.rules import Rules
from gapnet.models.saved import load
from gapnet.report.gallery import Explainer, Scored, explained_image
from gapnet.report.gallery_image import GalleryImage
from gapnet.runs.layout import PREDICTIONS


@dataclass(frozen=True)
class ComparedRun:
    """A run, or an evaluation in one.

    Args:
        name: on the page.
        folder: with verdicts and predictions.
        checkpoint: of the network that was evaluated.
        data: makes the data module of a data set and a network.
        rules: of localization and scoring.
    """

    name: str
    folder: Path
    checkpoint: Path
    data: MakeData
    rules: Rules

    def protocol(self, name: str) -> Protocol:
        """Return the protocol with a name."""
        for protocol in self.rules.protocols:
            if protocol.name == name:
                return protocol
        raise GapnetError(
            f"{self.folder}: config.yaml does not describe protocol {name}; evaluate the run again"
        )


class OpenedRun(NamedTuple):
    """What a run needs to explain images of a split, and the overlaps of its boxes, (N,)."""

    explainer: Explainer
    source: Source
    images: Images
    predictions: Predictions
    overlaps: Tensor | None

    def explain(self, row: int, kind: str) -> GalleryImage | None:
        """Return an image with its verdict and maps; None if it cannot be read."""
        overlap = None if self.overlaps is None else self.overlaps[row].item()
        scored = Scored(row, kind, overlap)
        return explained_image(self.explainer, self.images, self.predictions, scored)


def open_run(run: ComparedRun, source: Source, agreement: Agreement) -> OpenedRun:
    """Load the network of a run, and its predictions; rows are those of the verdicts."""
    split = agreement.split
    predictions = _read_predictions(run.folder, split)
    network, localizer = on_gpu(load(run.checkpoint)), run.rules.localizer
    localizer.saliency.check(network)
    data = evaluated_data(run.data, source, network, localizer)
    records = data.records(split)
    if records.ids != agreement.ids or digest_of_data(records) != predictions.about.data:
        raise GapnetError(
            f"{run.folder}: was evaluated on other images or labels than those in {source.root}; "
            "evaluate the run again, or name its data set with data=... data.root=..."
        )
    predictions, truth = align(predictions, records.ids), ground_truth_of(records)
    overlaps = own_overlaps(predictions, truth, run.protocol(agreement.protocol))
    explainer = Explainer(network, localizer)
    return OpenedRun(explainer, data.source, data.images(split), predictions, overlaps)


def _read_predictions(folder: Path, split: str) -> Predictions:
    place = folder / PREDICTIONS / split
    if not place.is_dir():
        raise GapnetError(
            f"{folder}: has no predictions of split {split!r}; evaluate the run, and name the "
            "folder of the evaluation"
        )
    return Predictions(*read_parts(place))
