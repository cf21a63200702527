import pickle
from pathlib import Path

import pytest
import torch

from gapnet.errors import GapnetError
from gapnet.models.saved import describe, load
from gapnet.models.tiny import tiny_gap


@pytest.fixture
def checkpoint() -> dict:
    network = tiny_gap(2, input_size=32, width=8)
    network.classes = ("cat", "dog")
    state = {f"network.{name}": value for name, value in network.state_dict().items()}
    return {"hyper_parameters": {"network": describe(network)}, "state_dict": state}


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


def test_what_the_metrics_keep_is_ignored(checkpoint: dict, tmp_path: Path) -> None:
    checkpoint["state_dict"]["top1_error.wrong"] = torch.tensor(3)
    assert load(save(checkpoint, tmp_path)).name == "tiny_gap"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(GapnetError, match=r"a\.ckpt: no such file"):
        load(tmp_path / "a.ckpt")


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, 0.99])
def test_a_truncated_checkpoint_is_named(checkpoint: dict, tmp_path: Path, keep: float) -> None:
    path = save(checkpoint, tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep) if isinstance(keep, float) else keep])
    with pytest.raises(GapnetError, match=r"a\.ckpt: is (truncated|no checkpoint)"):
        load(path)


def test_a_text_file_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "a.ckpt").write_text("hello")
    with pytest.raises(GapnetError, match=r"a\.ckpt: is"):
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
def test_other_people_s_checkpoints_are_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(GapnetError, match=r"is no (gapnet )?checkpoint|holds no state dict"):
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
    with pytest.raises(GapnetError):
        load(tmp_path / "a.ckpt")
    assert not (tmp_path / "owned").exists()


def test_weights_of_another_shape_are_refused(checkpoint: dict, tmp_path: Path) -> None:
    checkpoint["hyper_parameters"]["network"]["arguments"]["width"] = 9
    with pytest.raises(GapnetError, match="its weights do not fit tiny_gap"):
        load(save(checkpoint, tmp_path))


@pytest.mark.parametrize(
    "changes", [{"classes": 3}, {"arguments": {"num_classes": 2, "input_size": 4}}, {"name": []}]
)
def test_facts_that_cannot_be_are_refused(checkpoint: dict, tmp_path: Path, changes: dict) -> None:
    checkpoint["hyper_parameters"]["network"] |= changes
    with pytest.raises(GapnetError, match=r"is no (gapnet )?checkpoint|holds no state dict"):
        load(save(checkpoint, tmp_path))


def test_a_network_of_another_version_is_named(checkpoint: dict, tmp_path: Path) -> None:
    checkpoint["hyper_parameters"]["network"]["name"] = "tiny_gap_2"
    with pytest.raises(GapnetError, match="network 'tiny_gap_2' is not registered"):
        load(save(checkpoint, tmp_path))
