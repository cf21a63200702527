"""What has to be done to fill a table: trainings and evaluations, and where their outcomes lie."""

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gapnet.config.build import conf_folder
from gapnet.config.groups import DECIDING, FROM_RUN, HANDED_ON
from gapnet.config.job_identity import job_identity
from gapnet.config.overrides import key_of, quoted, root_of
from gapnet.errors import GapnetError
from gapnet.runs.identity import digest_of
from gapnet.runs.layout import METRICS, SUBMISSION, TRAINED, VERDICTS

LAST_WRITTEN = "kaggle.csv"  # of a submission
EVALUATIONS = "evaluations"  # the folder of a run that holds them
PLAIN = re.compile(r"[\w./+-]*")  # what an override needs no quotes for
ALL_EVALUATED = {*FROM_RUN, *HANDED_ON, "paths"}  # what an evaluation takes


@dataclass(frozen=True)
class Job:
    """Hold a command that gapnet runs.

    Args:
        command: train or evaluate.
        arguments: of it.
        folder: that its outcome goes to.
        like: overrides that make a training's configuration what this command's is.
    """

    command: str
    arguments: tuple[str, ...]
    folder: Path
    like: tuple[str, ...]

    @property
    def scored(self) -> bool:
        """Tell whether its figures are there."""
        return (self.folder / METRICS).is_file() and (self.folder / VERDICTS).is_file()

    @property
    def done(self) -> bool:
        """Tell whether its outcome is there: a network, figures, or what a server is to score."""
        trained = self.command == "train" and (self.folder / TRAINED).is_file()
        return trained or self.scored or (self.folder / SUBMISSION / LAST_WRITTEN).is_file()


@dataclass(frozen=True)
class Cell:
    """Hold what one figure of a table takes: for each seed a training, or none, and an evaluation.

    A run that was evaluated so when it was trained is its own evaluation.
    """

    row: str
    column: str
    jobs: tuple[tuple[Job | None, Job], ...]

    @property
    def folders(self) -> list[Path]:
        """List where the outcomes lie, one for each seed."""
        return [evaluation.folder for _, evaluation in self.jobs]

    @property
    def made(self) -> set[Path]:
        """List every folder that the outcomes come from."""
        return {job.folder for pair in self.jobs for job in pair if job is not None}

    @property
    def done(self) -> bool:
        """Tell whether all of them are there."""
        return all(evaluation.scored for _, evaluation in self.jobs)


Compose = Callable[[tuple[str, ...]], DictConfig]


