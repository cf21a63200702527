"""Notes below a table, in Markdown: the data, and how the results were made."""

import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from gapnet.report.markdown import code, text
from gapnet.runs.layout import ENVIRONMENT, METRICS
from gapnet.studies.table.table_command import Cell
from gapnet.system.files import read_json
from gapnet.text.redact import redact_arguments

NOT_RECORDED: dict[str, Any] = {"commit": None}


def notes_of(cfg: DictConfig, cells: Sequence[Cell]) -> list[str]:
    """Return the notes on the results of finished cells."""
    seeds = ", ".join(map(str, cfg.seeds))
    how_to_read = (
        f"Ours are the mean over seeds {seeds} of what is trained, in "
        "brackets the 95% interval over images, and sd, the standard deviation over seeds; ? means "
        "not there yet, and a blank cell is impossible or was not asked for. "
        f"Recipe: {cfg.recipe}; looks: {cfg.looks}."
    )
    command = shlex.join(["python", *redact_arguments(sys.orig_argv[1:])])
    data, hardware = _note_on_data(_data_titles(cells)), _note_on_hardware(cells)
    return [*data, how_to_read, *hardware, f"Command: {code(command)}"]


def missing_data_notes(cfg: DictConfig, folders: Mapping[str, Path]) -> list[str]:
    """Say which data sets are missing and where they come from, and add the table's own notes."""
    missing = [
        f"Not there: {text(cfg.table.columns[key].heading)} in {code(str(folder))}; it comes from "
        f"{text(cfg.table.columns[key].source)}."
        for key, folder in folders.items()
    ]
    return [*missing, *map(text, cfg.table.get("notes", ()))]


def _data_titles(cells: Iterable[Cell]) -> list[str]:
    rows = [read_json(folder / METRICS)[0] for cell in cells for folder in cell.folders]
    return sorted({str(row["data"]) for row in rows if "data" in row})


def _note_on_data(titles: Sequence[str]) -> list[str]:
    named = ", ".join(map(text, titles))
    if any(map(is_stand_in, titles)):
        warning = (
            f"**Figures of ours are of the stand-in data set ({named}). They say nothing "
            "about ILSVRC, which the paper's figures are of.**"
        )
        return [warning]
    return [f"Figures of ours are of {named}."] if titles else []


def is_stand_in(title: str) -> bool:
    """Return whether a data set of this title is drawn, not photographed."""
    return "stand-in" in title


def _note_on_hardware(cells: Iterable[Cell]) -> list[str]:
    environments = [_environment(folder) for folder in _made_in(cells)]
    hardware = sorted({text(_hardware(machine)) for machine in environments if "gpus" in machine})
    return [f"Hardware: {'; '.join(hardware)}."] if hardware else []


def commits_of(cells: Iterable[Cell]) -> str:
    """Name the commits of the code that made results; + stands for uncommitted changes."""
    commits = {str(_environment(folder)["commit"] or "unknown") for folder in _made_in(cells)}
    return ", ".join(sorted(commit[:7] + "+" * commit.endswith("+") for commit in commits))


def _made_in(cells: Iterable[Cell]) -> set[Path]:
    return {folder for cell in cells for folder in cell.made_in}


def _environment(folder: Path) -> dict[str, Any]:
    """Read what a command wrote about its machine; not every command does."""
    path = folder / ENVIRONMENT
    environment: dict[str, Any] = read_json(path) if path.is_file() else NOT_RECORDED
    return environment


def _hardware(environment: dict[str, Any]) -> str:
    gpus = ", ".join(environment["gpus"]) or "no GPU"
    return f"{environment['cores']} cores, {gpus}, torch {environment['packages']['torch']}"
