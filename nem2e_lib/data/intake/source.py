"""Files of a folder and of the zips in it, one list; zips are read where they lie and never trusted."""

from __future__ import annotations

import hashlib
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from nem2e_lib.data.files import FULL
from nem2e_lib.error import Nem2eError

_MAX_FILE = 2 << 30
"""Largest file that is taken from an archive, bytes."""
_MAX_TOTAL = 64 << 30
"""Most that an archive may hold unpacked, bytes."""
_MAX_FILES = 100_000
"""Most files an archive may hold."""
_MAX_RATIO = 200
"""An archive that claims to grow more than this in unpacking is refused."""
_MAX_DEPTH = 3
"""How many zips may lie within each other."""
_OTHER_ARCHIVES = (".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz")
"""Archives that are not read."""
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError)


@dataclass(frozen=True)
class Entry:
    """A file: its path as patterns see it, its size in bytes, where it lies, and the name of the folder looked at."""

    path: str
    size: int
    place: Path
    inner: str | None = None
    root: str = ""

    @property
    def names(self) -> tuple[str, str]:
        """Its path within the folder, and with it: one may look at a subject's own folder."""
        return self.path, f"{self.root}/{self.path}"

    def save(self, target: Path) -> None:
        """Copy it to `target`; Nem2eError if its archive is damaged or it is too large."""
        if self.size > _MAX_FILE:
            raise Nem2eError(f"{self.path}: is {self.size / 2**30:.1f} GiB large, but at most 2 GiB a file are read.")
        with target.open("wb") as file:
            self._copy(file)

    def _copy(self, file: BinaryIO) -> None:
        if self.inner is None:
            with self.place.open("rb") as here:
                shutil.copyfileobj(here, file)
            return
        try:
            with zipfile.ZipFile(self.place) as archive, archive.open(self.inner) as here:
                shutil.copyfileobj(here, file)
        except _DAMAGE as error:
            if getattr(error, "errno", None) in FULL:
                raise Nem2eError(
                    f"{self.path}: cannot be unpacked, the disk of {tempfile.gettempdir()} is full; make room there or "
                    "name another folder in the environment variable TMPDIR."
                ) from None
            raise Nem2eError(f"{self.path}: cannot be unpacked ({error}); fetch the archive again.") from None
        except (RuntimeError, NotImplementedError) as error:
            raise Nem2eError(f"{self.path}: cannot be unpacked ({error}); unpack the archive by hand.") from None


@dataclass
class Source:
    """Everything found: files, archives with size and SHA-256, and what was not looked into, one sentence each."""

    entries: list[Entry] = field(default_factory=list)
    archives: list[dict[str, object]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


@contextmanager
def open_source(folder: Path) -> Iterator[Source]:
    """List a folder, or a single zip; zips within zips are laid in a temporary folder while this is open.

    Raises
    ------
    Nem2eError
        If there is no such folder, or an archive is damaged, leaves its folder or is larger than the limits.
    """
    if not folder.exists():
        raise Nem2eError(f"{folder}: no such folder; name the one that holds the downloaded archives.")
    source = Source()
    with tempfile.TemporaryDirectory(prefix="nem2e-") as spare:
        for path in [folder] if folder.is_file() else _files(folder, source):
            name = path.name if folder.is_file() else path.relative_to(folder).as_posix()
            if path.suffix.lower() == ".zip":
                _archive(source, path, name, Path(spare), 1)
            else:
                source.entries.append(Entry(name, path.stat().st_size, path))
            if path.suffix.lower() in _OTHER_ARCHIVES:
                source.told.append(f"{name}: is not looked into; unpack it by hand and run again.")
        root = "" if folder.is_file() else folder.resolve().name
        source.entries = [replace(entry, root=root) for entry in source.entries]
        yield source


def _files(folder: Path, source: Source) -> Iterator[Path]:
    root = folder.resolve()
    for path in sorted(folder.rglob("*")):
        if _litter(path.relative_to(folder).as_posix()) or path.is_dir():
            continue
        if not path.resolve().is_relative_to(root) or not path.is_file():
            source.told.append(f"{path}: left, it leads out of the folder or nowhere.")
        else:
            yield path


def _litter(name: str) -> bool:
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].startswith("._") or parts[-1] in (".DS_Store", "Thumbs.db")


def _archive(source: Source, place: Path, name: str, spare: Path, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise Nem2eError(f"{name}: more than {_MAX_DEPTH} archives within each other; unpack it by hand.")
    digest = sha256(place)
    source.archives.append({"name": name, "bytes": place.stat().st_size, "sha256": digest})
    try:
        with zipfile.ZipFile(place) as archive:
            infos = archive.infolist()
    except (*_DAMAGE, ValueError, NotImplementedError):
        if _is_page(place):
            raise Nem2eError(
                f"{name}: is a web page and no archive, as a site hands it out to those who are not logged in; log in "
                "there and fetch it again."
            ) from None
        raise Nem2eError(
            f"{name}: is cut off or no zip ({place.stat().st_size} bytes, SHA-256 {digest}); fetch it again and "
            "compare its size with the page's."
        ) from None
    _refuse_bomb(name, place, infos)
    for info in infos:
        _member(source, place, name, info, spare, depth)


def _is_page(place: Path) -> bool:
    with place.open("rb") as file:
        return file.read(512).lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _refuse_bomb(name: str, place: Path, infos: list[zipfile.ZipInfo]) -> None:
    total, packed = sum(info.file_size for info in infos), max(place.stat().st_size, 1)
    if len(infos) > _MAX_FILES:
        raise Nem2eError(f"{name}: holds {len(infos)} files, but at most {_MAX_FILES} are expected; unpack it by hand.")
    if total > _MAX_TOTAL or (total > 100 << 20 and total > _MAX_RATIO * packed):
        raise Nem2eError(
            f"{name}: would grow from {packed / 2**20:.1f} MiB to {total / 2**30:.1f} GiB, but at most "
            f"{_MAX_TOTAL >> 30} GiB and {_MAX_RATIO} times its size are allowed; is it what you meant to fetch?"
        )


def _member(source: Source, place: Path, name: str, info: zipfile.ZipInfo, spare: Path, depth: int) -> None:
    inner = info.filename.replace("\\", "/")
    if inner.startswith("/") or re.match(r"[A-Za-z]:", inner) or ".." in inner.split("/"):
        raise Nem2eError(f"{name}: holds {inner!r}, a path that leaves the folder; do not use this archive.")
    if info.is_dir() or _litter(inner):
        return
    path = f"{name}/{inner}"
    if stat.S_ISLNK(info.external_attr >> 16):
        source.told.append(f"{path}: left, it is a link.")
        return
    entry = Entry(path, info.file_size, place, info.filename)
    if not inner.lower().endswith(".zip"):
        source.entries.append(entry)
        return
    with tempfile.NamedTemporaryFile(dir=spare, suffix=".zip", delete=False) as file:
        unpacked = Path(file.name)
    entry.save(unpacked)
    _archive(source, unpacked, path, spare, depth + 1)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
