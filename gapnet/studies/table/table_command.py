"""The gapnet commands that fill a table, and the cells that they fill."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from gapnet.runs.layout import METRICS, SUBMISSION, TRAINED, VERDICTS

TRAIN, EVALUATE = "train", "evaluate"
WITH_VERDICTS = (TRAIN, EVALUATE)  # commands that write verdicts.parquet beside metrics.json
LAST_WRITTEN = "kaggle.csv"  # of the files of a submission


@dataclass(frozen=True)
class TableCommand:
    """A gapnet command that a table needs.

    Args:
        name: of the command.
        arguments: its overrides.
        folder: that it writes to.
        needs: the training that must end before it starts.
        composed_by: overrides with which `train` composes the data, the network and the rules that
            this command works with; None if it has other settings than a training.
    """

    name: str
    arguments: tuple[str, ...]
    folder: Path
    needs: "TableCommand | None" = None
    composed_by: tuple[str, ...] | None = None

    @property
    def has_metrics(self) -> bool:
        """Return whether its metrics are there."""
        files = (METRICS, VERDICTS) if self.name in WITH_VERDICTS else (METRICS,)
        return all((self.folder / file).is_file() for file in files)

    @property
    def done(self) -> bool:
        """Return whether its results are there: a network, metrics or a submission."""
        trained = self.name == TRAIN and (self.folder / TRAINED).is_file()
        return trained or self.has_metrics or (self.folder / SUBMISSION / LAST_WRITTEN).is_file()


@dataclass(frozen=True)
class Cell:
    """A row and a column of a table, and the commands whose metrics they show, one a seed."""

    row: str
    column: str
    commands: tuple[TableCommand, ...]

    @property
    def folders(self) -> list[Path]:
        """Return the folders of the metrics, one a seed."""
        return [command.folder for command in self.commands]

    @property
    def made_in(self) -> set[Path]:
        """Return the folders of all commands that the metrics come from, trainings too."""
        return {command.folder for command in in_order(self.commands)}

    @property
    def done(self) -> bool:
        """Return whether the metrics of all seeds are there."""
        return all(command.has_metrics for command in self.commands)


def in_order(commands: Iterable[TableCommand]) -> list[TableCommand]:
    """Return every command once, after the training that it needs."""
    with_trainings = ((command.needs, command) for command in commands)
    return list(dict.fromkeys(filter(None, chain.from_iterable(with_trainings))))
