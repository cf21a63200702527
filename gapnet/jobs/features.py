"""Write the vectors of a network's layers for whole splits, in one process or several."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from torch.utils.data import DataLoader

from gapnet.data.loading.datamodule import DataModule
from gapnet.data.loading.images import Parts
from gapnet.data.records_digest import digest_of_data
from gapnet.data.sample import Cropped, Source
from gapnet.errors import GapnetError, reading
from gapnet.evaluation.identities import batches_identity, network_identity
from gapnet.evaluation.predict import digest_of_weights
from gapnet.evaluation.store import About, Writer, done
from gapnet.jobs.network_job import NetworkJob, open_network_job
from gapnet.jobs.trainers import MakeTrainer, predicting_trainer
from gapnet.models.gapnet import GapNet
from gapnet.models.network_choice import NetworkChoice
from gapnet.runs.folder import short
from gapnet.runs.layout import FEATURES, FEATURES_DONE
from gapnet.system.distributed import wait_for_all
from gapnet.system.files import write_file
from gapnet.system.ranks import is_first
from gapnet.transfer.extract import Extractor, digest_of_parts, vector_sizes
from gapnet.transfer.feature_rows import Features, feature_kind, read_features
from gapnet.transfer.layers import Layer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Extraction:
    """How features are extracted.

    Args:
        layers: whose vectors are written; at least one.
        trainer: makes the trainer that runs the network.
        precision: of that trainer, for the record.
        view: describes the fixed view of the images, for the record.
    """

    layers: tuple[Layer, ...]
    trainer: MakeTrainer = pl.Trainer
    precision: str = "32-true"
    view: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the layers."""
        if not self.layers:
            raise GapnetError("layer=[]: name at least one layer, such as gap")
        twice = [layer for layer in self.layers if self.layers.count(layer) > 1]
        if twice:
            raise GapnetError(f"layer={twice[0]}: is listed twice; name it once")


@dataclass(frozen=True, kw_only=True)
class FeaturesJob(NetworkJob):
    """Extraction of features into a folder.

    Args:
        extraction: how it is done.
        splits: None are those for training and test.
    """

    extraction: Extraction
    splits: tuple[str, ...] | None = None


@dataclass(frozen=True)
class FeatureFolder:
    """What a folder of features contains; saved as features.json when all of it is written.

    Args:
        layers: sizes of the vectors by layer.
        images: number of images by split.
        train_split: of the data set.
        test_split: of the data set.
        data: title of the data set.
        checkpoint: of the network, if it has one.
        published: the published network, if it is one.
        weights: a file of its weights, if it is not those that are published.
    """

    layers: Mapping[str, int]
    images: Mapping[str, int]
    train_split: str
    test_split: str
    data: str
    checkpoint: str | None = None
    published: str | None = None
    weights: str | None = None

    @classmethod
    def read(cls, folder: Path) -> "FeatureFolder":
        """Read what a folder contains; features that are not complete are an error."""
        path = folder / FEATURES_DONE
        if not path.is_file():
            begun = (folder / FEATURES).is_dir()
            problem = "is not complete" if begun else "contains no features"
            raise GapnetError(
                f"features={folder}: {problem}; run gapnet features with resume=true "
                f"folder={folder}"
            )
        with reading(path, "does not describe features", "write the features again"):
            described = cls(**json.loads(path.read_text(encoding="utf-8")))
            _check_types(described)
        return described

    @property
    def network(self) -> NetworkChoice:
        """Return the network that made the features."""
        checkpoint = None if self.checkpoint is None else Path(self.checkpoint)
        return NetworkChoice(checkpoint, self.published, self.weights)

    def choose_layer(self, layer: str | None) -> str:
        """Return a layer that the folder has; None is the only one."""
        known = list(self.layers)
        if layer is None and len(known) == 1:
            return known[0]
        if layer not in known:
            raise GapnetError(f"layer={layer or 'null'}: must be one of {', '.join(known)}")
        return layer

    def features(self, folder: Path, split: str, layer: str) -> Features:
        """Read the vectors of a split at a layer."""
        if split not in self.images:
            raise GapnetError(
                f"split={split}: {folder} has no features of this split; choose "
                f"{', '.join(self.images)}"
            )
        features = read_features(folder / FEATURES / split, list(self.layers), layer)
        count = len(features.ids) + len(features.unreadable)
        if count != self.images[split]:
            raise GapnetError(
                f"features={folder}: {count:,} of {self.images[split]:,} images of split {split!r} "
                "have features; repeat the command gapnet features with resume=true"
            )
        return features


