"""Checkpoint files: a zip archive of torch's with a SHA-256 at its end, read without running code.

torch checks none of a zip archive's checksums, so that a flipped bit would become another weight.
The SHA-256 is the archive's comment: torch, and whatever reads zip archives, passes over it.
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

COMMENT = b"gapnet sha256 "  # how the comment begins; the rest are the digits, and end the file
DIGITS = 64  # of the SHA-256 of all bytes before them


def pack_checkpoint(content: dict[str, Any]) -> BytesIO:
    """Give the bytes of a checkpoint file."""
    packed = BytesIO()
    torch.save(content, packed)
    packed.seek(-2, SEEK_END)  # a zip archive ends with the length of its comment, and the comment
    packed.write(struct.pack("<H", len(COMMENT) + DIGITS) + COMMENT)
    digits = hashlib.sha256(packed.getbuffer()).hexdigest()
    packed.write(digits.encode())
    return packed


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a file of torch's, which may be anybody's, and check its checksums.

    The bytes that are checked are those that are used: the file is read from the disk once.
    """
    try:
        packed = path.read_bytes()
        _check_sums(packed, path)
        with warnings.catch_warnings(action="ignore"):  # of what is refused anyway
            content = torch.load(BytesIO(packed), map_location="cpu", weights_only=True)
    except GapnetError:
        raise
    except FileNotFoundError as error:
        raise GapnetError(f"{path}: no such file") from error
    except Exception as error:  # torch's reader raises whatever damaged bytes lead it into
        unsafe = isinstance(error, pickle.UnpicklingError)
        told = f"{type(error).__name__}: {error}".partition("\n")[0]
        reason = "it holds more than tensors and plain values" if unsafe else told
        raise GapnetError(f"{path}: is truncated or not a checkpoint ({reason})") from error
    if not isinstance(content, dict):
        raise GapnetError(f"{path}: is no checkpoint (it holds a {type(content).__name__})")
    return content


def _check_sums(packed: bytes, path: Path) -> None:
    """Check the SHA-256 of a file of ours, or the checksums of anybody's archive."""
    wrong = _wrong_digest(packed) if _has_digest(packed) else None
    if wrong is None and zipfile.is_zipfile(BytesIO(packed)):  # torch wrote no archives before 1.6
        with zipfile.ZipFile(BytesIO(packed)) as archive:
            _check_size(archive, len(packed))
            wrong = None if _has_digest(packed) else _wrong_member(archive)
    if wrong is not None:
        raise GapnetError(f"{path}: is damaged (the checksum of {wrong} is wrong)")


def _has_digest(packed: bytes) -> bool:
    return packed.endswith(COMMENT, 0, -DIGITS)


def _wrong_digest(packed: bytes) -> str | None:
    """Say that the SHA-256 at the end of a file is not that of the bytes before it."""
    digits = hashlib.sha256(memoryview(packed)[:-DIGITS]).hexdigest()
    return None if packed.endswith(digits.encode()) else "the file"


def _check_size(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse an archive that unpacks to more than it is: torch compresses nothing."""
    if sum(each.file_size for each in archive.infolist()) > size:
        raise ValueError("its contents are larger than the file")


def _wrong_member(archive: zipfile.ZipFile) -> str | None:
    """Name a member of an archive whose checksum is not that of its bytes."""
    summed = any(each.CRC for each in archive.infolist())  # torch can be told to write zeros
    return archive.testzip() if summed else None
