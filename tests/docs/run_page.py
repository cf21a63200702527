"""Run the blocks of a page, on small data."""

import sys
from pathlib import Path
from typing import Any

from gapnet.cli.main import run
from tests.cli.conftest import QUICK, SMALL
from tests.docs.pages import Block, blocks_of, gapnet_arguments

OFFLINE = ["model=tiny_gap", "model.pretrained=false", "model.reset_head=false"]
SMALL_GRABCUT = "boxer.side=32"
RUNS = {"RUN": "runs/latest", "RUN_A": "runs/latest", "RUN_B": "runs/latest"}


def run_page(page: Path) -> dict[str, Any]:
    """Run the marked blocks in their order, and return the names that Python defines."""
    names: dict[str, Any] = {}
    for block in blocks_of(page):
        if block.runs:
            run_block(block, names)
    return names


def run_block(block: Block, names: dict[str, Any]) -> None:
    if block.written_file is not None:
        path = Path(block.written_file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
    if block.language == "python":
        exec(compile(block.text, str(block), "exec"), names)
    if block.language == "bash":
        for words in block.commands():
            run_command(words)


def run_command(words: list[str]) -> None:
    arguments = gapnet_arguments(words)
    assert arguments is not None, f"{words[0]}: only gapnet's commands are run"
    command, *rest = [placeholder_filled(argument) for argument in arguments]
    if command == "train":
        rest = quick(rest)
    if "boxer=grabcut" in rest:
        rest = [*rest, SMALL_GRABCUT]
    run_gapnet(command, *rest)


def placeholder_filled(argument: str) -> str:
    key, equals, value = argument.rpartition("=")
    return f"{key}{equals}{RUNS.get(value, value)}"


def quick(arguments: list[str]) -> list[str]:
    """Add overrides with which a training takes seconds."""
    if {"--help", "--cfg"} & set(arguments):
        return arguments
    offline = OFFLINE if "experiment=finetune" in arguments else []
    other_data = any(argument.startswith("data=") for argument in arguments)
    small = ["model.input_size=48"] if other_data else SMALL
    return [*arguments, *offline, "debug=fast", *small, *QUICK]


def run_gapnet(command: str, *arguments: str) -> None:
    sys.argv = [f"{command}.py", *arguments]
    try:
        run(command)
        status = None
    except SystemExit as end:
        status = end.code
    assert not status, (command, arguments)
