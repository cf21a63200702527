import json
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from huggingface_hub import PyTorchModelHubMixin
from safetensors.torch import save_file

import gapnet
from gapnet.models import GapNet, create
from gapnet.models.saved import load, network_description
from gapnet.models.saved import save as save_network
from gapnet.models.weights.files import WEIGHTS
from gapnet.models.zoo.tiny import tiny_gap
from tests.refusals import refused


@pytest.fixture
def checkpoint() -> dict:
    network = tiny_gap(2, input_size=32, width=8)
    network.classes = ("cat", "dog")
    state = {f"network.{name}": value for name, value in network.state_dict().items()}
    return {"hyper_parameters": {"network": network_description(network)}, "state_dict": state}


def save(content: object, folder: Path) -> Path:
    path = folder / "a.ckpt"
    torch.save(content, path)
    return path


def test_a_network_comes_back_with_its_weights_and_classes(
    checkpoint: dict, tmp_path: Path
) -> None:
    network = load(save(checkpoint, tmp_path))
    assert network.classes == ("cat", "dog")
    assert not network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, checkpoint["state_dict"][f"network.{name}"])


def test_the_state_of_metrics_is_ignored(checkpoint: dict, tmp_path: Path) -> None:
    checkpoint["state_dict"]["top1_error.wrong"] = torch.tensor(3)
    assert load(save(checkpoint, tmp_path)).name == "tiny_gap"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with refused(tmp_path / "a.ckpt"):
        load(tmp_path / "a.ckpt")


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, 0.99])
def test_a_truncated_checkpoint_is_named(checkpoint: dict, tmp_path: Path, keep: float) -> None:
    path = save(checkpoint, tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep) if isinstance(keep, float) else keep])
    with refused(path):
        load(path)


def test_a_text_file_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "a.ckpt").write_text("hello")
    with refused(tmp_path / "a.ckpt"):
        load(tmp_path / "a.ckpt")


@pytest.mark.parametrize(
    "content",
    [
        [1, 2],
        {"state_dict": {}},
        {"hyper_parameters": {"network": 3}, "state_dict": {}},
        torch.ones(2),
    ],
)
def test_checkpoints_of_others_are_refused(tmp_path: Path, content: object) -> None:
    with refused(tmp_path / "a.ckpt"):
        load(save(content, tmp_path))


class Evil:
    def __reduce__(self) -> tuple:
        return Path.touch, (Path("owned"),)


@pytest.mark.parametrize(
    "dump", [torch.save, lambda content, path: path.write_bytes(pickle.dumps(content))]
)
def test_a_checkpoint_that_would_run_code_does_not(
    checkpoint: dict, tmp_path: Path, monkeypatch, dump
) -> None:
    monkeypatch.chdir(tmp_path)
    checkpoint["hyper_parameters"]["evil"] = Evil()
    dump(checkpoint, tmp_path / "a.ckpt")
    with refused(tmp_path / "a.ckpt"):
        load(tmp_path / "a.ckpt")
    assert not (tmp_path / "owned").exists()


def test_weights_of_another_shape_are_refused(checkpoint: dict, tmp_path: Path) -> None:
    checkpoint["hyper_parameters"]["network"]["arguments"]["width"] = 9
    with refused(tmp_path / "a.ckpt", "tiny_gap", "head.linear.weight"):
        load(save(checkpoint, tmp_path))


def test_a_network_of_another_version_is_named(checkpoint: dict, tmp_path: Path) -> None:
    checkpoint["hyper_parameters"]["network"]["name"] = "tiny_gap_2"
    with refused(tmp_path / "a.ckpt", "'tiny_gap_2'"):
        load(save(checkpoint, tmp_path))


def network() -> GapNet:
    torch.manual_seed(0)
    made = tiny_gap(2, input_size=32, width=8)
    made.classes = ("cat", "dog")
    return made.eval()


def is_same(one: GapNet, other: GapNet) -> bool:
    images = torch.randn(2, 3, 32, 32)
    return torch.equal(one(images), other(images)) and (one.classes == other.classes)


def test_a_folder_as_on_the_hub_comes_back(tmp_path: Path) -> None:
    made = network()
    save_network(made, tmp_path / "hub")
    assert {path.name for path in (tmp_path / "hub").iterdir()} == {"config.json", WEIGHTS}
    assert is_same(gapnet.load(tmp_path / "hub"), made)
    assert is_same(gapnet.load(str(tmp_path / "hub" / WEIGHTS)), made)


def test_a_safetensors_file_alone_says_what_it_is(tmp_path: Path) -> None:
    made = network()
    save_network(made, tmp_path / "hub")
    (tmp_path / "hub" / WEIGHTS).rename(tmp_path / "alone.safetensors")
    assert is_same(gapnet.load(tmp_path / "alone.safetensors"), made)


class Peer(PyTorchModelHubMixin, GapNet):
    """A class of the hub's own kind, which reads config.json into its arguments."""

    def __init__(self, name: str, arguments: dict, classes: list[str], **facts: object) -> None:
        built = create(name, arguments)
        super().__init__(built.trunk, built.head, built.facts)
        self.classes = tuple(classes)


def test_the_hub_s_own_mixin_reads_the_folder(tmp_path: Path) -> None:
    made = network()
    save_network(made, tmp_path / "hub")
    assert is_same(Peer.from_pretrained(tmp_path / "hub", strict=True).eval(), made)


def test_what_the_hub_s_own_mixin_writes_is_read(tmp_path: Path) -> None:
    made = network()
    save_network(made, tmp_path / "hub")
    Peer.from_pretrained(tmp_path / "hub").save_pretrained(tmp_path / "again")
    assert is_same(gapnet.load(tmp_path / "again"), made)


