"""Dissect a network: label the units of its layers by the concepts that they detect."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from gapnet.data.loading.datamodule import DataModule
from gapnet.data.loading.images import Images
from gapnet.data.records_digest import digest_of_data
from gapnet.dissection.annotated_images import check_first
from gapnet.dissection.annotators import annotator_of
from gapnet.dissection.dissect import Dissection, Dissector, Found
from gapnet.dissection.result_table import read_result, write_result
from gapnet.dissection.scores import Summary, label_units, summarise
from gapnet.dissection.unit_sets import UnitSet
from gapnet.errors import GapnetError
from gapnet.evaluation.identities import batches_identity, network_identity
from gapnet.evaluation.predict import digest_of_weights
from gapnet.jobs.network_job import NetworkJob, open_network_job
from gapnet.jobs.trainers import MakeTrainer, predicting_trainer
from gapnet.models.gapnet import GapNet
from gapnet.report.dissection_page import DissectedLayer, DissectionPage, write_dissection_page
from gapnet.report.unit_pictures import draw_units
from gapnet.runs.layout import DISSECTION, REPORT, UNIT_PICTURES
from gapnet.system.distributed import wait_for_all
from gapnet.system.files import write_file
from gapnet.system.ranks import is_first

DIGITS = 16  # of a digest
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class DissectJob(NetworkJob):
    """Dissection of a network, into a folder.

    Args:
        dissection: how it is done.
        trainer: makes the trainer that runs the network.
        precision: of that trainer.
        view: describes the view of the images.
        split: None is the data set's test split.
    """

    dissection: Dissection
    trainer: MakeTrainer = pl.Trainer
    precision: str = "32-true"
    view: Mapping[str, Any] = field(default_factory=dict)
    split: str | None = None


@dataclass(frozen=True)
class SetSummary:
    """Numbers of the detectors of one set of units, and the file with its units."""

    name: str
    summary: Summary
    table: Path | None = None


@dataclass(frozen=True)
class Dissected:
    """What `dissect` prints: a title, numbers by set of units, categories, and the page."""

    title: str
    sets: list[SetSummary]
    categories: list[str]
    page: Path | None = None
    notes: tuple[str, ...] = ()


def dissect(settings: DissectJob) -> Dissected | None:
    """Dissect a network, and write the outcome; only the first rank returns it."""
    with open_network_job(settings, settings.trainer) as opened:
        if opened is None:
            return None
        job, trainer, network = opened
        source = settings.make_source()
        data = settings.data(source, network)
        split = settings.split or source.test_split
        annotator = annotator_of(source, split)
        data.check(split)
        check_first(data.images(split), annotator)
        dissector = Dissector(
            network.to(trainer.strategy.root_device),
            data,
            split,
            settings.dissection,
            annotator=annotator,
            folder=job.folder,
            identity=_identity(network, data, split, settings, trainer),
        )
        job.open_evaluation(resume=settings.resume, of_run=settings.of_run)
        found = dissector.run(lambda: predicting_trainer(settings.trainer))
        outcome = None
        if is_first():
            where = f"{source.title}, split {split}, {found.images:,} images"
            title, images = f"{settings.network} on {where}", data.images(split)
            outcome = _write(settings, found, images, title=title, folder=job.folder)
            dissector.clean()
        wait_for_all()
        return outcome


def _identity(
    network: GapNet, data: DataModule, split: str, settings: DissectJob, trainer: pl.Trainer
) -> str:
    """Return a digest of the network, the images, the batches and what is counted."""
    device = trainer.strategy.root_device.type
    values = {
        "network": network_identity(network.name, network.arguments),
        "weights": digest_of_weights(network),
        "data": digest_of_data(data.records(split)),
        "batches": batches_identity(settings.view, data.batch_size, settings.precision, device),
        "dissection": asdict(settings.dissection) | {"keep_gb": None, "save_every": None},
    }
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def _write(
    settings: DissectJob, found: Found, images: Images, *, title: str, folder: Path
) -> Dissected:
    """Write tables, pictures, the page and dissection.json; return what is printed."""
    concepts, dissection = found.state.concepts, settings.dissection
    layers = []
    for units in found.sets:
        labelled = label_units(found.state.tallies[units.name].counts, concepts)
        summary = summarise(labelled, concepts.categories, dissection.min_iou)
        table = folder / f"{units.name}-result.csv"
        write_result(table, labelled, concepts.categories)
        layers.append(DissectedLayer(units.name, labelled, summary, table.name))
    if dissection.top:
        channels = [units.name for units in found.sets if units.rotation is None]
        draw_units(
            {name: found.state.top[name] for name in channels},
            {name: found.thresholds[name] for name in channels},
            images,
            folder / UNIT_PICTURES,
        )
    page = DissectionPage(title, layers, concepts.categories, dissection.min_iou, dissection.top)
    write_dissection_page(page, folder / REPORT)
    described = _described(settings, found, layers, title)
    write_file(folder / DISSECTION, json.dumps(described, indent=2) + "\n")
    sets = [SetSummary(layer.name, layer.summary, folder / layer.table) for layer in layers]
    return Dissected(title, sets, concepts.categories, folder / REPORT)


def _described(
    settings: DissectJob, found: Found, layers: Sequence[DissectedLayer], title: str
) -> dict[str, Any]:
    """Return the content of dissection.json."""
    concepts = found.state.concepts
    return {
        "title": title,
        "network": str(settings.network),
        "images": found.images,
        "share": settings.dissection.share,
        "min_iou": settings.dissection.min_iou,
        "categories": {
            name: {
                "concepts": int((concepts.category == number).sum()),
                "images": int(concepts.annotated[number]),
            }
            for number, name in enumerate(concepts.categories)
        },
        "layers": [
            _described_layer(settings, units, layer, found)
            for units, layer in zip(found.sets, layers, strict=True)
        ],
    }


def _described_layer(
    settings: DissectJob, units: UnitSet, layer: DissectedLayer, found: Found
) -> dict[str, Any]:
    """Return what is known of one set of units; shares are those above the thresholds."""
    counts, places = found.state.tallies[units.name].counts, found.places[units.name]
    share = settings.dissection.share
    return {
        "name": units.name,
        "layer": units.layer,
        "rotation": units.rotation,
        **asdict(layer.summary),
        "table": layer.table,
        "exact_thresholds": places.exact,
        "error_of_share": places.error(found.images, share),
        "thresholds": found.thresholds[units.name].tolist(),
        "shares": (counts.above / counts.places).tolist(),
    }


def recount(paths: Sequence[Path], min_iou: float, page: Path | None = None) -> Dissected:
    """Count the detectors of tables of gapnet or NetDissect, from the counts in their columns."""
    if not paths:
        raise GapnetError("results=[]: name at least one file")
    tables = {path: read_result(path) for path in paths}
    categories = list(dict.fromkeys(name for table in tables.values() for name in table.categories))
    layers = [
        DissectedLayer(str(path), table.units, summarise(table.units, categories, min_iou), "")
        for path, table in tables.items()
    ]
    notes = tuple(
        f"{path}: {table.differing} of {len(table.units)} scores differ from the counts"
        for path, table in tables.items()
        if table.differing
    )
    title = "Detectors recounted from tables"
    if page is not None:
        write_dissection_page(DissectionPage(title, layers, categories, min_iou, 0), page)
    sets = [SetSummary(layer.name, layer.summary) for layer in layers]
    return Dissected(title, sets, categories, page, notes)
