"""Compares runs on one page: differences, and the same images under each run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gapnet.errors import GapnetError
from gapnet.evaluation.agreement import Agreement, read_agreement
from gapnet.evaluation.compare import Difference, compare_verdicts
from gapnet.evaluation.protocols import Protocol
from gapnet.jobs.compared_run import ComparedRun, OpenedRun, open_run
from gapnet.jobs.evaluation import method_name
from gapnet.jobs.rules import MakeSource
from gapnet.report.comparison import Comparison, Pair, write_comparison
from gapnet.report.gallery_data import Gallery, GallerySource
from gapnet.report.gallery_image import GalleryImage
from gapnet.runs.folder import short
from gapnet.runs.layout import VERDICTS
from gapnet.system.progress import track
from gapnet.system.value_checks import whole_number
from gapnet.text.class_names import readable_names

HEADER = ("run", "folder", "network", "maps", "box rule")
JUDGED = {  # what decides whether an image is right, by metric
    "top1_localization_error": "the first guess: its class and its box",
    "top1_error": "the most probable class",
    "gt_known_error": "the box of the true class",
}


@dataclass(frozen=True)
class ReportJob:
    """A page that compares runs.

    Args:
        runs: two or more; the others are compared with the first.
        source: makes their data set.
        path: of the page.
        images: on the page.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """

    runs: Sequence[ComparedRun]
    source: MakeSource
    path: Path
    images: int = 24
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        whole_number("images", self.images)
        whole_number("resamples", self.resamples, least=1)
        whole_number("seed", self.seed)


def report_runs(job: ReportJob) -> list[str]:
    """Write the page, and return lines about it."""
    differences = _differences(job)
    agreement = read_agreement([run.folder / VERDICTS for run in job.runs])
    protocol, source = _common_protocol(job.runs, agreement.protocol), job.source()
    opened = [open_run(run, source, agreement) for run in job.runs]
    images = _images(opened, agreement, job.images)
    sources = [GallerySource.of(run.name, run.rules.localizer.boxer) for run in job.runs]
    names = readable_names(opened[0].source.classes, opened[0].source.class_names)
    pairs = [
        Pair((job.runs[0].name, job.runs[number].name), rows, agreement.counts(0, number))
        for number, rows in enumerate(differences, 1)
    ]
    comparison = Comparison(
        title=f"{', '.join(run.name for run in job.runs)} on {agreement.data}",
        subject={
            "data": f"{agreement.data}, {agreement.split} split",
            "images": f"{len(agreement.ids):,}",
            "protocol": protocol.name,
        },
        runs=[HEADER, *map(_facts, job.runs, opened)],
        pairs=pairs,
        judged=JUDGED[agreement.metric],
        gallery=Gallery(images, sources, protocol, names) if images else None,
    )
    write_comparison(comparison, job.path)
    counts = (f"{words}: {count:,}" for pair in pairs for words, count in pair.shares.items())
    return [*counts, f"report: {short(job.path.absolute())}"]


def _differences(job: ReportJob) -> list[list[Difference]]:
    """Return the differences between the first run and each other one."""
    first, *others = [run.folder / VERDICTS for run in job.runs]
    return [
        compare_verdicts(first, other, resamples=job.resamples, seed=job.seed) for other in others
    ]


def _common_protocol(runs: Sequence[ComparedRun], name: str) -> Protocol:
    """Return the protocol of all runs with a name."""
    first, *others = runs
    protocol = first.protocol(name)
    for other in others:
        if other.protocol(name) != protocol:
            raise GapnetError(
                f"{first.folder} and {other.folder}: were scored by different rules of protocol "
                f"{name}; score both by one (gapnet evaluate run=RUN protocol=...)"
            )
    return protocol


def _images(opened: Sequence[OpenedRun], agreement: Agreement, count: int) -> list[GalleryImage]:
    """Return the images of the page under every run; unreadable ones are left out."""
    images = []
    rows = agreement.choose(count)
    for row in track(rows, "explaining images", total=len(rows), leave=False, unit="images"):
        kinds = [str(kinds[row]) for kinds in agreement.kinds]
        entries = [run.explain(row, kind) for run, kind in zip(opened, kinds, strict=True)]
        first = entries[0]
        if first is not None:
            explained = [entry.explained[0] for entry in entries if entry is not None]
            images.append(replace(first, explained=explained).small())
    return images


def _facts(run: ComparedRun, opened: OpenedRun) -> tuple[str, ...]:
    """Return a row about a run."""
    localizer = run.rules.localizer
    network, maps = opened.explainer.network.name, method_name(localizer.saliency)
    return run.name, str(short(run.folder)), network, maps, str(localizer.boxer)
