"""A console that shows text without interpreting markup."""

from typing import Any

from rich.console import Console
from rich.text import Text

from gapnet.text.plain_text import plain


class PlainConsole(Console):
    """Console that shows every string as plain text, also in tables and titles."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a string as a Text, without interpreting markup or names of emoji."""
        return super().render_str(plain(text), **options | {"markup": False, "emoji": False})
