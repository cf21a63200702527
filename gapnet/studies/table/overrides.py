"""Overrides of the commands that fill a table."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from gapnet.config.conf_folder import conf_folder
from gapnet.config.groups import group_of
from gapnet.config.overrides import override_key, own_keys, quoted
from gapnet.errors import GapnetError
from gapnet.runs.identity import DIGITS

UNQUOTED = frozenset("/.+-_")  # marks that a path may have without quotes in an override


def merged(*lists: Iterable[str]) -> tuple[str, ...]:
    """Join overrides; of several with the same key, the last one counts.

    >>> merged(["a=1", "b=1"], ["a=2"])
    ('a=2', 'b=1')
    """
    by_key = {override_key(override): override for overrides in lists for override in overrides}
    return tuple(by_key.values())


def path_override(key: str, path: Path) -> str:
    """Return an override that sets a key to an absolute path.

    >>> path_override("run", Path("/runs/a b"))
    "run='/runs/a b'"
    """
    text = str(path.absolute())
    plain = all(letter.isalnum() or letter in UNQUOTED for letter in text)
    return f"{key}={text if plain else quoted(text)}"


def keys_of(command: str) -> set[str]:
    """Return the groups and keys that a command takes."""
    if not (conf_folder() / f"{command}.yaml").is_file():
        raise GapnetError(f"command={command}: no such command")
    return own_keys(command)


def digest_of_arguments(arguments: Iterable[str]) -> str:
    """Digest those overrides that change what is computed, in any order."""
    return digest_of_texts(filter(_computes, arguments))


def digest_of_texts(texts: Iterable[str]) -> str:
    """Digest texts, in any order."""
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()[:DIGITS]


def _computes(override: str) -> bool:
    root, _, key = override_key(override).partition(".")
    group = group_of(root)
    return group.computes and key.partition(".")[0] not in group.neutral
