"""Training images in memory: the parts that are shown, and their order."""

from functools import partial
from pathlib import Path

import pytest
import torch
from torchvision.transforms import v2

from gapnet.data.loading.datamodule import DataModule
from gapnet.data.loading.in_memory import InMemory, random_parts, shown_parts
from gapnet.data.loading.views import random_view, whole_view
from gapnet.data.sources.ilsvrc import Ilsvrc
from tests.refusals import refused


def module(root: Path, **changes: object) -> DataModule:
    arguments = {"augment": random_view, "in_memory": True, "batch_size": 5, "num_workers": 0}
    source = Ilsvrc(root, test_split="test")
    return DataModule(source, input_size=(32, 32), view=whole_view, **{**arguments, **changes})


def crop(scale: tuple[float, float], ratio: tuple[float, float]) -> v2.RandomResizedCrop:
    return v2.RandomResizedCrop([20, 30], scale=scale, ratio=ratio)


def parts_of(scale=(1.0, 1.0), ratio=(1.5, 1.5), flip=0.0, count=1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return random_parts(count, (20, 30), crop(scale, ratio), flip, generator)


@pytest.fixture
def image() -> torch.Tensor:
    return torch.randint(256, (1, 3, 20, 30), dtype=torch.uint8)


def test_the_whole_image_as_a_part_is_the_image(image: torch.Tensor) -> None:
    assert torch.equal(shown_parts(image, parts_of()), image)


def test_a_mirrored_part_is_the_image_from_right_to_left(image: torch.Tensor) -> None:
    assert torch.equal(shown_parts(image, parts_of(flip=1.0)), image.flip(-1))


def test_parts_have_the_area_and_shape_of_the_view_and_lie_in_the_image() -> None:
    parts = parts_of(scale=(0.2, 0.6), ratio=(0.8, 1.25), flip=0.5, count=2000)
    width, height = parts[:, 0, 0], parts[:, 1, 1]
    area, ratio = width.abs() * height, width.abs() / height * 30 / 20
    assert area.min() >= 0.199
    assert area.max() <= 0.601
    assert area.mean() == pytest.approx(0.4, abs=0.01)
    assert ratio.log().mean() == pytest.approx(0, abs=0.01)
    assert (width < 0).float().mean() == pytest.approx(0.5, abs=0.04)
    assert (width.abs() + parts[:, 0, 2].abs()).max() <= 1 + 1e-6
    assert (height + parts[:, 1, 2].abs()).max() <= 1 + 1e-6


def test_batches_have_the_same_images_as_those_read_from_files(shapes_root: Path) -> None:
    loaders = [module(shapes_root, in_memory=kept).train_dataloader() for kept in (True, False)]
    assert isinstance(loaders[0], InMemory)
    assert len(loaders[0]) == len(loaders[1])
    for epoch in (0, 1):
        for loader in loaders:
            loader.sampler.set_epoch(epoch)
        for ours, theirs in zip(*loaders, strict=True):
            assert ours.ids == theirs.ids
            assert torch.equal(ours.labels, theirs.labels)
            assert ours.images.shape == theirs.images.shape
            assert ours.images.dtype == theirs.images.dtype


def test_views_hardly_differ_from_those_read_from_files_if_nothing_is_cut(
    shapes_root: Path,
) -> None:
    whole = partial(random_view, scale=(1.0, 1.0), ratio=(1.0, 1.0), flip=0.0)
    ours, theirs = (
        next(iter(module(shapes_root, in_memory=kept, augment=whole).train_dataloader()))
        for kept in (True, False)
    )
    assert torch.equal(ours.images, theirs.images)


def test_only_views_with_random_crops_can_be_in_memory(shapes_root: Path) -> None:
    with refused("loader.in_memory=true", "augment"):
        module(shapes_root, augment=whole_view).train_dataloader()
