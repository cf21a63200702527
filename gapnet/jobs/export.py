"""Write a trained network, or predictions, in formats of other tools."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from gapnet.errors import GapnetError, full_disk, reading
from gapnet.evaluation.formats.base import Key
from gapnet.evaluation.formats.exchange import WRITERS, guesses_of
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.score import Metric
from gapnet.evaluation.store import read_parts
from gapnet.jobs.labels import LabelRule
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import load, save
from gapnet.models.weights.hub import check_hub_name, upload
from gapnet.report.markdown import code, text
from gapnet.report.model_card import model_card
from gapnet.runs.folder import find_checkpoint, find_run, named_checkpoint
from gapnet.runs.layout import ENVIRONMENT, METRICS
from gapnet.system.extras import load_extra
from gapnet.system.folders import atomic_folder, claim_folder
from gapnet.system.value_checks import one_of
from gapnet.text.redact import redact_arguments

LICENSE = re.compile(r"[a-z0-9][a-z0-9.-]*")


@dataclass(frozen=True)
class NetworkExport:
    """Export of a network.

    Args:
        to: onnx or safetensors.
        run: whose network it is.
        checkpoint: best, last or a file; a file needs no run.
        folder: to write to; None means export/TO in the run, or next to the checkpoint.
        push: a repository of the Hugging Face hub, OWNER/NAME, to upload to.
        license: of the weights, for the model card, such as mit.
    """

    to: str
    run: str | None = None
    checkpoint: str | None = None
    folder: Path | None = None
    push: str | None = None
    license: str | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        if self.run is None and self.checkpoint is None:
            raise GapnetError(
                "run=null: nothing to export; name a run folder (run=DIR), a checkpoint "
                "(checkpoint=FILE) or predictions (predictions=RUN/predictions/SPLIT)"
            )
        one_of("to", self.to, FORMATS)
        if self.push is not None:
            check_hub_name("push", self.push)
        if self.license is not None and not LICENSE.fullmatch(self.license):
            raise GapnetError(f"license={self.license}: must be an id such as mit or apache-2.0")


@dataclass(frozen=True)
class PredictionExport:
    """Export of predictions.

    Args:
        to: devkit, kaggle, csv or coco.
        predictions: the predictions/SPLIT of a run.
        folder: to write to; None means export/TO next to them.
        labels: of the devkit's format.
    """

    to: str
    predictions: Path
    folder: Path | None = None
    labels: LabelRule = field(default_factory=LabelRule)

    def __post_init__(self) -> None:
        """Check the values."""
        one_of("to", self.to, GUESSES)


def export_network(settings: NetworkExport) -> str:
    """Write a network, and return a line that says what was written."""
    run = find_run(settings.run, settings.checkpoint)
    checkpoint = find_checkpoint(run, settings.checkpoint)
    folder = settings.folder or (run or checkpoint.parent) / "export" / settings.to
    _check_free(folder)
    exported = Exported(
        load(checkpoint),
        _metrics_of(run, checkpoint) if run else [],
        _facts_of(run) if run else {},
        settings.license,
    )
    with _new_folder(folder) as unfinished:
        note = FORMATS[settings.to](exported, unfinished)
    uploaded = "" if settings.push is None else f", {upload(folder, settings.push)}"
    return f"{exported.network.name}, {note}: {folder}{uploaded}"


def export_predictions(settings: PredictionExport) -> str:
    """Write predictions, and return a line that says what was written."""
    source, to = settings.predictions, settings.to
    folder = settings.folder or source / "export" / to
    _check_free(folder)
    if not any(source.glob("part-*.parquet")):
        raise GapnetError(
            f"predictions={source}: contains no predictions; name the predictions/SPLIT of a run"
        )
    predictions = Predictions(*read_parts(source))
    ids, classes = sorted(predictions.ids), predictions.about.classes
    known = {number: index for index, number in enumerate(predictions.about.numbers)}
    key = Key(ids, classes, settings.labels.numbers(classes, known or None))
    if to == "devkit" and key.numbers is None:
        raise GapnetError(
            "to=devkit: labels of this format are ILSVRC's own numbers; name the devkit's "
            "meta_clsloc.mat with synsets=FILE (labels=index: count the sorted WordNet ids instead)"
        )
    write, suffix = WRITERS[to]
    name = f"{predictions.about.split.replace('/', '-')}.{suffix}"
    with _new_folder(folder) as unfinished:
        write(guesses_of(predictions), key, unfinished / name)
    return f"{len(ids)} images of the {predictions.about.split} split: {folder / name}"


def _check_free(folder: Path) -> None:
    if folder.exists():
        raise GapnetError(f"folder={folder}: exists already; name another folder with folder=...")


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Write into a folder that gets its name when it is complete."""
    with ExitStack() as stack:
        try:
            busy = f"folder={folder}: another process is exporting to it; wait for it"
            stack.enter_context(claim_folder(folder, busy))
            _check_free(folder)  # again: another export may have ended since
            unfinished = stack.enter_context(atomic_folder(folder))
        except OSError as error:
            raise GapnetError(
                f"folder={folder}: cannot be written ({error.strerror}); "
                "name another with folder=..."
            ) from error
        with _named(folder):
            yield unfinished
        for path in unfinished.iterdir():  # some writers let only this user read them
            path.chmod(0o644)


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Name the folder if the disk is full; some writers do not say which file they were writing."""
    try:
        yield
    except Exception as error:
        if why := full_disk(error):
            raise GapnetError(
                f"folder={folder}: cannot be written ({why}); make room, or name another with "
                "folder=..."
            ) from error
        raise


class Exported(NamedTuple):
    """A network, the metrics of its run, how the run was made, and the license of the weights."""

    network: GapNet
    metrics: list[Metric]
    facts: dict[str, str]
    license: str | None = None


def _write_safetensors(exported: Exported, folder: Path) -> str:
    save(exported.network, folder)
    card = model_card(
        exported.network, exported.facts, exported.metrics, license_id=exported.license
    )
    (folder / "README.md").write_text(card)
    return f"{len(exported.metrics)} metrics in its model card"


def _write_onnx(exported: Exported, folder: Path) -> str:
    for chatty in ("onnx_ir", "onnxscript"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    onnx_export = load_extra("gapnet.models.onnx_export", extra="export")
    apart = onnx_export.export_onnx(exported.network, folder / "model.onnx")
    return f"within {apart:.1e} of torch in onnxruntime"


FORMATS: dict[str, Callable[[Exported, Path], str]] = {
    "onnx": _write_onnx,
    "safetensors": _write_safetensors,
}

GUESSES = ("devkit", "kaggle", "csv", "coco")  # formats of predictions


def _metrics_of(run: Path, checkpoint: Path) -> list[Metric]:
    """Read the metrics of a run, if they are of this checkpoint."""
    path = run / METRICS
    if not path.is_file() or named_checkpoint(run, None).resolve() != checkpoint.resolve():
        return []
    with reading(path, "contains no metrics"):
        return [Metric(**row) for row in json.loads(path.read_text())]


def _facts_of(run: Path) -> dict[str, str]:
    """Return in Markdown how a run was made."""
    path = run / ENVIRONMENT
    with reading(path, "does not say how the run was made"):
        environment = json.loads(path.read_text())
        arguments = redact_arguments(environment["command"])  # the first version wrote secrets
        command = " ".join(Path(arguments[1]).name.split() + arguments[2:])
        return {
            "trained by": code(command),
            "seed": text(environment["seed"]),
            "commit": text(environment["commit"]),
            "hardware": text(", ".join(environment["gpus"]) or f"{environment['cores']} CPU cores"),
        }
