"""Labelled array sets on disk: NetCDF 3, whole or not at all, the same bytes for the same data."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nem2e_lib.data.files import read_bytes, replacing
from nem2e_lib.error import Nem2eError

if TYPE_CHECKING:
    import xarray as xr


def save_dataset(dataset: xr.Dataset, path: str | Path) -> None:
    """Write a dataset as NetCDF 3, which carries no time stamp.

    Raises
    ------
    Nem2eError
        If the folder does not exist or cannot be written.
    """
    with replacing(path) as temporary:
        dataset.to_netcdf(temporary, engine="scipy", format="NETCDF3_64BIT")


def load_dataset(path: str | Path) -> xr.Dataset:
    """Read a whole dataset into memory, numbers in native byte order.

    Raises
    ------
    Nem2eError
        If the file is missing or no NetCDF 3.
    """
    import xarray as xr

    if not read_bytes(path).startswith(b"CDF"):
        raise Nem2eError(f"{path}: not a NetCDF 3 file; one that nem2e wrote is expected.")
    try:
        with xr.open_dataset(path, engine="scipy") as lazy:
            return _native(lazy.load())
    except (ValueError, TypeError, IndexError, KeyError, OSError) as error:
        raise Nem2eError(f"{path}: the NetCDF file is damaged ({error}); make it again.") from None


def dataset_hash(dataset: xr.Dataset) -> str:
    """Return the SHA-256 (hex) of names, dimensions, values and attributes, whatever the order they come in."""
    digest = hashlib.sha256()
    for name in sorted(map(str, dataset.variables)):
        variable = dataset.variables[name]
        digest.update(json.dumps([name, list(map(str, variable.dims)), list(variable.shape)]).encode())
        digest.update(_content(variable.to_numpy()))
    attributes = {key: _plain(value) for key, value in dataset.attrs.items()}
    digest.update(json.dumps(attributes, sort_keys=True).encode())
    return digest.hexdigest()


def _content(values: np.ndarray) -> bytes:
    if values.dtype.kind in "OUST":
        return json.dumps([str(value) for value in values.ravel()]).encode()
    return np.ascontiguousarray(values, dtype="<f8").tobytes()


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _native(dataset: xr.Dataset) -> xr.Dataset:
    numbers = {name: v for name, v in dataset.variables.items() if v.dtype.kind in "fiu"}
    native = {name: (v.dims, v.to_numpy().astype(v.dtype.newbyteorder("="))) for name, v in numbers.items()}
    texts = {name: v for name, v in dataset.variables.items() if v.dtype.kind == "O"}
    names = {name: (v.dims, v.to_numpy().astype(str)) for name, v in texts.items()}
    return dataset.assign(native | names).drop_encoding()
