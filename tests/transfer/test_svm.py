"""Linear SVMs, against scikit-learn's."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

from gapnet.data.records import Records
from gapnet.data.sample import Source
from gapnet.evaluation.store import About
from gapnet.jobs.features import FeatureFolder
from gapnet.jobs.job import Run
from gapnet.jobs.svm import SvmJob, fit, train_svm
from gapnet.metrics.average_precision import average_precision
from gapnet.models.saved import load
from gapnet.transfer.feature_rows import Features
from gapnet.transfer.fitting import Fitting
from gapnet.transfer.scores import class_weights, score_decisions
from gapnet.transfer.svm import LinearSvm
from tests.refusals import refused
from tests.transfer.conftest import Extract, make_data, small_shapes

CLASSES = ("a", "b", "c")
EXACT = Fitting(tol=1e-10, iterations=100_000)


def drawn(count: int = 60, *, several: bool = False, seed: int = 0) -> Features:
    """Draw vectors of 8 numbers around the means of three classes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    sets = [[label, 2] if row % 4 == 0 else [label] for row, label in enumerate(labels.tolist())]
    vectors = np.eye(3, 8)[labels] + rng.normal(0, 0.4, (count, 8))
    if several:
        vectors += [np.eye(3, 8)[2] if 2 in classes else np.zeros(8) for classes in sets]
    return Features(
        ids=[f"image{row:03d}" for row in range(count)],
        vectors=vectors.astype(np.float32),
        labels=labels,
        label_sets=[sorted(set(classes)) for classes in sets] if several else [[]] * count,
        unreadable=[],
        unreadable_labels=np.zeros(0, np.int64),
        about=About("test", CLASSES, "net", weights="w"),
    )


def test_decision_values_are_scikit_learn_s_one_against_the_rest() -> None:
    features = drawn()
    svm = fit(features, "gap", EXACT, data="drawn")
    theirs = LinearSVC(C=1, dual="auto", tol=1e-10, max_iter=100_000, random_state=0)
    theirs.fit(features.vectors, features.labels)
    expected = theirs.decision_function(features.vectors)
    np.testing.assert_allclose(svm.decisions(features.vectors), expected, atol=1e-6)


def test_classes_of_multi_label_data_are_trained_one_by_one() -> None:
    features = drawn(several=True)
    svm = fit(features, "gap", EXACT, data="drawn")
    theirs = OneVsRestClassifier(
        LinearSVC(C=1, dual="auto", tol=1e-10, max_iter=100_000, random_state=0)
    )
    theirs.fit(features.vectors, features.targets().astype(int))
    expected = theirs.decision_function(features.vectors)
    np.testing.assert_allclose(svm.decisions(features.vectors), expected, atol=1e-6)


@pytest.mark.parametrize("several", [False, True])
def test_metrics_are_those_of_scikit_learn(*, several: bool) -> None:
    features = drawn(several=several)
    decisions = fit(features, "gap", Fitting(), data="drawn").decisions(features.vectors)
    metrics = {row.metric: row for row in score_decisions(decisions, features, data="d", rules="r")}
    if several:
        expected = average_precision_score(features.targets(), decisions, average="macro")
        assert metrics["mean_average_precision"].value == pytest.approx(expected)
    else:
        hits = decisions.argmax(1) == features.labels
        assert metrics["accuracy"].value == pytest.approx(hits.mean())
        by_class = [hits[features.labels == label].mean() for label in range(3)]
        assert metrics["mean_class_accuracy"].value == pytest.approx(np.mean(by_class))
    assert all(row.low <= row.value <= row.high for row in metrics.values())


def test_average_precision_with_equal_scores_is_scikit_learn_s() -> None:
    rng = np.random.default_rng(0)
    scores, positive = rng.integers(0, 5, 40).astype(float), rng.random(40) < 0.3
    expected = average_precision_score(positive, scores)
    assert average_precision(scores, positive) == pytest.approx(expected)


def test_images_that_could_not_be_read_are_wrong() -> None:
    features = drawn(30)
    perfect = 1.0 * features.targets()
    broken = replace(features, unreadable=["z"] * 10, unreadable_labels=np.zeros(10, np.int64))
    accuracy, by_class = score_decisions(perfect, broken, data="d", rules="r")
    assert (accuracy.value, accuracy.n) == (0.75, 40)
    assert by_class.value == pytest.approx((0.5 + 1 + 1) / 3)
    assert class_weights(np.array([0, 0, 0, 2])).tolist() == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])


def test_cross_validation_chooses_the_c_that_generalises() -> None:
    rng = np.random.default_rng(0)
    features = drawn(60)
    noisy = replace(features, vectors=np.hstack([features.vectors, rng.normal(0, 3, (60, 200))]))
    svm = fit(noisy, "gap", Fitting(costs=(100.0, 1e-6), folds=2), data="d")
    assert svm.C in {100.0, 1e-6}
    scores = {}
    for cost in (100.0, 1e-6):
        halves = [fit_half(noisy, half, cost) for half in folds_of(noisy.labels)]
        scores[cost] = np.mean(halves)
    assert max(sorted(scores), key=scores.__getitem__) == svm.C


def folds_of(labels: np.ndarray) -> list:
    return list(StratifiedKFold(2, shuffle=True, random_state=0).split(labels, labels))


def fit_half(features: Features, rows: tuple, cost: float) -> float:
    fitted, held_out = rows
    svm = LinearSVC(C=cost, random_state=0).fit(features.vectors[fitted], features.labels[fitted])
    return float(svm.score(features.vectors[held_out], features.labels[held_out]))


