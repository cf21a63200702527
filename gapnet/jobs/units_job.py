"""Find the units that are specific to classes, show them, and measure what removing them does."""

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytorch_lightning as pl
import torch

from gapnet.data.loading.datamodule import DataModule
from gapnet.data.records_digest import digest_of_data
from gapnet.dissection.class_units import (
    AblationPass,
    AblationState,
    ClassUnits,
    accuracy_of,
    class_units,
)
from gapnet.dissection.state_files import StateFile, saved_states
from gapnet.dissection.top_images import NO_ROW, TopImages
from gapnet.errors import GapnetError
from gapnet.evaluation.predict import digest_of_weights
from gapnet.explanations.class_names import find_classes
from gapnet.jobs.evaluation import check_classes
from gapnet.jobs.network_job import NetworkJob, open_network_job
from gapnet.jobs.trainers import MakeTrainer, predicting_trainer
from gapnet.models.gapnet import GapNet
from gapnet.report.unit_pictures import draw_units
from gapnet.report.units_page import ClassRow, UnitsPage, write_units_page
from gapnet.runs.layout import REPORT, UNIT_PICTURES, UNITS
from gapnet.system.distributed import wait_for_all
from gapnet.system.files import write_file
from gapnet.system.ranks import is_first
from gapnet.system.value_checks import number, whole_number

PROGRESS, STAGE, LAYER = "progress", "units", "features"
CUT = 0.2  # of the maximum of a unit's top image: outside, pictures are dimmed, as in cnnvisualizer
DIGITS = 16  # of a digest


@dataclass(frozen=True, kw_only=True)
class UnitsJob(NetworkJob):
    """Search for class-specific units: the network has global pooling, the data its classes.

    Args:
        classes: by index, id or name.
        units: number of units of each class.
        images: number of top images of each unit.
        cut: share of the maximum of a unit's top image, outside of which pictures are dimmed.
        trainer: makes the trainer that runs the network.
        split: None is the data set's test split.
    """

    classes: tuple[int | str, ...]
    units: int = 3
    images: int = 12
    cut: float = CUT
    trainer: MakeTrainer = field(default=pl.Trainer)
    split: str | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        if not self.classes:
            raise GapnetError("classes=[]: name at least one class, by its index, id or name")
        whole_number("images", self.images)
        number("cut", self.cut, least=0, below=1)


@dataclass(frozen=True)
class FoundUnits:
    """Units of the classes with the effect of removing them, and the page."""

    title: str
    rows: list[ClassRow]
    page: Path


def units(settings: UnitsJob) -> FoundUnits | None:
    """Find the units, and write the outcome; only the first rank returns it."""
    with open_network_job(settings, settings.trainer) as opened:
        if opened is None:
            return None
        job, trainer, network = opened
        network.to(trainer.strategy.root_device)
        source = settings.make_source()
        _check_classes(network, source.classes)
        labels = find_classes(settings.classes, network.class_ids, network.class_names)
        data, split = settings.data(source, network), settings.split or source.test_split
        study = _Study(network, data, split, class_units(network, labels, settings.units))
        data.check(split)
        job.open_evaluation(resume=settings.resume, of_run=settings.of_run)
        state = study.measure(settings, job.folder / PROGRESS)
        found = None
        if is_first():
            title = f"{settings.network} on {source.title}, split {split}"
            found = _write(settings, study, state, title, job.folder)
            shutil.rmtree(job.folder / PROGRESS, ignore_errors=True)
        wait_for_all()
        return found


def _check_classes(network: GapNet, classes: list[str]) -> None:
    """Refuse data with other classes; a network without ids of classes must have as many."""
    advice = "choose the data set of its training"
    if network.classes is not None:
        check_classes(network, classes, advice=advice)
    elif len(classes) != network.num_classes:
        raise GapnetError(
            f"data: has {len(classes)} classes, and the network {network.num_classes}; {advice}"
        )


@dataclass(frozen=True)
class _Study:
    """A network, the images that it is shown, and the units of each class."""

    network: GapNet
    data: DataModule
    split: str
    chosen: list[ClassUnits]

    def measure(self, settings: UnitsJob, folder: Path) -> AblationState:
        """Classify all images with and without the units of each class; return what all ranks saw.

        Files in a folder hold what is done, so that an interrupted job continues.
        """
        ids, identity = self.data.records(self.split).ids, self._identity(settings)
        _, done = self._merged(settings, folder, identity)
        if len(done) < len(ids):
            rows = {name: row for row, name in enumerate(ids)}
            file, state = StateFile(folder, STAGE, identity), self._new_state(settings)
            ablation = AblationPass(self.network, self.chosen, state, file, rows=rows)
            loader = self.data.loader(self.split, done={ids[row] for row in done})
            trainer = predicting_trainer(settings.trainer)
            trainer.predict(ablation, loader, return_predictions=False)
        wait_for_all()
        return self._merged(settings, folder, identity)[0]

    def _merged(
        self, settings: UnitsJob, folder: Path, identity: str
    ) -> tuple[AblationState, set[int]]:
        """Return the state of the images so far, and their rows."""
        state, done = self._new_state(settings), set[int]()
        for rows, arrays in saved_states(folder, STAGE, identity):
            state.merge(arrays)
            done.update(rows)
        return state, done

    def _new_state(self, settings: UnitsJob) -> AblationState:
        units = self.network.pooling_head().linear.in_features
        size = self.network.facts.map_size
        top = TopImages(units, settings.images, size)
        return AblationState(len(self.chosen), self.network.num_classes, top)

    def _identity(self, settings: UnitsJob) -> str:
        """Return a digest of the network, the images and the units."""
        values = {
            "weights": digest_of_weights(self.network),
            "data": digest_of_data(self.data.records(self.split)),
            "batch": self.data.batch_size,
            "units": self.chosen,
            "images": settings.images,
        }
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:DIGITS]


def _write(
    settings: UnitsJob, study: _Study, state: AblationState, title: str, folder: Path
) -> FoundUnits:
    """Write pictures, the page and units.json."""
    names = study.network.class_names
    rows = [
        ClassRow(names[own.label], own.units, own.weights, accuracy_of(state, number, own.label))
        for number, own in enumerate(study.chosen)
    ]
    if settings.images:
        top = _only(state.top, sorted({unit for own in study.chosen for unit in own.units}))
        cuts = {LAYER: settings.cut * top.scores[:, 0]}
        draw_units({LAYER: top}, cuts, study.data.images(study.split), folder / UNIT_PICTURES)
    write_units_page(UnitsPage(title, rows, LAYER, settings.images), folder / REPORT)
    described = {"title": title, "classes": [row.described() for row in rows]}
    write_file(folder / UNITS, json.dumps(described, indent=2) + "\n")
    return FoundUnits(title, rows, folder / REPORT)


def _only(top: TopImages, units: list[int]) -> TopImages:
    """Forget the top images of all other units."""
    others = torch.ones(len(top.rows), dtype=torch.bool)
    others[units] = False
    top.rows[others] = NO_ROW
    return top
