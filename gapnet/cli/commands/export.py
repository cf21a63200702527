"""`gapnet export`."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from omegaconf import DictConfig

from gapnet.config.run_folder import checkpoint_of, run_of
from gapnet.errors import GapnetError, full_disk, reading
from gapnet.runs.layout import ENVIRONMENT, METRICS
from gapnet.system.folders import atomic_folder, claim_folder
from gapnet.system.output import say
from gapnet.text.redact import redact_arguments

if TYPE_CHECKING:
    from gapnet.evaluation.score import Figure
    from gapnet.models.gapnet import GapNet


def complete(arguments: list[str]) -> list[str]:
    """Leave the arguments as they are."""
    return arguments


def task(cfg: DictConfig) -> None:
    """Write a network, or predictions, whole or not at all."""
    known = GUESSES if cfg.predictions is not None else FORMATS
    if cfg.to not in known:
        what = "predictions" if cfg.predictions is not None else "a network"
        raise GapnetError(f"to={cfg.to}: must be one of {', '.join(known)} for {what}")
    if cfg.predictions is not None:
        export_predictions(cfg)
        return
    if cfg.run is None and cfg.checkpoint is None:
        raise GapnetError(
            "nothing to export: name a run folder with run=..., a file with checkpoint=..., "
            "or predictions=..."
        )
    export_network(cfg)


def export_network(cfg: DictConfig) -> None:
    """Write a network."""
    from gapnet.models.saved import load

    run = run_of(cfg.run, cfg.checkpoint)
    checkpoint = checkpoint_of(run, cfg.checkpoint)
    folder = Path(cfg.folder or (run or checkpoint.parent) / "export" / cfg.to)
    _check_free(folder)
    exported = Exported(
        load(checkpoint), _figures_of(run, checkpoint) if run else [], _facts_of(run) if run else {}
    )
    with _whole(folder) as unfinished:
        note = FORMATS[cfg.to](exported, unfinished)
    say(f"{exported.network.name}, {note}: {folder}")


def export_predictions(cfg: DictConfig) -> None:
    """Write predictions in a format of other tools."""
    from gapnet.evaluation.formats.base import Key
    from gapnet.evaluation.formats.exchange import WRITERS, guesses_of
    from gapnet.evaluation.predictions import Predictions
    from gapnet.evaluation.store import read_parts
    from gapnet.jobs.labels import numbers_of_classes

    source = Path(cfg.predictions)
    folder = Path(cfg.folder or source / "export" / cfg.to)
    _check_free(folder)
    if not any(source.glob("part-*.parquet")):
        raise GapnetError(
            f"predictions={source}: holds no predictions; name the predictions/SPLIT of a run"
        )
    predictions = Predictions(*read_parts(source))
    ids, classes = sorted(predictions.ids), predictions.about.classes
    told = {each: index for index, each in enumerate(predictions.about.numbers)}
    key = Key(ids, classes, numbers_of_classes(cfg, classes, told or None))
    write, suffix = WRITERS[cfg.to]
    name = f"{predictions.about.split.replace('/', '-')}.{suffix}"
    if cfg.to == "devkit" and key.numbers is None:
        raise GapnetError(
            "to=devkit: labels of this format are ILSVRC's own numbers; name the devkit's "
            "meta_clsloc.mat with synsets=FILE (labels=index: count the sorted WordNet ids instead)"
        )
    with _whole(folder) as unfinished:
        write(guesses_of(predictions), key, unfinished / name)
    say(f"{len(ids)} images of the {predictions.about.split} split: {folder / name}")


def _check_free(folder: Path) -> None:
    if folder.exists():
        raise GapnetError(f"folder {folder}: is there already; name another with folder=...")


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """Write into a folder that gets its name when it is complete."""
    with ExitStack() as stack:
        try:
            busy = f"folder {folder}: another process is exporting to it; wait for it"
            stack.enter_context(claim_folder(folder, busy))
            _check_free(folder)  # again: another export may have ended since
            unfinished = stack.enter_context(atomic_folder(folder))
        except OSError as error:
            raise GapnetError(
                f"folder {folder}: cannot be written ({error.strerror}); "
                "name another with folder=..."
            ) from error
        with _named(folder):
            yield unfinished
        for each in unfinished.iterdir():  # some writers make them for this user alone
            each.chmod(0o644)


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Name the folder where the disk is full; some writers do not say what they were writing."""
    try:
        yield
    except Exception as error:
        if why := full_disk(error):
            raise GapnetError(
                f"folder {folder}: cannot be written ({why}); make room, or name another with "
                "folder=..."
            ) from error
        raise


class Exported(NamedTuple):
    """Hold a network, the figures of its run, and how that was made."""

    network: "GapNet"
    figures: "list[Figure]"
    facts: dict[str, str]


def _write_safetensors(exported: Exported, folder: Path) -> str:
    from gapnet.models.saved import save
    from gapnet.report.model_card import model_card

    save(exported.network, folder)
    card = model_card(exported.network, exported.facts, exported.figures)
    (folder / "README.md").write_text(card)
    return f"{len(exported.figures)} figures in its model card"


def _write_onnx(exported: Exported, folder: Path) -> str:
    for chatty in ("onnx_ir", "onnxscript"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        from gapnet.models.onnx_export import export_onnx
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

GUESSES = ("devkit", "kaggle", "csv", "coco")  # formats of predictions


def _figures_of(run: Path, checkpoint: Path) -> "list[Figure]":
    """Read the figures of a run, if they are of this checkpoint."""
    from gapnet.evaluation.score import Figure

    metrics = run / METRICS
    if not metrics.is_file() or checkpoint_of(run, None).resolve() != checkpoint.resolve():
        return []
    with reading(metrics, "holds no figures"):
        return [Figure(**each) for each in json.loads(metrics.read_text())]


def _facts_of(run: Path) -> dict[str, str]:
    """Say in Markdown how a run was made."""
    from gapnet.report.markdown import code, text

    path = run / ENVIRONMENT
    with reading(path, "does not say how the run was made"):
        told = json.loads(path.read_text())
        arguments = redact_arguments(told["command"])  # an earlier gapnet wrote them as they were
        command = " ".join(Path(arguments[1]).name.split() + arguments[2:])
        return {
            "trained by": code(command),
            "seed": text(told["seed"]),
            "commit": text(told["commit"]),
            "hardware": text(", ".join(told["gpus"]) or f"{told['cores']} CPU cores"),
        }
