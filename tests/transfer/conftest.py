"""A small network in a file, the stand-in data, and jobs on them, without a trained run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from gapnet.data.loading.datamodule import DataModule
from gapnet.data.loading.views import whole_view
from gapnet.data.sample import Source
from gapnet.data.sources.shapes.dataset import shapes
from gapnet.jobs.features import Extraction, FeaturesJob, features
from gapnet.jobs.job import Run
from gapnet.models import GapNet, create
from gapnet.models.network_choice import NetworkChoice
from gapnet.models.saved import save
from gapnet.transfer.layers import Layer

SIDE = 32  # pixels of the network's images


def quiet_trainer(**options: Any) -> pl.Trainer:
    return pl.Trainer(accelerator="cpu", devices=1, **options)


def small_shapes(root: Path) -> Source:
    """Open the data of `shapes_root`; tests.fixtures, a plugin, must not be imported here."""
    return shapes(root=root, size=48, classes=3, train=24, val=12, test=12)


def make_data(source: Source, network: GapNet, *_: object, **options: Any) -> DataModule:
    size = network.facts.input_size
    loader = {"batch_size": 8, "num_workers": 0}
    return DataModule(source, input_size=size, view=whole_view, **loader, **options)


@pytest.fixture(scope="session")
def network_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a network of random weights."""
    folder = tmp_path_factory.mktemp("network")
    torch.manual_seed(3)
    network = create("tiny_gap", {"num_classes": 5, "input_size": SIDE, "width": 24}).eval()
    save(network, folder)
    return folder / "model.safetensors"


Extract = Callable[..., Path]


@pytest.fixture
def extract(network_file: Path, shapes_root: Path, tmp_path: Path) -> Extract:
    """Write features of the stand-in data into a folder; return the folder."""

    def call(*layers: str, name: str = "features", **changes: Any) -> Path:
        job = FeaturesJob(
            run=Run(folder=tmp_path / name, runs=tmp_path),
            network=NetworkChoice(network_file),
            source=changes.pop("source", lambda: small_shapes(shapes_root)),
            data=changes.pop("data", make_data),
            extraction=Extraction(tuple(map(Layer.of, layers or ("gap",))), quiet_trainer),
            **changes,
        )
        features(job)
        return tmp_path / name

    return call
