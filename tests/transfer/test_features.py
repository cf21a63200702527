"""Folders of features: what is written, resumed and refused."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from gapnet.data.loading.views import whole_view
from gapnet.data.sample import Batch, collate
from gapnet.jobs.features import FeatureFolder
from gapnet.models.saved import load
from gapnet.runs.layout import FEATURES, FEATURES_DONE
from gapnet.transfer.feature_rows import Features
from tests.refusals import refused
from tests.transfer.conftest import SIDE, Extract, make_data, small_shapes

TRAIN = "train_cls"


def read(folder: Path, split: str = "test", layer: str = "gap") -> Features:
    return FeatureFolder.read(folder).features(folder, split, layer)


def test_every_image_has_the_vectors_that_the_network_gives_it(
    extract: Extract, network_file: Path, shapes_root: Path
) -> None:
    folder = extract("gap", "trunk.1:max")
    network, source = load(network_file), small_shapes(shapes_root)
    data = make_data(source, network)
    batch: Batch = next(iter(DataLoader(data.images("test"), 12, collate_fn=collate)))
    with torch.no_grad():
        features = network.forward_features(network.normalise(batch.images))
        maps = network.trunk[:2](network.normalise(batch.images))
    found, order = read(folder), np.argsort(batch.ids)
    assert found.ids == sorted(batch.ids)
    np.testing.assert_allclose(found.vectors, features.mean((2, 3))[order], atol=1e-6)
    assert found.labels.tolist() == batch.labels[order].tolist()
    largest = read(folder, layer="trunk.1:max").vectors
    np.testing.assert_allclose(largest, maps.amax((2, 3))[order], atol=1e-6)


def test_the_folder_says_what_it_contains(extract: Extract, network_file: Path) -> None:
    described = FeatureFolder.read(extract("gap", splits=("val",)))
    assert (described.layers, described.images) == ({"gap": 24}, {"val": 12})
    assert described.checkpoint == str(network_file)
    with refused("split=test", "val"):
        described.features(network_file.parent, "test", "gap")


def times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("part-*")}


def test_what_is_missing_is_added_and_what_is_there_stays(extract: Extract) -> None:
    folder = extract("gap")
    before = read(folder)
    (part,) = (folder / FEATURES / "test").glob("*.parquet")
    table = pq.read_table(part)
    assert table.num_rows == 12
    part.unlink()
    (folder / FEATURES_DONE).unlink()
    with refused(f"features={folder}", "resume=true"):
        read(folder)
    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("part-*")}
    after = read(extract("gap", resume=True))
    assert np.array_equal(before.vectors, after.vectors)
    assert (
        kept.items() <= {path: path.stat().st_mtime_ns for path in folder.rglob("part-*")}.items()
    )


def test_features_of_another_kind_are_not_added_to(extract: Extract, network_file: Path) -> None:
    folder = extract("gap")
    with refused("resume=true", folder):
        extract("gap", resume=True, data=lambda *a: make_data(*a, limit=5))
    with refused(folder / FEATURES / TRAIN / "part-000-00000.parquet"):
        extract("gap", "trunk.1", resume=True)


def test_images_that_are_missing_are_counted(extract: Extract) -> None:
    folder = extract("gap")
    described = json.loads((folder / FEATURES_DONE).read_text())
    described["images"]["test"] = 20
    (folder / FEATURES_DONE).write_text(json.dumps(described))
    with refused(f"features={folder}", 12, 20, "resume=true"):
        read(folder)


def test_parts_are_shown_in_place_of_whole_images(extract: Extract, shapes_root: Path) -> None:
    source = small_shapes(shapes_root)
    parts = {record.id: (4.0, 8.0, 30.0, 40.0) for record in source.records("test")}
    folder = extract("gap", data=lambda *a: make_data(*a, parts={"test": parts}))
    whole = extract("gap", name="whole")
    assert not np.allclose(read(folder).vectors, read(whole).vectors)
    assert np.array_equal(read(folder, TRAIN).vectors, read(whole, TRAIN).vectors)
    data = make_data(source, load(FeatureFolder.read(folder).checkpoint), parts={"test": parts})
    sample = data.images("test")[0]
    record = source.records("test")[0]
    crop = Image.open(record.path).convert("RGB").crop((4, 8, 31, 41))
    assert torch.equal(sample.image, whole_view((SIDE, SIDE))(crop))
    assert sample.window.tolist() == [4, 8, 31, 41]


@pytest.mark.parametrize("content", ["[]", "{}", '{"layers": 3}', "\0"])
def test_a_damaged_description_is_one_line(extract: Extract, tmp_path: Path, content: str) -> None:
    (tmp_path / FEATURES_DONE).write_text(content)
    with refused(tmp_path / FEATURES_DONE):
        FeatureFolder.read(tmp_path)
