"""The model card: what a network is, how to use it, and the metrics of its run."""

from collections.abc import Mapping, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from gapnet.evaluation.score import Metric
from gapnet.models.builders import own_arguments
from gapnet.models.gapnet import GapNet
from gapnet.models.heads import CamHead
from gapnet.report.markdown import code, text
from gapnet.report.tables import markdown_table

LISTED = 10  # classes; config.json has all


def model_card(network: GapNet, facts: Mapping[str, str], metrics: Sequence[Metric]) -> str:
    """Return the card in Markdown; `facts` are further rows, in Markdown."""
    own = own_arguments(network.name, network.arguments)
    environment = Environment(
        loader=PackageLoader("gapnet.report"),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
    )
    environment.filters |= {"text": text, "code": code}
    return environment.get_template("card.md.jinja").render(
        network=network,
        arguments=", ".join(f"{name}={value!r}" for name, value in own.items()),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        classes=_first_names(network),
        facts=facts,
        has_maps=isinstance(network.head, CamHead),
        metrics=metrics,
        table=markdown_table(metrics),
    )


def _first_names(network: GapNet) -> str:
    """Return the names of the first classes, and the number of the others."""
    if network.classes is None:
        return ""
    more = network.num_classes - LISTED
    return ", ".join(network.class_names[:LISTED]) + (f" and {more} more" if more > 0 else "")
