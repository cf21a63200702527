"""Files of networks: checkpoints, state dicts, safetensors, hub folders and runs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import timm
import torch
from omegaconf import OmegaConf
from safetensors.torch import save_file

from gapnet.config.run_groups import groups_of
from gapnet.errors import GapnetError
from gapnet.models.checkpoint_file import pack_checkpoint, read_checkpoint
from gapnet.models.gapnet import GapNet
from gapnet.models.registry import create
from gapnet.models.saved import load, network_description
from gapnet.models.saved import save as save_network
from gapnet.models.zoo.tiny import tiny_gap
from tests.fuzz.subject import Subject, sane_state

SMALL = {"num_classes": 2, "input_size": 32, "width": 4}
TARGETS = {
    "data": "gapnet.data.Folder",
    "view": "gapnet.data.whole_view",
    "crops": "gapnet.localization.Single",
    "loader": "gapnet.data.DataModule",
    "trainer": "pytorch_lightning.Trainer",
    "saliency": "gapnet.saliency.Cam",
    "boxer": "gapnet.localization.ThresholdBoxer",
    "guesses": "gapnet.localization.OnePerClass",
    "protocol": "gapnet.evaluation.Protocol",
}
RUN = {
    "seed": 0,
    "checkpoint": "best",
    **{
        group: {"_target_": name, "values": [1, 2.5, None, "a b"]}
        for group, name in TARGETS.items()
    },
    "report": {"images": 3},
}


def network() -> GapNet:
    torch.manual_seed(0)
    made = tiny_gap(**SMALL)
    made.classes = ("cat", "dog")
    return made


def checkpoint(path: Path) -> Path:
    made = network()
    state = {f"network.{name}": value for name, value in made.state_dict().items()}
    torch.save(
        {"hyper_parameters": {"network": network_description(made)}, "state_dict": state}, path
    )
    return path


def make_checkpoint(folder: Path) -> Path:
    return checkpoint(folder / "a.ckpt")


def make_packed(folder: Path) -> Path:
    """Write a checkpoint as a training does, with a SHA-256 at its end."""
    path = checkpoint(folder / "a.ckpt")
    path.write_bytes(pack_checkpoint(read_checkpoint(path)).getbuffer())
    return path


def weights(*, legacy: bool) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / "a.pt"
        torch.save(network().state_dict(), path, _use_new_zipfile_serialization=not legacy)
        return path

    return make


def hub(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        save_network(network(), folder)
        return folder / name

    return make


def make_bare_hub(folder: Path) -> Path:
    """Leave the description to config.json alone, as the hub's own mixin does."""
    made = network()
    save_file(made.state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(network_description(made), indent=1))
    return folder / "config.json"


def make_timm(folder: Path) -> Path:
    torch.manual_seed(0)
    made = timm.create_model("test_efficientnet", num_classes=2)
    save_file(made.state_dict(), folder / "model.safetensors")
    own = {"input_size": [3, 64, 64], "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
    config = {"architecture": "test_efficientnet", "num_classes": 2, "label_names": ["cat", "dog"]}
    (folder / "config.json").write_text(json.dumps(config | {"pretrained_cfg": own}))
    return folder / "config.json"


def make_run(folder: Path) -> Path:
    (folder / "checkpoints").mkdir()
    checkpoint(folder / "checkpoints" / "best.ckpt")
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(RUN)))
    return folder / "config.yaml"


def read_network(path: Path) -> Any:
    loaded = load(path if path.suffix != ".json" else path.parent)
    sane_state(loaded.state_dict())
    with torch.no_grad():
        logits = loaded(torch.zeros(1, loaded.channels, *loaded.facts.input_size))
    assert logits.shape == (1, loaded.num_classes)
    state = {name: value.tolist() for name, value in loaded.state_dict().items()}
    return loaded.name, loaded.classes, loaded.arguments, state


def read_beside(path: Path) -> Any:
    """Read a network whose weights describe it; config.json, for other tools, is not needed."""
    try:
        return read_network(path)
    except GapnetError as error:
        raise AssertionError from error


def take_weights(path: Path) -> Any:
    created = create("tiny_gap", {**SMALL, "weights": str(path)})
    sane_state(created.state_dict())
    return {name: value.tolist() for name, value in created.state_dict().items()}


def read_run(path: Path) -> Any:
    groups = groups_of(path.parent)
    assert load(path.parent).name == "tiny_gap"
    return {name: OmegaConf.to_container(group, resolve=True) for name, group in groups.items()}


SUBJECTS = [
    Subject("network.ckpt", make_checkpoint, read_network, checksum="content"),
    Subject("packed.ckpt", make_packed, read_network, checksum="file"),
    Subject("weights.pt", weights(legacy=False), take_weights, checksum="content"),
    Subject("weights-legacy.pt", weights(legacy=True), take_weights),
    Subject("model.safetensors", hub("model.safetensors"), read_network, checksum="file"),
    Subject("config.json", hub("config.json"), read_beside, checksum="file", refuses=False),
    Subject("hub-config.json", make_bare_hub, read_network),
    Subject("timm-config.json", make_timm, read_network),
    Subject("run-config.yaml", make_run, read_run),
]
