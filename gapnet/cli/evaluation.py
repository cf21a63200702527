"""Score, report and print: the end of training, and of every way to evaluate."""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from omegaconf import DictConfig
from pytorch_lightning.loggers import TensorBoardLogger
from rich.console import Console
from torchvision.transforms.v2.functional import pil_to_tensor

from gapnet.cli.assemble import LOGS
from gapnet.cli.exchange import write_submission
from gapnet.cli.predicting import Subject, predict
from gapnet.cli.runs import short
from gapnet.data.sample import Source
from gapnet.errors import GapnetError
from gapnet.evaluation.classes import class_errors, write_classes
from gapnet.evaluation.compare import write_verdicts
from gapnet.evaluation.formats.base import Key
from gapnet.evaluation.overlaps import known_overlaps
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.score import Scored, score
from gapnet.evaluation.score import Subject as Scoring
from gapnet.evaluation.truth import Truth, truth_of
from gapnet.layout import (
    CLASSES,
    CONFIG,
    METRICS,
    REPORT,
    SUBMISSION,
    UNREADABLE,
    VERDICTS,
    write_whole,
)
from gapnet.models.gapnet import GapNet
from gapnet.report.curves import threshold_plot, training_plots
from gapnet.report.gallery import Picture, contact_sheet, gallery
from gapnet.report.page import Report, write_report
from gapnet.report.tables import TABLE_WIDTH, class_rows, class_table, console_table, spread_table

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """Hold what was predicted and what it is called: all that scoring and reporting need.

    Args:
        title: of the table and the page.
        source: of the data.
        predictions: by split, each aligned with its truth.
        truths: by split.
        split: that is reported.
        facts: of the page, name -> text.
        pictures: of the page.
    """

    title: str
    source: Source
    predictions: dict[str, Predictions]
    truths: dict[str, Truth]
    split: str
    facts: dict[str, str]
    pictures: Sequence[Picture] = ()


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
    source = subject.data.source
    split = cfg.split or source.test_split
    predictions = predict(cfg, subject, list(dict.fromkeys((source.select_split, split))))
    title = f"{subject.network.name} on {source.title}, {split} split"
    facts = {
        "network": f"{subject.network.name} {subject.network.arguments}",
        "checkpoint": str(short(subject.checkpoint)),
        "data": str(source.root),
        "localizer": str(subject.rules.localizer),
    }
    truths = {name: truth_of(subject.data.records(name)) for name in predictions}
    protocol = subject.rules.protocols[0]
    overlaps = known_overlaps(predictions[split], truths[split], protocol)
    pictures: list[Picture] = []
    if overlaps is not None:
        pictures = gallery(
            subject.network,
            subject.rules.localizer,
            subject.data.images(split),
            predictions[split].classes[:, 0],
            overlaps.own,
            count=cfg.report.images,
            iou=protocol.iou,
        )
    outcome = Outcome(title, source, predictions, truths, split, facts, pictures)
    closing = f"checkpoint: {short(subject.checkpoint)}"
    conclude(outcome, subject.rules.protocols, subject.folder, closing)


def conclude(outcome: Outcome, protocols: Sequence[Protocol], folder: Path, *closing: str) -> None:
    """Score by every protocol, write what came out into the folder, and print it."""
    if not outcome.truths[outcome.split].known:
        _submit(outcome, folder)
        return
    scored = {protocol.name: score(_scoring(outcome), protocol) for protocol in protocols}
    figures = [figure for each in scored.values() for figure in each.figures]
    main = scored[protocols[0].name]
    truth, source = outcome.truths[outcome.split], outcome.source
    write_verdicts(_scoring(outcome), scored, folder / VERDICTS)
    classes = class_errors(main.verdicts, truth.labels, len(source.classes))
    write_classes(classes, source.classes, source.class_names, folder / CLASSES)
    _list_unreadable(outcome, folder)
    _show_pictures(outcome.pictures, folder)
    rows = class_rows(classes, source.class_names)
    _write_page(outcome, scored, protocols[0], rows, folder)
    write_whole(folder / METRICS, json.dumps([asdict(each) for each in figures], indent=2) + "\n")
    printed = Console(width=None if Console().is_terminal else TABLE_WIDTH)
    printed.print(console_table(main.figures, f"{outcome.title}, protocol {protocols[0].name}"))
    if len(protocols) > 1:
        printed.print(spread_table(figures, "The same predictions by different conventions"))
    if rows:
        printed.print(class_table(rows))
    for line in closing:
        print(line)
    print(f"report: {short(folder / REPORT)}")


def _submit(outcome: Outcome, folder: Path) -> None:
    """Write what a server can score, where nobody here knows the truth."""
    source, predictions = outcome.source, outcome.predictions[outcome.split]
    numbers = getattr(source, "devkit_ids", lambda: None)()
    key = Key(predictions.ids, source.classes, numbers)
    for path in write_submission(predictions, key, folder / SUBMISSION):
        print(f"submission: {short(path)}")
    print(f"{outcome.title}: has no ground truth, so it cannot be scored here")


def _scoring(outcome: Outcome) -> Scoring:
    source, split, chooser = outcome.source, outcome.split, outcome.source.select_split
    chosen_on = None
    if chooser != split and chooser in outcome.predictions:
        chosen_on = (outcome.predictions[chooser], outcome.truths[chooser], chooser)
    return Scoring(
        outcome.predictions[split], outcome.truths[split], source.title, split, chosen_on
    )


def _list_unreadable(outcome: Outcome, folder: Path) -> None:
    """List the images that could not be read, and so count as wrong."""
    predictions = outcome.predictions[outcome.split]
    broken = (predictions.sizes[:, 0] == 0).nonzero().flatten().tolist()
    (folder / UNREADABLE).unlink(missing_ok=True)
    if broken:
        ids = predictions.take(broken).ids
        write_whole(folder / UNREADABLE, "".join(f"{each}\n" for each in ids))
        log.warning(
            "%d of %d images could not be read and count as wrong: %s",
            len(broken),
            len(predictions),
            folder / UNREADABLE,
        )


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
    outcome: Outcome,
    scored: dict[str, Scored],
    protocol: Protocol,
    rows: Sequence[Sequence[str]],
    folder: Path,
) -> None:
    swept = {
        name: known_overlaps(each, outcome.truths[name], protocol)
        for name, each in outcome.predictions.items()
    }
    figures = [figure for each in scored.values() for figure in each.figures]
    plots = training_plots(folder / LOGS / "metrics.csv")
    plots |= threshold_plot(swept, scored[protocol.name].figures, protocol)
    report = Report(
        title=outcome.title,
        facts=outcome.facts,
        figures=figures,
        classes=rows,
        plots=plots,
        pictures=outcome.pictures,
        class_names=outcome.source.class_names,
        config=(folder / CONFIG).read_text(),
    )
    write_report(report, folder / REPORT)
