import io

import pytest
from rich.table import Table

from gapnet.system import progress
from gapnet.system.console import PlainConsole
from gapnet.text.plain_text import plain

HOSTILE = ["[/b]", "[bold red]", "[link=http://x]y[/link]", ":cat:", "\\[b]"]


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("\x1b", "\\x1b"),
        ("\x9b", "\\x9b"),
        ("\x07", "\\x07"),
        ("\x08", "\\x08"),
        ("\x7f", "\\x7f"),
        ("\t", "\\t"),
        ("\u202e", "\\u202e"),
        ("\u2066", "\\u2066"),
        ("\udcff", "\\udcff"),  # of a file name that is not UTF-8
    ],
)
def test_what_a_terminal_would_act_on_is_shown_as_an_escape(character: str, shown: str) -> None:
    assert plain(f"a{character}b") == f"a{shown}b"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028"])
def test_lines_are_joined(end: str) -> None:
    assert plain(f"  a{end}  b") == "  a b"


@pytest.mark.parametrize(
    "text", ["Größe 猫 кот", "a\u200cb", "👩\u200d🚀", " a \\ [b] <c> ", "", "a\u3000b"]
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


def shown(*cells: str, title: str = "") -> str:
    file, table = io.StringIO(), Table("a" * 40, title=title)
    for cell in cells:
        table.add_row(cell)
    PlainConsole(file=file, width=60, force_terminal=True, color_system=None).print(table)
    return file.getvalue()


@pytest.mark.parametrize("name", HOSTILE)
def test_cells_and_titles_of_a_table_are_no_markup(name: str) -> None:
    assert name in shown(name)
    assert name in shown(title=name)


def test_a_table_has_no_control_characters() -> None:
    printed = shown("\x1b]0;title\x07", title="a\u202eb")
    assert not set(printed) & {"\x1b", "\x07", "\u202e"}
    assert "\\x1b]0;title\\x07" in printed


@pytest.mark.parametrize("name", HOSTILE)
def test_the_words_of_a_progress_bar_are_no_markup(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = PlainConsole(file=io.StringIO(), width=100, force_terminal=True)
    monkeypatch.setattr(progress, "console", console)
    assert list(progress.track([1], f"{name}\x1b[31m", total=1)) == [1]
    assert f"{name}\\x1b[31m" in console.file.getvalue()
