"""Every command and code block of README.md and docs/, without running it."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from gapnet.cli import commands
from gapnet.cli.main import command_names
from gapnet.config.conf_folder import conf_folder
from gapnet.config.overrides import parse
from gapnet.config.run_id import register_resolvers
from tests.cli.conftest import CHECKOUT
from tests.docs.pages import PAGES, Block, blocks_of, gapnet_arguments

BLOCKS = [block for page in PAGES for block in blocks_of(page)]
CODE = [block for block in BLOCKS if block.language != "text"]
SHELL = [block for block in BLOCKS if block.language == "bash"]
PROGRAMS = {".", "make", "pip"}  # of commands that are not gapnet's
FLAGS = {"--cfg": 1, "--help": 0, "-m": 0}  # of Hydra, with the number of words that follow
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
def test_every_gapnet_command_composes(block: Block) -> None:
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        for words in block.commands():
            arguments = gapnet_arguments(words)
            if arguments is None:
                assert words[0] in PROGRAMS, words
            elif "--config-dir=myconf" not in arguments:
                check(*arguments)


def check(name: str, *arguments: str) -> None:
    """Compose what a command gets, and what it passes on to trainings."""
    if name == "--help":
        return
    assert name in command_names()
    given = without_flags(list(arguments))
    if name != "evaluate":  # which would look for the run
        given = import_module(f"{commands.__name__}.{name}").complete(given)
    composed = compose(name, [first_value(each) for each in given])
    if name in PASSED_ON:
        compose("train", list(composed[PASSED_ON[name]]))


def without_flags(arguments: list[str]) -> list[str]:
    kept = []
    words = iter(arguments)
    for word in words:
        if word in FLAGS:
            for _ in range(FLAGS[word]):
                next(words)
        else:
            kept.append(word)
    return kept


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
