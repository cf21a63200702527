"""Where conf/ lies."""

from pathlib import Path

import gapnet


def conf_folder() -> Path:
    """Return conf/: inside an installed package, beside the package in a checkout."""
    package = Path(gapnet.__file__).resolve().parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"