@pytest.mark.parametrize("which", ["best", "last"])
def test_a_run_folder_gives_the_checkpoint_that_it_evaluated(
    checkpoint: dict, tmp_path: Path, which: str
) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "config.yaml").write_text(f"checkpoint: {which}\n")
    save(checkpoint, tmp_path / "checkpoints").rename(tmp_path / "checkpoints" / f"{which}.ckpt")
    assert gapnet.load(tmp_path).classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda folder: folder / "nix", "nix"),
        (lambda folder: folder, ""),
        (lambda folder: write(folder / "a.safetensors", b"hello"), "a.safetensors"),
        (lambda folder: write(folder / "config.yaml", b"checkpoint: [").parent, "config.yaml"),
        (lambda folder: write(folder / "config.yaml", b"checkpoint: last").parent, "last.ckpt"),
        (lambda folder: write_foreign(folder / "a.safetensors"), "a.safetensors"),
    ],
)
def test_a_path_without_a_network_is_an_error(make, name: str, tmp_path: Path) -> None:
    with refused(f"{tmp_path.name}", name):
        gapnet.load(make(tmp_path))


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def write_foreign(path: Path) -> Path:
    save_file({"weight": torch.ones(2)}, path)
    return path


def test_where_the_weights_came_from_is_remembered(checkpoint: dict, tmp_path: Path) -> None:
    checkpoint["hyper_parameters"]["network"]["weights"] = "VGG16_Weights.IMAGENET1K_V1"
    assert load(save(checkpoint, tmp_path)).facts.weights == "VGG16_Weights.IMAGENET1K_V1"


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"name": []}, []),
        ({"arguments": [1]}, []),
        ({"arguments": {"num_classes": 2, "weights": "/etc/hostname"}}, ["weights"]),
        ({"arguments": {"num_classes": 2, "pretrained": True}}, ["pretrained"]),
        ({"classes": ["x"]}, [1, 2]),
        ({"classes": "ab"}, ["classes"]),
        ({"classes": 3}, ["classes"]),
        ({"classes": ["a", None]}, ["classes"]),
        ({"class_names": ["a"]}, [1, 2]),
        ({"class_names": "ab"}, ["class_names"]),
        ({"class_names": [1, 2]}, ["class_names"]),
        ({"arguments": {"num_classes": 0}}, ["num_classes=0"]),
        ({"arguments": {"num_classes": 2, "input_size": 4}}, ["model.input_size=4"]),
    ],
)
def test_a_wrong_description_is_refused(
    checkpoint: dict, tmp_path: Path, changes: dict, parts: list
) -> None:
    checkpoint["hyper_parameters"]["network"] |= changes
    with refused(tmp_path / "a.ckpt", *parts):
        load(save(checkpoint, tmp_path))


def test_weights_that_are_not_numbers_are_refused(checkpoint: dict, tmp_path: Path) -> None:
    checkpoint["state_dict"]["network.head.linear.bias"][1] = torch.nan
    with refused(tmp_path / "a.ckpt", "network.head.linear.bias"):
        load(save(checkpoint, tmp_path))


@pytest.mark.parametrize(
    "state",
    [
        {1: torch.ones(2)},
        {"network.a": torch.ones(2).to_sparse()},
        {"network.a": torch.ones(2, device="meta")},
        {"network.a": 3},
    ],
)
def test_a_state_that_holds_no_weights_is_refused(
    checkpoint: dict, tmp_path: Path, state: dict
) -> None:
    checkpoint["state_dict"] = state
    with refused(tmp_path / "a.ckpt"):
        load(save(checkpoint, tmp_path))


def test_a_file_that_unpacks_to_more_than_it_is_is_refused(
    checkpoint: dict, tmp_path: Path
) -> None:
    path = save(checkpoint, tmp_path)
    with (
        zipfile.ZipFile(path) as whole,
        zipfile.ZipFile(tmp_path / "bomb.ckpt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in whole.namelist():
            packed.writestr(name, whole.read(name))
        packed.writestr("archive/data/9", bytes(10**7))
    with refused(tmp_path / "bomb.ckpt"):
        load(tmp_path / "bomb.ckpt")


def test_a_weight_that_repeats_one_number_endlessly_is_refused(
    checkpoint: dict, tmp_path: Path
) -> None:
    checkpoint["state_dict"]["network.a"] = torch.ones(1).expand(10**12)
    with refused(tmp_path / "a.ckpt", "4,000,000"):
        load(save(checkpoint, tmp_path))


@pytest.mark.parametrize("changes", [{"num_classes": 10**9}, {"width": 10**8}])
def test_a_network_that_is_larger_than_its_weights_is_not_built(
    checkpoint: dict, tmp_path: Path, changes: dict
) -> None:
    described = checkpoint["hyper_parameters"]["network"]
    described["arguments"] |= changes
    described["classes"] = None
    with refused(tmp_path / "a.ckpt", "tiny_gap"):
        load(save(checkpoint, tmp_path))


def test_a_deep_description_of_a_hub_folder_is_refused(tmp_path: Path) -> None:
    save_network(network(), tmp_path)
    (tmp_path / WEIGHTS).unlink()
    save_file(network().state_dict(), tmp_path / WEIGHTS)
    (tmp_path / "config.json").write_text("[" * 100_000)
    with refused(tmp_path / WEIGHTS):
        load(tmp_path)


def test_safetensors_without_a_digest_are_read(tmp_path: Path) -> None:
    made = network()
    save_file(
        made.state_dict(),
        tmp_path / "a.safetensors",
        {"gapnet": json.dumps(network_description(made))},
    )
    assert is_same(gapnet.load(tmp_path / "a.safetensors"), made)
