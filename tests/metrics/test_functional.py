import random

import pytest
import torch

from gapnet.metrics.classification import TopKError
from gapnet.metrics.functional import best_iou, label_hits, localization_hits, pad_lists
from gapnet.metrics.localization import GtKnownError
from tests.oracles import scoring

CLASSES = 4


def random_box(rng: random.Random) -> list[float]:
    x1, y1 = rng.randint(0, 6), rng.randint(0, 6)
    return [float(x1), float(y1), float(rng.randint(x1, 9)), float(rng.randint(y1, 9))]


@pytest.fixture(scope="module")
def cases() -> tuple[list[list[tuple[int, list[float]]]], list[int], list[list[list[float]]]]:
    """Draw images with repeated labels, several true boxes and overlaps of exactly one half."""
    rng = random.Random(0)
    guesses = [[(rng.randrange(CLASSES), random_box(rng)) for _ in range(5)] for _ in range(400)]
    labels = [rng.randrange(CLASSES) for _ in guesses]
    truth = [[random_box(rng) for _ in range(rng.randint(1, 4))] for _ in guesses]
    for row, boxes in enumerate(truth[:80]):
        x1, y1, x2, y2 = boxes[0]
        guesses[row][0] = (labels[row], [x1, y1, x2 + (x2 - x1 + 1), y2])
    return guesses, labels, truth


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("inclusive", [True, False])
def test_localization_error_equals_the_devkit_s_procedure(cases, k: int, inclusive: bool) -> None:  # noqa: FBT001
    guesses, labels, truth = cases
    guess_labels = torch.tensor([[label for label, _ in ranked] for ranked in guesses])
    boxes = torch.tensor([[box for _, box in ranked] for ranked in guesses])
    overlaps = best_iou(
        boxes, pad_lists([torch.tensor(true_boxes) for true_boxes in truth]), inclusive=inclusive
    )
    hits = localization_hits(guess_labels, overlaps >= 0.5, torch.tensor(labels), within=k)
    expected = scoring.localization_error(
        guesses, labels, true_boxes=truth, k=k, inclusive=inclusive
    )
    assert 1 - hits.double().mean().item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_classification_error_equals_the_devkit_s_procedure(cases, k: int) -> None:
    guesses, labels, _ = cases
    ranked = [[label for label, _ in row] for row in guesses]
    hits = label_hits(torch.tensor(ranked), torch.tensor(labels), within=k)
    assert 1 - hits.double().mean().item() == pytest.approx(
        scoring.classification_error(ranked, labels, k=k)
    )


def test_padding_never_counts_as_a_box() -> None:
    truth = pad_lists([torch.tensor([[5.0, 5.0, 9.0, 9.0]]), torch.zeros(0, 4)])
    overlaps = best_iou(torch.zeros(2, 1, 4), truth, inclusive=True)
    assert overlaps.tolist() == [[0.0], [0.0]]


def test_an_overlap_of_exactly_the_threshold_is_right() -> None:
    hits = localization_hits(
        torch.tensor([[1]]), torch.tensor([[0.5]]) >= 0.5, torch.tensor([1]), within=1
    )
    assert hits.item()


def test_with_one_box_per_class_top5_needs_label_and_the_true_class_s_box() -> None:
    ranked = torch.stack([torch.randperm(8)[:5] for _ in range(200)])
    labels = torch.randint(8, (200,))
    overlaps = torch.rand(200, 5)
    hits = localization_hits(ranked, overlaps >= 0.5, labels, within=5)
    place = (ranked == labels[:, None]).double().argmax(1)
    known = overlaps[torch.arange(200), place] >= 0.5
    assert torch.equal(hits, label_hits(ranked, labels, within=5) & known)


def test_error_rates_sum_over_batches() -> None:
    logits, labels = torch.randn(50, 8), torch.randint(8, (50,))
    error = TopKError(k=5)
    for part in range(0, 50, 7):
        error.update(logits[part : part + 7], labels[part : part + 7])
    expected = scoring.classification_error(
        logits.argsort(1, descending=True).tolist(), labels.tolist(), k=5
    )
    assert error.compute().item() == pytest.approx(expected)


def test_gt_known_error_equals_the_oracle(cases) -> None:
    guesses, _, truth = cases
    boxes = [ranked[0][1] for ranked in guesses]
    error = GtKnownError(inclusive=True, threshold=0.5)
    error.update(torch.tensor(boxes), [torch.tensor(true_boxes) for true_boxes in truth])
    assert error.compute().item() == pytest.approx(
        scoring.gt_known_error(boxes, truth, iou_threshold=0.5, inclusive=True)
    )


def test_true_boxes_are_fetched_from_where_they_are() -> None:
    class OnGpu:
        def cpu(self) -> torch.Tensor:
            return torch.tensor([[0.0, 0.0, 9.0, 9.0]])

    error = GtKnownError(inclusive=True, threshold=0.5)
    error.update(torch.tensor([[0.0, 0.0, 9.0, 9.0]]), [OnGpu()])
    assert error.compute() == 0
