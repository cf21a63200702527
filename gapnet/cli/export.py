"""`gapnet export`."""

import json
import logging
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from omegaconf import DictConfig

from gapnet.cli.runs import checkpoint_of, run_of
from gapnet.errors import GapnetError
from gapnet.layout import ENVIRONMENT, METRICS

if TYPE_CHECKING:
    from gapnet.evaluation.score import Figure
    from gapnet.models.gapnet import GapNet


def complete(arguments: list[str]) -> list[str]:
    """Leave the arguments as they are."""
    return arguments


def task(cfg: DictConfig) -> None:
    """Write the network, whole or not at all."""
    from gapnet.models.saved import load

    if cfg.to not in FORMATS:
        raise GapnetError(f"to={cfg.to}: must be one of {', '.join(FORMATS)}")
    if cfg.run is None and cfg.checkpoint is None:
        raise GapnetError(
            "nothing to export: name a run folder with run=... or a file with checkpoint=..."
        )
    run = run_of(cfg.run, cfg.checkpoint)
    checkpoint = checkpoint_of(run, cfg.checkpoint)
    folder = Path(cfg.folder or (run or checkpoint.parent) / "export" / cfg.to)
    if folder.exists():
        raise GapnetError(f"folder {folder}: is there already; name another with folder=...")
    exported = Exported(
        load(checkpoint), _figures_of(run, checkpoint) if run else [], _facts_of(run) if run else {}
    )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".unfinished-"))
    except OSError as error:
        raise GapnetError(
            f"folder {folder}: cannot be written ({error.strerror}); name another with folder=..."
        ) from error
    try:
        note = FORMATS[cfg.to](exported, unfinished)
        for each in (unfinished, *unfinished.iterdir()):  # made for this user alone
            each.chmod(0o755 if each.is_dir() else 0o644)
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished)
        raise
    print(f"{exported.network.name}, {note}: {folder}")


class Exported(NamedTuple):
    """Hold a network, the figures of its run, and how that was made."""

    network: "GapNet"
    figures: "list[Figure]"
    facts: dict[str, str]


def _write_safetensors(exported: Exported, folder: Path) -> str:
    from gapnet.models.saved import save
    from gapnet.report.card import model_card

    save(exported.network, folder)
    card = model_card(exported.network, exported.facts, exported.figures)
    (folder / "README.md").write_text(card)
    return f"{len(exported.figures)} figures in its model card"


def _write_onnx(exported: Exported, folder: Path) -> str:
    for chatty in ("onnx_ir", "onnxscript"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        from gapnet.models.onnx import export_onnx
    except ImportError as error:
        raise GapnetError(
            f"to=onnx: {error.name} is not installed; pip install 'gapnet[export]'"
        ) from error
    apart = export_onnx(exported.network, folder / "model.onnx")
    return f"within {apart:.1e} of torch in onnxruntime"


FORMATS: dict[str, Callable[[Exported, Path], str]] = {
    "onnx": _write_onnx,
    "safetensors": _write_safetensors,
}


def _figures_of(run: Path, checkpoint: Path) -> "list[Figure]":
    """Read the figures of a run, if they are of this checkpoint."""
    from gapnet.evaluation.score import Figure

    metrics = run / METRICS
    if not metrics.is_file() or checkpoint_of(run, None).resolve() != checkpoint.resolve():
        return []
    try:
        return [Figure(**each) for each in json.loads(metrics.read_text())]
    except (ValueError, TypeError) as error:
        raise GapnetError(f"{metrics}: holds no figures ({error})") from error


def _facts_of(run: Path) -> dict[str, str]:
    """Say how a run was made."""
    path = run / ENVIRONMENT
    try:
        told = json.loads(path.read_text())
        command = " ".join(Path(told["command"][1]).name.split() + told["command"][2:])
        return {
            "trained by": f"`{command}`",
            "seed": str(told["seed"]),
            "commit": str(told["commit"]),
            "hardware": ", ".join(told["gpus"]) or f"{told['cores']} CPU cores",
        }
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise GapnetError(f"{path}: does not say how the run was made ({error})") from error
