from pathlib import Path

import pytest
import torch

from gapnet.evaluation.external_maps import find_maps, read_map
from gapnet.evaluation.predict import SavedMaps
from tests.refusals import refused

IDS = ["../h.jpg", "/abs/h.jpg", "h.jpg", "train/cat/1.jpg", "a\nb", "x" * 300]


def test_saved_maps_stay_in_their_folder_and_are_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "maps"
    for value, identity in enumerate(IDS):
        SavedMaps(folder, None).save(identity, torch.full((2, 3), float(value)))
    assert all(path.is_relative_to(folder) for path in tmp_path.rglob("*.npy"))
    values = [float(read_map(path)[0, 0]) for path in find_maps(folder, IDS)]
    assert values == list(map(float, range(len(IDS))))


@pytest.mark.parametrize("identity", ["../outside", "/etc/hostname"])
def test_maps_of_others_are_not_looked_for_outside_their_folder(
    tmp_path: Path, identity: str
) -> None:
    (tmp_path / "maps").mkdir()
    (tmp_path / "outside.npy").touch()
    with refused(f"{identity}.npy"):
        find_maps(tmp_path / "maps", [identity])
