"""Finished models, found again by the hash of everything that made them."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nem2e_lib.data.files import whole
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.engine import Outcome

_log = logging.getLogger(__name__)
_WEIGHT = "weights."
_DIGITS = 64


def key_of(**ingredients: Any) -> str:
    """Return the hexadecimal SHA-256 of what determines a model's result."""
    return hashlib.sha256(json.dumps(ingredients, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Store:
    """A folder of finished models, one compressed file each, safe to share between processes.

    A file appears under its final name only when it is whole; its last bytes are a checksum of all others, so a
    damaged file is noticed when it is read, named, and its model trained anew.
    """

    folder: Path

    def path(self, key: str) -> Path:
        """Return the file of a model."""
        return self.folder / key[:2] / f"{key}.npz"

    def holds(self, key: str) -> bool:
        """Whether there is a file of a model, damaged or not."""
        return self.path(key).exists()

    def load(self, key: str) -> Outcome | None:
        """Return a finished model, or None where there is none or its file is damaged."""
        path = self.path(key)
        try:
            with np.load(io.BytesIO(_checked(path.read_bytes())), allow_pickle=False) as arrays:
                found = {name: arrays[name] for name in arrays.files}
            weights = {name.removeprefix(_WEIGHT): found.pop(name) for name in list(found) if name.startswith(_WEIGHT)}
            return Outcome(**found, weights=weights)
        except FileNotFoundError:
            return None
        except (ValueError, OSError) as error:
            _log.warning("%s is damaged (%s): its model is trained again", path, error)
            return None

    def save(self, key: str, outcome: Outcome) -> None:
        """Write a finished model under its key, all or nothing.

        Raises
        ------
        Nem2eError
            If the file cannot be written, for instance because the disk is full.
        """
        arrays = outcome._asdict()
        weights = {_WEIGHT + name: value for name, value in arrays.pop("weights").items()}
        packed = io.BytesIO()
        np.savez(packed, **arrays, **weights)
        write(self.path(key), _sealed(packed.getvalue()))


def write(path: Path, content: bytes) -> None:
    """Write a file beside models, all or nothing; not forced to the disk at once: after a loss of power, sums tell.

    Raises
    ------
    Nem2eError
        If it cannot be written, for instance because the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise Nem2eError(
            f"{path}: cannot be written ({error.strerror}); make room or choose another folder and start again, "
            "finished models are kept."
        ) from error


def _sealed(archive: bytes) -> bytes:
    """Return a zip archive with the SHA-256 of what stands before it as its comment: still an ordinary .npz."""
    body = archive[:-2] + _DIGITS.to_bytes(2, "little")
    return body + hashlib.sha256(body).hexdigest().encode()


def _checked(content: bytes) -> bytes:
    body, seal = content[:-_DIGITS], content[-_DIGITS:]
    if hashlib.sha256(body).hexdigest().encode() != seal:
        raise ValueError("its checksum does not fit")
    return content
