"""Score what is predicted already: by gapnet, by other tools, or as maps."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

import torch
from omegaconf import DictConfig

from gapnet.config.assemble import Rules, protocols_of, rules_of
from gapnet.config.build import build
from gapnet.config.run_folder import run_of, short
from gapnet.data.file_names import check_split
from gapnet.data.loading.datamodule import limited
from gapnet.data.readers.image_sizes import read_sizes
from gapnet.data.records import Records
from gapnet.data.sample import Source
from gapnet.errors import GapnetError
from gapnet.evaluation.external_maps import Maps, box_maps, find_maps
from gapnet.evaluation.first_version import read_rules
from gapnet.evaluation.formats.exchange import check_inside, predictions_of, read_guesses
from gapnet.evaluation.ground_truth import truth_of
from gapnet.evaluation.predict import digest_of_data
from gapnet.evaluation.predictions import Predictions, align
from gapnet.evaluation.store import About, Writer, done, read_parts
from gapnet.jobs.labels import key_of, numbers_of
from gapnet.jobs.opening import open_evaluation
from gapnet.jobs.predict import read_aligned
from gapnet.jobs.results import Outcome, conclude
from gapnet.runs.identity import identity_of
from gapnet.runs.layout import CONFIG, PREDICTIONS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """Hold the data, which of its splits is scored, and what was read of them."""

    source: Source
    split: str
    limit: int | None
    numbers: dict[int, int] | None
    read: dict[str, Records] = field(default_factory=dict)

    def records(self, split: str) -> Records:
        """List the images of a split; they are read once."""
        if split not in self.read:
            check_split(split)
            self.read[split] = limited(self.source.records(split), self.limit)
        return self.read[split]

    def outcome(self, what: str, predictions: dict[str, Predictions]) -> Outcome:
        """Say what was predicted, and what it is called."""
        title = f"{what} on {self.source.title}, {self.split} split"
        truths = {name: truth_of(self.records(name)) for name in predictions}
        facts = {"predictions": what, "data": str(self.source.root)}
        return Outcome(
            title, self.source, predictions, truths, self.split, facts, numbers=self.numbers
        )


def score_predictions(cfg: DictConfig) -> None:
    """Score predictions of gapnet's, or a file of another tool's."""
    path = Path(cfg.predictions)
    if not path.exists():
        raise GapnetError(f"predictions={path}: no such file or folder")
    protocols, wanted = protocols_of(cfg), _wanted(cfg)
    if path.is_dir():
        read = _read_own(path, wanted)
        if run_of(None, None, cfg.predictions):
            _check_rules(path, read[wanted.split].about, rules_of(cfg))
    else:
        read = _read_foreign(cfg, path, wanted)
    folder = open_evaluation(cfg)
    conclude(wanted.outcome(str(short(path.absolute())), read), protocols, folder)


def score_maps(cfg: DictConfig) -> None:
    """Box and score a folder of maps."""
    rules, wanted, path = rules_of(cfg), _wanted(cfg), Path(cfg.maps)
    if not path.is_dir():
        raise GapnetError(f"maps={path}: no such folder")
    path = path / wanted.split if (path / wanted.split).is_dir() else path
    boxer, records = rules.localizer.boxer, wanted.records(wanted.split)
    _check_true_classes(path, records, wanted.split)
    maps, sizes = (
        find_maps(path, records.ids),
        read_sizes(list(records.paths()), wanted.source.reading),
    )
    about = About(
        split=wanted.split,
        classes=tuple(wanted.source.classes),
        network=f"maps in {path.absolute()}",
        rules=str(boxer),
        identity={
            "network": f"maps in {path.absolute()}",
            "rules": identity_of(boxer),
            "batches": "",
        },
        cut=boxer.cut,
        cuts=tuple(boxer.thresholds()),
        data=digest_of_data(records),
    )
    folder = open_evaluation(cfg)
    place = folder / PREDICTIONS / wanted.split
    finished = done(place, about) if cfg.resume else set()
    left = [row for row, each in enumerate(records.ids) if each not in finished]
    log.info("boxing %d maps of %s", len(left), wanted.split)
    writer = Writer(place, about)
    workers = cfg.loader.num_workers
    jobs = Maps([maps[row] for row in left], records.take(left), sizes[left])
    for row in box_maps(jobs, rules.localizer, workers=workers):
        writer.add([row])
    writer.flush()
    read = {wanted.split: read_aligned(place, records.ids)}
    conclude(wanted.outcome(f"maps in {short(path.absolute())}", read), rules.protocols, folder)


def _check_true_classes(path: Path, records: Records, split: str) -> None:
    """Refuse to score maps where nothing could be right."""
    truth = truth_of(records)
    if not truth.known or (truth.boxes is None and not truth.masked):
        raise GapnetError(
            f"maps={path}: are those of the true classes, and are held against boxes or masks; "
            f"split {split!r} does not tell them for every image"
        )


def _wanted(cfg: DictConfig) -> Wanted:
    source: Source = build(cfg, "data")
    split, limit = cfg.split or source.test_split, cfg.loader.limit
    return Wanted(source, split, limit, numbers_of(cfg, source))


def _read_own(path: Path, wanted: Wanted) -> dict[str, Predictions]:
    """Read a split, and the one that chooses thresholds if it lies beside it."""
    folder = path / PREDICTIONS if (path / CONFIG).is_file() else path
    if any(folder.glob("part-*.parquet")):
        folders = {wanted.split: folder}
    else:
        names = dict.fromkeys((wanted.source.select_split, wanted.split))
        folders = {name: folder / name for name in names if (folder / name).is_dir()}
    if wanted.split not in folders:
        raise GapnetError(f"predictions={path}: holds none of the {wanted.split} split")
    return {name: _read_split(place, name, wanted) for name, place in folders.items()}


def _check_rules(path: Path, about: About, rules: Rules) -> None:
    """Refuse another localizer than the predictions were made with: that takes the network."""
    begun = about.identity.get("rules") or read_rules(about.rules)
    if begun != identity_of(rules.localizer):
        raise GapnetError(
            f"predictions={path}: were made by {about.rules}, and another boxer, saliency or "
            "guesses need the network again: run=... in place of predictions=..."
        )


def _read_split(folder: Path, split: str, wanted: Wanted) -> Predictions:
    predictions = Predictions(*read_parts(folder))
    about = predictions.about
    if about.split != split:
        raise GapnetError(
            f"predictions={folder}: are of the {about.split} split; score them with "
            f"split={about.split}"
        )
    if list(about.classes) != wanted.source.classes:
        raise GapnetError(
            f"predictions={folder}: are of {len(about.classes)} classes that are not those of "
            f"{wanted.source.root}, or in another order"
        )
    if about.data != digest_of_data(wanted.records(split)):
        raise GapnetError(
            f"predictions={folder}: were made for other images or labels than those of "
            f"{wanted.source.root}; predict again with run=..."
        )
    try:
        return align(predictions, wanted.records(split).ids)
    except GapnetError as error:
        raise GapnetError(f"predictions={folder}: {error}") from error


def _read_foreign(cfg: DictConfig, path: Path, wanted: Wanted) -> dict[str, Predictions]:
    """Read another tool's file; sizes of images come from the images."""
    records = wanted.records(wanted.split)
    truth = truth_of(records)
    key = key_of(cfg, wanted.source, records.ids)
    guesses = read_guesses(path, key, truth, doubt=cfg.doubt)
    sizes = read_sizes(list(records.paths()), wanted.source.reading)
    check_inside(guesses, sizes, path)
    about = About(split=wanted.split, classes=tuple(wanted.source.classes), network=path.name)
    return {wanted.split: predictions_of(guesses, torch.as_tensor(sizes), about)}
