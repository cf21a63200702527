"""Text that comes from data in Markdown: it is shown as it is, whatever it looks like."""

import re

from gapnet.text.plain_text import plain

# What means something inside a line; a single *, ~ or $ and a _ within a word mean nothing
MARK = re.compile(r"[\\`\[<|]|([*~$])(?=.*\1)|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)")
TICKS = re.compile("`+")
MARKED = re.compile(r"(`+) ?(?P<code>.*?) ?\1|\\(?P<mark>[!-/:-@\[-`{-~])|\*\*")


def text(value: object) -> str:
    r"""Escape a text, for a paragraph or a cell of a table.

    >>> text("<b>a|b</b>")
    '\\<b>a\\|b\\</b>'
    """
    return MARK.sub(r"\\\g<0>", plain(value))


def code(value: object) -> str:
    """Lay a text out as code, for a paragraph or a cell of a table.

    >>> code("a`b")
    '``a`b``'
    """
    content = plain(value).replace("|", r"\|")
    fence = "`" * (1 + max(map(len, TICKS.findall(content)), default=0))
    space = " " if content[:1] == "`" or content[-1:] == "`" else ""
    return f"{fence}{space}{content}{space}{fence}"


def unmarked(markdown: str) -> str:
    r"""Take away the marks of code, of bold text and of what was escaped.

    >>> unmarked(r"**bold**, `code` and a\|b")
    'bold, code and a|b'
    """
    return MARKED.sub(lambda found: found["code"] or found["mark"] or "", markdown)
