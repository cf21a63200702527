"""What a stranger might plant: content that makes a file when it is unpickled or called."""

import pickle
from pathlib import Path


class Planted:
    """Touch a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def pickled(path: Path) -> bytes:
    return pickle.dumps(Planted(path))
