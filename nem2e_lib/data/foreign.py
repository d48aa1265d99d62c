"""What people send instead of a table, told by its first bytes: archives, workbooks, recordings, web pages."""

from __future__ import annotations

import re
from pathlib import Path

from nem2e_lib.errors import Nem2eError

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
