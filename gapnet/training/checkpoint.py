"""Checkpoints: written whole or not at all, and read without running code."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning_fabric.plugins import TorchCheckpointIO
from pytorch_lightning.callbacks import ModelCheckpoint

from gapnet.errors import GapnetError
from gapnet.models.checkpoint_file import pack_checkpoint, read_checkpoint
from gapnet.runs.layout import LAST, PREVIOUS
from gapnet.system.files import write_file


class DurableIO(TorchCheckpointIO):
    """Keep the checkpoint of before until the next is complete and on the disk.

    The last one is kept even then, as previous.ckpt: the next may be damaged on the disk.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write a checkpoint."""
        del storage_options
        place = Path(path)
        content = pack_checkpoint(checkpoint)  # in memory: torch's writer aborts at a full disk
        earlier = place.with_name(f"{PREVIOUS}.ckpt") if place.stem == LAST else None
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            write_file(place, content.getbuffer(), earlier=earlier)
        except OSError as error:
            kept = "the one before it is as it was" if place.exists() else "there is none before it"
            raise GapnetError(
                f"checkpoint {place}: cannot be written ({error.strerror}), {kept}; make room, "
                "and go on with resume=auto"
            ) from error

    def load_checkpoint(
        self,
        path: str | Path,
        map_location: Callable[..., Any] | None = None,
        weights_only: bool | None = None,  # noqa: FBT001  (Lightning's own)
    ) -> dict[str, Any]:
        """Read a checkpoint, and check that it is what was written; nothing in it can run."""
        del map_location, weights_only
        return read_checkpoint(Path(path))


class Best(ModelCheckpoint):
    """Keep the checkpoint with the lowest figure, wherever the folder lies by now."""

    def __init__(self, *, monitor: str = "val/top1_error", mode: str = "min") -> None:
        """Watch a figure."""
        super().__init__(
            filename="best",
            monitor=monitor,
            mode=mode,
            auto_insert_metric_name=False,
            enable_version_counter=False,
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what was best so far, in this run's own folder."""
        kept = list(state_dict["best_k_models"].values())
        best = str(Path(str(self.dirpath), "best.ckpt")) if kept else ""
        here = {
            "dirpath": self.dirpath,
            "best_model_path": best,
            "kth_best_model_path": best,
            "best_k_models": dict(zip([best], kept, strict=False)),
        }
        super().load_state_dict(state_dict | here)
