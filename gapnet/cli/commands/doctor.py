"""Check the installation, and a data set before it is trained on."""

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

Line = tuple[str, str, str]  # ok, wrong or note; what was found; what to do about it

OLDEST_PYTHON = (3, 11)
LEAST_DISK, SMALL_DISK = 1, 20  # GiB: for a run at all; for several of large networks
GIB = 2**30
PAIR = "torch and torchvision"
REPAIR = "pip install --force-reinstall torch torchvision, both at once and from one index"


def complete(arguments: list[str]) -> list[str]:
    """Refuse values for a data set that is not named: Hydra would not say why."""
    names = [each.partition("=")[0].lstrip("+~") for each in arguments]
    loose = [each for each in names if each.startswith("data.")]
    if loose and "data" not in names:
        raise GapnetError(f"{loose[0]}: of which data set? name it too, such as data=ilsvrc")
    return arguments


def task(cfg: DictConfig) -> None:
    """Print a line for each check; nothing is written but the index of the data, in the cache."""
    count = wrong = 0
    for status, text, fix in _lines(cfg):
        say(f"{status:6} {text}")
        if fix:
            say(f"{'':6} -> {fix}")
        count, wrong = count + 1, wrong + (status == "wrong")
    if wrong:
        raise GapnetError(f"{wrong} of {count} checks are wrong; what to do stands under each")


def _lines(cfg: DictConfig) -> Iterator[Line]:
    yield _check_python()
    yield from _check_requirements()
    pair = _check_pair()
    yield pair
    yield from _check_room(Path(cfg.paths.runs))
    if pair[0] == "wrong":
        return  # nothing that follows would tell more
    yield from _check_devices()
    yield from _check_data(cfg)


def _check_python() -> Line:
    found = f"Python {platform.python_version()}, {platform.system()} on {platform.machine()}"
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return "ok", found, ""
    oldest = ".".join(map(str, OLDEST_PYTHON))
    return "wrong", f"{found}: gapnet needs {oldest}", f"make an environment of Python {oldest}"


def _check_requirements() -> Iterator[Line]:
    """Hold what is installed against what gapnet's own package asks for."""
    try:
        extras = ["", *(metadata("gapnet").get_all("Provides-Extra") or ())]
    except PackageNotFoundError:
        yield "note", "gapnet: not installed, but run from a checkout", "pip install -e ."
        return
    for extra in extras:
        missing = [each for each in _requirements(extra) if not _is_met(each)]
        told = ", ".join(
            f"{each.name}{each.specifier} ({_found(each) or 'not installed'})" for each in missing
        )
        if extra:
            text, fix = f"extra {extra}: {told or 'installed'}", f"pip install 'gapnet[{extra}]'"
            yield ("note", text, fix) if missing else ("ok", text, "")
        elif missing:
            wanted = " ".join(f"'{each.name}{each.specifier}'" for each in missing)
            yield "wrong", f"gapnet requires {told}", f"pip install {wanted}"
        else:
            yield "ok", f"gapnet {version('gapnet')} and all that it requires", ""


def _requirements(extra: str) -> "list[Requirement]":
    """List what an extra requires, or what gapnet does without any."""
    from packaging.requirements import Requirement

    wanted = [Requirement(each) for each in requires("gapnet") or ()]
    if not extra:
        return [each for each in wanted if not each.marker or each.marker.evaluate({"extra": ""})]
    marked = [each for each in wanted if each.marker and not each.marker.evaluate({"extra": ""})]
    return [each for each in marked if each.marker and each.marker.evaluate({"extra": extra})]


def _is_met(wanted: "Requirement") -> bool:
    found = _found(wanted)
    return found is not None and wanted.specifier.contains(found, prereleases=True)


def _found(wanted: "Requirement") -> str | None:
    try:
        return version(wanted.name)
    except PackageNotFoundError:
        return None


def _check_pair() -> Line:
    """Call what torchvision compiled against torch: a pair that does not match imports well."""
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
            fix = "install the torch that is built for this device and its driver: see pytorch.org"
            yield "wrong", f"{name}: cannot compute ({reason})", fix
            continue
        memory = f"{free / GIB:.1f} of {total / GIB:.1f} GiB free"
        yield "ok", f"{name}, {memory}, {'with' if bf16 else 'without'} bfloat16", ""
    if not torch.cuda.device_count():
        built = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "without CUDA"
        yield "note", f"no CUDA device (torch is built {built}): networks run on the CPU", ""


def _check_room(runs: Path) -> Iterator[Line]:
    """Look at the place where runs are written, or the nearest folder above that is there."""
    place = next(each for each in (runs.absolute(), *runs.absolute().parents) if each.exists())
    free = shutil.disk_usage(place).free / GIB
    text = f"runs go to {runs}: {free:.0f} GiB free"
    if not (place.is_dir() and os.access(place, os.W_OK)):
        yield "wrong", f"runs go to {runs}: cannot be written", "name a place with paths.runs=..."
    elif free < LEAST_DISK:
        yield "wrong", text, "make room, or name another place with paths.runs=..."
    elif free < SMALL_DISK:
        yield "note", text, "a run of a large network keeps checkpoints of several GiB"
    else:
        yield "ok", text, ""


def _check_data(cfg: DictConfig) -> Iterator[Line]:
    from gapnet.config.build import build
    from gapnet.data.checks.examine import examine, from_error
    from gapnet.data.index import cores

    yield "ok", f"{cores()} CPU cores", ""
    if "data" not in cfg:
        yield "note", "no data set is checked", "name one: data=ilsvrc data.root=DIR"
        return
    try:
        source = build(cfg, "data")
    except GapnetError as error:
        yield from_error("data", error)
        return
    splits = [*(cfg.splits or ()), *_named_splits(cfg)]
    yield from examine(source, splits=splits, images=cfg.images, workers=cfg.workers)


def _named_splits(cfg: DictConfig) -> list[str]:
    """List the splits that the command line names, as with data.test_split=NAME."""
    from gapnet.config.overrides import parse

    keys = [parse(each).key_or_group for each in HydraConfig.get().overrides.task]
    named = [key.partition(".")[2] for key in keys if key.startswith("data.")]
    return [str(cfg.data[key]) for key in named if key.endswith("_split")]
