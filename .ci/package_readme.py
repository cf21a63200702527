"""The README as the package's description: on an index of packages, links must be absolute.

A build with the environment variables REPOSITORY (https://github.com/owner/name) and REVISION (a
tag) links to the files of this revision; without them the README stays as it is.
"""

import os
import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

README = "README.md"
LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^]]*)\]\((?P<target>(?!\w+:|#)[^)\s]+)\)")


def with_absolute_links(text: str, repository: str, revision: str) -> str:
    """Replace links to files of the project by links into its public repository."""

    def replaced(match: re.Match[str]) -> str:
        view = "raw" if match["image"] else "blob"
        address = f"{repository.rstrip('/')}/{view}/{revision}/{match['target']}"
        return f"{match['image']}[{match['text']}]({address})"

    return LINK.sub(replaced, text)


class PackageReadme(MetadataHookInterface):
    """Hatchling's hook that gives the package its description."""

    def update(self, metadata: dict[str, object]) -> None:
        """Set the readme; in a build for an index, with links into the repository."""
        text = (Path(self.root) / README).read_text()
        if "REPOSITORY" in os.environ:
            text = with_absolute_links(text, os.environ["REPOSITORY"], os.environ["REVISION"])
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
