"""From the outcomes of a table's jobs to the table, and to verdicts on what the paper claims."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from gapnet.errors import GapnetError
from gapnet.runs.layout import ENVIRONMENT, METRICS, VERDICTS
from gapnet.studies.table.plan import Cell, Plan
from gapnet.system.files import read_json
from gapnet.text.redact import redact_arguments

if TYPE_CHECKING:
    from gapnet.evaluation.claims import Claim
    from gapnet.evaluation.seeds import Averaged
    from gapnet.report.paper_table import Line, Sheet

STAND_IN = "stand-in"  # in the title of a data set
NO_FIGURE = "no such figure; a frozen threshold takes a split of its own, which ILSVRC has not"


def sheet_of(plan: Plan, cells: Sequence[Cell]) -> "Sheet":
    """Lay the table out, of what there is."""
    from gapnet.report.paper_table import Column, Sheet

    cfg = plan.cfg
    columns = {
        str(key): Column(each.heading, dict(each.get("figures", cfg.table.figures)))
        for key, each in cfg.table.columns.items()
    }
    lines = []
    for key in plan.rows:
        own = {cell.column: cell for cell in cells if cell.row == key}
        found = {
            name: _averages(cfg, cell, list(columns[name].figures.items()))
            for name, cell in own.items()
            if cell.done
        }
        lines.append(_line(plan, key, list(own), found, [own[name] for name in found]))
    done = [cell for cell in cells if cell.done]
    return Sheet(cfg.table.title, columns, lines, _notes(cfg, done))


def _averages(
    cfg: DictConfig, cell: Cell, figures: Sequence[tuple[str, str]]
) -> "dict[str, Averaged | None]":
    from gapnet.evaluation.seeds import average

    runs = [each / VERDICTS for each in cell.folders]
    return {
        label: average(runs, figure, resamples=cfg.resamples, seed=cfg.seed)
        for label, figure in figures
    }


def _line(
    plan: Plan,
    key: str,
    asked: list[str],
    found: "dict[str, dict[str, Averaged | None]]",
    cells: Sequence[Cell],
) -> "Line":
    from gapnet.report.paper_figures import Quoted, quoted
    from gapnet.report.paper_table import Line

    row = plan.rows[key]
    paper = quoted(plan.cfg.table.number)[row.paper] if "paper" in row else Quoted(None, None)
    if row.get("quoted"):
        return Line(row.paper, paper, deviates="quoted from the paper")
    network = plan.cfg.table.networks[plan.network_of(key)]
    told = [row.get("deviates"), network.get("deviates")]
    return Line(
        name=row.get("name") or row.paper,
        paper=paper,
        asked=asked,
        found=found,
        commit=_commits(cells),
        deviates="; ".join(each for each in told if each),
    )


def _notes(cfg: DictConfig, cells: Sequence[Cell]) -> list[str]:
    """Say of which data the figures are, and how they were made, in Markdown."""
    from gapnet.report.markdown import code, text

    folders = [folder for cell in cells for folder in cell.folders]
    data = sorted({text(read_json(each / METRICS)[0]["data"]) for each in folders})
    notes = []
    if any(STAND_IN in each for each in data):
        notes.append(
            f"**Figures of ours are of the stand-in data set ({', '.join(data)}). They say nothing "
            "about ILSVRC, which the paper's figures are of.**"
        )
    elif data:
        notes.append(f"Figures of ours are of {', '.join(data)}.")
    notes.append(
        f"Ours are the mean over seeds {', '.join(map(str, cfg.seeds))} of what is trained, in "
        "brackets the 95% interval over images, and sd, the standard deviation over seeds; ? is "
        "not there yet, and what is blank cannot be had or was not asked for. "
        f"Recipe: {cfg.recipe}; looks: {cfg.looks}."
    )
    made = {folder for cell in cells for folder in cell.made}
    hardware = sorted({text(_hardware(_environment(each))) for each in made})
    notes += [f"Hardware: {'; '.join(hardware)}."] if hardware else []
    command = shlex.join(["python", *redact_arguments(sys.orig_argv[1:])])
    return [*notes, f"Command: {code(command)}"]


def _environment(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = read_json(folder / ENVIRONMENT)
    return read


def _hardware(environment: dict[str, Any]) -> str:
    gpus = ", ".join(environment["gpus"]) or "no GPU"
    return f"{environment['cores']} cores, {gpus}, torch {environment['packages']['torch']}"


def _commits(cells: Sequence[Cell]) -> str:
    """Name the commits of the code that made figures; with a + where it had been changed."""
    folders = {folder for cell in cells for folder in cell.made}
    found = {str(_environment(each)["commit"] or "unknown") for each in folders}
    return ", ".join(sorted(each[:7] + "+" * each.endswith("+") for each in found))


def judged(cfg: DictConfig, cells: Sequence[Cell]) -> list[str]:
    """Say in Markdown of each claim whether it held, with a reason."""
    from gapnet.evaluation.claims import Claim

    by_place = {(cell.row, cell.column): cell for cell in cells if cell.done}
    claims = [
        Claim(each.says, tuple(each.better), tuple(each.worse), each.figure, each.get("within"))
        for each in cfg.table.claims
    ]
    return [f"- {_verdict(cfg, claim, by_place)}" for claim in claims]


def _verdict(cfg: DictConfig, claim: "Claim", cells: Mapping[tuple[str, str], Cell]) -> str:
    from gapnet.evaluation.claims import judge
    from gapnet.evaluation.seeds import difference
    from gapnet.report.markdown import text

    if claim.better not in cells or claim.worse not in cells:
        return f"**not known yet**: {claim.says}"
    better, worse = (
        [folder / VERDICTS for folder in cells[place].folders]
        for place in (claim.better, claim.worse)
    )
    try:
        found = difference(better, worse, claim.figure, resamples=cfg.resamples, seed=cfg.seed)
    except GapnetError as error:
        return f"**cannot be judged**: {claim.says} ({text(error)})"
    if found is None:
        return f"**cannot be judged**: {claim.says} ({NO_FIGURE})"
    verdict, why = judge(claim, found)
    return f"**{verdict}**: {claim.says} ({why})"
