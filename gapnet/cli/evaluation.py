"""Predict, score, report and print: the second half of training, and the whole of evaluating."""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from omegaconf import DictConfig
from pytorch_lightning.loggers import TensorBoardLogger
from rich.console import Console
from torchvision.transforms.v2.functional import pil_to_tensor

from gapnet.cli.assemble import LOGS, Rules, predicting_trainer
from gapnet.data.datamodule import DataModule
from gapnet.errors import GapnetError
from gapnet.evaluation.predict import Predictor
from gapnet.evaluation.score import Figure, align, choose_cut, score, truth_of
from gapnet.evaluation.store import About, Predictions, Writer, read
from gapnet.layout import CONFIG, METRICS
from gapnet.models.gapnet import GapNet
from gapnet.report.curves import threshold_plot, training_plots
from gapnet.report.gallery import Picture, contact_sheet, gallery
from gapnet.report.page import Report, write_report
from gapnet.report.tables import console_table

log = logging.getLogger(__name__)
TABLE_WIDTH = 120  # columns, where the output is no terminal


@dataclass(frozen=True)
class Subject:
    """Hold what is evaluated: a network, the data, the rules, and where the outcome goes."""

    network: GapNet
    data: DataModule
    rules: Rules
    folder: Path
    checkpoint: Path


def check_classes(network: GapNet, classes: Sequence[str], *, advice: str) -> None:
    """Refuse a data set whose classes, or their order, are not those of the checkpoint."""
    known = network.classes or ()
    if len(classes) != len(known):
        raise GapnetError(
            f"the data set has {len(classes)} classes, the checkpoint {len(known)}: {advice}"
        )
    for index, (mine, theirs) in enumerate(zip(classes, known, strict=True)):
        if mine != theirs:
            raise GapnetError(
                f"class {index} is {mine!r} in the data set, {theirs!r} in the checkpoint: {advice}"
            )


def evaluate_network(cfg: DictConfig, subject: Subject) -> None:
    """Predict, score, report and print."""
    source, folder = subject.data.source, subject.folder
    split = cfg.split or source.test_split
    splits = dict.fromkeys((source.select_split, split))
    predictions = {name: _predict(cfg, subject, name) for name in splits}
    figures = _score(subject, predictions, split)
    text = json.dumps([asdict(figure) for figure in figures], indent=2)
    (folder / METRICS).write_text(text + "\n")
    pictures = gallery(
        subject.network,
        subject.rules.localizer,
        subject.data.images(split),
        predictions[split],
        count=cfg.report.images,
        iou=subject.rules.protocol.iou,
    )
    _show_pictures(pictures, folder)
    _write_page(subject, predictions, figures, pictures, split)
    title = f"{subject.network.name} on {source.title}, {split} split"
    width = None if Console().is_terminal else TABLE_WIDTH
    Console(width=width).print(console_table(figures, title))
    print(f"checkpoint: {_short(subject.checkpoint)}")
    print(f"report: {_short(folder / 'report.html')}")


def _predict(cfg: DictConfig, subject: Subject, split: str) -> Predictions:
    """Predict a split into the folder, and read back what was written."""
    records = subject.data.records(split)
    log.info("predicting %s: %d images", split, len(records))
    about = About(
        split=split,
        network=subject.network.name,
        rules=f"{subject.rules.localizer} {subject.rules.protocol}",
        num_classes=len(subject.data.source.classes),
        cut=subject.rules.localizer.boxer.cut,
        cuts=subject.rules.protocol.thresholds(),
    )
    place = subject.folder / "predictions" / split
    predictor = Predictor(
        subject.network, subject.rules.localizer, subject.rules.protocol, Writer(place, about)
    )
    predicting_trainer(cfg).predict(predictor, subject.data.loader(split), return_predictions=False)
    return align(read(place), truth_of(records))


def _score(subject: Subject, predictions: dict[str, Predictions], split: str) -> list[Figure]:
    protocol, chosen_on = subject.rules.protocol, subject.data.source.select_split
    overlaps = predictions[chosen_on].overlaps if chosen_on != split else None
    frozen = None if overlaps is None else (choose_cut(overlaps, protocol), chosen_on)
    truth = truth_of(subject.data.records(split))
    data = subject.data.source.title
    return score(predictions[split], truth, protocol, data=data, split=split, frozen=frozen)


def _show_pictures(pictures: Sequence[Picture], folder: Path) -> None:
    """Lay the pictures into the folder, and into what TensorBoard shows of it."""
    if not pictures:
        return
    contact_sheet(pictures).save(folder / "pictures.jpg", quality=90)
    logger = TensorBoardLogger(folder / LOGS, name=None, version="")
    for number, picture in enumerate(pictures):
        verdict = "right" if picture.right else "wrong"
        logger.experiment.add_image(
            f"{verdict}/{number:02d} {picture.id}", pil_to_tensor(picture.image)
        )
    logger.finalize("success")


def _write_page(
    subject: Subject,
    predictions: dict[str, Predictions],
    figures: Sequence[Figure],
    pictures: Sequence[Picture],
    split: str,
) -> None:
    swept = {name: each.overlaps for name, each in predictions.items()}
    plots = training_plots(subject.folder / LOGS / "metrics.csv")
    plots |= threshold_plot(swept, figures, subject.rules.protocol)
    facts = {
        "network": f"{subject.network.name} {subject.network.arguments}",
        "checkpoint": str(_short(subject.checkpoint)),
        "data": str(subject.data.source.root),
        "localizer": str(subject.rules.localizer),
    }
    report = Report(
        title=f"{subject.network.name} on {subject.data.source.title}, {split} split",
        facts=facts,
        figures=figures,
        plots=plots,
        pictures=pictures,
        class_names=subject.data.source.class_names,
        config=(subject.folder / CONFIG).read_text(),
    )
    write_report(report, subject.folder / "report.html")


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
