"""Files as people send and keep them: text read or refused in a sentence, and files written whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from nem2e_lib.error import Nem2eError

MAX_BYTES = 2 << 30
"""Largest file that is read, in bytes."""
HEAD_BYTES = 2 << 20
"""How much of a file is looked at before the rest is read."""

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""Errors of a disk that takes no more."""

_UNPACK = "unpack it and give the file inside"
_EXPORT = "export the table as plain text"
_TABLE = "give the table of motion or results instead"
_BINARY = (  # what people send instead of a table, told by its first bytes
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
_TEXT = (  # the same, told by how the text starts
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


def files_below(folder: Path, suffix: str = "") -> list[Path]:
    """Return the files below a folder in the order of their paths, in linked folders too, each folder once.

    Hidden files, and what macOS adds to archives, are no files of a user's.

    Parameters
    ----------
    folder : Path
    suffix : str
        Of the files, in lower case; empty for any.
    """
    found, seen = list[Path](), set[str]()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if name != "__MACOSX")
        paths = [Path(place, name) for name in names if not name.startswith(".")]
        found += [path for path in paths if path.is_file() and (not suffix or path.suffix.lower() == suffix)]
    return sorted(found)


def read_bytes(path: str | Path, check: Callable[[bytes], None] | None = None) -> bytes:
    """Read the bytes of a file.

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
    with _opened(path) as file:
        if check is not None:
            check(file.read(HEAD_BYTES))
            file.seek(0)
        return file.readall()


def head(path: str | Path) -> bytes:
    """Return the first 2 MiB of a file, to tell what it is; errors as `read_bytes`."""
    with _opened(path) as file:
        return file.read(HEAD_BYTES)


@contextmanager
def _opened(path: str | Path) -> Iterator[FileIO]:
    try:
        _refuse_odd(path, os.stat(path))
        with Path(path).open("rb", buffering=0) as file:
            yield file
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
    r"""Read the text of a file with ``\n`` line ends, and warnings about its encoding.

    UTF-8 (a byte order mark is dropped), else Latin-1 with a warning.

    Raises
    ------
    Nem2eError
        If the file is missing, empty, compressed or binary.
    """
    return decode(read_bytes(path), path)


def decode(raw: bytes, path: str | Path) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file's bytes, as `read_text`; `path` is for messages only."""
    return decode_plain(plain(raw, path))


def plain(raw: bytes, path: str | Path) -> bytes:
    r"""Return the bytes of a text without byte order mark and with ``\n`` line ends.

    Raises
    ------
    Nem2eError
        If they are empty, compressed or binary.
    """
    _refuse_binary(raw, path)
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in raw else raw


def decode_plain(raw: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the text of bytes that are `plain`, and warnings: UTF-8, else Latin-1."""
    try:
        return raw.decode("utf-8"), ()
    except UnicodeDecodeError:
        return raw.decode("latin-1"), ("The text is not UTF-8; it was read as Latin-1.",)


def _refuse_binary(head: bytes, path: str | Path) -> None:
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


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Give a fresh file beside `path`; it takes that name only if the block succeeds, and is gone if not.

    Raises
    ------
    OSError
        As it came from the disk, for callers that have a sentence of their own; others use `replacing`.
    """
    target = Path(path)
    temporary = target.parent / f".{target.name[:80]}.{secrets.token_hex(4)}"
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a fresh folder beside `path`; it stands there, in place of what did, only if the block succeeds.

    What stood there is gone only when the new one is in its place, wherever this is stopped.

    Raises
    ------
    Nem2eError
        If it cannot be written, or the disk is full.
    """
    with _beside(path) as temporary:
        yield temporary
        former = temporary.with_name(f"{temporary.name}.former")
        if path.exists():
            path.rename(former)
        temporary.chmod(0o755)
        temporary.rename(path)
        shutil.rmtree(former, ignore_errors=True)


@contextmanager
def added_to(path: Path, over: Collection[str] = ()) -> Iterator[Path]:
    """Give a fresh folder beside `path`, whose files go into `path` only if the block succeeds, and over no other file.

    Parameters
    ----------
    path : Path
    over : collection of str
        Files of `path` that may be written over: those of the same program's last time.

    Raises
    ------
    Nem2eError
        If one of the files is there already, `path` is a file, or the disk is full.
    """
    if path.exists() and not path.is_dir():
        raise Nem2eError(f"{path}: is a file, but a folder to write into is expected.")
    with _beside(path) as temporary:
        yield temporary
        files = [each.relative_to(temporary) for each in sorted(temporary.rglob("*")) if each.is_file()]
        there = [path / file for file in files if str(file) not in over and (path / file).exists()]
        if there:
            more = f" ({len(there)} such)" if len(there) > 1 else ""
            raise Nem2eError(f"{there[0]}: is there already{more}; take it away or name a new folder.")
        for file in files:
            (path / file).parent.mkdir(parents=True, exist_ok=True)
            (temporary / file).replace(path / file)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give a fresh folder beside `path` that is gone afterwards; what the disk refuses is told in a sentence."""
    temporary = None
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name[:80]}.", dir=path.absolute().parent))
        yield temporary
    except OSError as error:
        advice = "make room on the disk" if error.errno in FULL else "name another folder"
        raise Nem2eError(f"{path}: cannot be written ({error.strerror or error}); {advice}.") from None
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give the same, and tell a mistake of the user's in a sentence.

    Raises
    ------
    Nem2eError
        If the folder does not exist or cannot be written, `path` is a folder, or the disk is full.
    """
    target, begun = Path(path), False
    try:
        with whole(target) as temporary:
            begun = True
            yield temporary
    except OSError as error:
        where = "" if begun else f" in folder {target.parent}"
        advice = "; make room on the disk" if begun and error.errno in FULL else ""
        raise Nem2eError(f"{target}: cannot be written{where} ({error.strerror or error}){advice}.") from None
    except ValueError as error:  # a name that no file can have
        if begun:
            raise
        raise Nem2eError(f"{target}: cannot be written in folder {target.parent} ({error}).") from None


def write_text(path: str | Path, text: str) -> None:
    """Write a text in UTF-8 whole or not at all; errors as `replacing`."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def require_writable(path: str | Path) -> None:
    """Refuse the name of a folder, or one in no folder: told before hours of work, not after."""
    target = Path(path)
    if target.is_dir():
        raise Nem2eError(f"{path}: is a folder, but the name of a file to write is expected.")
    if not target.absolute().parent.is_dir():
        raise Nem2eError(f"{path}: there is no folder {target.parent}; make it first.")
