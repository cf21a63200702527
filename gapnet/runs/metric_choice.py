"""Selects one metric in metrics.json or verdicts.parquet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

OWN = (None, "fixed")  # chosen_on if there is no threshold, or the boxer has a fixed one
ORACLE = "oracle"  # chosen_on of whatever was chosen on the images that are reported


@dataclass(frozen=True)
class MetricChoice:
    """A metric's name, and what distinguishes its values if there are several.

    Args:
        metric: its name in metrics.json.
        protocol: of the evaluation; None is the first one in the file.
        chosen_on: the split on which the threshold was chosen; None means that
            there is no threshold, or that the boxer has a fixed one; "oracle" the reported split.
        split: that was evaluated; None is any split.
    """

    metric: str
    protocol: str | None = None
    chosen_on: str | None = None
    split: str | None = None

    def row(self, rows: Iterable[Mapping[str, object]]) -> Mapping[str, object] | None:
        """Return the first matching row of metrics.json; None if there is none.

        >>> rows = [{"metric": "ap", "value": 0.5}, {"metric": "accuracy", "value": 0.7}]
        >>> MetricChoice("accuracy").row(rows)
        {'metric': 'accuracy', 'value': 0.7}
        """
        return next(filter(self._matches, rows), None)

    def _matches(self, row: Mapping[str, object]) -> bool:
        chosen_on = row.get("chosen_on")
        return (
            row["metric"] == self.metric
            and self.protocol in (None, row.get("protocol"))
            and self.split in (None, row.get("split"))
            and self._is_chosen_on(chosen_on)
        )

    def _is_chosen_on(self, chosen_on: object) -> bool:
        if self.chosen_on == ORACLE:
            return f"({ORACLE}" in str(chosen_on)
        return chosen_on in (OWN if self.chosen_on is None else (self.chosen_on,))

    def column(self, names: Iterable[str]) -> str | None:
        """Return the first matching column of verdicts.parquet; None if there is none.

        >>> MetricChoice("error", chosen_on="val").column(["id", "wsol/error", "wsol/error/val"])
        'wsol/error/val'
        """
        wanted = "/".join(filter(None, (self.metric, self.chosen_on)))
        for name in names:
            protocol, _, metric = name.partition("/")
            if metric == wanted and self.protocol in (None, protocol):
                return name
        return None
