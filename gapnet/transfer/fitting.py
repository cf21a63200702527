"""How linear SVMs are trained, and on what; both are checked before the training."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapnet.errors import GapnetError
from gapnet.system.value_checks import number, whole_number
from gapnet.transfer.feature_rows import Features, Vectors

FEWEST = 2  # images of a class; an SVM needs more than one


@dataclass(frozen=True)
class Fitting:
    """How linear SVMs are trained.

    Args:
        costs: values of C; cross-validation on the training images chooses one of several.
        folds: of the cross-validation.
        iterations: of LIBLINEAR, at most.
        tol: the tolerance at which LIBLINEAR stops.
        seed: of the folds and of LIBLINEAR.
    """

    costs: tuple[float, ...] = (1.0,)
    folds: int = 5
    iterations: int = 1000
    tol: float = 1e-4
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        if not self.costs:
            raise GapnetError("C=[]: name at least one value, such as 1")
        for cost in self.costs:
            number("C", cost, above=0)
        whole_number("folds", self.folds, least=2)
        whole_number("iterations", self.iterations, least=1)
        number("tol", self.tol, above=0)
        whole_number("seed", self.seed)


@dataclass(frozen=True)
class TrainingSet:
    """What SVMs are trained on: vectors (N, D), and which classes each image has, (N, classes)."""

    vectors: Vectors
    targets: NDArray[np.bool_]
    multi_label: bool


def training_set(features: Features, layer: str, fitting: Fitting) -> TrainingSet:
    """Return the vectors and classes of a split; those that cannot be trained on are an error."""
    _check_labels(features)
    vectors, targets = features.vectors, features.targets()
    if (vectors == vectors[:1]).all():
        raise GapnetError(
            f"layer={layer}: all {len(vectors):,} vectors are the same, so nothing can be learned; "
            "check the network, or choose another layer"
        )
    folds = fitting.folds if len(fitting.costs) > 1 else 0
    _check_counts(targets, features.about.classes, folds)
    return TrainingSet(vectors, targets, features.multi_label)


def _check_labels(features: Features) -> None:
    """Refuse images of a single class whose class is not known."""
    unknown = [] if features.multi_label else (features.labels < 0).nonzero()[0].tolist()
    if unknown:
        raise GapnetError(
            f"image {features.ids[unknown[0]]}: its class is not known (one of {len(unknown)} in "
            f"split {features.about.split!r}); choose a split with labels"
        )


def _check_counts(targets: NDArray[np.bool_], classes: Sequence[str], folds: int) -> None:
    """Refuse classes with too few images, or with all of them."""
    if len(classes) < FEWEST:
        raise GapnetError(f"data: has {len(classes)} class; SVMs need at least {FEWEST} classes")
    least, (images, _) = max(FEWEST, folds), targets.shape
    for name, count in zip(classes, targets.sum(0).tolist(), strict=True):
        if count < least:
            needs = f"{least}" + f" with folds={folds}" * bool(folds)
            raise GapnetError(
                f"class {name}: has {count} training images; it needs at least {needs}"
            )
        if count == images:
            raise GapnetError(
                f"class {name}: all {images} training images have it; remove the class"
            )
