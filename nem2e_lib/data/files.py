"""Whole files or none: reading text that people send, and writing without leaving halves behind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nem2e_lib.errors import Nem2eError

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


def read_bytes(path: str | Path) -> bytes:
    """Bytes of a file.

    Raises
    ------
    Nem2eError
        If the file is missing, a folder, or cannot be opened.
    """
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise Nem2eError(f"{path}: no such file; check the path and its spelling.") from None
    except IsADirectoryError:
        raise Nem2eError(f"{path}: is a folder, but a file is expected here.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Nem2eError(f"{path}: cannot be opened ({reason}).") from None


def read_text(path: str | Path) -> tuple[str, tuple[str, ...]]:
    r"""Text of a file with ``\n`` line ends, and warnings about its encoding.

    UTF-8 (a byte order mark is dropped), else Latin-1 with a warning.

    Raises
    ------
    Nem2eError
        If the file is missing, empty, compressed or binary.
    """
    return decode(read_bytes(path), path)


def decode(raw: bytes, path: str | Path) -> tuple[str, tuple[str, ...]]:
    """The same for the bytes of a file; `path` is for messages only."""
    if not raw.strip():
        raise Nem2eError(f"{path}: the file is empty, but a table with a header is expected.")
    if raw.startswith((_GZIP, _ZIP)):
        raise Nem2eError(f"{path}: the file is compressed, but plain text is expected; unpack it first.")
    if b"\0" in raw:
        raise Nem2eError(f"{path}: the file is binary or UTF-16, but plain UTF-8 text is expected.")
    text, warnings = _decode(raw)
    return text.replace("\r\n", "\n").replace("\r", "\n"), warnings


def _decode(raw: bytes) -> tuple[str, tuple[str, ...]]:
    try:
        return raw.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        return raw.decode("latin-1"), ("The text is not UTF-8; it was read as Latin-1.",)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; it takes that name only if the block succeeds.

    Raises
    ------
    Nem2eError
        If the folder does not exist or cannot be written.
    """
    target = Path(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:80]}.", dir=target.parent)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Nem2eError(f"{target}: cannot be written in folder {target.parent} ({reason}).") from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        _rename(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _rename(temporary: Path, target: Path) -> None:
    try:
        temporary.replace(target)
    except OSError as error:
        raise Nem2eError(f"{target}: cannot be written ({error.strerror}).") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
