"""Where the bytes of open recordings come from: repositories on the web, a mirror of them, or a folder.

`NEM2E_REALDATA` and `NEM2E_MIRROR` take the network's place, in this order.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests
from urllib3.exceptions import MaxRetryError

from nem2e_lib.data.files import read_bytes
from nem2e_lib.data.open.sources import Source
from nem2e_lib.error import Nem2eError

GITHUB = "https://raw.githubusercontent.com"
"""Serves ``repository/commit/path`` of every public repository, without a login."""
CHUNK = 1 << 16
"""How many bytes are taken at once."""
_BUSY = (408, 425, 429)
"""HTTP states below 500 that may be others a moment later."""
_PAGE = (b"<!doctype", b"<html")
"""How a web page starts; no recording does."""

Advance = Callable[[int], object]
"""Told how many bytes have come; fewer than none where they must come again."""


class NotHad(Exception):
    """Why a place does not give a file: half a sentence."""


class OtherBytes(NotHad):
    """The place has a file of that name with other content."""


class OutOfReach(NotHad):
    """Nothing answers: no file can be had from this place."""


class _Passing(Exception):
    """What may be better a moment later; the cause as half a sentence."""


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for.

    Attributes
    ----------
    attempts
        How often a file is asked for, where the failure may pass (a cut connection, a busy server).
    wait_s
        Before the second attempt, in s; twice as long before each further one.
    connect_s, answer_s
        Longest wait for a connection, and for the next bytes, in s.
    """

    attempts: int = 4
    wait_s: float = 0.5
    connect_s: float = 5.0
    answer_s: float = 30.0


class Place(Protocol):
    """Something that may have the files."""

    @property
    def name(self) -> str:
        """What it is called in a message."""

    def bring(self, source: Source, target: Path, advance: Advance) -> None:
        """Write the file's bytes to `target`; its size is right then, its SHA-256 may not be."""


@dataclass(frozen=True)
class Folder:
    """A folder that has the files, as `fetch_open` lays them out or as the repositories do.

    Attributes
    ----------
    root
        The folder.
    variable
        Environment variable that names it.
    """

    root: Path
    variable: str

    @property
    def name(self) -> str:
        """The folder, and the variable that names it."""
        return f"{self.root} ({self.variable})"

    def bring(self, source: Source, target: Path, advance: Advance) -> None:
        """Copy the file; `NotHad` if it is not there, cannot be read, or has other content."""
        there = [path for name in (source.here, source.place) if os.path.isfile(path := self.root / name)]
        if not there:
            raise NotHad(f"not in {self.root}, which {self.variable} names in place of the network")
        for path in there:
            try:
                raw = read_bytes(path)
            except Nem2eError as error:
                raise NotHad(str(error).rstrip(".")) from None
            if hashlib.sha256(raw).hexdigest() == source.sha256:
                target.write_bytes(raw)
                advance(len(raw))
                return
        raise OtherBytes(f"{there[0]} ({self.variable}) holds other bytes than those recorded, by their SHA-256")


