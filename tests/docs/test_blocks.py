"""Every command and code block of README.md and docs/, without running it."""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from gapnet.cli import commands
from gapnet.cli.main import command_names
from gapnet.config.conf_folder import conf_folder
from gapnet.config.overrides import parse, root_of
from gapnet.config.run_id import register_resolvers
from tests.cli.conftest import CHECKOUT
from tests.docs.pages import PAGES, Block, blocks_of, gapnet_arguments

BLOCKS = [block for page in PAGES for block in blocks_of(page)]
CODE = [block for block in BLOCKS if block.language != "text"]
SHELL = [block for block in BLOCKS if block.language == "bash"]
PROGRAMS = {".", "make", "pip", "tensorboard"}  # of commands that are not gapnet's
FLAGS = {"--cfg": 1, "--help": 0, "-m": 0}  # of Hydra, with the number of words that follow
# Commands that would look for the run
FROM_A_RUN = {"concept", "dissect", "evaluate", "features", "objects", "transfer", "units"}
PASSED_ON = {"search": "train", "table": "passed_on"}  # the key of arguments for each training


@pytest.fixture(autouse=True)
def hydra() -> Iterator[None]:
    GlobalHydra.instance().clear()
    register_resolvers()
    yield
    GlobalHydra.instance().clear()


@pytest.mark.parametrize("block", CODE, ids=str)
def test_a_block_says_whether_it_is_run(block: Block) -> None:
    assert block.language in {"bash", "python", "yaml"}
    assert block.runs or re.fullmatch(r"not run: \w.+", block.mark), "see tests/docs/pages.py"


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_a_command_is_one_of_gapnet_or_a_known_program(block: Block) -> None:
    for words in block.commands():
        name, *_ = gapnet_arguments(words) or [None]
        assert name in {*command_names(), "--help"} or words[0] in PROGRAMS, words


@pytest.mark.slow
def test_every_gapnet_command_composes() -> None:
    """Compose what commands get, and what they pass on to trainings."""
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        trainings = []
        for command in packed(commands_of_pages()):
            composed = composed_from(command)
            if command.name in PASSED_ON:
                passed_on = list(composed[PASSED_ON[command.name]])
                trainings.append(Command(command.blocks, "train", passed_on))
        for training in packed(trainings):
            composed_from(training)


@dataclass
class Command:
    """Overrides of a gapnet command, from one block or several."""

    blocks: str
    name: str
    overrides: list[str]

    def choices(self) -> dict[str, str | None]:
        """Return for every group that the overrides touch which of its files is chosen."""
        roots = {str(root_of(override)): None for override in self.overrides}
        groups = {root for root in roots if (conf_folder() / root).is_dir()}
        chosen = {root: text for text in self.overrides if (root := name_of(text)) in groups}
        return {"experiment": None, **roots, **chosen}

    def add(self, other: "Command") -> bool:
        """Take another command's overrides if its keys are sure to be the same here."""
        mine, theirs = self.choices(), other.choices()
        if self.name != other.name or any(mine[key] != theirs[key] for key in mine.keys() & theirs):
            return False
        self.blocks += f" {other.blocks}"
        names = set(map(name_of, self.overrides))
        self.overrides += [text for text in other.overrides if name_of(text) not in names]
        return True


def name_of(override: str) -> str:
    """Return what stands before the equals sign."""
    return override.partition("=")[0]


def composed_from(command: Command) -> DictConfig:
    try:
        return compose(command.name, command.overrides)
    except Exception as error:
        error.add_note(f"in one of {command.blocks}: {command.name} {command.overrides}")
        raise


def packed(separate: list[Command]) -> list[Command]:
    """Join commands that one composition checks: it is slow, and checks keys, not values."""
    joined: list[Command] = []
    for command in separate:
        if not any(other.add(command) for other in joined):
            joined.append(command)
    return joined


def commands_of_pages() -> list[Command]:
    separate = []
    for block in SHELL:
        for words in block.commands():
            name, *arguments = gapnet_arguments(words) or ["--help"]
            if name == "--help" or "--config-dir=myconf" in arguments:
                continue
            overrides = without_flags(arguments)
            if name not in FROM_A_RUN:
                overrides = import_module(f"{commands.__name__}.{name}").complete(overrides)
            separate.append(Command(str(block), name, list(map(first_value, overrides))))
    return separate


def without_flags(arguments: list[str]) -> list[str]:
    overrides = []
    words = iter(arguments)
    for word in words:
        if word in FLAGS:
            for _ in range(FLAGS[word]):
                next(words)
        else:
            overrides.append(word)
    return overrides


def first_value(override: str) -> str:
    """Return the override of a sweep's first job."""
    parsed = parse(override)
    if not parsed.is_sweep_override():
        return override
    return f"{parsed.get_key_element()}={next(parsed.sweep_string_iterator())}"


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_targets_of_make_and_extras_of_pip_exist(block: Block) -> None:
    makefile = (CHECKOUT / "Makefile").read_text()
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    for words in block.commands():
        if words[0] == "make":
            targets = [word for word in words[1:] if "=" not in word]
            assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
        if words[0] == "pip":
            extras = re.findall(r"\[(.+)\]", " ".join(words))
            named = {extra for text in extras for extra in text.split(",")}
            assert named <= set(project["optional-dependencies"])


@pytest.mark.parametrize("block", CODE, ids=str)
def test_python_and_yaml_parse(block: Block) -> None:
    if block.language == "python":
        ast.parse(block.text)
    if block.language == "yaml":
        assert yaml.safe_load(block.text)
