"""The loss, class weights, and images with several classes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from gapnet.data.records import Record, Records
from gapnet.data.sample import Batch
from gapnet.models.saved import load, save
from gapnet.models.zoo.tiny import tiny_gap
from gapnet.training.loss import Loss, balanced_weights, positive_weights
from tests.refusals import refused
from tests.training.test_classifier import NO_VALIDATION, classifier, data, fit

LABELS = torch.tensor([0, 0, 0, 1, -1, 1, 0, 3])
SETS = [(0, 2), (1,), (0, 1), (2,)]


def loss(kind: str, **changes: object) -> Loss:
    return Loss(kind, **{"label_smoothing": 0.0, "class_weights": "none", **changes})


def batch_of(labels: list[int], sets: list[tuple[int, ...]] | None = None) -> Batch:
    rest = [None] * len(labels)
    empty = torch.zeros(len(labels), 4)
    return Batch(empty, torch.tensor(labels), rest, empty, empty, [""], rest, sets or ())


def records_of(sets: list[tuple[int, ...]]) -> Records:
    root = Path("/photos")
    rows = [
        Record(str(row), root / str(row), labels[0], None, labels=labels)
        for row, labels in enumerate(sets)
    ]
    return Records.of(rows, root)


def test_images_of_every_class_weigh_the_same_and_one_image_1_on_average() -> None:
    weights = balanced_weights(LABELS, 4)
    labels = LABELS[LABELS >= 0]
    totals = torch.zeros(4).index_add(0, labels, weights[labels])
    torch.testing.assert_close(totals, torch.tensor([7 / 3, 7 / 3, 0, 7 / 3]))
    torch.testing.assert_close(weights[labels].mean(), torch.tensor(1.0))


def test_the_weighted_loss_is_that_of_torch_by_hand() -> None:
    weighted, logits, labels = loss("cross_entropy"), torch.randn(4, 3), [0, 2, 2, 1]
    weighted.weights = torch.tensor([0.5, 1.0, 4.0])
    weights = weighted.weights[labels]
    single = -logits.log_softmax(1)[range(4), labels]
    expected = (weights * single).sum() / weights.sum()
    torch.testing.assert_close(weighted(logits, batch_of(labels)), expected)
    torch.testing.assert_close(
        cross_entropy(logits, torch.tensor(labels), weight=weighted.weights), expected
    )


def test_weights_are_those_of_the_images_that_are_trained_on(
    shapes_root: Path, tmp_path: Path
) -> None:
    module = classifier(class_weights="balanced")
    fit(module, shapes_root, tmp_path, epochs=1, limit_train_batches=1, **NO_VALIDATION)
    drawn = data(shapes_root)
    labels = drawn.records(drawn.source.train_split).labels
    assert module.loss.weights.equal(balanced_weights(labels, 3))


def test_the_validation_s_loss_is_the_mean_over_images_of_known_class() -> None:
    logits, labels = torch.randn(3, 4), [1, -1, 3]
    smooth = loss("cross_entropy", label_smoothing=0.2)
    losses = smooth.per_image(logits, batch_of(labels))
    assert len(losses) == 2
    expected = smooth(logits[[0, 2]], batch_of([1, 3]))
    torch.testing.assert_close(losses.mean(), expected)


def test_the_binary_loss_is_the_mean_over_all_classes_by_hand() -> None:
    logits = torch.randn(4, 3, dtype=torch.float64)
    shares = 1 / (1 + np.exp(-logits.numpy()))
    expected = np.mean(
        [
            -np.log(shares[row, column] if column in labels else 1 - shares[row, column])
            for row, labels in enumerate(SETS)
            for column in range(3)
        ]
    )
    batch = batch_of([labels[0] for labels in SETS], SETS)
    assert loss("bce")(logits, batch).item() == pytest.approx(expected)
    assert loss("bce").per_image(logits, batch).mean().item() == pytest.approx(expected, rel=1e-5)


def test_positive_images_of_a_class_weigh_as_much_as_the_others() -> None:
    weighted = loss("bce", class_weights="balanced")
    weighted.count(records_of(SETS[:3]), 4)
    torch.testing.assert_close(weighted.weights, torch.tensor([0.5, 0.5, 2.0, 1.0]))
    assert positive_weights(torch.tensor([[1], [0], [0]])).tolist() == [2.0]


def test_one_class_per_image_can_be_learned_by_the_binary_loss() -> None:
    logits = torch.randn(2, 3)
    expected = loss("bce")(logits, batch_of([2, 0], [(2,), (0,)]))
    torch.testing.assert_close(loss("bce")(logits, batch_of([2, 0])), expected)


def test_images_with_several_classes_need_the_binary_loss() -> None:
    records = records_of(SETS)
    loss("bce").check(records)
    with refused("classifier.loss=cross_entropy", "classifier.loss=bce", "data.several"):
        loss("cross_entropy").check(records)


def test_a_network_of_several_classes_gives_each_its_own_probability(tmp_path: Path) -> None:
    network = tiny_gap(3, input_size=32, width=8).eval()
    logits = torch.tensor([[0.0, 2.0, -1.0]])
    torch.testing.assert_close(network.scores(logits), logits.exp() / logits.exp().sum())
    network.multi_label = True
    save(network, tmp_path)
    expected = 1 / (1 + (-logits).exp())
    torch.testing.assert_close(load(tmp_path).scores(logits), expected)


def average_precision(scores: np.ndarray, is_positive: np.ndarray) -> float:
    """Return the mean precision at the ranks of the positive images."""
    ranked = is_positive[np.argsort(-scores)]
    return float((ranked.cumsum() / np.arange(1, len(ranked) + 1))[ranked].mean())


def test_validation_reports_the_mean_average_precision() -> None:
    module = classifier(loss="bce")
    logits = torch.randn(12, 3)
    targets = torch.rand(12, 3) > 0.5
    module.mean_average_precision.update(logits[:5], targets[:5].long())
    module.mean_average_precision.update(logits[5:], targets[5:].long())
    expected = np.mean(
        [average_precision(logits[:, k].numpy(), targets[:, k].numpy()) for k in range(3)]
    )
    assert module.mean_average_precision.compute().item() == pytest.approx(expected, abs=1e-6)
    assert classifier().mean_average_precision is None


@pytest.mark.parametrize(
    ("option", "value"), [("class_weights", "inverse"), ("loss", "mse"), ("label_smoothing", 2)]
)
def test_unknown_values_are_refused(option: str, value: object) -> None:
    with refused(f"classifier.{option}", value):
        classifier(**{option: value})
