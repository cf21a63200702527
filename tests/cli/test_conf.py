"""Every file in conf/: it composes, and each key is a parameter of what it configures."""

import functools
import inspect
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.utils import get_object
from omegaconf import OmegaConf

from gapnet.config.conf_folder import conf_folder
from gapnet.config.groups import FROM_RUN
from gapnet.config.jobs import AUTO_BATCH, LOG_IMAGES
from gapnet.config.run_id import run_id
from tests.cli.conftest import apply
from tests.few import few

CONF = conf_folder()
CHOICES = [
    path.relative_to(CONF) for path in sorted(CONF.glob("*/*.yaml")) if path.parent.name != "hydra"
]
COMMANDS = sorted(path.stem for path in CONF.glob("*.yaml"))
ALONE = {"experiment", "debug"}  # groups whose files change others
SPECIAL = {"_target_", "_partial_", "_convert_", "_args_", AUTO_BATCH, LOG_IMAGES}


@functools.cache
def composed(command: str, *overrides: str) -> dict[str, Any]:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        container = OmegaConf.to_container(compose(command, list(overrides)), resolve=False)
    assert isinstance(container, dict)
    return container


def targets(node: Any) -> list[dict[str, Any]]:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    own = [node] if isinstance(node, dict) and "_target_" in node else []
    return own + [found for child in children for found in targets(child)]


def groups_of(command: str) -> set[str]:
    defaults = OmegaConf.load(CONF / f"{command}.yaml").defaults
    return {next(iter(each)) for each in defaults if each != "_self_"}


def test_conf_holds_yaml_only() -> None:
    assert {path.suffix for path in CONF.rglob("*") if path.is_file()} == {".yaml"}


def test_every_group_can_be_chosen() -> None:
    folders = {path.name for path in CONF.iterdir() if path.is_dir()}
    assert set().union(*map(groups_of, COMMANDS)) == folders
    assert folders - groups_of("train") <= set(COMMANDS)  # what a command has for itself


def test_an_evaluation_starts_from_groups_that_training_knows() -> None:
    assert set(FROM_RUN) == groups_of("evaluate") - {"paths", "hydra"}
    assert set(FROM_RUN) <= groups_of("train")


def choices_of(groups: set[str]) -> list[tuple[str, ...]]:
    """List overrides that choose every file of some groups of a command at least once."""
    files = {group: [path for path in CHOICES if path.parent.name == group] for group in groups}
    alone = [
        f"{path.parent.name}={path.stem}"
        for group in sorted(ALONE & groups)
        for path in files[group]
    ]
    names = [[f"{group}={path.stem}" for path in files[group]] for group in sorted(groups - ALONE)]
    together = [tuple(filter(None, row)) for row in zip_longest(*names)]
    return together + [(override,) for override in alone]


FEW = ("experiment=googlenet_gap", "experiment=stand_in", "debug=fast", "model=tiny_gap")


def compositions() -> Iterator[ParameterSet]:
    """Yield a command with its choices; those that training has as well are composed for it."""
    for command in sorted(COMMANDS, key=lambda command: command != "train"):
        own = groups_of(command) - (set() if command == "train" else groups_of("train"))
        for overrides in choices_of(own):
            slow = len(overrides) == 1 and overrides[0] not in FEW
            marks = [pytest.mark.slow] if slow else []
            yield pytest.param(command, overrides, marks=marks, id=f"{command}-{overrides[:1]}")


@pytest.mark.parametrize(("command", "overrides"), list(compositions()))
def test_every_choice_composes_and_its_keys_are_parameters(
    command: str, overrides: tuple[str, ...]
) -> None:
    for node in targets(composed(command, *overrides)):
        parameters = inspect.signature(get_object(node["_target_"])).parameters
        unknown = set(node) - SPECIAL - set(parameters)
        assert not unknown, f"{node['_target_']} takes no {unknown}"


def identify(*overrides: str) -> str:
    groups = [each for each in overrides if each.partition("=")[0] in groups_of("train")]
    cfg = OmegaConf.create(composed("train", *groups))
    for override in overrides:
        if override not in groups:
            apply(override, cfg)
    return run_id(_root_=cfg)


@pytest.mark.parametrize(
    "override",
    few(
        [
            "+boxer.tight=null",  # a parameter that conf/ does not name
            "~boxer.connectivity",  # as if it had been added later
            "~model.dropout",
            "~model.in_channels",
            "~classifier.compile",
            "~classifier.class_weights",
            "~optim.head_first",
            "~optim.keep_statistics",
            "~trainer.auto_batch",
            "~view._partial_",
            "boxer.cut=0.20",
            "optim.head_multiplier=10",
            "loader.num_workers=7",
            "loader.decoder=pil",
            "~loader.resize",
            "trainer.devices=2",
            "report.images=3",
            "trainer.log_images=0",
            "logger=wandb",
            "group=mine",
            "callbacks.last.minutes=1",
            "+trainer.benchmark=null",
            "boxer._target_=gapnet.localization.boxers.threshold.ThresholdBoxer",
        ],
        8,
    ),
)
def test_what_computes_nothing_else_changes_no_run_id(override: str) -> None:
    assert identify(override) == identify()


@pytest.mark.parametrize(
    "override",
    few(
        [
            "boxer.cut=0.3",
            "+boxer.tight=0.4",
            "model.dropout=0.5",
            "model=resnet18_gap",
            "trainer.precision=bf16-mixed",
            "loader.resize=torch",
            "data.root=elsewhere",
            "data=folder",
            "protocol.iou=0.7",
            "callbacks=ema",
            "checkpoint=last",
            "+anything=1",
        ],
        6,
    ),
)
def test_what_computes_something_else_has_a_run_id_of_its_own(override: str) -> None:
    assert identify(override) != identify()


def test_the_run_id_follows_from_what_is_computed() -> None:
    assert identify() == identify()
    assert identify() == identify("paths.runs=elsewhere", "name=other", "report.images=3")
    found = identify("trainer.auto_batch=true", "loader.batch_size=512")
    assert found == identify("trainer.auto_batch=true") != identify()
    assert (
        len({identify(), identify("seed=1"), identify("optim.lr=1"), identify("data.seed=1")}) == 4
    )


@pytest.mark.parametrize(
    ("overrides", "run"),
    [
        ((), "10e424fa"),
        (("data.scenes=sparse", "trainer.max_epochs=12"), "10e424fa"),
        (("data.scenes=sparse", "trainer.max_epochs=12", "seed=1"), "202f9780"),
        (("experiment=stand_in",), "90855d5d"),
    ],
)
def test_runs_on_sparse_scenes_have_the_ids_from_before_there_were_others(
    overrides: tuple[str, ...], run: str
) -> None:
    assert identify(*overrides) == run
