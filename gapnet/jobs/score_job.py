"""Score existing predictions of gapnet or other tools, or a folder of maps."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gapnet.data.file_names import check_split
from gapnet.data.limited import limited
from gapnet.data.readers.image_sizes import sizes_of
from gapnet.data.records import Records
from gapnet.data.records_digest import digest_of_data
from gapnet.data.sample import Source
from gapnet.errors import GapnetError
from gapnet.evaluation.external_maps import Maps, box_maps, find_maps
from gapnet.evaluation.first_version import read_rules
from gapnet.evaluation.formats.exchange import check_boxes_inside, read_guesses, rows_of
from gapnet.evaluation.ground_truth import ground_truth_of
from gapnet.evaluation.predictions import Predictions, align, read_aligned
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.store import About, Row, Writer, done, read_parts
from gapnet.jobs.job import Job, Run, open_job
from gapnet.jobs.labels import LabelRule, devkit_ids
from gapnet.jobs.outcome import Outcome
from gapnet.jobs.results import Results, write_results
from gapnet.jobs.rules import MakeSource, Rules
from gapnet.localization.boxers.threshold import Boxer
from gapnet.runs.folder import find_run, short
from gapnet.runs.identity import identity_of
from gapnet.runs.layout import CONFIG, PREDICTIONS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScoreJob:
    """Scoring of predictions, or of maps of the true classes.

    Args:
        run: where the scores are written.
        source: makes the data set.
        protocols: that score the predictions; the first is the main one.
        rules: makes the rules of localization, which maps need; predictions of gapnet are refused
            if they were made by others.
        predictions: of gapnet, or a file of another tool.
        maps: a folder of them.
        split: that is scored; None means the data set's test split.
        limit: images per split, always the same ones.
        labels: of files in the devkit's format.
        check_labels: whether to refuse a file whose labels are right only as often as by chance.
        resume: whether existing boxes of maps are reused.
        workers: processes that box maps.
    """

    run: Run
    source: MakeSource
    rules: Callable[[], Rules]
    protocols: tuple[Protocol, ...]
    predictions: Path | None = None
    maps: Path | None = None
    split: str | None = None
    limit: int | None = None
    labels: LabelRule = field(default_factory=LabelRule)
    check_labels: bool = True
    resume: bool = False
    workers: int = 2


class Scored:
    """The data that is scored: a data set and one of its splits, read once."""

    def __init__(self, settings: ScoreJob) -> None:
        """Make the data set."""
        self.source: Source = settings.source()
        self.split = settings.split or self.source.test_split
        self.limit = settings.limit
        self.numbers = settings.labels.numbers_of(self.source)
        self._read: dict[str, Records] = {}

    def records(self, split: str) -> Records:
        """Return the images of a split."""
        if split not in self._read:
            check_split(split)
            self._read[split] = limited(self.source.records(split), self.limit)
        return self._read[split]

    def outcome(self, name: str, predictions: dict[str, Predictions]) -> Outcome:
        """Return what is scored, under a name for the predictions."""
        return Outcome(
            title=f"{name} on {self.source.title}, {self.split} split",
            source=self.source,
            predictions=predictions,
            truths={split: ground_truth_of(self.records(split)) for split in predictions},
            split=self.split,
            subject={"data": f"{self.source.title}, {self.split} split", "predictions": name},
            facts={"predictions": name, "data": str(self.source.root)},
            numbers=self.numbers,
        )


def score(settings: ScoreJob) -> Results | None:
    """Score predictions or maps."""
    with open_job(settings.run) as job:
        if settings.maps is not None:
            return _score_maps(settings, settings.maps, job)
        assert settings.predictions is not None
        return _score_predictions(settings, settings.predictions, job)


def _score_predictions(settings: ScoreJob, path: Path, job: Job) -> Results:
    if not path.exists():
        raise GapnetError(f"predictions={path}: no such file or folder")
    scored, of_run = Scored(settings), find_run(predictions=str(path))
    if path.is_dir():
        read = _read_own(path, scored)
        if of_run:
            _check_rules(path, read[scored.split].about, settings.rules())
        job.open_evaluation(resume=settings.resume, of_run=of_run)
    else:
        rows, about = _read_foreign(settings, path, scored)
        job.open_evaluation(resume=settings.resume, of_run=of_run)
        place = job.folder / PREDICTIONS / scored.split
        finished = done(place, about) if settings.resume else set()
        writer = Writer(place, about)
        writer.add([row for row in rows if row.id not in finished])
        writer.flush()
        read = {scored.split: read_aligned(place, [row.id for row in rows])}
    outcome = scored.outcome(str(short(path.absolute())), read)
    return write_results(outcome, settings.protocols, job.folder)


def _score_maps(settings: ScoreJob, path: Path, job: Job) -> Results:
    """Box and score a folder of maps; those of the validation split choose a threshold."""
    rules, scored = settings.rules(), Scored(settings)
    if not path.is_dir():
        raise GapnetError(f"maps={path}: no such folder")
    maps = {split: _find_maps(path, split, scored) for split in _splits_of_maps(path, scored)}
    job.open_evaluation(resume=settings.resume)
    read = {}
    for split, split_maps in maps.items():
        place, ids = job.folder / PREDICTIONS / split, split_maps.records.ids
        about = _about_maps(path, split, scored, rules.localizer.boxer)
        finished = done(place, about) if settings.resume else set()
        left = [row for row, image in enumerate(ids) if image not in finished]
        log.info("boxing %d maps of %s", len(left), split)
        writer = Writer(place, about)
        for row in box_maps(split_maps.take(left), rules.localizer, workers=settings.workers):
            writer.add([row])
        writer.flush()
        read[split] = read_aligned(place, ids)
    outcome = scored.outcome(f"maps in {short(path.absolute())}", read)
    return write_results(outcome, settings.protocols, job.folder)


def _splits_of_maps(path: Path, scored: Scored) -> list[str]:
    """List the splits to score: the one that chooses thresholds too, if its maps are there."""
    chooser = scored.source.select_split
    chosen_on = [chooser] if (path / chooser).is_dir() else []
    return list(dict.fromkeys([*chosen_on, scored.split]))


def _find_maps(path: Path, split: str, scored: Scored) -> Maps:
    records = scored.records(split)
    _check_true_classes(path, records, split)
    paths = find_maps(path, records.ids, split=split)
    return Maps(paths, records, sizes_of(scored.source, split, records))


def _about_maps(path: Path, split: str, scored: Scored, boxer: Boxer) -> About:
    name = f"maps in {path.absolute()}"
    return About(
        split=split,
        classes=tuple(scored.source.classes),
        network=name,
        rules=str(boxer),
        identity={"network": name, "rules": identity_of(boxer), "batches": ""},
        cut=boxer.cut,
        cuts=tuple(boxer.thresholds()),
        data=digest_of_data(scored.records(split)),
    )


def _check_true_classes(path: Path, records: Records, split: str) -> None:
    """Refuse maps of a split without ground truth."""
    truth = ground_truth_of(records)
    if not truth.known or (truth.boxes is None and not truth.masked):
        raise GapnetError(
            f"maps={path}: scoring needs the true class of every image, and boxes or masks; "
            f"split {split!r} lacks some of them"
        )


def _read_own(path: Path, scored: Scored) -> dict[str, Predictions]:
    """Read the predictions of a split, and of the split that chooses thresholds if it is there."""
    folder = path / PREDICTIONS if (path / CONFIG).is_file() else path
    if any(folder.glob("part-*.parquet")):
        folders = {scored.split: folder}
    else:
        names = dict.fromkeys((scored.source.select_split, scored.split))
        folders = {name: folder / name for name in names if (folder / name).is_dir()}
    if scored.split not in folders:
        raise GapnetError(f"predictions={path}: has no predictions of split {scored.split!r}")
    return {name: _read_split(place, name, scored) for name, place in folders.items()}


def _check_rules(path: Path, about: About, rules: Rules) -> None:
    """Refuse predictions of another localizer: a new localizer needs the network."""
    if not about.rules:
        return  # another tool made them
    begun = about.identity.get("rules") or read_rules(about.rules)
    if begun != identity_of(rules.localizer):
        raise GapnetError(
            f"predictions={path}: were made with {about.rules}; to change boxer, saliency or "
            "guesses, predict again with run=... instead of predictions=..."
        )


def _read_split(folder: Path, split: str, scored: Scored) -> Predictions:
    predictions = Predictions(*read_parts(folder))
    about = predictions.about
    if about.split != split:
        raise GapnetError(
            f"predictions={folder}: are of the {about.split} split; score them with "
            f"split={about.split}"
        )
    if list(about.classes) != scored.source.classes:
        raise GapnetError(
            f"predictions={folder}: are of {len(about.classes)} classes that are not those of "
            f"{scored.source.root}, or in another order"
        )
    if about.data != digest_of_data(scored.records(split)):
        raise GapnetError(
            f"predictions={folder}: were made for other images or labels than those of "
            f"{scored.source.root}; predict again with run=..."
        )
    try:
        return align(predictions, scored.records(split).ids)
    except GapnetError as error:
        raise GapnetError(f"predictions={folder}: {error}") from error


def _read_foreign(settings: ScoreJob, path: Path, scored: Scored) -> tuple[list[Row], About]:
    """Read another tool's file."""
    records = scored.records(scored.split)
    truth = ground_truth_of(records)
    key = settings.labels.key(scored.source, records.ids)
    guesses = read_guesses(path, key, truth, check_labels=settings.check_labels)
    sizes = sizes_of(scored.source, scored.split, records)
    check_boxes_inside(guesses, sizes, path)
    numbers = devkit_ids(scored.source) or {}
    about = About(
        split=scored.split,
        classes=tuple(scored.source.classes),
        network=path.name,
        data=digest_of_data(records),
        numbers=tuple(sorted(numbers, key=numbers.__getitem__)),
    )
    return rows_of(guesses, sizes), about
