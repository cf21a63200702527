"""Remove control characters from text."""

import re

# Control characters such as ESC, marks that change the writing direction, and surrogates, which
# stand in file names that are not UTF-8. The joiners of letters and emoji (U+200C, U+200D) are
# allowed.
CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ud800-\udfff]"
)


def plain(text: object) -> str:
    r"""Return a text as one line; control characters become escapes.

    >>> plain("\x1b[31mred\n  and \u202eleft")
    '\\x1b[31mred and \\u202eleft'
    """
    first, *others = str(text).splitlines() or [""]
    line = " ".join([first, *(other.strip() for other in others)])
    return CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), line)
