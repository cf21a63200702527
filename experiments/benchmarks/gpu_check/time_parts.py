"""Time a part of gapnet in this process, and write what was measured as JSON.

python time_parts.py device|draw|input|predict REQUEST.json OUTCOME.json
"""

import json
import platform
import shutil
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from gapnet.data.index import cores
from gapnet.data.loading.datamodule import DataModule
from gapnet.data.loading.views import random_view, whole_view
from gapnet.data.sources.ilsvrc import Ilsvrc
from gapnet.data.sources.shapes.dataset import shapes
from gpu_check.bench import DRAWN
from gpu_check.device_clock import GIB, now
from gpu_check.sizes import Sizes
from gpu_check.time_prediction import time_prediction

PACKAGES = ("torch", "torchvision", "triton", "pytorch-lightning", "torchmetrics", "numpy")
DRIVER = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]


def describe_device(accelerator: str) -> dict[str, Any]:
    """Name the device and what drives it."""
    known: dict[str, Any] = {
        "cores": cores(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: _version(name) for name in PACKAGES},
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
    }
    if accelerator == "cpu":
        return {"name": f"CPU, {platform.machine()}", **known}
    facts = torch.cuda.get_device_properties(0)
    return {
        "name": facts.name,
        "memory_gib": round(facts.total_memory / GIB, 1),
        "capability": f"{facts.major}.{facts.minor}",
        "driver": _driver(),
        **known,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _driver() -> str | None:
    if shutil.which(DRIVER[0]) is None:
        return None
    done = subprocess.run(DRIVER, capture_output=True, text=True, check=False)
    return next(iter(done.stdout.splitlines()), None)


def draw(sizes: Sizes) -> dict[str, Any]:
    """Draw the data set."""
    begun = time.perf_counter()
    shapes(root=DRAWN, **sizes.data())
    seconds = time.perf_counter() - begun
    images = sizes.train + sizes.val + sizes.test
    return {"images": images, "images_per_second": images / seconds, "cores": cores()}


def time_input(sizes: Sizes) -> dict[str, Any]:
    """Read an epoch as a training does, without a network: the second one, its start left out."""
    loader = _data(sizes).train_dataloader()
    for _ in loader:
        pass
    batches = iter(loader)
    ready = sum(len(batch.ids) for batch in islice(batches, sizes.skip))
    begun = now()
    images = sum(len(batch.ids) for batch in batches)
    rate = images / (now() - begun)
    return {"images_per_second": rate, "timed_images": images, "left_out": ready}


def _data(sizes: Sizes) -> DataModule:
    return DataModule(
        _source(sizes),
        input_size=(sizes.side, sizes.side),
        view=whole_view,
        augment=_mild_view,
        batch_size=sizes.batch,
        num_workers=sizes.workers,
    )


def _source(sizes: Sizes) -> Ilsvrc:
    return shapes(root=DRAWN, **sizes.data())


def _mild_view(size: tuple[int, int]) -> Any:
    """Show images as conf/augment/mild.yaml does, which trainings take by default."""
    return random_view(size, scale=(0.8, 1.0), ratio=(0.85, 1.18))


def main(part: str, request: Path, outcome: Path) -> None:
    """Time one part."""
    asked = json.loads(request.read_text())
    sizes, accelerator = Sizes.of(asked["sizes"]), asked["accelerator"]
    if part == "device":
        measures = describe_device(accelerator)
    elif part == "draw":
        measures = draw(sizes)
    elif part == "input":
        measures = time_input(sizes)
    else:
        measures = time_prediction(_data(sizes), Path(asked["run"]), accelerator)
    outcome.write_text(json.dumps(measures) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
