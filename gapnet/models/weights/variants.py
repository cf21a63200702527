"""Refuses weights of another variant of a network, whose names and sizes are the same.

timm's networks with the prefix tf_ pad as TensorFlow does, and their batch norms have an epsilon of
1e-3. Their weights fit the networks without the prefix, which then make more errors.
"""

from pathlib import Path

import timm

from gapnet.errors import GapnetError
from gapnet.models.weights.hub import DESCRIPTION
from gapnet.models.weights.timm_folder import read_timm_folder

TENSORFLOW = "tf_"


def check_variant(file: Path, ours: str) -> None:
    """Refuse a file that says that it is of another variant than `ours`."""
    folder = read_timm_folder(file)
    described = None if folder is None else folder.architecture
    for theirs, place in ((described, DESCRIPTION), (_in_name(file, ours), "its name")):
        if theirs is not None and theirs != ours:
            raise GapnetError(
                f"model.weights={file}: has weights of timm's {theirs} according to {place}, not "
                f"of {ours}; choose timm's {theirs} with model.name"
            )


def _in_name(file: Path, ours: str) -> str | None:
    """Return the variant of our architecture that a file is named after, as timm's files are."""
    name = file.name.partition("-")[0].partition(".")[0]
    same = name.removeprefix(TENSORFLOW) == ours.removeprefix(TENSORFLOW)
    return name if same and timm.is_model(name) else None
