"""Files of networks: checkpoints, state dicts, safetensors, hub folders and runs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from safetensors.torch import save_file

from gapnet.config.run_groups import groups_of
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


def make_run(folder: Path) -> Path:
    (folder / "checkpoints").mkdir()
    checkpoint(folder / "checkpoints" / "best.ckpt")
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(RUN)))
    return folder / "config.yaml"


def read_network(path: Path) -> Any:
    found = load(path if path.suffix != ".json" else path.parent)
    sane_state(found.state_dict())
    with torch.no_grad():
        logits = found(torch.zeros(1, found.channels, *found.facts.input_size))
    assert logits.shape == (1, found.num_classes)
    return found.name, found.classes, found.arguments


def take_weights(path: Path) -> Any:
    found = create("tiny_gap", {**SMALL, "weights": str(path)})
    sane_state(found.state_dict())
    return found.head.linear.weight.tolist()


def read_run(path: Path) -> Any:
    groups = groups_of(path.parent)
    assert load(path.parent).name == "tiny_gap"
    return {name: OmegaConf.to_container(each, resolve=True) for name, each in groups.items()}


SUBJECTS = [
    Subject("network.ckpt", make_checkpoint, read_network),
    Subject("weights.pt", weights(legacy=False), take_weights),
    Subject("weights-legacy.pt", weights(legacy=True), take_weights),
    Subject("model.safetensors", hub("model.safetensors"), read_network),
    Subject("hub-config.json", make_bare_hub, read_network),
    Subject("run-config.yaml", make_run, read_run),
]