@dataclass(frozen=True)
class Plan:
    """Plan a table.

    Args:
        cfg: of the command.
        handed: overrides that the command line has for trainings and evaluations.
        compose: makes a training's configuration of overrides.
    """

    cfg: DictConfig
    handed: Sequence[str]
    compose: Compose

    @cached_property
    def rows(self) -> dict[str, DictConfig]:
        """Choose the rows."""
        every, wanted = self.cfg.table.rows, self.cfg.rows
        unknown = [each for each in wanted or () if each not in every]
        if unknown:
            raise GapnetError(f"rows={list(wanted)}: no row {unknown[0]}; there are: {list(every)}")
        return {str(key): every[key] for key in every if wanted is None or key in wanted}

    def cells(self) -> list[Cell]:
        """Plan every figure that is not quoted, row by row."""
        return [
            self._cell(key, column)
            for key, row in self.rows.items()
            for column in self.columns_of(row)
        ]

    def columns_of(self, row: DictConfig) -> list[str]:
        """List the columns that a row has."""
        if row.get("quoted"):
            return []
        return [str(each) for each in row.get("columns", self.cfg.table.columns)]

    def network_of(self, key: str) -> str:
        """Name the network of a row."""
        return str(self.rows[key].get("network", key))

    def submissions(self) -> list[Job]:
        """Plan the predictions of the test set, where they are wanted."""
        if not self.cfg.submit:
            return []
        split = ["split=test"]
        cells = [
            self._cell(key, column, extra=split)
            for key, row in self.rows.items()
            for column in self.columns_of(row)
        ]
        return [evaluation for cell in cells for _, evaluation in cell.jobs]

    def _cell(self, key: str, column: str, *, extra: Sequence[str] = ()) -> Cell:
        row, network = self.rows[key], self.network_of(key)
        exceptions = row.get("exceptions", {}).get(column, ())
        wanted = [*self.cfg.table.columns[column].evaluate, *row.get("evaluate", ()), *exceptions]
        given = self.cfg.checkpoints.get(network)
        handed = self._handed(HANDED_ON if given is None else ALL_EVALUATED)
        evaluated = merged(handed, wanted, extra)
        if given is not None:
            return Cell(key, column, ((None, self._of_file(network, given, evaluated)),))
        trainings = [self.training(network, seed) for seed in self.cfg.seeds]
        if self.compose(trainings[0].like).trainer.max_epochs == 0:
            trainings = trainings[:1]  # published weights are the same whatever the seed
        jobs = [(each, self._of_training(each, evaluated)) for each in trainings]
        return Cell(key, column, tuple(jobs))

    def _handed(self, roots: Collection[str]) -> list[str]:
        """Choose what is handed on to an evaluation; a run says the rest itself."""
        return [each for each in self.handed if root_of(each) in roots]

    def training(self, network: str, seed: int) -> Job:
        """Plan the training of a network; its folder follows from what it computes."""
        described = self.cfg.table.networks[network]
        place = placed("paths.runs", Path(self.cfg.runs))
        own = [f"seed={seed}", f"name={network}", place, "evaluate=false", "resume=auto"]
        recipe = f"experiment={self._recipe(network)}"
        arguments = merged([recipe], described.model, self.handed, own)
        return Job("train", arguments, Path(self.compose(arguments).folder), arguments)

    def _recipe(self, network: str) -> str:
        told = self.cfg.table.recipes.get(self.cfg.recipe, [self.cfg.recipe])
        names = [str(each).format(network=network) for each in told]
        there = [each for each in names if (conf_folder() / f"experiment/{each}.yaml").is_file()]
        return there[0] if there else names[-1]

    def _of_training(self, training: Job, evaluated: tuple[str, ...]) -> Job:
        like = merged(training.arguments, evaluated)
        if training.scored and self._rules(like) == self._rules(training.arguments):
            return training
        run = placed("run", training.folder)
        return self._evaluation(run, evaluated, training.folder / EVALUATIONS, like)

    def _rules(self, like: tuple[str, ...]) -> str:
        """Digest what an evaluation's figures follow from, besides the network."""
        composed = self.compose(like)
        values = {key: _plain(composed[key]) for key in DECIDING}
        return digest_of(job_identity(values, composed.imports))

    def _of_file(self, network: str, given: str, evaluated: tuple[str, ...]) -> Job:
        path = Path(given).absolute()
        if not path.is_file():
            raise GapnetError(f"checkpoints.{network}={given}: no such file")
        state = path.stat()
        version = _digest([str(path), str(state.st_size), str(state.st_mtime_ns)])
        place = Path(self.cfg.runs).absolute() / network / f"given-{version}" / EVALUATIONS
        like = merged(self.training(network, 0).arguments, evaluated)
        return self._evaluation(placed("checkpoint", path), evaluated, place, like)

    def _evaluation(
        self, subject: str, evaluated: tuple[str, ...], place: Path, like: tuple[str, ...]
    ) -> Job:
        folder = place / self._rules(like)
        arguments = (subject, *evaluated, "resume=true", placed("folder", folder))
        return Job("evaluate", arguments, folder, like)


def merged(*lists: Iterable[str]) -> tuple[str, ...]:
    """Join overrides; of those with the same key, the last one counts."""
    by_key = {key_of(each): each for overrides in lists for each in overrides}
    return tuple(by_key.values())


def placed(key: str, path: Path) -> str:
    """Say where something is, as an override."""
    text = str(path.absolute())
    return f"{key}={text if PLAIN.fullmatch(text) else quoted(text)}"


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()[:8]


def _plain(node: Any) -> Any:
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def ordered(cells: Iterable[Cell], submissions: Iterable[Job]) -> list[Job]:
    """List every job once, each training before its evaluations."""
    jobs = [job for cell in cells for pair in cell.jobs for job in pair if job is not None]
    return list(dict.fromkeys([*jobs, *submissions]))
