"""The readme of a package: README.md without what only works in the repository."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# The target of a link that a package index cannot follow: a path in the repository
PATH = r"\((?!https?://|\#)[^)\s]+\)"
PART = re.compile(
    rf"(?P<code>^```.*?^```)|!\[(?P<picture>[^\]]*)\]{PATH}|\[(?P<text>[^\]]*)\]{PATH}",
    re.DOTALL | re.MULTILINE,
)
NOTE = "*Pictures and further documentation are in the source distribution.*\n"


def package_readme(readme: str) -> str:
    """Replace relative links by their text and pictures by their description; code stays."""
    return f"{PART.sub(_portable, readme).rstrip()}\n\n{NOTE}"


def _portable(part: re.Match[str]) -> str:
    if part["code"] is not None:
        return part["code"]
    return part["text"] if part["picture"] is None else f"*Picture: {part['picture']}*"


class PackageReadme(MetadataHookInterface):
    """Hook of hatchling that makes the readme of the package."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the readme to the metadata of the project."""
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": package_readme(readme)}
