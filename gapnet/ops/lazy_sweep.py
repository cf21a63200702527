"""The compiled sweep over thresholds, used if numba is installed and there is enough to do."""

import logging
from collections.abc import Callable
from functools import cache
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

FEWEST = 8  # thresholds; for fewer, one mask per threshold is as fast
WORTH_LOADING = 2**25  # cells; loading the compiled code takes as long as sweeping so many without
log = logging.getLogger(__name__)

Heat = NDArray[np.float32]
Sweep = Callable[[Heat, NDArray[np.float32]], NDArray[np.float32] | None]


class SweptCells:
    """Number of cells that this process swept without the compiled code."""

    def __init__(self) -> None:
        """Count from 0."""
        self.count = 0

    def enough(self, heat: Heat) -> bool:
        """Add the cells of a map, and return whether it pays to load the compiled code."""
        self.count += heat.size
        return self.count > WORTH_LOADING


_swept = SweptCells()  # of the process, as is the loaded code; results do not depend on it


def compiled_sweep(heat: Heat, thresholds: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Return the boxes (T, 4) of the largest 8-connected component by pixels at every threshold.

    None, if the caller must compute them otherwise: without numba, for few thresholds, or early in
    a process. The boxes are the same.
    """
    if len(thresholds) < FEWEST or heat.dtype != np.float32 or not _swept.enough(heat):
        return None
    sweep = load_sweep()
    return None if sweep is None else sweep(heat, thresholds)


@cache
def load_sweep() -> Sweep | None:
    """Load the compiled code, or compile it; None if numba is missing or does not work."""
    try:
        sweep: Sweep = import_module("gapnet.ops.compiled_sweep").sweep
        boxes = sweep(np.eye(2, dtype=np.float32), np.zeros(1, np.float32))
    except Exception as error:  # a broken numba may raise anything
        log.info("boxes are computed without numba (%s)", error)
        return None
    return sweep if boxes is not None and boxes.tolist() == [[0, 0, 1, 1]] else None