@dataclass(frozen=True)
class Web:
    """A server that has the files at ``root/repository/commit/path``."""

    root: str
    patience: Patience = Patience()

    @property
    def name(self) -> str:
        """The server, without the user and password that a URL may hold."""
        return urlsplit(self.root).netloc.rpartition("@")[2]

    def bring(self, source: Source, target: Path, advance: Advance) -> None:
        """Download the file.

        Raises
        ------
        NotHad
            If the server does not have it, has another, or fails at every attempt.
        OSError
            If `target` cannot be written.
        """
        reason: Exception = OutOfReach(f"{self.name} was not asked")
        for attempt in range(self.patience.attempts):
            if attempt:
                time.sleep(self.patience.wait_s * 2 ** (attempt - 1))
            try:
                with self._ask(source) as answer:
                    return self._receive(answer, source, target, advance)
            except (_Passing, OutOfReach) as error:
                reason = error
        if isinstance(reason, OutOfReach):
            raise reason
        raise NotHad(f"{reason}, at each of {self.patience.attempts} attempts ({self.name})")

    def _ask(self, source: Source) -> requests.Response:
        limits = (self.patience.connect_s, self.patience.answer_s)
        plain = {"Accept-Encoding": "identity"}  # so that the size that is announced is the file's
        try:
            answer = requests.get(source.address(self.root), stream=True, timeout=limits, headers=plain)
        except OSError as error:  # all that requests raises, and a list of certificates that is not there
            raise self._meaning(error) from None
        if answer.status_code != requests.codes.ok:
            answer.close()
            told = f"{self.name} answers {answer.status_code} {answer.reason or ''}".strip()
            if answer.status_code >= 500 or answer.status_code in _BUSY:
                raise _Passing(told)
            raise NotHad(f"{told} at {source.place}")
        return answer

    def _receive(self, answer: requests.Response, source: Source, target: Path, advance: Advance) -> None:
        come = 0
        try:
            with target.open("wb") as file:
                for chunk in answer.iter_content(CHUNK):
                    if not come and chunk.lstrip()[:9].lower().startswith(_PAGE):
                        raise OtherBytes(f"{self.name} sends a web page, as a network does that asks for a login")
                    come += len(chunk)
                    advance(len(chunk))
                    if come > source.size:
                        raise OtherBytes(f"{self.name} sends more than the {source.size} bytes recorded")
                    file.write(chunk)
            if come < source.size and "Content-Length" not in answer.headers:
                raise _Passing("the connection was cut")
            if come < source.size:
                raise OtherBytes(f"{self.name} sends {come} bytes instead of the {source.size} recorded")
        except (NotHad, _Passing):
            advance(-come)
            raise
        except requests.RequestException as error:
            advance(-come)
            raise self._meaning(error) from None

    def _meaning(self, error: OSError) -> Exception:
        """What a failure of the library `requests` means to a user."""
        if isinstance(cause := error.args[0] if error.args else None, MaxRetryError):
            return OutOfReach(f"{self.name} cannot be reached ({_why(error, cause)})")
        if isinstance(error, requests.Timeout) or "timed out" in str(error):
            return _Passing(f"nothing came for {self.patience.answer_s:g} s")
        if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
            return _Passing("the connection was cut")
        return NotHad(f"{' '.join(str(error).split()).rstrip('.')} ({self.name})")


def _why(error: OSError, cause: MaxRetryError) -> str:
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy that the environment names does not lead there"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not accepted"
    told = "no answer" if isinstance(error, requests.ConnectTimeout) else "no connection"
    told = "its name is not known" if "resolve" in str(cause.reason).lower() else told
    return f"{told}; a network is needed, or a proxy named by http_proxy and https_proxy"


def places(environment: Mapping[str, str] = os.environ, patience: Patience | None = None) -> list[Place]:
    """Return where to ask for files, in order: what the environment names, else the repositories themselves.

    Raises
    ------
    Nem2eError
        If a variable names a folder that is not there.
    """
    found: list[Place] = []
    if named := environment.get("NEM2E_REALDATA", "").strip():
        found.append(_folder(named, "NEM2E_REALDATA", "a folder"))
    if named := environment.get("NEM2E_MIRROR", "").strip():
        found.append(_mirror(named, patience or Patience()))
    return found or [Web(GITHUB, patience or Patience())]


def _mirror(named: str, patience: Patience) -> Place:
    kinds = "a folder or an http(s) address"
    try:
        parts = urlsplit(named)
    except ValueError as error:
        raise Nem2eError(f"NEM2E_MIRROR={named}: is no address ({error}); give {kinds} that has the files.") from None
    if parts.scheme.lower() in ("http", "https") and parts.netloc:
        return Web(named, patience)
    return _folder(url2pathname(parts.path) if parts.scheme == "file" else named, "NEM2E_MIRROR", kinds)


def _folder(named: str, variable: str, kinds: str) -> Folder:
    root = Path(named).expanduser()
    if not os.path.isdir(root):
        raise Nem2eError(f"{variable}={named}: there is no such folder; give {kinds} that has the files, or unset it.")
    return Folder(root, variable)
