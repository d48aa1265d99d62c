"""A refiner's file: a zip of ``manifest.json`` and plain arrays, checksummed, without anything that could run."""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.files import MAX_BYTES, head, read_bytes, replacing
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.manifest import Array, Manifest, from_json

MANIFEST, CHECKSUM = "manifest.json", "manifest.sha256"
DTYPES = ("float32", "float16")
_MANIFEST_BYTES = 64 << 20
_HEADER_BYTES = 4096  # of an array in NumPy's format, at most
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)

Weights = Mapping[str, NDArray[np.floating[Any]]]


def save(path: str | Path, manifest: Manifest, weights: Weights, dtype: str = "float32") -> Manifest:
    """Write a refiner whole or not at all, the same bytes for the same content; return the manifest as written.

    Parameters
    ----------
    path, manifest
        Where and what.
    weights
        Arrays by name.
    dtype
        ``float32`` as trained, or ``float16``: half the size, rounded to three digits.

    Raises
    ------
    Nem2eError
        If the number format is unknown or the file cannot be written.
    """
    if dtype not in DTYPES:
        raise Nem2eError(f"{path}: number format {dtype!r} is unknown, expected {' or '.join(DTYPES)}; choose one.")
    packed = {name: _packed(values.astype(dtype)) for name, values in sorted(weights.items())}
    told = {
        name: Array(weights[name].shape, dtype, hashlib.sha256(content).hexdigest()) for name, content in packed.items()
    }
    manifest = replace(manifest, weights=told)
    text = manifest.to_json().encode()
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as file:
        _add(file, MANIFEST, text)
        _add(file, CHECKSUM, hashlib.sha256(text).hexdigest().encode())
        for name, content in packed.items():
            _add(file, entry(name), content)
    return manifest


def entry(name: str) -> str:
    """Name in the zip of an array."""
    return f"weights/{name}.npy"


def _add(file: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))  # no time stamp: same content, same bytes
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    file.writestr(info, content)


def _packed(values: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(values, order="C"), allow_pickle=False)
    return buffer.getvalue()


def load(path: str | Path) -> tuple[Manifest, dict[str, NDArray[np.float32]]]:
    """Read a refiner; nothing in the file is ever executed.

    Raises
    ------
    Nem2eError
        If there is no such file, it is no refiner, or it is damaged.
    """
    with _open(path) as file:
        manifest = _manifest(path, file)
        weights = {name: _array(path, file, name, told) for name, told in (manifest.weights or {}).items()}
    if not weights and not manifest.fits:
        raise Nem2eError(f"{path}: holds no weights; get the file anew.")
    return manifest, weights


def is_refiner(path: str | Path) -> bool:
    """Whether a file looks like a refiner: a zip that holds a manifest; errors as `read_bytes`."""
    if not head(path).startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(path) as file:
            return MANIFEST in file.namelist()
    except _BROKEN:
        return False


def _open(path: str | Path) -> zipfile.ZipFile:
    def require_zip(head: bytes) -> None:
        if not head.startswith(b"PK"):
            raise Nem2eError(f"{path}: is no refiner, but a file that nem2e train wrote is expected here.")

    raw = read_bytes(path, require_zip)
    try:
        return zipfile.ZipFile(io.BytesIO(raw))
    except _BROKEN as error:
        raise _damaged(path, f"no whole zip file ({error})") from None


def _manifest(path: str | Path, file: zipfile.ZipFile) -> Manifest:
    if MANIFEST not in file.namelist():
        raise Nem2eError(f"{path}: is no refiner (it holds no {MANIFEST}); a file that nem2e train wrote is expected.")
    text = _content(path, file, MANIFEST, _MANIFEST_BYTES)
    if hashlib.sha256(text).hexdigest().encode() != _content(path, file, CHECKSUM, 64):
        raise _damaged(path, f"{MANIFEST} does not match its checksum")
    return from_json(text.decode("utf-8", "replace"), str(path))


def _array(path: str | Path, file: zipfile.ZipFile, name: str, told: Array) -> NDArray[np.float32]:
    if told.dtype not in DTYPES:
        raise _damaged(path, f"{name} has the number format {told.dtype!r}")
    size = math.prod(told.shape) * np.dtype(told.dtype).itemsize
    content = _content(path, file, entry(name), min(size + _HEADER_BYTES, MAX_BYTES))
    if hashlib.sha256(content).hexdigest() != told.sha256:
        raise _damaged(path, f"{entry(name)} does not match its checksum")
    try:
        values = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise _damaged(path, f"{entry(name)}: {error}") from None
    if values.shape != told.shape or str(values.dtype) != told.dtype or not np.isfinite(values).all():
        raise _damaged(path, f"{entry(name)} is not what the manifest says, finite numbers of shape {told.shape}")
    return values.astype(np.float32)


def _content(path: str | Path, file: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Bytes of an entry, at most so many: a small file may claim to unpack to anything."""
    try:
        with file.open(name) as opened:
            content = opened.read(most + 1)
    except KeyError:
        raise _damaged(path, f"{name} is missing") from None
    except _BROKEN as error:
        raise _damaged(path, f"{name}: {error}") from None
    if len(content) > most:
        raise _damaged(path, f"{name} is larger than it may be")
    return content


def _damaged(path: str | Path, why: str) -> Nem2eError:
    return Nem2eError(f"{path}: the refiner is damaged: {why}; get the file anew.")
