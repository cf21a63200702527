"""Features in memory, for tests."""

from typing import Any

import numpy as np

from gapnet.evaluation.store import About
from gapnet.transfer.feature_rows import Features

CLASSES = ("a", "b")


def features_of(vectors: np.ndarray, *, weights: str = "w", **changes: Any) -> Features:
    count = len(vectors)
    values: dict[str, Any] = {
        "ids": [f"image{row}" for row in range(count)],
        "labels": np.arange(count) % 2,
        "label_sets": [[] for _ in range(count)],
        "unreadable": [],
        "unreadable_labels": np.empty(0, np.int64),
        "about": About("test", CLASSES, "net", weights=weights),
    }
    return Features(vectors=vectors.astype(np.float32), **values | changes)
