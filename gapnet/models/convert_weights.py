"""Converts weights of the same network under other names."""

from pathlib import Path

from safetensors.torch import save_file

from gapnet.errors import GapnetError
from gapnet.models.library import publisher_of
from gapnet.models.weights.files import read_state
from gapnet.models.weights.renaming import rename_by_order


def convert_weights(source: str | Path, name: str, target: str | Path) -> Path:
    """Write weights under the names of a published network, and return the file.

    The file must have the sizes of the network's weights in the same order. That this is the same
    network, with the same padding and norms, is for you to know.

    Args:
        source: file of weights.
        name: torchvision/NAME or timm/NAME.
        target: safetensors file to write.
    """
    publisher, architecture = publisher_of(name)
    try:
        state = rename_by_order(read_state(Path(source)), publisher(architecture).layout())
    except GapnetError as error:
        raise GapnetError(f"source={source}: cannot be renamed as {name} ({error})") from error
    save_file({key: value.contiguous() for key, value in state.items()}, Path(target))
    return Path(target)
