"""The formats of exports, how each is told by its first lines, and what becomes of files that are not read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nem2e_lib.data.exports import bts, cortex, delsys, noraxon, plain, qualisys, vicon
from nem2e_lib.data.exports.sheet import Sheet, read_sheet
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.error import Nem2eError

_SEEN: ContextVar[dict[Path, Storage] | None] = ContextVar("seen", default=None)

SUFFIXES = (".csv", ".tsv", ".txt", ".slk", ".anc", ".forces", ".emt")
"""Suffixes of files that may be exports."""
TABLES = (".sto", ".mot")
"""Suffixes of OpenSim's tables."""

UNREAD = {
    ".hpf": "is EMGworks' own format; export it as .csv with the EMGworks File Utility",
    ".shpf": "is Trigno Discover's own format; export it as .csv from Trigno Discover",
    ".tdf": "is BTS' own format; export its tracks as text (.emt) from the BTS program",
    ".trb": "is Cortex' binary file of markers; save .trc there, and analog channels as .anc",
    ".anb": "is Cortex' binary file of analog channels; save it as .anc there",
    ".c3d": "is a C3D recording; make tables of it with 'nem2e c3d FILE --out FOLDER' and name those",
    ".qtm": "is Qualisys' own format; export analog data and force as .tsv there",
    ".mat": "is of MATLAB; write its table as .csv with a column 'time' in s (writetable)",
    ".xls": "is a workbook; save its sheet as .csv",
    ".xlsx": "is a workbook; save its sheet as .csv",
    ".ods": "is a workbook; save its sheet as .csv",
    ".h5": "is HDF5; write its table as .csv with a column 'time' in s",
    ".hdf5": "is HDF5; write its table as .csv with a column 'time' in s",
    ".acq": "is AcqKnowledge's own format; export it as text there, with time and labels",
    ".adicht": "is LabChart's own format; export it as text there, with time and labels",
    ".edf": "is EDF; export it as text with time and labels",
    ".bdf": "is BDF; export it as text with time and labels",
    ".zip": "is an archive; unpack it",
    ".gz": "is an archive; unpack it",
}
"""Suffixes of files that may hold recordings and are not read, with what each is and the way out."""


@dataclass(frozen=True)
class Format:
    """One format: its name, how it is recognised, and its reader."""

    name: str
    recognises: Callable[[Sheet], bool]
    read: Callable[[Sheet], Storage]


FORMATS = (
    Format(f"{noraxon.NAME}, spreadsheet", noraxon.is_sylk, noraxon.read_sylk),
    Format(cortex.ANALOG, cortex.is_analog, cortex.read_analog),
    Format(cortex.FORCES, cortex.is_forces, cortex.read_forces),
    Format(bts.NAME, bts.is_bts, bts.read_bts),
    Format(delsys.DISCOVER, delsys.is_discover, delsys.read_discover),
    Format(qualisys.NAME, qualisys.is_qualisys, qualisys.read_qualisys),
    Format(vicon.NAME, vicon.is_vicon, vicon.read_vicon),
    Format(noraxon.NAME, noraxon.is_noraxon, noraxon.read_noraxon),
    Format(delsys.EMGWORKS, delsys.is_emgworks, delsys.read_emgworks),
    Format(plain.NAME, lambda _: True, plain.read_plain),
)
"""Every format, those with the surest marks first."""


def read_export(path: str | Path) -> Storage:
    """Read a recording that a program exported as text; what it is decides, not its suffix.

    The metadata tell ``format``, ``rate_hz`` and ``units`` (`channels.units`); what was left out or changed stands in
    the warnings.

    Raises
    ------
    Nem2eError
        If the file is of no known format or damaged, with everything that is wrong and what to do.
    """
    suffix = Path(path).suffix.lower()
    if suffix in UNREAD:
        raise Nem2eError(f"{path}: {UNREAD[suffix]}.")
    sheet = read_sheet(str(path))
    if any(re.fullmatch(r"\s*endheader\s*", line, re.IGNORECASE) for line in sheet.lines[:1000]):
        return _named(read_storage(path), "OpenSim storage")
    return next(known for known in FORMATS if known.recognises(sheet)).read(sheet)


def _named(storage: Storage, name: str) -> Storage:
    return replace(storage, metadata={**storage.metadata, "format": name})


def read_recording(path: str | Path) -> Storage:
    """Read an OpenSim table (.sto, .mot) or an export; errors as `read_storage` and `read_export`."""
    found = read_storage(path) if Path(path).suffix.lower() in TABLES else read_export(path)
    if (seen := _SEEN.get()) is not None:
        seen[Path(path)] = replace(found, time=np.empty(0), values=np.empty((0, len(found.labels))))
    return found


@contextmanager
def seen() -> Iterator[dict[Path, Storage]]:
    """Give what `read_recording` reads within, by path and without its numbers: labels, metadata and warnings."""
    found: dict[Path, Storage] = {}
    token = _SEEN.set(found)
    try:
        yield found
    finally:
        _SEEN.reset(token)
