"""Downloads networks from the Hugging Face hub, and uploads them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from gapnet.errors import GapnetError, reason

SCHEME = "hf-hub:"
# Files of a repository
WEIGHTS = "model.safetensors"
DESCRIPTION = "config.json"
LOGIN = "log in with `hf auth login`"


@dataclass(frozen=True)
class HubOptions:
    """Options of a download, as `from_pretrained` has them.

    Args:
        revision: a branch, a tag or a commit; None is the newest.
        token: of the user; None is the one of `hf auth login`.
        cache_dir: folder of downloaded files; None is the hub's own.
        force_download: whether to download again what is in the cache.
        local_files_only: whether to use the cache only.
    """

    revision: str | None = None
    token: str | bool | None = None
    cache_dir: str | Path | None = None
    force_download: bool = False
    local_files_only: bool = False


def is_hub_name(path: str | Path | None) -> bool:
    """Return whether a path is a name such as hf-hub:OWNER/NAME."""
    return str(path).startswith(SCHEME)


def check_hub_name(key: str, repo: str) -> None:
    """Refuse a name that no repository can have."""
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise GapnetError(
            f"{key}={repo}: must be OWNER/NAME, as on the Hugging Face hub"
        ) from error


def download(name: str | Path, options: HubOptions | None = None) -> Path:
    """Return the weights of hf-hub:OWNER/NAME or hf-hub:OWNER/NAME@REVISION, from a cache.

    The config.json of the repository, if it has one, lies next to them.
    """
    repo, _, revision = str(name).removeprefix(SCHEME).partition("@")
    chosen = options or HubOptions()
    revision = revision or chosen.revision or ""
    with _named(f"{SCHEME}{repo}", revision):
        try:
            _fetch(repo, DESCRIPTION, revision, chosen)
        except (LocalEntryNotFoundError, EntryNotFoundError) as error:
            if isinstance(error, LocalEntryNotFoundError) and not chosen.local_files_only:
                raise
        return Path(_fetch(repo, WEIGHTS, revision, chosen))


def _fetch(repo: str, file: str, revision: str, options: HubOptions) -> str:
    path: str = hf_hub_download(
        repo,
        file,
        revision=revision or None,
        token=options.token,
        cache_dir=options.cache_dir,
        force_download=options.force_download,
        local_files_only=options.local_files_only,
    )
    return path


@dataclass(frozen=True)
class Upload:
    """Options of an upload, as `push_to_hub` has them.

    Args:
        commit_message: of the commit.
        private: whether a new repository is private; None is the owner's default.
        token: of the user; None is the one of `hf auth login`.
        branch: to push to; None is the main one.
        create_pr: whether to open a pull request instead.
    """

    commit_message: str = "Upload a network of gapnet"
    private: bool | None = None
    token: str | None = None
    branch: str | None = None
    create_pr: bool = False


def upload(folder: Path, repo: str, options: Upload | None = None) -> str:
    """Upload the files of a folder into a repository, which is created, and return its address."""
    check_hub_name("push", repo)
    chosen = options or Upload()
    with _named(f"{SCHEME}{repo}", chosen.branch or ""):
        api = HfApi(token=chosen.token)
        created = api.create_repo(repo, private=chosen.private, exist_ok=True)
        if chosen.branch is not None:
            api.create_branch(repo, branch=chosen.branch, exist_ok=True)
        api.upload_folder(
            repo_id=repo,
            folder_path=folder,
            commit_message=chosen.commit_message,
            revision=chosen.branch,
            create_pr=chosen.create_pr,
        )
    return str(created)


@contextmanager
def _named(name: str, revision: str) -> Iterator[None]:
    """Turn errors of the hub into one line."""
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it logs every attempt
    try:
        yield
    except GapnetError:
        raise
    except (OSError, ValueError, EntryNotFoundError) as error:
        raise GapnetError(f"{name}: {_problem(error, revision)}") from error


def _problem(error: Exception, revision: str) -> str:
    problems: dict[type[Exception], str] = {
        GatedRepoError: f"its owner asks you to accept terms; do so on its page, and {LOGIN}",
        RepositoryNotFoundError: f"no such repository; if it is private, {LOGIN}",
        RevisionNotFoundError: f"has no revision {revision!r}",
        LocalEntryNotFoundError: (
            "is not in the cache and cannot be downloaded; connect to the internet"
        ),
        EntryNotFoundError: f"has no {WEIGHTS}, so it is not a network of gapnet or timm",
        HFValidationError: f"must be {SCHEME}OWNER/NAME",
    }
    known = (text for kind, text in problems.items() if isinstance(error, kind))
    first_line = reason(error).partition("\n")[0]
    return next(known, f"cannot be reached ({type(error).__name__}: {first_line})")
