"""Open recordings fetched: each file checked by its SHA-256, kept in a cache, and laid out as one folder."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pooch
from tqdm import tqdm

from nem2e_lib.data.files import FULL, replacing
from nem2e_lib.data.open.places import Advance, NotHad, OtherBytes, OutOfReach, Patience, Place, places
from nem2e_lib.data.open.sources import Source, chosen, read_sources
from nem2e_lib.error import Nem2eError

_log = logging.getLogger(__name__)
pooch.get_logger().setLevel(logging.WARNING)  # it would announce every file, through the bar

_STAGE = ".fetching-"
"""How the folder begins in which files wait until they are whole."""
_ADVICE = "name by NEM2E_REALDATA or NEM2E_MIRROR a folder or address that has the files (docs/open.md)"


def cache_folder() -> Path:
    """Return the folder of fetched recordings: ``open`` in `NEM2E_CACHE`, by default ``~/.cache/nem2e``."""
    try:
        return Path(os.environ.get("NEM2E_CACHE") or "~/.cache/nem2e").expanduser() / "open"
    except RuntimeError:
        raise Nem2eError("No home folder is known; name by NEM2E_CACHE a folder to keep recordings in.") from None


def fetch_open(
    names: str | Iterable[str] | None = None,
    *,
    out: str | Path | None = None,
    sources: Sequence[Source] | None = None,
    patience: Patience | None = None,
    progress: bool = True,
) -> Path:
    """Fetch open recordings, and return the folder in which each lies where its source says ``here``.

    What is whole in the cache is not fetched again, and what was fetched stays there when something fails. The
    network's place is taken by `NEM2E_REALDATA`, a folder that has the files, or `NEM2E_MIRROR`, a folder or address.

    Parameters
    ----------
    names : str or iterable of str, optional
        Sets, folders, files or patterns, as `sources.chosen`; default: all.
    out : str or Path, optional
        Folder to lay the files out in as well; a file there that has other bytes is told and left alone.
    sources : sequence of Source, optional
        Default: the table that comes with the library.
    patience : Patience, optional
        How long a server is waited for.
    progress : bool
        Whether to show a bar while fetching.

    Returns
    -------
    Path
        `out`, or the cache. It may hold other recordings too, fetched earlier.

    Raises
    ------
    Nem2eError
        If a name is not known, a file cannot be had or is not the one recorded (every such file is named), or the
        folder cannot be written.
    """
    wanted = chosen(names, read_sources() if sources is None else sources)
    cache = cache_folder()
    missing = [source for source in wanted if not is_whole(cache / source.here, source)]
    failed = _fetch(missing, cache, places(patience=patience), progress) if missing else {}
    if out is not None:
        whole = [source for source in wanted if source.here not in failed]
        failed |= _lay_out(whole, cache, Path(out))
    if failed:
        raise Nem2eError(_summary(failed, len(wanted), cache))
    return cache if out is None else Path(out)


def is_whole(path: Path, source: Source) -> bool:
    """Whether a file is there with the bytes that the source records."""
    with suppress(OSError):
        if path.stat().st_size == source.size:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == source.sha256
    return False


def _fetch(missing: Sequence[Source], cache: Path, asked: Sequence[Place], progress: bool) -> dict[str, NotHad]:
    """Bring files into the cache; return why not, by file."""
    failed: dict[str, NotHad] = {}
    size = sum(source.size for source in missing)
    with (
        _writing(cache),
        _staging(cache) as stage,
        tqdm(total=size, unit="B", unit_scale=True, desc="fetch", disable=not progress) as bar,
    ):
        fetch = _Fetch(asked, stage, bar.update)
        for source in missing:
            try:
                path = fetch.bring(source)
            except NotHad as error:
                failed[source.here] = error
            else:
                target = cache / source.here
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
    return failed


class _Fetch:
    """One run: files asked for at one place after another; a place that is out of reach is asked once."""

    def __init__(self, asked: Sequence[Place], stage: Path, advance: Advance):
        self._asked, self._stage, self._advance = asked, stage, advance
        self._gone: dict[Place, OutOfReach] = {}

    def bring(self, source: Source) -> Path:
        """Bring a file from the first place that has it, whole, and return where it waits."""
        refused: list[NotHad] = []
        for place in self._asked:
            try:
                path = self._from(place, source)
            except NotHad as error:
                refused.append(error)
            else:
                for wrong in (each for each in refused if isinstance(each, OtherBytes)):
                    _log.warning("%s: %s; they were not used.", source.here, wrong)
                return path
        unreached = any(isinstance(error, OutOfReach) for error in refused)
        raise (OutOfReach if unreached else NotHad)("; ".join(map(str, refused)))

    def _from(self, place: Place, source: Source) -> Path:
        if place in self._gone:
            raise self._gone[place]

        def download(_: str, target: Any, __: object) -> None:
            place.bring(source, Path(target), self._advance)

        try:
            known = f"sha256:{source.sha256}"
            return Path(pooch.retrieve(source.place, known, source.here, self._stage, downloader=download))
        except OutOfReach as error:
            self._gone[place] = error
            raise
        except ValueError:  # pooch's word for another hash
            self._advance(-source.size)
            raise OtherBytes(f"{place.name} sends other bytes than those recorded, by their SHA-256") from None


def _lay_out(whole: Sequence[Source], cache: Path, out: Path) -> dict[str, NotHad]:
    """Copy files from the cache; return which are there already with other bytes."""
    failed: dict[str, NotHad] = {}
    for source in whole:
        target = out / source.here
        if is_whole(target, source):
            continue
        if target.exists():
            failed[source.here] = OtherBytes(f"{target} is there already, with other bytes; move it away")
            continue
        with _writing(out, "name another folder"):
            target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as temporary:
            shutil.copyfile(cache / source.here, temporary)
    return failed


def _summary(failed: dict[str, NotHad], wanted: int, cache: Path) -> str:
    """Tell every file that failed, a line each where they are several; those out of reach are told together."""
    kept = f"what is whole is kept in {cache}; " if len(failed) < wanted else ""
    advice = f"{kept}start again, or {_ADVICE}."
    lines = [f"{here}: {cause}" for here, cause in failed.items() if not isinstance(cause, OutOfReach)]
    causes = Counter(str(cause) for cause in failed.values() if isinstance(cause, OutOfReach))
    lines += [f"{number} of {wanted} recordings: {cause}" for cause, number in causes.items()]
    if len(lines) == 1:
        return f"Not fetched: {lines[0]}; {advice}"
    return "\n  ".join([f"{len(failed)} of {wanted} recordings were not fetched; {advice}", *lines])


@contextmanager
def _writing(folder: Path, advice: str = "name another folder by NEM2E_CACHE") -> Iterator[None]:
    """Tell in a sentence why a folder cannot be written."""
    try:
        yield
    except OSError as error:
        room = "make room on the disk, or " if error.errno in FULL else ""
        raise Nem2eError(f"{folder}: cannot be written ({error.strerror or error}); {room}{advice}.") from None


@contextmanager
def _staging(cache: Path) -> Iterator[Path]:
    """Give a folder in the cache where files wait until they are whole; sweep those of processes that were killed.

    Each process holds a lock on its own, so that another knows it is in use; where locks are not to be had, nothing
    is swept.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache):  # nobody sweeps a folder between its making and its locking
        for left in cache.glob(f"{_STAGE}*"):
            with suppress(OSError), _locked(left, at_once=True) as free:
                if free:
                    shutil.rmtree(left, ignore_errors=True)
        stage, held = Path(mkdtemp(prefix=_STAGE, dir=cache)), ExitStack()
        held.enter_context(_locked(stage))
    try:
        yield stage
    finally:
        held.close()
        shutil.rmtree(stage, ignore_errors=True)


@contextmanager
def _locked(folder: Path, at_once: bool = False) -> Iterator[bool]:
    """Lock a folder against other processes; yields whether it is, which on Windows it never is."""
    if sys.platform == "win32":
        yield False
        return
    import fcntl

    held = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | (fcntl.LOCK_NB if at_once else 0))
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(held)
