import shutil
from functools import partial
from pathlib import Path

import pytest
import torch
from lightning_fabric.utilities import move_data_to_device
from PIL import Image

from gapnet.data.loading.datamodule import DataModule
from gapnet.data.loading.images import Draw, read_image
from gapnet.data.loading.sampling import Progress, Shuffle
from gapnet.data.loading.views import random_view, whole_view
from gapnet.data.sources.ilsvrc import Ilsvrc
from tests.refusals import refused


def module(root: Path, **changes: object) -> DataModule:
    arguments = {"batch_size": 5, "num_workers": 0, **changes}
    augment = partial(random_view, scale=(0.5, 1.0))
    return DataModule(
        Ilsvrc(root, test_split="test"),
        input_size=(32, 32),
        augment=augment,
        view=whole_view,
        **arguments,
    )


def test_a_batch_holds_bytes_and_the_way_back(shapes_root: Path) -> None:
    batch = next(iter(module(shapes_root).loader("test")))
    assert batch.images.shape == (5, 3, 32, 32)
    assert batch.images.dtype == torch.uint8
    assert batch.sizes.tolist() == [[48, 48]] * 5
    assert batch.windows.tolist() == [[0, 0, 48, 48]] * 5
    assert len(batch.boxes) == len(batch.ids) == 5


def test_only_images_and_labels_go_to_the_device(shapes_root: Path) -> None:
    batch = next(iter(module(shapes_root).loader("test")))
    moved = move_data_to_device(batch, torch.device("meta"))  # as Lightning does
    assert {moved.images.device.type, moved.labels.device.type} == {"meta"}
    stays = [moved.sizes, moved.windows, *moved.boxes]
    assert {values.device.type for values in stays} == {"cpu"}
    assert moved.ids == batch.ids


def test_an_evaluated_split_comes_whole_and_in_order(shapes_root: Path) -> None:
    data = module(shapes_root)
    ids = [each for batch in data.loader("test") for each in batch.ids]
    assert ids == [record.id for record in data.records("test")]


def test_training_shows_every_image_once_but_for_a_last_part_of_a_batch(shapes_root: Path) -> None:
    ids = [each for batch in module(shapes_root).train_dataloader() for each in batch.ids]
    assert len(ids) == len(set(ids)) == 20


@pytest.mark.slow
def test_random_views_depend_on_seed_and_epoch_but_not_on_workers(shapes_root: Path) -> None:
    def epoch(number: int, **changes: object) -> torch.Tensor:
        loader = module(shapes_root, **changes).train_dataloader()
        loader.sampler.set_epoch(number)
        return torch.cat([batch.images for batch in loader])

    assert torch.equal(epoch(1), epoch(1, num_workers=2))
    assert not torch.equal(epoch(1), epoch(2))
    assert not torch.equal(epoch(1), epoch(1, seed=1))


def test_reading_leaves_the_random_state_alone(shapes_root: Path) -> None:
    before = torch.get_rng_state()
    next(iter(module(shapes_root).train_dataloader()))
    after = torch.get_rng_state()
    torch.set_rng_state(before)
    torch.empty((), dtype=torch.int64).random_()  # what a loader's own iterator draws
    assert torch.equal(torch.get_rng_state(), after)


def test_shuffle_draws_each_index_once() -> None:
    draws = list(Shuffle(50, seed=3, batch_size=5))
    assert sorted(draw.row for draw in draws) == list(range(50))
    assert [draw.row for draw in draws] != list(range(50))
    assert len({draw.seed for draw in draws}) == 50


def drawn(monkeypatch: pytest.MonkeyPatch, rank: int, processes: int, batch: int) -> list[Draw]:
    monkeypatch.setattr("gapnet.data.loading.sampling.rank_and_count", lambda: (rank, processes))
    return list(Shuffle(50, seed=3, batch_size=batch, processes=processes))


@pytest.mark.parametrize(("processes", "batch"), [(2, 6), (3, 4), (12, 1)])
def test_processes_share_the_images_that_one_has_in_a_step(
    processes: int, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = drawn(monkeypatch, 0, 1, 12)
    shares = [drawn(monkeypatch, rank, processes, batch) for rank in range(processes)]
    assert len(alone) == 48
    for step in range(4):
        mine = slice(step * batch, (step + 1) * batch)
        together = [draw for share in shares for draw in share[mine]]
        assert together == alone[step * 12 : step * 12 + 12]


def test_fewer_images_than_a_step_takes_are_refused() -> None:
    with refused("loader.batch_size=6", 2, 12, 11):
        Shuffle(11, seed=0, batch_size=6, processes=2)


def test_a_training_goes_on_with_the_batches_that_are_left() -> None:
    whole = Shuffle(20, seed=3, batch_size=4)
    rest = Shuffle(20, seed=3, batch_size=4, start=Progress(epoch=2, batches=3))
    whole.set_epoch(2)
    rest.set_epoch(2)
    assert list(rest) == list(whole)[12:]
    assert len(rest) == len(whole)
    rest.set_epoch(3)
    whole.set_epoch(3)
    assert list(rest) == list(whole)


def test_a_checkpoint_of_other_steps_is_refused_in_mid_epoch(shapes_root: Path) -> None:
    state = {"epoch": 1, "batches": 2, "images_a_step": 8, "unreadable": []}
    with refused("resume", "loader.batch_size=5", 8):
        module(shapes_root).load_state_dict(state)
    module(shapes_root).load_state_dict(state | {"batches": 0})


def test_a_limit_takes_the_same_few_of_each_split(shapes_root: Path) -> None:
    data = module(shapes_root, limit=7)
    assert len(data.records("train_cls")) == len(data.records("test")) == 7
    assert data.records("train_cls") == module(shapes_root, limit=7).records("train_cls")


@pytest.mark.parametrize(
    ("wrong", "part"),
    [({"batch_size": 0}, "loader.batch_size=0"), ({"limit": 0}, "loader.limit=0")],
)
def test_a_loader_out_of_range_is_refused(shapes_root: Path, wrong: dict, part: str) -> None:
    with refused(part):
        module(shapes_root, **wrong)


def test_a_truncated_jpeg_is_named(shapes_root: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(shapes_root, tmp_path / "tree"))
    path = Ilsvrc(root).records("test")[0].path
    path.write_bytes(path.read_bytes()[:700])
    with refused(path.name):
        module(root).check("test")


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    with refused("a.JPEG"):
        read_image(tmp_path / "a.JPEG")


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA", "P"])
def test_every_kind_of_image_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.JPEG"
    Image.new(mode, (4, 3)).save(path, format="PNG" if mode in {"P", "RGBA"} else "JPEG")
    assert read_image(path).mode == "RGB"


def test_exif_does_not_turn_the_pixels_that_boxes_refer_to(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(tmp_path / "a.JPEG", exif=exif)
    assert read_image(tmp_path / "a.JPEG").size == (40, 30)