def test_an_svm_is_saved_as_arrays_and_read_back(tmp_path: Path) -> None:
    svm = fit(drawn(), "gap", Fitting(), data="drawn")
    path = tmp_path / "svm.safetensors"
    svm.save(path)
    loaded = LinearSvm.load(path)
    assert np.array_equal(loaded.weight, svm.weight)
    assert (loaded.classes, loaded.layer, loaded.C, loaded.weights) == (CLASSES, "gap", 1.0, "w")
    state = load_file(path)
    save_file({name: value + 1 for name, value in state.items()}, path)
    with refused(path):
        LinearSvm.load(path)
    path.write_bytes(path.read_bytes()[:-9])
    with refused(path):
        LinearSvm.load(path)


def changed(features: Features, **values: object) -> Features:
    return replace(features, **values)


@pytest.mark.parametrize(
    ("features", "fitting", "parts"),
    [
        (changed(drawn(), vectors=np.ones((60, 8), np.float32)), {}, ["layer=gap", 60]),
        (changed(drawn(), labels=np.array([0] + [1, 2] * 29 + [1])), {}, ["class a", 1, 2]),
        (changed(drawn(), labels=np.array([-1] + [0, 1, 2] * 19 + [1, 2])), {}, ["image000"]),
        (drawn(9), {"costs": (1.0, 2.0)}, ["class a", 3, 5, "folds=5"]),
        (changed(drawn(), about=About("t", ("a",), "n"), labels=np.zeros(60, int)), {}, ["1"]),
    ],
    ids=["constant", "one example", "unknown", "folds", "one class"],
)
def test_features_that_cannot_be_trained_on_are_one_line(
    features: Features, fitting: dict, parts: list
) -> None:
    with refused(*parts):
        fit(features, "gap", Fitting(**fitting), data="d")


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ({"costs": ()}, ["C=[]"]),
        ({"costs": (0.0,)}, ["C=0.0"]),
        ({"costs": ("a",)}, ["C=a"]),
        ({"folds": 1}, ["folds=1"]),
        ({"iterations": 0}, ["iterations=0"]),
    ],
    ids=str,
)
def test_wrong_values_are_named(values: dict, parts: list) -> None:
    with refused(*parts):
        Fitting(**values)


# The job


def test_the_saved_network_s_logits_are_the_svm_s_decision_values(
    extract: Extract, shapes_root: Path, tmp_path: Path
) -> None:
    svm_folder = tmp_path / "svm"
    train_svm(SvmJob(Run(svm_folder, runs=tmp_path), extract("gap")))
    network, source = load(svm_folder / "network"), small_shapes(shapes_root)
    assert network.classes == tuple(source.classes)
    images = make_data(source, network).images("test")
    batch = network.normalise(torch.stack([images[row].image for row in range(12)]))
    with torch.no_grad():
        features = network.forward_features(batch)
        logits = network(batch)
        maps = network.class_maps(features, torch.arange(3).expand(12, -1))
    svm = LinearSvm.load(svm_folder / "svm.safetensors")
    decisions = svm.decisions(features.mean((2, 3)).numpy())
    np.testing.assert_allclose(logits.numpy(), decisions, atol=1e-5)
    np.testing.assert_allclose(maps.mean((2, 3)).numpy() + svm.bias, decisions, atol=1e-5)
    labels = source.records("test").labels
    (metric, *_) = json.loads((svm_folder / "metrics.json").read_text())
    assert metric["metric"] == "accuracy"
    assert metric["value"] == pytest.approx((logits.argmax(1) == labels).float().mean().item())


def test_an_svm_of_another_network_is_refused(network_file: Path) -> None:
    svm = fit(drawn(), "gap", Fitting(), data="drawn")
    with refused("tiny_gap"):
        svm.network(load(network_file))


@dataclass(frozen=True)
class SeveralClasses:
    """A data set, every third image of which also has the class 2."""

    source: Source

    def __getattr__(self, name: str) -> object:
        return getattr(self.source, name)

    def records(self, split: str) -> Records:
        records = self.source.records(split)
        sets = [
            {record.label, 2} if row % 3 == 0 else {record.label}
            for row, record in enumerate(records)
        ]
        several = [
            record._replace(labels=tuple(sorted(labels)))
            for record, labels in zip(records, sets, strict=True)
        ]
        return Records.of(several, records.root)


def test_images_of_several_classes_are_scored_by_mean_average_precision(
    extract: Extract, shapes_root: Path, tmp_path: Path
) -> None:
    features = extract("gap", source=lambda: SeveralClasses(small_shapes(shapes_root)))
    train_svm(SvmJob(Run(tmp_path / "svm", runs=tmp_path), features))
    (metric,) = json.loads((tmp_path / "svm" / "metrics.json").read_text())
    assert metric["metric"] == "mean_average_precision"
    assert 0 < metric["low"] <= metric["value"] <= 1
    test = FeatureFolder.read(features).features(features, "test", "gap")
    assert test.targets()[:, 2].sum() > (test.labels == 2).sum()


def test_a_layer_must_be_one_of_the_folder(extract: Extract, tmp_path: Path) -> None:
    features = extract("gap", "trunk.1")
    run = Run(tmp_path / "svm", runs=tmp_path)
    for layer, named in ((None, "layer=null"), ("trunk.2", "layer=trunk.2")):
        with refused(named, "gap", "trunk.1"):
            train_svm(SvmJob(run, features, layer))
    lines = train_svm(SvmJob(run, features, "trunk.1"))
    assert not (tmp_path / "svm" / "network").exists()
    assert str(run.folder / "svm.safetensors") in lines[-1]
    with refused("features=", "no features"):
        train_svm(SvmJob(run, tmp_path / "nowhere"))
