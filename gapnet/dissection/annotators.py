"""What a data set has to dissect networks with: the reader of its concepts."""

from gapnet.data.mask_concepts import MaskConcepts
from gapnet.data.sample import Source
from gapnet.data.segmented import Annotator, Segmented
from gapnet.data.sources.ilsvrc import STAND_IN
from gapnet.data.sources.shapes.concepts import DrawnConcepts
from gapnet.data.sources.shapes.dataset import FOLDERS
from gapnet.errors import GapnetError


def annotator_of(source: Source, split: str) -> Annotator:
    """Return what reads the concepts of a split; a data set without any is an error."""
    if isinstance(source, Segmented):
        return source.annotator(split)
    if (source.root / STAND_IN).is_file() and split in FOLDERS:
        return DrawnConcepts.of(source.root, split)
    if next(iter(source.records(split).mask_paths()), None) is not None:
        return MaskConcepts(source.class_names)
    raise GapnetError(
        f"data: split {split!r} of {source.title} has no concepts per pixel; choose data=broden, "
        "data=segmentations, data=shapes, or data=metadata with masks"
    )
