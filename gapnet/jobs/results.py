"""Score predictions, and write metrics.json, the report and their files."""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from rich.table import Table

from gapnet.errors import GapnetError
from gapnet.evaluation.class_errors import class_errors, write_classes
from gapnet.evaluation.compare import write_verdicts
from gapnet.evaluation.formats.base import Key
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.score import Metric, Scoring, score_predictions
from gapnet.jobs.labels import write_submission
from gapnet.jobs.outcome import Outcome
from gapnet.jobs.result_page import Reported, judge, write_page
from gapnet.report.console_tables import class_table, headline_table, protocol_table
from gapnet.report.pictures import Picture, contact_sheet
from gapnet.report.tables import class_rows
from gapnet.runs.folder import short
from gapnet.runs.layout import (
    CLASSES,
    METRICS,
    PICTURES,
    REPORT,
    SUBMISSION,
    UNREADABLE,
    VERDICTS,
)
from gapnet.system.files import atomic_file, write_file
from gapnet.text.class_names import readable_names
from gapnet.text.plain_text import plain

log = logging.getLogger(__name__)
ILSVRC = "ilsvrc"  # the kind of data set that has a blacklist


class Results(NamedTuple):
    """Results of an evaluation: metrics, what shows them, and pictures of single images."""

    metrics: list[Metric]
    tables: list[Table]
    lines: list[str]
    pictures: Sequence[Picture] = ()


def write_results(
    outcome: Outcome, protocols: Sequence[Protocol], folder: Path, *closing: str
) -> Results:
    """Score by every protocol, and write the results into the folder."""
    if not outcome.truths[outcome.split].known:
        return _submit(outcome, folder)
    _warn(outcome, protocols)
    scored = {
        protocol.name: score_predictions(_scoring(outcome), protocol) for protocol in protocols
    }
    metrics = [metric for scores in scored.values() for metric in scores.metrics]
    if not metrics:
        raise GapnetError(
            f"{outcome.title}: nothing can be scored: classification needs two classes, "
            "localization needs true boxes"
        )
    main = scored[protocols[0].name]
    truth, source = outcome.truths[outcome.split], outcome.source
    verdicts = {name: scores.verdicts for name, scores in scored.items()}
    write_verdicts(truth, verdicts, folder / VERDICTS, data=source.title, split=outcome.split)
    classes = class_errors(main.verdicts, truth.labels, len(source.classes))
    names = readable_names(source.classes, source.class_names)
    write_classes(classes, source.classes, names, folder / CLASSES)
    _list_unreadable(outcome, folder)
    pictures: list[Picture] = []
    if outcome.pictures is not None:
        pictures = outcome.pictures(judge(outcome, main))
    _show_pictures(pictures, folder)
    write_page(outcome, Reported(metrics, main, protocols[0], classes), pictures, folder)
    values = [asdict(metric) for metric in metrics]
    write_file(folder / METRICS, json.dumps(values, indent=2) + "\n")
    rows = class_rows(classes, names)
    tables = [class_table(rows)] if rows else []
    if len(protocols) > 1:
        tables.append(protocol_table(metrics, "Localization errors by protocol"))
    title = f"{outcome.title}, protocol {protocols[0].name}"
    tables.append(headline_table(main.metrics, title))  # last: it stays on the screen
    lines = [f"all metrics: {short(folder / METRICS)}", f"report: {short(folder / REPORT)}"]
    return Results(metrics, tables, [*closing, *lines], pictures)


def _submit(outcome: Outcome, folder: Path) -> Results:
    """Write a submission for a split whose ground truth only a server has."""
    predictions = outcome.predictions[outcome.split]
    key = Key(predictions.ids, outcome.source.classes, outcome.numbers)
    written = write_submission(predictions, key, folder / SUBMISSION)
    lines = [f"submission: {short(path)}" for path in written]
    unscored = f"{outcome.title}: has no ground truth, so it cannot be scored here"
    return Results([], [], [*lines, unscored])


def _warn(outcome: Outcome, protocols: Sequence[Protocol]) -> None:
    """Log what a reader of the metrics should know."""
    truth = outcome.truths[outcome.split]
    if truth.boxes is None and not truth.masked:
        log.warning("%s: no image has a box; localization is not scored", outcome.split)
        return
    if truth.boxed is not None:
        without = set(truth.labels.tolist()) - set(truth.labels[truth.boxed].tolist())
        log.warning(
            "%s: localization is scored on the %d of %d images that have boxes; %d of %d classes "
            "have none",
            outcome.split,
            int(truth.boxed.sum()),
            len(truth.ids),
            len(without),
            len(outcome.source.classes),
        )
    known_boxes = outcome.predictions[outcome.split].table["known_box"]
    if truth.boxes is not None and known_boxes.null_count == len(known_boxes):
        log.info(
            "%s: no ground-truth-known error, since these predictions have no box for the true "
            "class of images whose guesses are wrong",
            outcome.split,
        )
    uses_blacklist = any(protocol.blacklist for protocol in protocols)
    if outcome.source.kind == ILSVRC and uses_blacklist and not truth.blacklisted.any():
        log.warning(
            "%s: there is no blacklist, so all %d images count in localization, where the devkit "
            "counts 48,238; name its file with data.blacklist=...",
            outcome.split,
            len(truth.ids),
        )


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
        write_file(folder / UNREADABLE, "".join(f"{plain(image_id)}\n" for image_id in ids))
        log.warning(
            "%d of %d images could not be read and count as wrong: %s",
            len(broken),
            len(predictions),
            folder / UNREADABLE,
        )


def _show_pictures(pictures: Sequence[Picture], folder: Path) -> None:
    """Write the pictures into the folder."""
    if not pictures:
        return
    with atomic_file(folder / PICTURES) as unfinished:
        contact_sheet(pictures).save(unfinished, format="JPEG", quality=90)
