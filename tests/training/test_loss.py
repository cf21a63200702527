"""Class weights."""

from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

from gapnet.training.loss import balanced_weights
from tests.refusals import refused
from tests.training.test_classifier import NO_VALIDATION, classifier, data, fit

LABELS = torch.tensor([0, 0, 0, 1, -1, 1, 0, 3])


def test_images_of_every_class_weigh_the_same_and_one_image_1_on_average() -> None:
    weights = balanced_weights(LABELS, 4)
    labels = LABELS[LABELS >= 0]
    totals = torch.zeros(4).index_add(0, labels, weights[labels])
    torch.testing.assert_close(totals, torch.tensor([7 / 3, 7 / 3, 0, 7 / 3]))
    torch.testing.assert_close(weights[labels].mean(), torch.tensor(1.0))


def test_the_loss_is_the_weighted_mean_of_torch(shapes_root: Path) -> None:
    module = classifier().eval()
    module.log = lambda *_, **__: None
    module.weights = torch.tensor([0.5, 1.0, 4.0])
    batch = next(iter(data(shapes_root).train_dataloader()))
    logits = module.network(module.network.normalise(batch.images))
    weights = module.weights[batch.labels]
    single = cross_entropy(logits, batch.labels, reduction="none")
    torch.testing.assert_close(
        module.training_step(batch, 0), (weights * single).sum() / weights.sum()
    )


def test_weights_are_those_of_the_images_that_are_trained_on(
    shapes_root: Path, tmp_path: Path
) -> None:
    module = classifier(class_weights="balanced")
    fit(module, shapes_root, tmp_path, epochs=1, limit_train_batches=1, **NO_VALIDATION)
    drawn = data(shapes_root)
    labels = drawn.records(drawn.source.train_split).labels
    assert module.weights.equal(balanced_weights(labels, 3))


def test_an_unknown_kind_of_weights_is_refused() -> None:
    with refused("classifier.class_weights", "inverse"):
        classifier(class_weights="inverse")
