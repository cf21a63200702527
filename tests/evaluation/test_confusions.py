from collections import Counter

import torch

from gapnet.evaluation.confusions import confused_pairs


def test_pairs_are_those_that_counting_finds_most_often() -> None:
    generator = torch.Generator().manual_seed(0)
    predicted, labels = torch.randint(0, 4, (2, 300), generator=generator)
    pairs = confused_pairs(predicted, labels, most=5)
    counts = Counter(
        (label, guess)
        for label, guess in zip(labels.tolist(), predicted.tolist(), strict=True)
        if label != guess
    )
    expected = sorted(counts.values(), reverse=True)[:5]
    assert [len(pair.rows) for pair in pairs] == expected
    for pair in pairs:
        assert len(pair.rows) == counts[pair.label, pair.predicted]
        assert set(predicted[pair.rows].tolist()) == {pair.predicted}
        assert set(labels[pair.rows].tolist()) == {pair.label}


def test_right_and_missing_predictions_are_not_confused() -> None:
    assert confused_pairs(torch.tensor([0, -1]), torch.tensor([0, 1]), most=5) == []
