"""What a configuration may name: every name in conf/, and nothing that acts."""

import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from gapnet.config.build import build
from gapnet.config.conf_folder import conf_folder
from gapnet.config.trusted_targets import locate
from gapnet.errors import GapnetError
from tests.planted import pickled
from tests.refusals import refused

NAMED = {
    line.split()[-1]
    for path in conf_folder().rglob("*.yaml")
    if path.parent.name != "hydra"
    for line in path.read_text().splitlines()
    if line.split()[:1] == ["_target_:"]
}


@pytest.mark.parametrize("name", sorted(NAMED))
def test_every_name_in_conf_is_allowed(name: str) -> None:
    assert callable(locate({"_target_": name}, "key", [])["_target_"])


@pytest.mark.parametrize(
    "name",
    [
        "torch.optim.lr_scheduler.StepLR",
        "timm.optim.Lamb",
        "pytorch_lightning.plugins.environments.SLURMEnvironment",
        "pytorch_lightning.profilers.SimpleProfiler",
        "pytorch_lightning.strategies.DDPStrategy",
    ],
)
def test_classes_that_a_training_may_want_are_allowed(name: str) -> None:
    assert isinstance(locate({"_target_": name}, "key", [])["_target_"], type)


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "subprocess.run",
        "pathlib.Path.write_text",
        "functools.partial",
        "importlib.import_module",
        "hydra.utils.get_method",
        "hydra.utils.instantiate",
        "gapnet.config.run_folder.subprocess.run",
        "gapnet.cli.main.run",
        "gapnet.studies.search.trials.training",
        "gapnet.runs.files.write_file",
        "gapnet.models.saved.save",
        "gapnet.models.onnx_export.export_onnx",
        "gapnet.data.index.parallel_map",
        "gapnet.evaluation.store.write_table",
        "pytorch_lightning.LightningModule.load_from_checkpoint",
        "timm.optim.create_optimizer_v2",
        "torch.optim",
        "torch.optimise.Adam",
        "torch.load",
        "gapnet",
        "",
        ".",
        None,
        3,
        ["os.system"],
        {"_target_": "os.system"},
    ],
)
def test_what_is_no_part_to_build_from_is_refused(name: object) -> None:
    with pytest.raises(GapnetError, match=r"^callbacks\.x\._target_=.*imports=\[\S*\]"):
        locate({"x": {"_target_": name}}, "callbacks", [])


@pytest.mark.parametrize(
    "name",
    [
        "torch.optim.optimizer.torch.load",
        "gapnet.models.weights.files.torch.load",
        "gapnet.models.weights.load.Path.write_text",
        "gapnet.training.classifier.Classifier.load_from_checkpoint",
        "pytorch_lightning.Trainer.fit",
        "pytorch_lightning.plugins.TorchCheckpointIO.load_checkpoint",
        "torch.optim.Nothing",
    ],
)
def test_methods_and_what_a_module_imports_are_not_in_it(name: str) -> None:
    with refused(f"key._target_={name}"):
        locate({"_target_": name}, "key", [])


@pytest.mark.parametrize(
    "name", ["gapnet.models.weights.load.Path", "gapnet.models.weights.files.safe_open"]
)
def test_a_class_is_looked_for_at_home(name: str) -> None:
    with refused(f"key._target_={name}", f"imports=[{name.rpartition('.')[0]}]"):
        locate({"_target_": name}, "key", [])


@pytest.mark.parametrize(
    "wrap",
    [
        lambda node: {"a": {"b": node}},
        lambda node: {"a": [[node]]},
        lambda node: {"_args_": [node]},
        lambda node: {"_target_": "torch.optim.SGD", "_partial_": True, "x": node},
    ],
)
def test_a_name_is_found_however_deep_it_lies(wrap) -> None:
    with refused("_target_=os.system"):
        locate(wrap({"_target_": "os.system", "_partial_": True}), "key", [])


@pytest.fixture
def owned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go where mynet.py lies, which touches a file when it is imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mynet", raising=False)
    (tmp_path / "mynet.py").write_text(
        "from os import system\nfrom pathlib import Path\nPath('owned').touch()\n"
        "class Net:\n    @classmethod\n    def make(cls): pass\n"
        "def net(width): return width\n"
    )
    return tmp_path / "owned"


def test_a_module_that_nobody_named_is_not_imported(owned: Path) -> None:
    with refused("model._target_=mynet.net", "imports=[mynet]"):
        locate({"_target_": "mynet.net"}, "model", [])
    assert not owned.exists()


def test_what_the_user_names_is_allowed(owned: Path) -> None:
    cfg = OmegaConf.create({"imports": ["mynet"], "model": {"_target_": "mynet.net", "width": 3}})
    assert build(cfg, "model") == 3


@pytest.mark.parametrize("name", ["mynet.system", "mynet.Path", "mynet.Net.make"])
def test_a_module_of_the_user_s_does_not_open_what_it_imports(owned: Path, name: str) -> None:
    with refused(f"model._target_={name}"):
        locate({"_target_": name}, "model", ["mynet"])


def test_nothing_is_called_before_every_name_is_allowed(tmp_path: Path) -> None:
    drawn = {
        "_target_": "gapnet.data.sources.shapes.dataset.shapes",
        "root": str(tmp_path / "shapes"),
    }
    cfg = OmegaConf.create({"key": {"first": drawn, "second": {"_target_": "os.system"}}})
    with refused("key.second._target_=os.system"):
        build(cfg, "key")
    assert not (tmp_path / "shapes").exists()


def test_a_value_that_reads_like_a_lookup_stays_a_text() -> None:
    """Hydra resolves what has been resolved once more."""
    hidden = "\\${oc.create:{_target_:os.system}}"
    cfg = OmegaConf.create({"key": {"a": hidden}})
    assert build(cfg, "key") == {"a": "${oc.create:{_target_:os.system}}"}


@pytest.mark.parametrize(
    "node", [{"a": "${oc.create:{_target_:os.system}}"}, {"_target_": "${name}"}]
)
def test_a_lookup_is_looked_up_before_names_are_looked_at(node: dict[str, str]) -> None:
    cfg = OmegaConf.create({"name": "os.system", "key": node})
    with refused("_target_=os.system"):
        build(cfg, "key")


@pytest.mark.parametrize(
    "node",
    [
        {"_target_": "torch.optim.SGD", "_partial_": True, "lr": 0.5},
        {
            "a": [{"_target_": "gapnet.localization.boxers.threshold.ThresholdBoxer", "cut": 0.3}],
            "b": None,
        },
        {"_target_": "gapnet.localization.boxers.threshold.ThresholdBoxer", "_args_": [0.25]},
    ],
)
def test_what_is_built_is_what_hydra_would_build(node: dict[str, Any]) -> None:
    mine, theirs = build(OmegaConf.create({"key": node}), "key"), instantiate(node, _convert_="all")
    if node.get("_partial_"):
        mine, theirs = ((part.func, part.args, part.keywords) for part in (mine, theirs))
    assert mine == theirs


def test_what_is_planted_does_act(tmp_path: Path) -> None:
    """Show that the other tests would notice."""
    pickle.loads(pickled(tmp_path / "owned"))
    assert (tmp_path / "owned").exists()
