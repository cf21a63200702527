"""Checkpoints: written atomically, and read without executing code from them."""

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
    """Reader and writer of checkpoints, which replaces a checkpoint atomically.

    The old last.ckpt becomes previous.ckpt, in case the new one is damaged on the disk.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write a checkpoint."""
        del storage_options
        file = Path(path)
        content = pack_checkpoint(checkpoint)  # in memory: torch's writer aborts on a full disk
        earlier = file.with_name(f"{PREVIOUS}.ckpt") if file.stem == LAST else None
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_file(file, content.getbuffer(), earlier=earlier)
        except OSError as error:
            state = "the earlier one is unchanged" if file.exists() else "there is no earlier one"
            raise GapnetError(
                f"checkpoint {file}: cannot be written ({error.strerror}), {state}; make room, "
                "and continue with resume=auto"
            ) from error

    def load_checkpoint(
        self,
        path: str | Path,
        map_location: Callable[..., Any] | None = None,
        weights_only: bool | None = None,  # noqa: FBT001  (Lightning's)
    ) -> dict[str, Any]:
        """Read a checkpoint and check its checksum, without executing code from it."""
        del map_location, weights_only
        return read_checkpoint(Path(path))


class Best(ModelCheckpoint):
    """Callback that keeps the checkpoint with the lowest metric, also if the folder was moved."""

    def __init__(self, *, monitor: str = "val/top1_error", mode: str = "min") -> None:
        """Compare checkpoints by a metric."""
        super().__init__(
            filename="best",
            monitor=monitor,
            mode=mode,
            auto_insert_metric_name=False,
            enable_version_counter=False,
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best value so far; its file is in the folder of this run."""
        values = list(state_dict["best_k_models"].values())
        best = str(Path(str(self.dirpath), "best.ckpt")) if values else ""
        moved = {
            "dirpath": self.dirpath,
            "best_model_path": best,
            "kth_best_model_path": best,
            "best_k_models": dict(zip([best], values, strict=False)),
        }
        super().load_state_dict(state_dict | moved)
