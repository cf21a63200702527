"""Checkpoint files: zip archives of torch with a SHA-256 at the end, read without executing code.

torch does not check the checksums of a zip archive, so that a flipped bit would change a weight.
The SHA-256 is the comment of the archive, which torch and other readers of zip archives ignore.
"""

import hashlib
import pickle
import struct
import warnings
import zipfile
from io import BytesIO
from os import SEEK_END
from pathlib import Path
from typing import Any

import torch

from gapnet.errors import GapnetError

COMMENT = b"gapnet sha256 "  # start of the comment; the digits follow, at the end of the file
DIGITS = 64  # of the SHA-256 of all bytes before them


def pack_checkpoint(content: dict[str, Any]) -> BytesIO:
    """Return the bytes of a checkpoint file."""
    packed = BytesIO()
    torch.save(content, packed)
    packed.seek(-2, SEEK_END)  # a zip archive ends with its comment and the length of it
    packed.write(struct.pack("<H", len(COMMENT) + DIGITS) + COMMENT)
    digits = hashlib.sha256(packed.getbuffer()).hexdigest()
    packed.write(digits.encode())
    return packed


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a file written by torch, which is not trusted, and check its checksums.

    The file is read from the disk once, so that the bytes used are those that were checked.
    """
    try:
        packed = path.read_bytes()
        _check_sums(packed, path)
        with warnings.catch_warnings(action="ignore"):  # about content that is refused anyway
            content = torch.load(BytesIO(packed), map_location="cpu", weights_only=True)
    except GapnetError:
        raise
    except FileNotFoundError as error:
        raise GapnetError(f"{path}: no such file") from error
    except Exception as error:  # torch's reader can raise any exception on damaged bytes
        unsafe = isinstance(error, pickle.UnpicklingError)
        first_line = f"{type(error).__name__}: {error}".partition("\n")[0]
        reason = "it contains more than tensors and plain values" if unsafe else first_line
        raise GapnetError(f"{path}: is truncated or not a checkpoint ({reason})") from error
    if not isinstance(content, dict):
        raise GapnetError(f"{path}: is not a checkpoint (it contains a {type(content).__name__})")
    return content


def _check_sums(packed: bytes, path: Path) -> None:
    """Check the SHA-256 of a file of gapnet, or the checksums of another zip archive."""
    damaged = _wrong_digest(packed) if _has_digest(packed) else None
    if damaged is None and zipfile.is_zipfile(
        BytesIO(packed)
    ):  # torch wrote no archives before 1.6
        with zipfile.ZipFile(BytesIO(packed)) as archive:
            _check_size(archive, len(packed))
            damaged = None if _has_digest(packed) else _wrong_member(archive)
    if damaged is not None:
        raise GapnetError(f"{path}: is damaged (the checksum of {damaged} is wrong)")


def _has_digest(packed: bytes) -> bool:
    return packed.endswith(COMMENT, 0, -DIGITS)


def _wrong_digest(packed: bytes) -> str | None:
    """Return "the file" if the SHA-256 at its end does not match the bytes before it."""
    digits = hashlib.sha256(memoryview(packed)[:-DIGITS]).hexdigest()
    return None if packed.endswith(digits.encode()) else "the file"


def _check_size(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse an archive whose content is larger than the file: torch does not compress."""
    if sum(member.file_size for member in archive.infolist()) > size:
        raise ValueError("its contents are larger than the file")


def _wrong_member(archive: zipfile.ZipFile) -> str | None:
    """Return a member of an archive whose checksum does not match its bytes."""
    has_sums = any(member.CRC for member in archive.infolist())  # torch may write zeros instead
    return archive.testzip() if has_sums else None
