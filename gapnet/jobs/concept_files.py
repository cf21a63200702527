"""What gapnet concept writes: metrics, tables, maps and a page."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gapnet.evaluation.score import Metric
from gapnet.jobs.svm import write_metrics
from gapnet.report.concept_pictures import Located
from gapnet.report.section_page import Captioned, Section, write_sections
from gapnet.runs.folder import short
from gapnet.runs.layout import REPORT, SVM
from gapnet.system.csv_file import write_csv_file
from gapnet.system.files import atomic_file, write_file
from gapnet.transfer.concept import Detector, Ranked

MAPS, SUMMARY = "maps", "concept.json"


class Found(NamedTuple):
    """A detector, the test images that it ranks, its metrics, and maps of the highest ranked."""

    detector: Detector
    ranked: Ranked
    metrics: Sequence[Metric]
    located: Sequence[Located]

    @property
    def tested(self) -> tuple[int, int]:
        """Return the numbers of test images with the concept and without it."""
        positives = int(self.ranked.positive.sum())
        return positives, len(self.ranked.ids) - positives

    def decision(self, picture: Located) -> float:
        """Return the decision value of a picture."""
        return float(self.ranked.decisions[picture.rank - 1])


def write_concept(found: Found, folder: Path) -> list[str]:
    """Write all files, and return lines that say what was found."""
    write_metrics(found.metrics, folder)
    _write_tables(found, folder)
    _write_maps(found, folder)
    _write_summary(found, folder)
    _write_page(found, folder)
    return [
        *map(_line, found.metrics),
        _rounds(found.detector),
        f"SVM: {short(folder / SVM)}",
        f"report: {short(folder / REPORT)}",
    ]


def _write_tables(found: Found, folder: Path) -> None:
    header = ("round", "negatives", "hard", "added", "dropped")
    rounds = [(number, *entry[1:]) for number, entry in enumerate(found.detector.rounds, start=1)]
    write_csv_file(folder / "mining.csv", header, rounds)
    ids, positive, decisions = found.ranked
    rows = zip(ids, positive.astype(int).tolist(), decisions.tolist(), strict=True)
    write_csv_file(folder / "decisions.csv", ("image", "has_concept", "decision"), rows)


def _write_maps(found: Found, folder: Path) -> None:
    """Write the pictures, numbered by rank, and the boxes of their maps."""
    if not found.located:
        return
    (folder / MAPS).mkdir(exist_ok=True)
    for picture in found.located:
        with atomic_file(folder / MAPS / f"{picture.rank:03d}.jpg") as unfinished:
            picture.image.save(unfinished, format="JPEG", quality=90)
    rows = (
        (picture.rank, picture.id, found.decision(picture), *picture.box)
        for picture in found.located
    )
    header = ("rank", "image", "decision", "xmin", "ymin", "xmax", "ymax")
    write_csv_file(folder / "boxes.csv", header, rows)


def _write_summary(found: Found, folder: Path) -> None:
    detector, (positives, negatives) = found.detector, found.tested
    values = {
        "concept": detector.concept,
        "training_images": {"with": detector.positives, "without": detector.pool},
        "test_images": {"with": positives, "without": negatives},
        "rounds": len(detector.rounds),
        "negatives": detector.rounds[-1].negatives,
        "complete": detector.complete,
        "metrics": {
            metric.metric: {"value": metric.value, "interval": [metric.low, metric.high]}
            for metric in found.metrics
        },
    }
    write_file(folder / SUMMARY, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def _write_page(found: Found, folder: Path) -> None:
    detector, (positives, negatives) = found.detector, found.tested
    facts = {
        "data": f"{found.metrics[0].data}, {found.metrics[0].split}",
        "training": f"{detector.positives:,} images with the concept, {detector.pool:,} without",
        "test": f"{positives:,} images with the concept, {negatives:,} without",
        "rules": f"{found.metrics[0].rules}; {_rounds(detector)}",
    }
    rows = [("metric", "value", "95% interval")]
    rows += [(metric.metric, f"{metric.value:.4f}", _interval(metric)) for metric in found.metrics]
    sections = [Section("Metrics", rows=rows)]
    if found.located:
        sections.append(_pictures(found))
    write_sections(detector.concept, facts, sections, folder / REPORT)


def _pictures(found: Found) -> Section:
    pictures = [
        Captioned(
            picture.image,
            f"{picture.rank}. {picture.id}, {found.decision(picture):.2f}",
            right=bool(found.ranked.positive[picture.rank - 1]),
        )
        for picture in found.located
    ]
    text = (
        "Class map and box of the test images with the highest decision values. The edge is green "
        "for an image with the concept, and red for one without."
    )
    return Section("Pictures", text, pictures=pictures)


def _line(metric: Metric) -> str:
    return f"{metric.metric} {metric.value:.4f} ({_interval(metric)}), {metric.n:,} test images"


def _interval(metric: Metric) -> str:
    return f"{metric.low:.4f} to {metric.high:.4f}"


def _rounds(detector: Detector) -> str:
    count, hard = len(detector.rounds), detector.rounds[-1].hard
    if not hard:
        return f"rounds: {count}; no hard negative is left"
    return f"rounds: {count}; {hard:,} hard negatives are left: raise mining.rounds"
