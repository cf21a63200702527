"""Methods with which a network is saved and shared, by the conventions of the Hugging Face hub."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from gapnet.models.weights.hub import SCHEME, HubOptions, Upload, check_hub_name, download, upload

CARD = "README.md"
# "save" and "load" of gapnet.models.saved, which fills this; it builds networks, so it cannot be
# imported here
FUNCTIONS: dict[str, Callable[..., object]] = {}


class HubMethods:
    """Methods of a network: `from_pretrained`, `save_pretrained` and `push_to_hub`.

    They have the names of huggingface_hub's mixin, but do not inherit from it. The mixin would read
    config.json as arguments of the class, and raise errors of many lines. If its methods were
    overridden, they would also be overridden in a class that combines both, such as
    `class Mine(PyTorchModelHubMixin, GapNet)`, which reads and writes the same files.
    """

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | Path,
        *,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | Path | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
    ) -> Self:
        """Load a network from a folder or a repository OWNER/NAME; code in it is never executed."""
        name = str(pretrained_model_name_or_path).removeprefix(SCHEME)
        options = HubOptions(revision, token, cache_dir, force_download, local_files_only)
        network = FUNCTIONS["load"](Path(name) if Path(name).exists() else download(name, options))
        assert isinstance(network, cls), network
        return network

    def save_pretrained(
        self,
        save_directory: str | Path,
        *,
        repo_id: str | None = None,
        push_to_hub: bool = False,
        card: str | None = None,
    ) -> str | None:
        """Write weights, config.json and a model card; return the address if they are uploaded.

        Args:
            save_directory: folder to write into.
            repo_id: OWNER/NAME to upload to; None is the name of the folder.
            push_to_hub: whether to upload the files.
            card: text of README.md; None writes a short one.
        """
        folder = Path(save_directory)
        FUNCTIONS["save"](self, folder)
        (folder / CARD).write_text(card or short_card(repo_id or folder.name), encoding="utf-8")
        return upload(folder, repo_id or folder.name) if push_to_hub else None

    def push_to_hub(
        self,
        repo_id: str,
        *,
        commit_message: str = Upload.commit_message,
        private: bool | None = None,
        token: str | None = None,
        branch: str | None = None,
        create_pr: bool = False,
        card: str | None = None,
    ) -> str:
        """Upload the network to OWNER/NAME, which is created, and return its address.

        `gapnet export ... push=OWNER/NAME` also uploads a card with the metrics of the run.
        """
        check_hub_name("repo_id", repo_id)
        options = Upload(commit_message, private, token, branch, create_pr)
        with TemporaryDirectory() as folder:
            self.save_pretrained(folder, repo_id=repo_id, card=card)
            return upload(Path(folder), repo_id, options)


def short_card(repo_id: str) -> str:
    """Return a model card without metrics."""
    return f"""---
library_name: gapnet
pipeline_tag: image-classification
tags:
  - class-activation-map
---

A network of gapnet, which shows where in an image it sees a class:

```python
import gapnet

network = gapnet.load("{SCHEME}{repo_id}")
(seen,) = gapnet.explain(network, "image.jpg")
```
"""
