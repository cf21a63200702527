"""Check the installation, and a data set before training."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from gapnet.errors import GapnetError
from gapnet.system.output import say

if TYPE_CHECKING:
    from packaging.requirements import Requirement

Line = tuple[str, str, str]  # status (ok, wrong or note); result; what to do about it

OLDEST_PYTHON = (3, 11)
LEAST_DISK, SMALL_DISK = 1, 20  # GiB: for any run; for several runs of large networks
GIB = 2**30
PAIR = "torch and torchvision"
REPAIR = "pip install --force-reinstall torch torchvision, both together from the same index"


def complete(arguments: list[str]) -> list[str]:
    """Refuse keys of `data` without a data set, since Hydra's error would not name the reason."""
    names = [argument.partition("=")[0].lstrip("+~") for argument in arguments]
    data_keys = [name for name in names if name.startswith("data.")]
    if data_keys and "data" not in names:
        raise GapnetError(f"{data_keys[0]}: needs a data set; add data=NAME, such as data=ilsvrc")
    return arguments


def task(cfg: DictConfig) -> None:
    """Run all checks and print a line for each; only the index of the data is written."""
    count = wrong = 0
    for status, text, fix in _lines(cfg):
        say(f"{status:6} {text}")
        if fix:
            say(f"{'':6} -> {fix}")
        count, wrong = count + 1, wrong + (status == "wrong")
    if wrong:
        raise GapnetError(f"{wrong} of {count} checks failed; the lines with -> say what to do")


def _lines(cfg: DictConfig) -> Iterator[Line]:
    yield _check_python()
    yield from _check_requirements()
    pair = _check_pair()
    yield pair
    yield from _check_disk(Path(cfg.paths.runs))
    if pair[0] == "wrong":
        return  # all other checks need torch
    yield from _check_devices()
    yield from _check_data(cfg)


def _check_python() -> Line:
    text = f"Python {platform.python_version()}, {platform.system()} on {platform.machine()}"
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return "ok", text, ""
    oldest = ".".join(map(str, OLDEST_PYTHON))
    return "wrong", f"{text}: must be Python >= {oldest}", f"create an environment with {oldest}"


def _check_requirements() -> Iterator[Line]:
    """Compare the installed packages with the requirements of gapnet."""
    try:
        extras = ["", *(metadata("gapnet").get_all("Provides-Extra") or ())]
    except PackageNotFoundError:
        yield "note", "gapnet: is not installed, but runs from a checkout", "pip install -e ."
        return
    for extra in extras:
        missing = [package for package in _requirements(extra) if not _is_met(package)]
        text = ", ".join(
            f"{package.name}{package.specifier} ({_installed_version(package) or 'not installed'})"
            for package in missing
        )
        if extra:
            text, fix = f"extra {extra}: {text or 'installed'}", f"pip install 'gapnet[{extra}]'"
            yield ("note", text, fix) if missing else ("ok", text, "")
        elif missing:
            packages = " ".join(f"'{package.name}{package.specifier}'" for package in missing)
            yield "wrong", f"gapnet requires {text}", f"pip install {packages}"
        else:
            yield "ok", f"gapnet {version('gapnet')} and all packages that it requires", ""


def _requirements(extra: str) -> "list[Requirement]":
    """Return the requirements of an extra, or of gapnet without extras if `extra` is empty."""
    from packaging.requirements import Requirement

    packages = [Requirement(text) for text in requires("gapnet") or ()]
    if not extra:
        return [package for package in packages if _applies(package, "")]
    optional = [package for package in packages if not _applies(package, "")]
    return [package for package in optional if _applies(package, extra)]


def _applies(package: "Requirement", extra: str) -> bool:
    return package.marker is None or package.marker.evaluate({"extra": extra})


def _is_met(package: "Requirement") -> bool:
    installed = _installed_version(package)
    return installed is not None and package.specifier.contains(installed, prereleases=True)


def _installed_version(package: "Requirement") -> str | None:
    try:
        return version(package.name)
    except PackageNotFoundError:
        return None


def _check_pair() -> Line:
    """Call a compiled function of torchvision: importing does not show that the versions differ."""
    try:
        import torch
        import torchvision

        boxes = torch.tensor([[0.0, 0.0, 9.0, 9.0], [0.0, 0.0, 9.0, 8.0]])
        kept = torchvision.ops.nms(boxes, torch.tensor([0.9, 0.8]), 0.5).tolist()
    except (ImportError, RuntimeError, AttributeError, OSError) as error:
        reason = str(error).partition("\n")[0]
        return "wrong", f"{PAIR}: do not work together ({reason})", REPAIR
    text = f"torch {torch.__version__} and torchvision {torchvision.__version__}"
    return ("ok", text, "") if kept == [0] else ("wrong", f"{text}: nms keeps {kept}", REPAIR)


def _check_devices() -> Iterator[Line]:
    import torch

    for index in range(torch.cuda.device_count()):
        name = f"cuda:{index}"
        try:
            free, total = torch.cuda.mem_get_info(index)
            torch.ones(8, 8, device=name) @ torch.ones(8, 8, device=name)
            with torch.cuda.device(index):
                bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
            name = f"{name}: {torch.cuda.get_device_name(index)}"
        except RuntimeError as error:
            reason = str(error).partition("\n")[0]
            fix = "install the torch build for this device and driver: see pytorch.org"
            yield "wrong", f"{name}: cannot compute ({reason})", fix
            continue
        memory = f"{free / GIB:.1f} of {total / GIB:.1f} GiB free"
        yield "ok", f"{name}, {memory}, {'with' if bf16 else 'without'} bfloat16", ""
    if not torch.cuda.device_count():
        built = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "without CUDA"
        yield "note", f"no CUDA device (torch is built {built}): networks run on the CPU", ""


def _check_disk(runs: Path) -> Iterator[Line]:
    """Check the folder of runs, or its nearest parent that exists."""
    folder = next(path for path in (runs.absolute(), *runs.absolute().parents) if path.exists())
    free = shutil.disk_usage(folder).free / GIB
    text = f"paths.runs={runs}: {free:.0f} GiB free"
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        yield (
            "wrong",
            f"paths.runs={runs}: cannot be written",
            "choose another folder: paths.runs=DIR",
        )
    elif free < LEAST_DISK:
        yield "wrong", text, "make room, or choose another folder: paths.runs=DIR"
    elif free < SMALL_DISK:
        yield "note", text, "a run of a large network has checkpoints of several GiB"
    else:
        yield "ok", text, ""


def _check_data(cfg: DictConfig) -> Iterator[Line]:
    from gapnet.config.build import build
    from gapnet.data.checks.examine import examine, from_error
    from gapnet.data.index import cores

    yield "ok", f"{cores()} CPU cores", ""
    if "data" not in cfg:
        yield "note", "no data set was checked", "name one, as in data=ilsvrc data.root=DIR"
        return
    try:
        source = build(cfg, "data")
    except GapnetError as error:
        yield from_error("data", error)
        return
    splits = [*(cfg.splits or ()), *_named_splits(cfg)]
    yield from examine(source, splits=splits, images=cfg.images, workers=cfg.workers)


def _named_splits(cfg: DictConfig) -> list[str]:
    """Return the splits that the command line names, as in data.test_split=NAME."""
    from gapnet.config.overrides import parse

    keys = [parse(override).key_or_group for override in HydraConfig.get().overrides.task]
    named = [key.partition(".")[2] for key in keys if key.startswith("data.")]
    return [str(cfg.data[key]) for key in named if key.endswith("_split")]
