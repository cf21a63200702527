"""PCA with whitening, against scikit-learn's."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from sklearn.decomposition import PCA

from gapnet.retrieval.embedding import pca_positions
from gapnet.retrieval.unit_vectors import unit
from gapnet.retrieval.whitening import KEY, Whitening, principal_axes
from tests.refusals import refused
from tests.retrieval.features import features_of

SIZE = 12


def drawn(count: int = 200, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(count, SIZE)) @ rng.normal(size=(SIZE, SIZE))
    return (mixed + 3).astype(np.float32)


def learned(components: int = 5) -> Whitening:
    return Whitening.learn(features_of(drawn()), components, layer="gap", data="birds")


def test_whitened_vectors_are_those_of_scikit_learn() -> None:
    others = drawn(50, seed=1)
    pca = PCA(5, whiten=True, svd_solver="full").fit(unit(drawn()).astype(np.float64))
    theirs = pca.transform(unit(others).astype(np.float64))
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    ours = learned()(others)
    signs = np.sign((ours * theirs).sum(0))  # of a direction, which is arbitrary
    np.testing.assert_allclose(ours * signs, theirs, rtol=1e-4, atol=1e-5)


def test_axes_and_shares_are_those_of_scikit_learn() -> None:
    vectors, pca = drawn(), PCA(3, svd_solver="full").fit(drawn().astype(np.float64))
    axes = principal_axes(vectors, 3)
    np.testing.assert_allclose(axes.deviations**2, pca.explained_variance_, rtol=1e-9)
    np.testing.assert_allclose(axes.share, pca.explained_variance_ratio_, rtol=1e-9)
    np.testing.assert_allclose(abs(axes.components), abs(pca.components_), rtol=1e-6, atol=1e-9)
    theirs = PCA(2).fit_transform(unit(vectors).astype(np.float64))
    ours = pca_positions(vectors).points
    np.testing.assert_allclose(abs(ours), abs(theirs), rtol=1e-3, atol=1e-5)


def test_whitened_numbers_are_uncorrelated_and_vary_equally() -> None:
    whitening = learned(4)
    centred = unit(drawn()) - whitening.mean
    white = centred @ whitening.components.T / whitening.deviations
    np.testing.assert_allclose(np.cov(white.T), np.eye(4), atol=1e-6)


def test_a_saved_whitening_is_the_same_and_damage_is_one_line(tmp_path: Path) -> None:
    path, whitening = tmp_path / "w.safetensors", learned()
    whitening.save(path)
    loaded = Whitening.load(path)
    assert np.array_equal(loaded(drawn(9, seed=2)), whitening(drawn(9, seed=2)))
    assert (loaded.layer, loaded.weights, loaded.data) == ("gap", "w", "birds")
    state = load_file(path)
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    state["mean"][0] += 1
    save_file(state, path, metadata=metadata)
    with refused(path):
        Whitening.load(path)
    assert json.loads(metadata[KEY])["layer"] == "gap"
    path.write_bytes(b"\0" * 20)
    with refused(path):
        Whitening.load(path)


def test_features_of_another_network_or_layer_are_refused(tmp_path: Path) -> None:
    whitening = learned()
    whitening.check_fits(features_of(drawn()), "gap", tmp_path)
    with refused(f"whitening={tmp_path}", "network"):
        whitening.check_fits(features_of(drawn(), weights="v"), "gap", tmp_path)
    with refused(f"whitening={tmp_path}", "layer"):
        whitening.check_fits(features_of(drawn()), "trunk:spoc", tmp_path)


@pytest.mark.parametrize("components", [0, 13, 200])
def test_the_number_of_components_is_checked(components: int) -> None:
    with refused(f"components={components}"):
        learned(components)


def test_directions_in_which_nothing_varies_are_refused() -> None:
    flat = drawn()
    flat[:, 6:] = 0
    with refused("components=8", "components=6"):
        Whitening.learn(features_of(flat), 8, layer="gap", data="birds")
