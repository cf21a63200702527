"""A job of your own: count the images of each class."""

import torch

from gapnet.data.sample import Source


# A job does the work. It takes plain values and objects, so that it also runs from Python; only
# the command sees a configuration. It prints nothing.
def count_images(source: Source, split: str) -> dict[str, int]:
    """Count the images of each class in a split, by the name of the class."""
    labels = source.records(split).labels
    counts = torch.bincount(labels[labels >= 0], minlength=len(source.classes))
    return dict(zip(source.class_names, counts.tolist(), strict=True))
