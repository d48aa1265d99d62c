"""Whole files or none: reading text that people send, and writing without leaving halves behind."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nem2e_lib.data.foreign import refuse_binary
from nem2e_lib.errors import Nem2eError

MAX_BYTES = 2 << 30
"""Largest file that is read, in bytes."""
HEAD_BYTES = 2 << 20
"""How much of a file is looked at before the rest is read."""

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""Errors of a disk that takes no more."""


def read_bytes(path: str | Path, check: Callable[[bytes], None] | None = None) -> bytes:
    """Bytes of a file.

    Parameters
    ----------
    path : str or Path
    check : callable, optional
        Given the first 2 MiB before the rest is read; it raises to refuse the file.

    Raises
    ------
    Nem2eError
        If the file is missing, a folder, a pipe or device, larger than 2 GiB, or cannot be opened.
    """
    try:
        _refuse_odd(path, os.stat(path))
        with Path(path).open("rb", buffering=0) as file:
            if check is not None:
                check(file.read(HEAD_BYTES))
                file.seek(0)
            return file.readall()
    except FileNotFoundError:
        raise Nem2eError(f"{path}: no such file; check the path and its spelling.") from None
    except Nem2eError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Nem2eError(f"{path}: cannot be opened ({reason}).") from None


def _refuse_odd(path: str | Path, facts: os.stat_result) -> None:
    if stat.S_ISDIR(facts.st_mode):
        raise Nem2eError(f"{path}: is a folder, but a file is expected here.")
    if not stat.S_ISREG(facts.st_mode):
        raise Nem2eError(f"{path}: is a pipe or device, but a file is expected here; save its content first.")
    if facts.st_size > MAX_BYTES:
        raise Nem2eError(
            f"{path}: is {facts.st_size / 2**30:.1f} GiB large, but at most {MAX_BYTES >> 30} GiB are read; "
            "split it over time."
        )


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
    return decode_plain(plain(raw, path))


def plain(raw: bytes, path: str | Path) -> bytes:
    r"""Bytes of a text without byte order mark and with ``\n`` line ends.

    Raises
    ------
    Nem2eError
        If they are empty, compressed or binary.
    """
    refuse_binary(raw, path)
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in raw else raw


def decode_plain(raw: bytes) -> tuple[str, tuple[str, ...]]:
    """Text of bytes in UTF-8, else Latin-1 with a warning."""
    try:
        return raw.decode("utf-8"), ()
    except UnicodeDecodeError:
        return raw.decode("latin-1"), ("The text is not UTF-8; it was read as Latin-1.",)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; it takes that name only if the block succeeds.

    Raises
    ------
    Nem2eError
        If the folder does not exist or cannot be written, or the disk is full.
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
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise Nem2eError(f"{target}: cannot be written ({error.strerror}); make room on the disk.") from None
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
