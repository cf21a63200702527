"""Fetch the files of a data set from a URL into a cache that several processes share."""

import hashlib
import io
import logging
from dataclasses import dataclass
from typing import BinaryIO

from gapnet.data.shards.cache import ShardCache
from gapnet.data.shards.manifest import LARGEST_MANIFEST, MANIFEST, File
from gapnet.data.shards.urls import attempt, download
from gapnet.errors import GapnetError
from gapnet.system.files import name_errors

log = logging.getLogger(__name__)


class DamagedError(Exception):
    """A file differs from its entry in the manifest."""


@dataclass(frozen=True)
class Origin:
    """The URL of a folder that holds a manifest, and the cache for its files."""

    url: str
    cache: ShardCache

    def manifest(self) -> bytes:
        """Fetch the manifest as it is now."""
        url = f"{self.url}/{MANIFEST}"

        def get() -> bytes:
            content = io.BytesIO()
            download(url, content, limit=LARGEST_MANIFEST)
            return content.getvalue()

        try:
            return attempt(f"data.root={self.url}: {MANIFEST}", get)
        except FileNotFoundError as error:
            raise GapnetError(
                f"data.root={self.url}: has no {MANIFEST}; name the URL of a folder that "
                "`gapnet shard` wrote"
            ) from error

    def open(self, file: File) -> BinaryIO:
        """Open a file from the cache; fetch it first if it is not there."""
        try:
            return self.cache.open(file)
        except FileNotFoundError:
            return self._fetch(file)

    def _fetch(self, file: File) -> BinaryIO:
        self.cache.prepare()
        with self.cache.lock(file):
            try:
                return self.cache.open(file)  # another process has fetched it meanwhile
            except FileNotFoundError:
                pass
            self.cache.make_room(file.bytes)
            log.debug("fetching %s of %s", file.name, self.url)
            url = f"{self.url}/{file.name}"
            try:
                return attempt(
                    f"data.root={self.url}: {file.name}", lambda: self._download(url, file)
                )
            except FileNotFoundError as error:
                raise GapnetError(
                    f"data.root={self.url}: has no {file.name}, though {MANIFEST} lists it; "
                    "put it there"
                ) from error

    def _download(self, url: str, file: File) -> BinaryIO:
        unfinished = self.cache.create(file)
        try:
            with name_errors(unfinished.final):
                download(url, unfinished.file, limit=file.bytes)
                check(unfinished.file, file)
            return unfinished.keep()
        except BaseException:
            unfinished.discard()
            raise


def check(content: io.BufferedRandom, file: File) -> None:
    """Check the size and SHA-256 of a written file against the manifest."""
    size = content.tell()
    if size != file.bytes:
        raise DamagedError(f"it has {size:,} bytes, {file.bytes:,} in {MANIFEST}")
    content.flush()
    content.seek(0)
    if hashlib.file_digest(content, "sha256").hexdigest() != file.sha256:
        raise DamagedError(f"its SHA-256 differs from {MANIFEST}")
