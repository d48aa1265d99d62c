"""Whole files or none: reading text that people send, refusing what is no text, writing without leaving halves."""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nem2e_lib.error import Nem2eError

# --- What people send instead of a table, told by its first bytes: archives, workbooks, recordings, web pages ---

_UNPACK = "unpack it and give the file inside"
_EXPORT = "export the table as plain text"
_TABLE = "give the table of motion or results instead"
_BINARY = (
    (b"\x1f\x8b", "compressed (gzip)", _UNPACK),
    (b"BZh", "compressed (bzip2)", _UNPACK),
    (b"\xfd7zXZ", "compressed (xz)", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed (Zstandard)", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "compressed (7-Zip archive)", _UNPACK),
    (b"Rar!", "compressed (RAR archive)", _UNPACK),
    (b"PK\x05\x06", "compressed (ZIP archive, empty)", "make the archive anew"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", _EXPORT),
    (b"\x89HDF", "binary (HDF5 or a MATLAB 7.3 .mat file)", _EXPORT),
    (b"MATLAB 5.0 MAT-file", "binary (a MATLAB .mat file)", _EXPORT),
    (b"CDF", "binary (NetCDF)", _EXPORT),
    (b"\x93NUMPY", "binary (a NumPy array)", _EXPORT),
    (b"%PDF", "binary (PDF)", _EXPORT),
    (b"\xff\xfe\0\0", "UTF-32 text", "save it as UTF-8"),
    (b"\xff\xfe", "UTF-16 text", "save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text", "save it as UTF-8"),
)
_TEXT = (
    (rb"version https://git-lfs", "a Git LFS pointer, which stands for the file", "fetch it with 'git lfs pull'"),
    (rb"(?is)<(?:!doctype html|html)", "a web page, as saved when a download needs a login", "download the file anew"),
    (rb"(?s)(?:<\?xml|<!--)?.{0,2000}?<OpenSimDocument", "an OpenSim model or set-up (XML)", _TABLE),
    (rb"<\?xml", "XML", _TABLE),
    (rb"PathFileType\b", "a marker file (.trc)", "run inverse kinematics first, or give the motion that came of it"),
    (rb"\{\\rtf", "rich text", "save it as plain text"),
    (rb'\{\s*["}]|\[\s*[\[{"]', "JSON", _EXPORT),
    (rb"(?:[^\n\t]*[,;][^\n\t]*\n){2}", "a table separated by commas or semicolons (CSV)", "give it a header and tabs"),
    (rb'(?i)"?time"?[\t ]', "a table without a header", "put a name and the line 'endheader' above its labels"),
)


def refuse_binary(head: bytes, path: str | Path) -> None:
    """Say what a file is that is not text.

    Parameters
    ----------
    head : bytes
        Start of the file, or all of it.
    path : str or Path
        For messages only.

    Raises
    ------
    Nem2eError
        If `head` is empty, has the signature of a binary format, or holds zero bytes.
    """
    if not head or head.isspace():
        raise Nem2eError(f"{path}: the file is empty, but a table with a header is expected.")
    for magic, what, advice in _BINARY:
        if head.startswith(magic):
            raise Nem2eError(f"{path}: the file is {what}, but plain text is expected; {advice}.")
    if head.startswith(b"PK\x03\x04"):
        raise Nem2eError(f"{path}: the file is {_zip(head)}.")
    if b"\0" in head:
        raise Nem2eError(f"{path}: the file is {_zeros(head)}.")


def refuse_other_text(head: bytes, path: str | Path) -> None:
    """Say what a text file without ``endheader`` is, if it can be told; raises Nem2eError if so."""
    head = head.lstrip(b" \t\n")
    for pattern, what, advice in _TEXT:
        if re.match(pattern, head):
            raise Nem2eError(f"{path}: no line 'endheader' found: the file looks like {what}; {advice}.")


def _zip(head: bytes) -> str:
    if b"xl/" in head or b"[Content_Types].xml" in head:
        return f"an Excel workbook or the like, but plain text is expected; {_EXPORT}"
    return f"compressed (ZIP archive), but plain text is expected; {_UNPACK}"


def _zeros(head: bytes) -> str:
    if len(head) > 3 and head[1] == 0x50 and head[0] in range(2, 128):
        return "a C3D recording, but plain text is expected; convert it to .mot or .sto first"
    if head[:64].count(0) * 3 > len(head[:64]):
        return "binary or UTF-16, but plain text is expected; save or export it as UTF-8 text"
    line = head.count(b"\n", 0, head.index(0)) + 1
    return f"binary or damaged: line {line} holds zero bytes, but plain text is expected; copy or write it anew"


# --- Whole files or none: reading text that people send, and writing without leaving halves behind ---

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


def require_writable(path: str | Path) -> None:
    """Refuse the name of a folder, or one in no folder: told before hours of work, not after."""
    target = Path(path)
    if target.is_dir():
        raise Nem2eError(f"{path}: is a folder, but the name of a file to write is expected.")
    if not target.absolute().parent.is_dir():
        raise Nem2eError(f"{path}: there is no folder {target.parent}; make it first.")


def _rename(temporary: Path, target: Path) -> None:
    try:
        temporary.replace(target)
    except OSError as error:
        raise Nem2eError(f"{target}: cannot be written ({error.strerror}).") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
