"""Print the results of a job."""

from typing import TYPE_CHECKING

from gapnet.system.output import print_table, say

if TYPE_CHECKING:
    from gapnet.jobs import Results


def show_results(results: "Results | None") -> None:
    """Print the tables and lines of an evaluation; ranks other than the first have none."""
    if results is None:
        return
    for table in results.tables:
        print_table(table)
    for line in results.lines:
        say(line)
