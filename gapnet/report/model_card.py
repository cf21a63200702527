"""The model card: what a network is, how to use it, and the metrics of its run."""

import re
from collections.abc import Mapping, Sequence

from huggingface_hub import EvalResult, ModelCardData
from jinja2 import Environment, PackageLoader, StrictUndefined

from gapnet.evaluation.score import Metric
from gapnet.models.builders import own_arguments
from gapnet.models.gapnet import GapNet
from gapnet.models.heads import CamHead
from gapnet.report.markdown import code, text
from gapnet.report.tables import NAMES, markdown_table
from gapnet.text.plain_text import plain

DIGITS = 6  # of a metric in the header
LISTED = 10  # classes; config.json has all


def model_card(
    network: GapNet,
    facts: Mapping[str, str],
    metrics: Sequence[Metric],
    *,
    license_id: str | None = None,
) -> str:
    """Return the card in Markdown.

    Args:
        network: that it describes.
        facts: further rows, in Markdown.
        metrics: of its run; the header has them for the Hugging Face hub.
        license_id: of the weights, such as mit or apache-2.0.
    """
    own = own_arguments(network.name, network.arguments)
    environment = Environment(
        loader=PackageLoader("gapnet.report"),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
    )
    environment.filters |= {"text": text, "code": code}
    return environment.get_template("card.md.jinja").render(
        header=_header(network, metrics, license_id),
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


def _header(network: GapNet, metrics: Sequence[Metric], license_id: str | None) -> str:
    """Return the facts that the hub reads, as YAML."""
    return ModelCardData(
        license=license_id,
        library_name="gapnet",
        pipeline_tag="image-classification",
        tags=["class-activation-map", "weakly-supervised-localization"],
        model_name=network.name if metrics else None,
        eval_results=list(map(_result, metrics)) or None,
    ).to_yaml()


def _result(metric: Metric) -> EvalResult:
    threshold = "" if metric.chosen_on is None else f", threshold: {metric.chosen_on}"
    return EvalResult(
        task_type="image-classification",
        dataset_type=re.sub(r"[^a-z0-9]+", "-", metric.data.lower()).strip("-"),
        dataset_name=plain(metric.data),
        dataset_split=plain(metric.split),
        metric_type=metric.metric,
        metric_name=plain(f"{NAMES[metric.metric].strip()} ({metric.protocol}{threshold})"),
        metric_value=round(metric.value, DIGITS),
    )
