"""HTML page of a search: the best command, plots and a table of the trials."""

from collections.abc import Sequence
from html import escape

from optuna import Study

from gapnet.studies.search.plots import search_plots
from gapnet.studies.search.trials import Objective

MOST = 500  # rows of the table
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font-family: sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; background: #f2f2f2; padding: 0.6rem }}
svg {{ max-width: 100%; height: auto; background: white }}
div {{ overflow-x: auto }}
td, th {{ text-align: left; padding: 0.1rem 1rem 0.1rem 0 }}
</style></head>
<body>
<h1>{title}</h1>
<p>{caption}</p>
<pre>{best}</pre>
{plots}
<div><table>{rows}</table></div>
{left_out}
</body>
</html>
"""


def search_page(
    study: Study,
    objective: Objective,
    *,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    best: str,
) -> str:
    """Return the page; `rows` are those of its table, `best` is the best command."""
    space = "; ".join(f"{key} {dimension}" for key, dimension in objective.space.items())
    shared = " ".join(objective.shared) or "the default training"
    direction = study.direction.name.capitalize()
    cells = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows[:MOST])
    head = "".join(f"<th>{heading}</th>" for heading in header)
    left_out = f"<p>The best {MOST} of {len(rows)} trials.</p>" if len(rows) > MOST else ""
    return PAGE.format(
        title=escape(study.study_name),
        caption=escape(f"{direction} {objective.metric} over {space}. All trials: {shared}."),
        best=escape(best),
        plots=search_plots(study, objective.metric),
        rows="\n".join(f"<tr>{row}</tr>" for row in (head, *cells)),
        left_out=left_out,
    )
