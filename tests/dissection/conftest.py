"""The planted data set, a network of hand-made units, and dissections of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl

from gapnet.data.loading.datamodule import DataModule
from gapnet.data.loading.views import whole_view
from gapnet.data.sources.broden import Broden
from gapnet.dissection.annotators import annotator_of
from gapnet.dissection.dissect import Dissection, Dissector, Found
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import CamHead
from tests.dissection.planted import SIDE, HandMade, write_planted

# Squares of 12 x 12 pixels cover 6.25% of an image, so this share is just above theirs
SHARE = 0.065


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Broden:
    return write_planted(tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="session")
def hand_made() -> GapNet:
    half = (0.5, 0.5, 0.5)
    facts = Facts((SIDE, SIDE), (SIDE, SIDE), half, half)
    return GapNet(HandMade(), CamHead(4, 2, added=None), facts).eval()


def quiet_trainer() -> pl.Trainer:
    return pl.Trainer(
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )


def data_of(source: Broden, limit: int | None = None) -> DataModule:
    size = (SIDE, SIDE)
    return DataModule(
        source, input_size=size, view=whole_view, batch_size=8, num_workers=0, limit=limit
    )


Dissect = Callable[..., Found]


@pytest.fixture
def dissector(planted: Broden, hand_made: GapNet, tmp_path: Path) -> Callable[..., Dissector]:
    def make(name: str = "dissected", identity: str = "hand-made", **settings: Any) -> Dissector:
        (tmp_path / name).mkdir(exist_ok=True)
        return Dissector(
            hand_made,
            data_of(planted),
            "all",
            Dissection(("trunk.units",), **{"share": SHARE, "top": 2} | settings),
            annotator=annotator_of(planted, "all"),
            folder=tmp_path / name,
            identity=identity,
        )

    return make
