"""The environment of a run: command, commit, packages, hardware."""

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from gapnet.system.child_process import output_of
from gapnet.text.redact import redact_arguments
from gapnet.version import __version__

PACKAGES = ("torch", "torchvision", "pytorch-lightning", "torchmetrics", "hydra-core", "numpy")
DESCRIBE = ("git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+")
CHECKOUT = Path(__file__).resolve().parents[2]


def environment(seed: int | None) -> dict[str, Any]:
    """Return the content of env.json."""
    return {
        "command": redact_arguments(sys.orig_argv),
        "seed": seed,
        "commit": commit(),
        "python": platform.python_version(),
        "gapnet": __version__,
        "packages": {name: version(name) for name in PACKAGES},
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
    }


def commit() -> str | None:
    """Return the commit of the checkout, with a + if files changed; None if installed."""
    if not (CHECKOUT / "pyproject.toml").is_file():
        return None
    return output_of(DESCRIBE, CHECKOUT)
