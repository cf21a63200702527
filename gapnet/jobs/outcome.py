"""What an evaluation hands over to be scored and reported."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gapnet.data.sample import Source
from gapnet.evaluation.ground_truth import SplitTruth
from gapnet.evaluation.predictions import Predictions
from gapnet.report.gallery_data import GallerySource
from gapnet.report.pictures import Judged, Picture


@dataclass(frozen=True)
class Outcome:
    """Predictions with their ground truth and titles: all that scoring and reporting need.

    Args:
        title: of the table and the page.
        source: of the data.
        predictions: by split, in the order of the images of its truth.
        truths: by split.
        split: that is reported.
        subject: of the page's first lines, name -> text.
        facts: how it was evaluated, at the end of the page, name -> text.
        pictures: draws those of the page, from which images are right and wrong.
        sources: the methods that explain the pictures.
        numbers: ILSVRC's number -> class index, for a submission.
    """

    title: str
    source: Source
    predictions: dict[str, Predictions]
    truths: dict[str, SplitTruth]
    split: str
    subject: dict[str, str]
    facts: dict[str, str]
    pictures: Callable[[Judged], list[Picture]] | None = None
    sources: Sequence[GallerySource] = ()
    numbers: dict[int, int] | None = None
