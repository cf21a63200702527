"""Plan of a table: which commands fill its cells, and where their results are."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gapnet.config.conf_folder import conf_folder
from gapnet.config.groups import DECIDING, FROM_RUN, PASSED_ON
from gapnet.config.job_identity import job_identity
from gapnet.config.overrides import root_of
from gapnet.errors import GapnetError
from gapnet.runs.identity import identity_digest
from gapnet.studies.table.overrides import (
    digest_of_arguments,
    digest_of_texts,
    keys_of,
    merged,
    path_override,
)
from gapnet.studies.table.table_command import EVALUATE, TRAIN, Cell, TableCommand, in_order

FOLDERS = {EVALUATE: "evaluations"}  # of a run, with the results of a command; others: its name
NOT_IN_RUN = {*FROM_RUN, *PASSED_ON, "paths"}  # what a command on a checkpoint without a run takes

Compose = Callable[[tuple[str, ...]], DictConfig]


@dataclass(frozen=True)
class TablePlan:
    """Plan of a table.

    Args:
        cfg: of `gapnet table`.
        passed_on: overrides from the command line that are passed on to the commands.
        compose: returns the configuration of a training from its overrides.
    """

    cfg: DictConfig
    passed_on: Sequence[str]
    compose: Compose

    @cached_property
    def rows(self) -> dict[str, DictConfig]:
        """Return the chosen rows, in the order of the table."""
        every, chosen = self.cfg.table.rows, self.cfg.rows
        unknown = [row for row in chosen or () if row not in every]
        if unknown:
            raise GapnetError(f"rows={list(chosen)}: no row {unknown[0]}; choose {list(every)}")
        return {str(key): every[key] for key in every if chosen is None or key in chosen}

    def columns_of(self, row: DictConfig) -> list[str]:
        """Return the columns that have a cell in a row."""
        if row.get("quoted"):
            return []
        columns = map(str, row.get("columns", self.cfg.table.columns))
        return [column for column in columns if column not in self.missing_data]

    @cached_property
    def missing_data(self) -> dict[str, Path]:
        """Return the columns whose own data set is not there, with the folder that is missing."""
        if not self.cfg.table.get("data_by_column"):
            return {}
        for text in self.passed_on:
            if root_of(text) == "data":
                raise GapnetError(
                    f"{text}: each column of this table has its own data set; name the folder that "
                    "contains all of them with paths.data=DIR"
                )
        columns = self.cfg.table.columns.items()
        folders = {str(key): self._data_folder(column) for key, column in columns}
        return {key: folder for key, folder in folders.items() if not folder.is_dir()}

    def _data_folder(self, column: DictConfig) -> Path:
        """Return the folder of the data set that a column's arguments choose."""
        own = [text for text in column.arguments if root_of(text) == "data"]
        paths = [text for text in self.passed_on if root_of(text) == "paths"]
        return Path(self.compose(merged(paths, own)).data.root)

    def network_of(self, key: str) -> str | None:
        """Return the network of a row; None if its command needs no trained network."""
        known = self.cfg.table.get("networks") or {}
        named = self.rows[key].get("network")
        if named is not None and named not in known:
            raise GapnetError(f"network={named}: no such network; choose {', '.join(known)}")
        return named or (key if key in known else None)

    def cells(self, *more: str) -> list[Cell]:
        """Return all cells of the chosen rows; `more` are overrides of their commands."""
        return [
            self.cell(key, column, *more)
            for key, row in self.rows.items()
            for column in self.columns_of(row)
        ]

    def cell(self, key: str, column: str, *more: str) -> Cell:
        """Return the cell of a row and a column."""
        return Cell(key, column, self._commands(key, column, more))

    def submissions(self) -> list[TableCommand]:
        """Return the commands that predict the test split, if submit=true."""
        cells = self.cells("split=test") if self.cfg.submit else []
        return [command for cell in cells for command in cell.commands]

    def commands(self, cells: Iterable[Cell]) -> list[TableCommand]:
        """Return all commands of cells, and submissions, in the order in which they are run."""
        filling = in_order(command for cell in cells for command in cell.commands)
        return list(dict.fromkeys([*filling, *self.submissions()]))

    def _commands(self, key: str, column: str, more: Sequence[str]) -> tuple[TableCommand, ...]:
        row, described = self.rows[key], self.cfg.table.columns[column]
        exceptions = row.get("exceptions", {}).get(column, ())
        chosen = merged(described.get("arguments", ()), row.get("arguments", ()), exceptions, more)
        named = (node.get("command") for node in (row, described, self.cfg.table))
        name = next(filter(None, named), EVALUATE)
        network = self.network_of(key)
        if network is None:
            return (self._alone(name, chosen),)
        if self.cfg.checkpoints.get(network) is not None:
            return (self._of_checkpoint(name, network, chosen),)
        if self.cfg.table.get("needs_checkpoints"):
            raise GapnetError(
                f"checkpoints.{network}=null: this table does not train networks; name the "
                f"checkpoint of one that was trained on ILSVRC: checkpoints.{network}=FILE"
            )
        trainings = [self.training(network, seed) for seed in self.cfg.seeds]
        if self.compose(trainings[0].arguments).trainer.max_epochs == 0:
            trainings = trainings[:1]  # published weights are the same whatever the seed
        return tuple(self._of_training(name, training, chosen) for training in trainings)

    def training(self, network: str, seed: int) -> TableCommand:
        """Return the training of a network; its folder follows from what it computes."""
        described = self.cfg.table.networks[network]
        runs = path_override("paths.runs", Path(self.cfg.runs))
        own = [f"seed={seed}", f"name={network}", runs, "evaluate=false", "resume=auto"]
        experiment = f"experiment={self.experiment(network)}"
        arguments = merged([experiment], described.model, self.passed_on, own)
        folder = Path(self.compose(arguments).folder)
        return TableCommand(TRAIN, arguments, folder, composed_by=arguments)

    def experiment(self, network: str) -> str:
        """Return the experiment that trains a network by the recipe: the first that exists."""
        listed = self.cfg.table.recipes.get(self.cfg.recipe, [self.cfg.recipe])
        names = [str(name).format(network=network) for name in listed]
        exist = [name for name in names if (conf_folder() / f"experiment/{name}.yaml").is_file()]
        return exist[0] if exist else names[-1]

    def _of_training(
        self, name: str, training: TableCommand, chosen: tuple[str, ...]
    ) -> TableCommand:
        """Return a command on a trained network: the training, if it has evaluated it so."""
        arguments = merged(self._passed_to(name, PASSED_ON), chosen)
        if name == EVALUATE and training.has_metrics:
            same = self._rules(merged(training.arguments, arguments))
            if same == self._rules(training.arguments):
                return training
        subject = path_override("run", training.folder)
        command = self._on_network(name, (subject, *arguments), training.arguments, training.folder)
        return replace(command, needs=training)

    def _of_checkpoint(self, name: str, network: str, chosen: tuple[str, ...]) -> TableCommand:
        """Return a command on a checkpoint; its folder follows from the version of the file."""
        value = self.cfg.checkpoints[network]
        path = Path(value).absolute()
        if not path.is_file():
            raise GapnetError(f"checkpoints.{network}={value}: no such file")
        state = path.stat()
        version = digest_of_texts([str(path), str(state.st_size), str(state.st_mtime_ns)])
        place = Path(self.cfg.runs).absolute() / network / f"given-{version}"
        arguments = merged(self._passed_to(name, NOT_IN_RUN), chosen)
        subject = path_override("checkpoint", path)
        training = self.training(network, 0).arguments
        return self._on_network(name, (subject, *arguments), training, place)

    def _on_network(
        self, name: str, arguments: tuple[str, ...], training: tuple[str, ...], place: Path
    ) -> TableCommand:
        """Return a command on a network, in a folder that follows from what it computes.

        Args:
            name: of the command.
            arguments: of the command; the first one names the network.
            training: the overrides that the network is trained with.
            place: the folder of everything that is computed with the network.
        """
        composed_by = merged(training, arguments[1:]) if name == EVALUATE else None
        digest = self._rules(composed_by) if composed_by else digest_of_arguments(arguments[1:])
        folder = place / FOLDERS.get(name, name) / digest
        every = (*arguments, *self._closing(name, folder))
        return TableCommand(name, every, folder, composed_by=composed_by)

    def _alone(self, name: str, chosen: tuple[str, ...]) -> TableCommand:
        """Return a command that needs no trained network; its folder follows from its arguments."""
        arguments = merged(self._passed_to(name, keys_of(name)), chosen)
        folder = Path(self.cfg.runs).absolute() / name / digest_of_arguments(arguments)
        return TableCommand(name, (*arguments, *self._closing(name, folder)), folder)

    def _passed_to(self, name: str, roots: Collection[str]) -> list[str]:
        """Return those of the passed-on overrides that a command takes."""
        taken = keys_of(name) & set(roots)
        return [override for override in self.passed_on if root_of(override) in taken]

    def _closing(self, name: str, folder: Path) -> list[str]:
        resume = ["resume=true"] if "resume" in keys_of(name) else []
        return [*resume, path_override("folder", folder)]

    def _rules(self, composed_by: tuple[str, ...]) -> str:
        """Digest the settings that decide the metrics of an evaluation, besides the network."""
        composed = self.compose(composed_by)
        values = {key: _plain(composed[key]) for key in DECIDING}
        return identity_digest(job_identity(values, composed.imports))


def _plain(node: Any) -> Any:
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
