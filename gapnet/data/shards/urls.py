"""URLs of data sets: which are allowed, and a download with limits of size and time."""

import time
from collections.abc import Callable
from typing import BinaryIO, TypeVar

import aiohttp
import fsspec

from gapnet.errors import GapnetError, full_disk
from gapnet.text.redact import redact

T = TypeVar("T")

# Other schemes of fsspec may run code: `reference` evaluates templates from a file
SCHEMES = ("file", "http", "https", "s3", "gs", "az")
CHUNK = 2**20  # bytes that are read at a time
WAITS = (1.0, 4.0)  # seconds before the second and the third attempt
SILENCE = 60  # seconds without a byte, after which an attempt fails
SLOWEST = 10_000  # bytes a second, on average; a slower server fails after SILENCE seconds
HTTP = ("http://", "https://")


class TransferError(Exception):
    """A download is too large or too slow."""


def is_url(place: str) -> bool:
    """Return whether a text is a URL."""
    return "://" in place


def check_url(key: str, url: str) -> None:
    """Refuse a URL of an unknown scheme, of several schemes chained, or with a secret in it."""
    scheme = url.partition("://")[0]
    if scheme not in SCHEMES or "::" in url:
        raise GapnetError(
            f"{key}={redact(url)}: must be a path or a URL that begins with "
            f"{', '.join(f'{scheme}://' for scheme in SCHEMES)}"
        )
    if any(sign in url for sign in "@?#"):
        raise GapnetError(
            f"{key}={redact(url)}: must have no user name, password, query or fragment, since it "
            "is written to logs and run folders; put credentials into ~/.netrc (http, https) or "
            "the environment (s3, gs, az)"
        )


def download(url: str, to: BinaryIO, *, limit: int) -> None:
    """Copy the content of a URL into a file; fail at the first byte above `limit`."""
    system, path = fsspec.url_to_fs(url, **_system_options(url))
    start, count = time.monotonic(), 0
    with system.open(path, "rb", **_open_options(url, limit)) as source:
        while chunk := source.read(CHUNK):
            count += len(chunk)
            if count > limit:
                raise TransferError(f"more than {limit:,} bytes arrive")
            to.write(chunk)
            _check_pace(count, time.monotonic() - start)


def attempt(what: str, action: Callable[[], T]) -> T:
    """Call `action` up to three times; an error says `what` cannot be fetched."""
    for wait in (*WAITS, None):
        try:
            return action()
        except FileNotFoundError:
            raise
        except (ImportError, ValueError) as error:  # a package is missing
            raise GapnetError(f"{what} cannot be read ({_reason(error)})") from error
        except Exception as error:  # file systems of fsspec raise different errors
            if full_disk(error):
                raise
            if wait is None:
                raise GapnetError(
                    f"{what} cannot be fetched in {len(WAITS) + 1} attempts ({_reason(error)})"
                ) from error
        time.sleep(wait)
    raise AssertionError


def _check_pace(count: int, seconds: float) -> None:
    if seconds > SILENCE and count < seconds * SLOWEST:
        raise TransferError(f"only {count:,} bytes arrive in {seconds:.0f} s")


def _system_options(url: str) -> dict[str, object]:
    """Return options of HTTP: no limit of total time, passwords from ~/.netrc, no decompression."""
    if not url.startswith(HTTP):
        return {}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=SILENCE, sock_read=SILENCE)
    return {
        "client_kwargs": {
            "timeout": timeout,
            "trust_env": True,
            "auto_decompress": False,
            "headers": {"Accept-Encoding": "identity"},
        }
    }


def _open_options(url: str, limit: int) -> dict[str, object]:
    """Return options to stream HTTP: block size 0, and a size that fsspec need not ask for."""
    return {"block_size": 0, "size": limit} if url.startswith(HTTP) else {}


def _reason(error: Exception) -> str:
    return redact(" ".join(str(error).split())) or type(error).__name__
