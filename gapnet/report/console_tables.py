"""Tables that a command prints: the headline metrics, protocols, classes."""

from collections.abc import Sequence

from rich.table import Table

from gapnet.evaluation.compare import Difference
from gapnet.evaluation.score import Metric
from gapnet.report.headline import anchor_line, column_name, headline, headline_name
from gapnet.report.tables import SHORT
from gapnet.system.value_table import value_table

HEADINGS = {
    "top-1 error": "top-1\nerror",
    "top-1 localization": "top-1\nlocali-\nzation",
    "top-5 localization": "top-5\nlocali-\nzation",
    "ground-truth-known": "ground-\ntruth-\nknown",
}
SPREAD = ("top1_localization_error", "top5_localization_error", "gt_known_error")


def headline_table(metrics: Sequence[Metric], title: str) -> Table:
    """Return a table of the headline metrics of one protocol; `metrics.json` has the others."""
    shown = headline(metrics)
    table = value_table(f"{title}, {_counts(shown)}", ("error rate", "value", "95% interval"))
    for metric in shown:
        interval = f"{100 * metric.low:.2f} to {100 * metric.high:.2f}"
        name = headline_name(metric.metric, metric.chosen_on, metric.threshold)
        table.add_row(name, f"{100 * metric.value:.2f}%", interval)
    table.caption = anchor_line(metrics)
    return table


def _counts(metrics: Sequence[Metric]) -> str:
    """Return the number of images, and that of localization if it differs."""
    counts = dict.fromkeys(metric.n for metric in metrics)
    return "n = " + ", localization ".join(f"{count:,}" for count in counts)


def protocol_table(metrics: Sequence[Metric], title: str) -> Table:
    """Return a table with one protocol per row, at the fixed and at the oracle threshold."""
    columns = [(metric, "fixed") for metric in SPREAD] + [("gt_known_error", "oracle")]
    headings = [HEADINGS[SHORT[name]] + (",\noracle" * (by == "oracle")) for name, by in columns]
    table = value_table(title, ("protocol", *headings))
    for protocol in dict.fromkeys(metric.protocol for metric in metrics):
        own = [metric for metric in metrics if metric.protocol == protocol]
        table.add_row(protocol, *(_cell(own, name, by) for name, by in columns))
    return table


def class_table(rows: Sequence[Sequence[str]]) -> Table:
    """Return a table of the easiest and the hardest classes; `rows` are those of the report."""
    (by, name, *headings), *classes = rows
    shortened = [HEADINGS.get(heading, heading) for heading in headings]
    table = value_table(f"The easiest and the hardest classes {by}", (name, "", *shortened))
    for kind, class_name, *values in classes:
        table.add_row(class_name, kind, *values)
    return table


def difference_table(differences: Sequence[Difference], title: str) -> Table:
    """Return a table of the differences between two runs by one protocol."""
    count = max(row.n for row in differences)
    table = value_table(
        f"{title}, n = {count:,}", ("error rate", "a", "b", "b - a", "95% interval")
    )
    for row in differences:
        values = (f"{100 * row.a:.2f}%", f"{100 * row.b:.2f}%", f"{100 * row.difference:+.2f}")
        table.add_row(
            column_name(row.metric), *values, f"{100 * row.low:+.2f} to {100 * row.high:+.2f}"
        )
    return table


def _cell(metrics: Sequence[Metric], name: str, by: str) -> str:
    values = [
        metric.value
        for metric in metrics
        if metric.metric == name and by in (metric.chosen_on or "fixed")
    ]
    return f"{100 * values[0]:.2f}%" if values else ""
