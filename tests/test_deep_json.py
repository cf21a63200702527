"""JSON that nests too deeply to be read is an error that names the file."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from gapnet.data.readers.box_files import read_coco as read_boxes
from gapnet.data.sources.ilsvrc import STAND_IN
from gapnet.data.sources.shapes.dataset import shapes
from gapnet.errors import GapnetError
from gapnet.evaluation.formats.base import Key
from gapnet.evaluation.formats.coco import read_coco_guesses as read_results
from gapnet.models.weights.files import read

DEEP = '{"a":' * 100_000


def read_weights(path: Path) -> object:
    weights = path.with_name("model.safetensors")
    save_file({"a": torch.zeros(1)}, weights)
    path.rename(path.with_name("config.json"))
    return read(weights)


def read_stamp(path: Path) -> object:
    path.rename(path.with_name(STAND_IN))
    return shapes(root=path.parent)


READERS: dict[str, Callable[[Path], object]] = {
    "boxes": read_boxes,
    "results": lambda path: read_results(path, Key(["a"], ["b"])),
    "description": read_weights,
    "stamp": read_stamp,
}


@pytest.mark.parametrize("reader", READERS)
def test_deep_json_is_one_line_that_names_the_file(reader: str, tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text(DEEP)
    with pytest.raises(GapnetError, match=rf"^{tmp_path}/"):
        READERS[reader](path)
