"""Paths that people type in tables and in study.toml: found within the study folder, or what is wrong with them."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path, PureWindowsPath

from nem2e_lib.data.tables import near


def place(folder: Path, text: str) -> tuple[Path, str]:
    """Return the file that a text names in a folder, and what is wrong with it; empty if there is such a file.

    Backslashes separate folders, as on Windows, unless a file is really called so. Letters count as they look, in
    whatever way Unicode puts them together.
    """
    plain = text.replace("\\", "/")
    if not _leaves(text) and _is_file(folder / text):
        return folder / text, ""
    if _leaves(plain) or PureWindowsPath(text).anchor:
        return folder / text, "a path inside the study folder is expected, with / between folders."
    there, missing = _walk(folder, plain)
    if not missing and there.is_file():
        found, typed = there.relative_to(folder).as_posix(), os.path.normpath(plain)
        if _composed(found) == _composed(typed):
            return there, ""
        cased = _composed(found).casefold() == _composed(typed).casefold()
        return there, f"there is {found!r}: {'letter case differs' if cased else 'blanks differ'}; correct it."
    return folder / text, _not_there(folder, there, missing)


def _not_there(folder: Path, there: Path, missing: str) -> str:
    """Say what is missing where a path leads as far as `there`."""
    if not missing:
        return f"this is a folder in {folder}, and a file is expected."
    hint = near(missing, _names(there)) or "; check its spelling."
    where = f": {there.relative_to(folder).as_posix()!r} has no {missing!r}" if there != folder else ""
    return f"there is no such file in {folder}{where}{hint}"


def _walk(folder: Path, text: str) -> tuple[Path, str]:
    """Follow a path as far as it leads, in any letter case; return where that is, and the part that is not there."""
    there = folder
    for part in Path(os.path.normpath(text)).parts:
        alike = [name for name in _names(there) if _alike(name) == _alike(part)]
        exact = [name for name in alike if _composed(name) == _composed(part)]
        chosen = [part] if _exists(there / part) else exact or alike
        if len(chosen) != 1:
            return there, part
        there = there / chosen[0]
    return there, ""


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _alike(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name longer than any file's
        return False


def _is_file(path: Path) -> bool:
    return _exists(path) and path.is_file()


def _leaves(text: str) -> bool:
    normal = os.path.normpath(text)
    return os.path.isabs(normal) or normal.split(os.sep)[0] == ".." or "\0" in text