def _check_types(described: FeatureFolder) -> None:
    counts = [*described.layers.values(), *described.images.values()]
    names = [*described.layers, *described.images, described.train_split, described.test_split]
    if not all(type(count) is int for count in counts) or not all(map(_is_text, names)):
        raise TypeError("a value has the wrong type")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def features(settings: FeaturesJob) -> list[str]:
    """Write features, and return lines that say what was written; only the first rank has lines."""
    with open_network_job(settings, settings.extraction.trainer) as opened:
        if opened is None:
            return []
        job, network = opened.job, opened.network
        sizes = vector_sizes(network, settings.extraction.layers)
        source = settings.make_source()
        splits = settings.splits or (source.train_split, source.test_split)
        parts = parts_of(source, splits)
        options = {"parts": parts} if parts else {}
        data = settings.data(source, network, **options)
        data.check(*splits)
        job.open_evaluation(resume=settings.resume, of_run=settings.of_run)
        extract(network, data, settings.extraction, splits, job.folder, resume=settings.resume)
        if not is_first():
            return []
        choice = settings.network
        images = {split: len(data.records(split)) for split in dict.fromkeys(splits)}
        described = FeatureFolder(
            sizes,
            images,
            source.train_split,
            source.test_split,
            source.title,
            checkpoint=_absolute(choice.path),
            published=_absolute(choice.published),
            weights=_absolute(choice.weights),
        )
        write_file(job.folder / FEATURES_DONE, json.dumps(asdict(described), indent=2) + "\n")
        widths = ", ".join(f"{layer} {size}" for layer, size in sizes.items())
        total = sum(images.values())
        return [f"{total:,} images, {widths}: {short(job.folder / FEATURES)}"]


def parts_of(source: Source, splits: Sequence[str]) -> dict[str, Parts]:
    """Return the boxes that a data set shows in place of whole images, by split: of queries."""
    if not isinstance(source, Cropped):
        return {}
    parts = {split: source.parts(split) for split in splits}
    return {split: boxes for split, boxes in parts.items() if boxes is not None}


def _absolute(value: Path | str | None) -> str | None:
    """Return an existing path as absolute text; other values, such as names, are unchanged."""
    if value is None:
        return None
    return str(Path(value).absolute()) if Path(value).exists() else str(value)


def extract(
    network: GapNet,
    data: DataModule,
    extraction: Extraction,
    splits: Sequence[str],
    folder: Path,
    *,
    resume: bool,
) -> None:
    """Write the features of splits, or of their missing images, into FOLDER/features/SPLIT."""
    trainer = predicting_trainer(extraction.trainer)
    device, weights = trainer.strategy.root_device.type, digest_of_weights(network)
    kind = feature_kind([str(layer) for layer in extraction.layers])
    writers: list[Writer] = []
    loaders: list[DataLoader[Any]] = []
    for split in dict.fromkeys(splits):
        about = _about(network, data, extraction, split, weights=weights, device=device)
        place = folder / FEATURES / split
        finished = done(place, about, kind=kind) if resume else set()
        left = sum(image not in finished for image in data.records(split).ids)
        log.info("features of %s: %d images%s", split, left, " that are missing" * bool(finished))
        if left:
            writers.append(Writer(place, about, kind=kind))
            loaders.append(data.loader(split, done=finished))
    if writers:
        extractor = Extractor(network, extraction.layers, writers)
        trainer.predict(extractor, loaders, return_predictions=False)
    wait_for_all()


def _about(
    network: GapNet,
    data: DataModule,
    extraction: Extraction,
    split: str,
    *,
    weights: str,
    device: str,
) -> About:
    """Return the description of features: network, layers, data and batches."""
    size, precision = data.batch_size, extraction.precision
    layers = [str(layer) for layer in extraction.layers]
    parts = digest_of_parts(data.parts.get(split))
    return About(
        split=split,
        classes=tuple(data.source.classes),
        network=f"{network.name} {network.arguments}",
        rules=f"layers {', '.join(layers)}",
        weights=weights,
        data="-".join(filter(None, (digest_of_data(data.records(split)), parts))),
        batches=f"{extraction.view} {size} a batch, {precision} on {device}",
        identity={
            "network": network_identity(network.name, network.arguments),
            "rules": {"layers": layers},
            "batches": batches_identity(extraction.view, size, precision, device),
        },
    )
