"""What was simulated from the open recordings once and comes with the library, with its provenance.

A study's file ``activation/<study>.json`` tells what made it; ``activation/<study>/<trial>.sto.xz`` is the activation,
compressed, of the muscles and times that the study needs. In ``inputs/`` lie, in the same way, joint angles, net
moments and muscle lengths of the measured leg, ``<trial>_<table>.sto.xz``.
"""

from __future__ import annotations

import hashlib
import json
import lzma
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nem2e_lib.data.files import read_bytes, write_text
from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.error import Nem2eError

KEPT = Path(__file__).with_name("activation")
INPUTS = Path(__file__).with_name("inputs")
TABLES = ("angles", "moments", "lengths")
"""Tables of a trial beside its activation, as ``trials.csv`` calls their columns."""
DIGITS = 5
"""Decimals that are kept of an activation from 0 to 1."""


def provenance(study: str, kept: Path = KEPT) -> dict[str, Any]:
    """Return what made a study's kept activation.

    Returns
    -------
    dict
        ``opensim``, ``nem2e`` (commit), ``steps``, ``options``, ``model``, ``inputs`` (SHA-256 by path among the open
        recordings), ``trials`` (of each: window, verdict and SHA-256 of the file that is kept), ``laboratory`` (rows
        of its agreement with the laboratory's own angles and moments), ``licence`` and ``cite``.

    Raises
    ------
    Nem2eError
        If nothing is kept of it.
    """
    path = kept / f"{study}.json"
    if not path.is_file():
        raise Nem2eError(f"{path}: no activation of the study {study!r} is kept here; simulate it anew.")
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


def unpack(study: str, folder: Path, kept: Path = KEPT) -> list[str]:
    """Write a study's kept activation as ``<folder>/<trial>/activation.sto``, as a simulation leaves it.

    Returns
    -------
    list of str
        The trials.

    Raises
    ------
    Nem2eError
        If nothing is kept of it, or a file is not the one that was.
    """
    trials = provenance(study, kept)["trials"]
    for trial, facts in trials.items():
        (folder / trial).mkdir(parents=True, exist_ok=True)
        write_text(folder / trial / "activation.sto", _text(_place(study, trial, kept), facts["sha256"]))
    return list(trials)


def unpack_inputs(study: str, folder: Path, kept: Path = INPUTS) -> None:
    """Write a study's kept tables beside activation as ``<folder>/<trial>/<table>.sto``; errors as `unpack`."""
    for name, facts in provenance(study, kept)["trials"].items():
        trial, _, table = name.rpartition("_")
        (folder / trial).mkdir(parents=True, exist_ok=True)
        write_text(folder / trial / f"{table}.sto", _text(_place(study, name, kept), facts["sha256"]))


def _text(path: Path, sha256: str) -> str:
    raw = read_bytes(path)
    if hashlib.sha256(raw).hexdigest() != sha256:
        raise Nem2eError(f"{path}: is not the file that was kept, by its SHA-256; install nem2e anew.")
    return lzma.decompress(raw).decode("utf-8")


def keep(
    study: str,
    activation: Mapping[str, Storage],
    told: Mapping[str, Any],
    kept: Path = KEPT,
) -> None:
    """Keep activation by trial, rounded to `DIGITS`, and what made it; the facts of a trial get its SHA-256.

    Parameters
    ----------
    study : str
    activation : mapping of str to Storage
        By trial: the columns and rows to keep.
    told : mapping
        As `provenance` returns it, ``trials`` without the hashes.
    """
    (kept / study).mkdir(parents=True, exist_ok=True)
    for old in (kept / study).glob("*.sto.xz"):
        old.unlink()
    trials = {}
    for trial, storage in activation.items():
        path = _place(study, trial, kept)
        plain = path.with_suffix("")
        values = np.round(storage.values, DIGITS)
        rounded = Storage(trial, storage.labels, np.round(storage.time, DIGITS), values, storage.in_degrees)
        write_storage(plain, rounded)
        path.write_bytes(lzma.compress(plain.read_bytes(), preset=9 | lzma.PRESET_EXTREME))
        plain.unlink()
        trials[trial] = {**told["trials"].get(trial, {}), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    write_text(kept / f"{study}.json", json.dumps({**told, "trials": trials}, indent=1, ensure_ascii=False) + "\n")


def _place(study: str, trial: str, kept: Path) -> Path:
    return kept / study / f"{trial}.sto.xz"
