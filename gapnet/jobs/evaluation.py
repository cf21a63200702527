"""How networks are evaluated, whichever job does it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from gapnet.data.loading.datamodule import DataModule
from gapnet.data.sample import Relabelled, Source
from gapnet.errors import GapnetError, MissingSplitError
from gapnet.jobs.labels import LabelRule
from gapnet.jobs.rules import Rules
from gapnet.localization.localizer import Localizer
from gapnet.models.gapnet import GapNet
from gapnet.saliency import Saliency
from gapnet.system.value_checks import whole_number, wrong_value

NATIVE = "native"
MakeData = Callable[..., DataModule]


@dataclass(frozen=True)
class Evaluation:
    """How a network is evaluated.

    Args:
        rules: of localization and scoring.
        trainer: makes the trainer that predicts.
        precision: of that trainer, for the record.
        view: describes the fixed view of the images, for the record.
        split: that is reported; None means the data set's test split.
        keep_maps: of the true classes: native, a side in cells, or None to keep none.
        labels: of submissions.
        pictures: in the report.
        methods: other saliency methods that the report shows beside the localizer's, by name.
    """

    rules: Rules
    trainer: Callable[..., pl.Trainer] = pl.Trainer
    precision: str = "32-true"
    view: Mapping[str, Any] = field(default_factory=dict)
    split: str | None = None
    keep_maps: str | int | None = None
    labels: LabelRule = field(default_factory=LabelRule)
    pictures: int = 24
    methods: Mapping[str, Saliency] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the values."""
        whole_number("report.images", self.pictures)
        keep = self.keep_maps
        if keep not in (None, NATIVE) and not (type(keep) is int and keep > 0):
            raise wrong_value("keep_maps", keep, f"must be null, {NATIVE} or a side in cells (14)")

    def check_methods(self, network: GapNet) -> None:
        """Raise an error if the network cannot be explained by one of the methods."""
        for method in (self.rules.localizer.saliency, *self.methods.values()):
            method.check(network)

    def split_of(self, source: Source) -> str:
        """Return the split that is reported."""
        return self.split or source.test_split


@dataclass(frozen=True)
class Subject:
    """What is evaluated: a network, where it came from, and the data it is shown."""

    network: GapNet
    checkpoint: Path
    data: DataModule


def evaluated_data(
    make: MakeData, source: Source, network: GapNet, localizer: Localizer
) -> DataModule:
    """Return the data on which a network is evaluated; other classes are an error.

    A user's own images with only a test split have the classes of the network.
    """
    data = make(source, network, localizer)
    if isinstance(source, Relabelled) and network.classes and is_test_only(data):
        data = make(source.with_classes(network.classes), network, localizer)
    advice = "evaluate on data with the classes of the checkpoint"
    check_classes(network, data.source.classes, advice=advice)
    return data


def is_test_only(data: DataModule) -> bool:
    """Return whether a user's own images have no split for training and none for selection."""
    splits = (data.source.select_split, data.source.train_split)
    return isinstance(data.source, Relabelled) and not any(
        _has_split(data, split) for split in splits
    )


def _has_split(data: DataModule, split: str) -> bool:
    try:
        data.records(split)
    except MissingSplitError:
        return False
    return True


def method_name(saliency: Saliency) -> str:
    """Return the name of a method, as in conf/saliency."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(saliency).__name__).lower()


def check_classes(network: GapNet, classes: Sequence[str], *, advice: str) -> None:
    """Refuse a data set whose classes, or their order, are not those of the checkpoint."""
    known = network.classes or ()
    if len(classes) != len(known):
        raise GapnetError(
            f"data: has {len(classes)} classes, and the checkpoint {len(known)}; {advice}"
        )
    for index, (mine, theirs) in enumerate(zip(classes, known, strict=True)):
        if mine != theirs:
            raise GapnetError(
                f"data: class {index} is {mine!r}, and in the checkpoint {theirs!r}; {advice}"
            )
