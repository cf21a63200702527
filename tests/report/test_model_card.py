"""The header of a model card, as the Hugging Face hub reads it."""

import pytest
from huggingface_hub import ModelCard

from gapnet.models import create
from gapnet.report.model_card import model_card
from tests.report.test_report import metric

HOSTILE = "a: [b]\n---\n<img src=x onerror=alert(1)> \x1b"


def test_the_hub_reads_license_data_and_metrics() -> None:
    metrics = [metric(), metric(metric="top1_error", value=0.5, threshold=None, chosen_on=None)]
    card = model_card(create("tiny_gap", {"num_classes": 3}), {}, metrics, license_id="mit")
    data = ModelCard(card).data
    assert data.license == "mit"
    assert data.library_name == "gapnet"
    assert data.model_name == "tiny_gap"
    results = [(result.metric_type, result.metric_value) for result in data.eval_results]
    assert results == [("gt_known_error", 0.0625), ("top1_error", 0.5)]
    assert {(result.dataset_name, result.dataset_split) for result in data.eval_results} == {
        ("drawn", "test")
    }
    assert data.eval_results[0].metric_name.endswith("(ilsvrc, threshold: fixed)")


def test_a_card_without_metrics_or_license_has_none() -> None:
    data = ModelCard(model_card(create("tiny_gap", {"num_classes": 3}), {}, [])).data
    assert data.license is None
    assert data.eval_results is None


@pytest.mark.parametrize("field", ["data", "split", "protocol", "chosen_on"])
def test_text_from_data_stays_inside_the_header(field: str) -> None:
    network = create("tiny_gap", {"num_classes": 3})
    data = ModelCard(model_card(network, {}, [metric(**{field: HOSTILE})])).data
    (result,) = data.eval_results
    assert data.library_name == "gapnet"
    text = f"{result.dataset_name} {result.dataset_split} {result.metric_name}"
    assert "<img" in text
    assert "\x1b" not in text
