"""The page of an evaluation."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from gapnet.evaluation.breakdown import KINDS
from gapnet.evaluation.class_errors import ClassErrors
from gapnet.evaluation.confusions import ConfusedPair, confused_pairs
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.score import Metric, ProtocolScores
from gapnet.jobs.outcome import Outcome
from gapnet.report.gallery_data import Gallery
from gapnet.report.page import Report, write_report
from gapnet.report.pictures import Judged, Picture
from gapnet.report.plots import threshold_plot, training_plots
from gapnet.report.tables import all_class_rows
from gapnet.runs.layout import (
    CLASSES,
    CONFIG,
    CURVES,
    ENVIRONMENT,
    LOG,
    METRICS,
    PICTURES,
    REPORT,
    UNREADABLE,
    VERDICTS,
)
from gapnet.text.class_names import readable_names

PAIRS = 10  # of confused classes that the page lists
EXAMPLES = 3  # images of a pair that it names
FILES = {
    METRICS: "every metric with its interval",
    CLASSES: "the errors of each class",
    VERDICTS: "whether each image is right, by metric",
    UNREADABLE: "images that could not be read",
    PICTURES: "pictures of class maps",
    CONFIG: "the whole configuration",
    ENVIRONMENT: "command, commit, versions, hardware",
    str(CURVES): "what the training logged",
    LOG: "messages",
}


class Reported(NamedTuple):
    """Metrics of all protocols, the scores of the main protocol, and the errors of classes."""

    metrics: Sequence[Metric]
    main: ProtocolScores
    protocol: Protocol
    classes: ClassErrors


def judge(outcome: Outcome, main: ProtocolScores) -> Judged:
    """Return whether first guesses are right in class and box, or without boxes in their class.

    Images without boxes are left out if others have boxes.
    """
    truth = outcome.truths[outcome.split]
    predicted = outcome.predictions[outcome.split].classes[:, 0]
    examples = [pair.rows[0] for pair in _pairs(outcome)]
    if outcome.split not in main.swept:
        right = predicted == truth.labels
        return Judged(torch.arange(len(truth.ids)), right, None, examples=examples)
    boxed = torch.ones_like(truth.blacklisted) if truth.boxed is None else truth.boxed
    rows, overlaps = boxed.nonzero().flatten(), main.swept[outcome.split].own
    kinds = _kinds(main, rows.tolist())
    right = torch.tensor([kind == "right" for kind in kinds], dtype=torch.bool)
    positions = {row: position for position, row in enumerate(rows.tolist())}
    shown = [positions[row] for row in examples if row in positions]
    return Judged(rows, right, overlaps, kinds, shown)


def _kinds(main: ProtocolScores, rows: Sequence[int]) -> list[str]:
    """Return the verdict on the first guess of every row, by the main protocol."""
    values = {verdict.metric: verdict.values for verdict in reversed(main.verdicts)}
    errors = {kind: values.get(f"top1_localization_error/{kind}") for kind in KINDS}
    if None in errors.values():  # the protocol does not score first guesses
        errors = {"elsewhere": values["gt_known_error"]}
    return [
        next((kind for kind, wrong in errors.items() if wrong is not None and wrong[row]), "right")
        for row in rows
    ]


def write_page(
    outcome: Outcome, reported: Reported, pictures: Sequence[Picture], folder: Path
) -> None:
    """Write the page of an evaluation into its folder."""
    names = readable_names(outcome.source.classes, outcome.source.class_names)
    main, ids = reported.main, outcome.truths[outcome.split].ids
    entries = [picture.entry for picture in _mixed(pictures) if picture.entry is not None]
    report = Report(
        title=outcome.title,
        subject=outcome.subject | {"images": f"{len(ids):,}", "protocol": reported.protocol.name},
        facts=outcome.facts,
        metrics=reported.metrics,
        classes=all_class_rows(reported.classes, names),
        threshold=threshold_plot(main.swept, main.metrics, reported.protocol),
        curves=training_plots(folder / CURVES),
        gallery=Gallery(entries, outcome.sources, reported.protocol, names) if entries else None,
        confused=[(pair, [ids[row] for row in pair.rows[:EXAMPLES]]) for pair in _pairs(outcome)],
        files={
            name: text
            for name, text in FILES.items()
            if name == METRICS or (folder / name).exists()  # that one is written last
        },
        class_names=names,
        config=(folder / CONFIG).read_text(),
    )
    write_report(report, folder / REPORT)


def _mixed(pictures: Sequence[Picture]) -> list[Picture]:
    """Return wrong and right pictures in turn, as long as there are both."""
    right = [picture for picture in pictures if picture.right]
    wrong = [picture for picture in pictures if not picture.right]
    turns = [picture for pair in zip(wrong, right, strict=False) for picture in pair]
    return [*turns, *wrong[len(right) :], *right[len(wrong) :]]


def _pairs(outcome: Outcome) -> list[ConfusedPair]:
    """Return the most confused pairs of classes; none without predicted classes."""
    classes = outcome.predictions[outcome.split].classes
    if not classes.shape[1]:
        return []
    return confused_pairs(classes[:, 0], outcome.truths[outcome.split].labels, most=PAIRS)
