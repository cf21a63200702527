"""A console that shows text without interpreting markup."""

from typing import Any

from rich.console import Console
from rich.text import Text

from gapnet.text.plain_text import plain


class PlainConsole(Console):
    """Console that shows every string as plain text, also those in tables and their titles."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Turn a string into a Text; markup and names of emoji stay as they are."""
        return super().render_str(plain(text), **options | {"markup": False, "emoji": False})
