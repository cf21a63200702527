"""Fetch files from a URL into a folder that several processes share."""

import hashlib
import logging
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

import aiohttp
import fsspec
from filelock import FileLock

from gapnet.data.digests import sha256_of
from gapnet.data.manifest import MANIFEST, File
from gapnet.errors import GapnetError

T = TypeVar("T")

SHARDS = "*/*.tar"  # of all data sets in a cache: what makes room for others
WAITS = (1.0, 4.0)  # seconds before a second and a third try
SILENCE = 60  # seconds without a byte, after which a server is lost; a shard may take longer
MB, GB = 10**6, 10**9
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Origin:
    """Say where files come from, a URL of anything that fsspec reads, and where they are kept.

    Args:
        url: of the folder that holds the manifest.
        cache: holds a folder for each data set that was fetched.
        cache_gb: about so much of shards is kept there, those that were read last; what is just
            being fetched comes on top. None keeps all.
    """

    url: str
    cache: Path
    cache_gb: float | None = None

    def folder(self, manifest: bytes) -> Path:
        """Name the folder that a data set is kept in: one whose manifest changes is another."""
        name = re.sub(r"\W+", "_", self.url.partition("://")[2]).strip("_")
        return self.cache / f"{name}-{hashlib.sha256(manifest).hexdigest()[:8]}"

    def manifest(self) -> bytes:
        """Read the manifest as it is now."""
        try:
            return self._ask(MANIFEST, lambda system, path: bytes(system.cat_file(path)))
        except FileNotFoundError as error:
            raise GapnetError(
                f"data.root={self.url}: has no {MANIFEST}; name the URL of a folder that "
                "`gapnet shard` wrote"
            ) from error

    def fetch(self, file: File, path: Path) -> BinaryIO:
        """Fetch a file to a path, if no other process does, and open it.

        It gets its name when it is complete and has the digest that the manifest says. It is opened
        before that, since others may remove it to make room.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")):
            with suppress(FileNotFoundError):
                return path.open("rb")  # another process was waited for
            self._make_room(file.bytes)
            unfinished = path.with_name(f".{path.name}.unfinished")
            self._ask_for(file, unfinished)
            fetched = unfinished.open("rb")
            unfinished.replace(path)
            return fetched

    def _ask_for(self, file: File, to: Path) -> None:
        log.debug("fetching %s of %s", file.name, self.url)

        def get(system: fsspec.AbstractFileSystem, path: str) -> None:
            system.get_file(path, str(to))
            check(to, file)

        try:
            self._ask(file.name, get)
        except FileNotFoundError as error:
            raise GapnetError(
                f"data.root={self.url}: has no {file.name}, though {MANIFEST} lists it; "
                "put it there"
            ) from error

    def _ask(self, name: str, ask: Callable[[fsspec.AbstractFileSystem, str], T]) -> T:
        """Ask for a file, more than once if need be."""
        url = f"{self.url}/{name}"
        try:
            system, path = fsspec.url_to_fs(url, **_options(url))
        except (ImportError, ValueError) as error:  # a package is missing, or nobody knows this
            raise GapnetError(f"data.root={self.url}: cannot be read ({error})") from error
        for wait in (*WAITS, None):
            try:
                return ask(system, path)
            except FileNotFoundError:
                raise
            except Exception as error:  # each system has errors of its own
                if wait is None:
                    raise GapnetError(
                        f"data.root={self.url}: {name} cannot be fetched in {len(WAITS) + 1} tries "
                        f"({_reason(error)})"
                    ) from error
            time.sleep(wait)
        raise AssertionError

    def _make_room(self, wanted: int) -> None:
        """Remove the shards that were not read for longest, until so many bytes are free."""
        if self.cache_gb is None:
            return
        with FileLock(self.cache / ".room.lock"):
            states = [(each, each.stat()) for each in self.cache.glob(SHARDS)]
            kept = sum(state.st_size for _, state in states)
            for path, state in sorted(states, key=lambda each: each[1].st_mtime_ns):
                if kept + wanted <= self.cache_gb * GB:
                    return
                path.unlink()
                kept -= state.st_size


class DamagedError(Exception):
    """Tell in what a file differs from what the manifest says."""


def check(path: Path, file: File) -> None:
    """Hold a file against the manifest."""
    found = path.stat().st_size
    if found != file.bytes:
        raise DamagedError(f"it has {found:,} bytes, and {MANIFEST} says {file.bytes:,}")
    if sha256_of(path) != file.sha256:
        raise DamagedError(f"its SHA-256 is not that of {MANIFEST}")


def _options(url: str) -> dict[str, object]:
    """Have HTTP wait for as long as bytes arrive: its default is five minutes for all of them."""
    if not url.startswith(("http://", "https://")):
        return {}
    patience = aiohttp.ClientTimeout(total=None, sock_connect=SILENCE, sock_read=SILENCE)
    return {"client_kwargs": {"timeout": patience}}


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
