"""Sets of features that images are compared by: read, whitened, and checked to fit each other."""

from dataclasses import dataclass, replace
from pathlib import Path

from gapnet.errors import GapnetError
from gapnet.evaluation.store import About
from gapnet.jobs.features import FeatureFolder
from gapnet.retrieval.unit_vectors import check_varied, unit
from gapnet.retrieval.whitening import Whitening
from gapnet.transfer.feature_rows import Features


@dataclass(frozen=True)
class FeatureSet:
    """Features of a split, with vectors of length 1, and where they come from."""

    features: Features
    folder: Path
    layer: str
    data: str

    @property
    def split(self) -> str:
        """Return the name of the split."""
        return self.features.about.split


@dataclass(frozen=True)
class SetChoice:
    """A folder of features, one of its layers, and a split.

    Args:
        folder: of a features job.
        layer: None is the only one.
        split: None is a split of the data set that the job chooses.
        whitening: a file of gapnet whiten; None leaves the vectors as they are.
    """

    folder: Path
    layer: str | None = None
    split: str | None = None
    whitening: Path | None = None

    def described(self) -> FeatureFolder:
        """Return what the folder contains."""
        return FeatureFolder.read(self.folder)

    def read(self) -> FeatureSet:
        """Read the features; their vectors get the length 1."""
        described = self.described()
        layer = described.choose_layer(self.layer)
        features = described.features(self.folder, self.split or described.test_split, layer)
        check_varied(features, layer)
        if self.whitening is None:
            vectors = unit(features.vectors)
        else:
            whitening = Whitening.load(self.whitening)
            whitening.check_fits(features, layer, self.whitening)
            vectors = whitening(features.vectors)
        return FeatureSet(replace(features, vectors=vectors), self.folder, layer, described.data)


def read_pair(queries: SetChoice, base: SetChoice) -> tuple[FeatureSet, FeatureSet]:
    """Read the features of queries and of the base that is searched.

    By default they are the test and the training split.
    """
    if base.split is None:
        base = replace(base, split=base.described().train_split)
    searched = base.read()
    asked = searched if _same_set(queries, base) else queries.read()
    _check_same_network(asked, searched)
    return asked, searched


def _same_set(queries: SetChoice, base: SetChoice) -> bool:
    split = queries.split or queries.described().test_split
    return replace(queries, split=split) == base


def _check_same_network(queries: FeatureSet, base: FeatureSet) -> None:
    """Refuse features of two networks or layers, whose vectors cannot be compared."""
    (weights, layer), (other_weights, other_layer) = (
        (one.features.about.weights, one.layer) for one in (queries, base)
    )
    if (weights, layer) != (other_weights, other_layer):
        what = "layer" if weights == other_weights else "network"
        raise GapnetError(
            f"query_features={queries.folder}: was written with another {what} than "
            f"features={base.folder}; write both with the same network and layer"
        )


def facts_of(
    queries: FeatureSet, base: FeatureSet, whitening: Path | None, expand: int = 0
) -> dict[str, str]:
    """Describe a search for people."""
    facts = {
        "base": f"{len(base.features.ids):,} images of {base.data}, {base.split}",
        "queries": f"{len(queries.features.ids):,} images of {queries.data}, {queries.split}",
        "network": network_text(base.features.about),
        "features": f"layer {base.layer}, {base.features.vectors.shape[1]} numbers",
    }
    if whitening is not None:
        facts["whitening"] = f"learned on {Whitening.load(whitening).data}"
    if expand:
        facts["query expansion"] = f"the {expand} nearest images"
    return facts


def network_text(about: About) -> str:
    """Describe a network by its name and the arguments that differ from their defaults."""
    network = about.identity.get("network")
    if not isinstance(network, dict):
        return about.network
    name, *values = network.items()
    return ", ".join([str(name[1]), *(f"{key}={value}" for key, value in values if value)])


def rules_of_search(base: FeatureSet, whitening: Path | None, expand: int) -> str:
    """Describe a search in a line."""
    size = base.features.vectors.shape[1]
    parts = [f"layer {base.layer}", f"{size} numbers" + " whitened" * (whitening is not None)]
    return ", ".join([*parts, f"queries expanded by {expand}"] if expand else parts)
