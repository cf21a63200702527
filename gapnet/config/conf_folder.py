"""Path of the folder conf/."""

from pathlib import Path

import gapnet


def conf_folder() -> Path:
    """Return the path of conf/: inside an installed package, or next to it in a checkout."""
    package = Path(gapnet.__file__).resolve().parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"
