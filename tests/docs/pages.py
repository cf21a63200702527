"""The code blocks of README.md and docs/.

An HTML comment in front of a block says whether a test runs it:

<!-- run -->               the slow test runs it, after the blocks of its page that stand above
<!-- run: write FILE -->   the slow test writes it to a file, which later blocks use
<!-- not run: REASON -->   no test runs it; its gapnet commands are composed all the same

Blocks in `text` are output and diagrams, and need no comment.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cli.conftest import CHECKOUT

PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
VARIABLE = re.compile(r"[A-Z_]+=")
SCRIPTS = {"train.py": "train", "evaluate.py": "evaluate", "train.sbatch": "train"}


@dataclass(frozen=True)
class Block:
    """A fenced block, with the comment in front of it."""

    page: Path
    line: int
    mark: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def runs(self) -> bool:
        return self.mark == "run" or self.written_file is not None

    @property
    def written_file(self) -> str | None:
        return (
            self.mark.removeprefix("run: write ") if self.mark.startswith("run: write ") else None
        )

    def commands(self) -> list[list[str]]:
        """Return the words of each command, without comments and variables."""
        lines = [shlex.split(line, comments=True) for line in self.text.splitlines()]
        commands = [[word for word in words if word != "..."] for words in lines if words]
        return [words[1:] if VARIABLE.match(words[0]) else words for words in commands]


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(page, line, match["mark"] or "", match["language"], match["text"])


def gapnet_arguments(words: list[str]) -> list[str] | None:
    """Return the gapnet command and its arguments; None for another program.

    >>> gapnet_arguments(["torchrun", "--nnodes", "2", "train.py", "seed=3"])
    ['train', 'seed=3']
    """
    if words[0] == "gapnet":
        return words[1:]
    if words[:3] == ["python", "-m", "gapnet"]:
        return words[3:]
    if words[:2] == ["make", "train"]:
        return ["train", *(shlex.split(words[2].removeprefix("ARGS=")) if words[2:] else [])]
    for place, word in enumerate(words):
        if (name := word.rpartition("/")[2]) in SCRIPTS:
            return [SCRIPTS[name], *words[place + 1 :]]
    return None
