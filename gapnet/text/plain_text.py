"""Text that comes from data: shown as plain text, never as a command to whatever shows it."""

import re

# What a terminal acts on instead of showing it: control characters (ESC among them), marks and
# overrides of the direction of writing, and halves of characters, as in file names that are not
# UTF-8. What joins letters or emoji (U+200C, U+200D) is left alone.
CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ud800-\udfff]"
)


def plain(text: object) -> str:
    r"""Write a text in one line that can be shown anywhere; control characters become escapes.

    >>> plain("\x1b[31mred\n  and \u202eleft")
    '\\x1b[31mred and \\u202eleft'
    """
    first, *others = str(text).splitlines() or [""]
    line = " ".join([first, *(each.strip() for each in others)])
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), line)
