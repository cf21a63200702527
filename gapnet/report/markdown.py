"""Escapes text from data for Markdown, so that it is shown unchanged."""

import re

from gapnet.text.plain_text import plain

# Markup inside a line; a single *, ~ or $ and a _ within a word are no markup
MARK = re.compile(r"[\\`\[<|]|([*~$])(?=.*\1)|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)")
TICKS = re.compile("`+")
MARKED = re.compile(r"(`+) ?(?P<code>.*?) ?\1|\\(?P<mark>[!-/:-@\[-`{-~])|\*\*")


def text(value: object) -> str:
    r"""Return a text escaped, for a paragraph or a cell of a table.

    >>> text("<b>a|b</b>")
    '\\<b>a\\|b\\</b>'
    """
    return MARK.sub(r"\\\g<0>", plain(value))


def code(value: object) -> str:
    """Return a text as code, for a paragraph or a cell of a table.

    >>> code("a`b")
    '``a`b``'
    """
    content = plain(value).replace("|", r"\|")
    fence = "`" * (1 + max(map(len, TICKS.findall(content)), default=0))
    space = " " if content[:1] == "`" or content[-1:] == "`" else ""
    return f"{fence}{space}{content}{space}{fence}"


def unmarked(markdown: str) -> str:
    r"""Return Markdown without the marks of code and bold text, and without escapes.

    >>> unmarked(r"**bold**, `code` and a\|b")
    'bold, code and a|b'
    """
    return MARKED.sub(lambda match: match["code"] or match["mark"] or "", markdown)
