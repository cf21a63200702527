"""Collect the results of a table's commands into a table, and judge the paper's claims by them."""

from collections.abc import Mapping, Sequence

from omegaconf import DictConfig

from gapnet.errors import GapnetError
from gapnet.evaluation.claims import Claim, judge
from gapnet.evaluation.seeds import SeedMean
from gapnet.report.markdown import text
from gapnet.report.paper_table import Column, Line, Sheet
from gapnet.report.paper_values import PaperValues, paper_values
from gapnet.studies.table.metrics import (
    lead_over_seeds,
    mean_over_seeds,
    metric_choice,
    metrics_of,
)
from gapnet.studies.table.notes import commits_of, missing_data_notes, notes_of
from gapnet.studies.table.plan import TablePlan
from gapnet.studies.table.table_command import Cell

NO_METRIC = "no such metric; ILSVRC has no second labelled split to choose a threshold on"


def collect_sheet(plan: TablePlan, cells: Sequence[Cell]) -> Sheet:
    """Return the table with the results that are there."""
    table = plan.cfg.table
    paper = paper_values(table.get("number", 0))
    columns = {
        str(key): Column(column.heading, list(metrics_of(plan.cfg, str(key))))
        for key, column in table.columns.items()
    }
    lines = [
        _line(plan, key, [cell for cell in cells if cell.row == key], paper) for key in plan.rows
    ]
    done = [cell for cell in cells if cell.done]
    notes = [*notes_of(plan.cfg, done), *missing_data_notes(plan.cfg, plan.missing_data)]
    return Sheet(table.title, paper.labels, columns, lines, notes)


def _line(plan: TablePlan, key: str, cells: Sequence[Cell], paper: PaperValues) -> Line:
    row = plan.rows[key]
    published = paper.methods[row.paper] if "paper" in row else {}
    if row.get("quoted"):
        return Line(row.paper, published, deviates="quoted from the paper")
    network = plan.network_of(key)
    described = {} if network is None else plan.cfg.table.networks[network]
    deviations = [row.get("deviates"), described.get("deviates")]
    done = [cell for cell in cells if cell.done]
    return Line(
        name=row.get("name") or row.paper,
        paper=published,
        columns=[cell.column for cell in cells],
        results={cell.column: _means(plan.cfg, cell) for cell in done},
        commit=commits_of(done),
        deviates="; ".join(deviation for deviation in deviations if deviation),
    )


def _means(cfg: DictConfig, cell: Cell) -> dict[str, SeedMean | None]:
    """Return the means of a cell by label."""
    return {
        label: mean_over_seeds(cell.folders, metric, resamples=cfg.resamples, seed=cfg.seed)
        for label, metric in metrics_of(cfg, cell.column).items()
    }


def judge_claims(cfg: DictConfig, cells: Sequence[Cell]) -> list[str]:
    """Return one line of Markdown per claim: whether it is confirmed, with a reason."""
    by_place = {(cell.row, cell.column): cell for cell in cells if cell.done}
    claims = [
        Claim(
            says=node.says,
            better=tuple(node.better),
            worse=tuple(node.worse),
            metric=metric_choice(node.metric),
            worse_metric=metric_choice(node.worse_metric) if "worse_metric" in node else None,
            within=node.get("within"),
            higher_is_better=node.get("higher_is_better", False),
        )
        for node in cfg.table.get("claims", ())
    ]
    return [f"- {_judged(cfg, claim, by_place)}" for claim in claims]


def _judged(cfg: DictConfig, claim: Claim, cells: Mapping[tuple[str, str], Cell]) -> str:
    if claim.better not in cells or claim.worse not in cells:
        return f"**not known yet**: {claim.says}"
    try:
        lead = _lead(cfg, claim, cells)
    except GapnetError as error:
        return f"**cannot be judged**: {claim.says} ({text(error)})"
    if lead is None:
        return f"**cannot be judged**: {claim.says} ({NO_METRIC})"
    judgement, why = judge(claim, lead)
    return f"**{judgement}**: {claim.says} ({why})"


def _lead(cfg: DictConfig, claim: Claim, cells: Mapping[tuple[str, str], Cell]) -> SeedMean | None:
    """Return by how much the better row leads."""
    lower = cells[claim.better].folders, claim.metric
    higher = cells[claim.worse].folders, claim.worse_metric or claim.metric
    if claim.higher_is_better:
        lower, higher = higher, lower
    return lead_over_seeds(
        lower[0],
        higher[0],
        lower[1],
        worse_metric=higher[1],
        resamples=cfg.resamples,
        seed=cfg.seed,
    )
