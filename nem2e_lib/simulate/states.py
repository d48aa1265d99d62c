"""Files of states, which OpenSim 4.6 damages when the interpreter ends, and activation taken out of them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nem2e_lib.data.files import read_bytes, replacing
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.osim import StepFailed

KEPT = "_kept.sto"
_HEAD = 400_000
_END = b"\nendheader"
_FIRST = b"/jointset/"
INSTANT_S = 1e-6
"""Steps of the integrator shorter than this are dropped: they carry no information and upset interpolation."""


def keep_states(path: Path) -> Path:
    """Copy a file of states while the process that made it still runs, and return the copy.

    OpenSim 4.6 writes the header of ``…_states.sto`` again when the interpreter ends, over its own first lines.
    """
    copy = path.with_name(path.stem + KEPT)
    with replacing(copy) as temporary:
        temporary.write_bytes(read_bytes(path))
    return copy


def restore_states(folder: Path) -> None:
    """Put copies that were kept back in the place of what the end of their process may have damaged."""
    for copy in folder.glob(f"*{KEPT}"):
        copy.replace(copy.with_name(copy.name.removesuffix(KEPT) + ".sto"))


def is_damaged(path: Path) -> bool:
    """Whether a file's header was written over: a line of labels that is ``time`` alone, above real ones."""
    head = read_bytes(path)[:_HEAD].replace(b"\r\n", b"\n")
    return _END in head and b"\ntime\n" in head[head.index(_END) :]


def read_states(path: Path) -> Storage:
    """Read a file of states, be its header damaged or not.

    Raises
    ------
    Nem2eError
        If no line of labels is left, or the file is no storage file.
    """
    if not is_damaged(path) or b"\ntime\t" in read_bytes(path)[:_HEAD]:
        return read_storage(path)
    with tempfile.TemporaryDirectory() as folder:
        mended = Path(folder) / path.name
        mended.write_bytes(_mended(path, read_bytes(path).replace(b"\r\n", b"\n")))
        return read_storage(mended)


def _mended(path: Path, raw: bytes) -> bytes:
    """The same bytes with one line of labels, after the header that was written over the first one.

    How far it was written over depends on the length of the name in it: of a short one, the old ``time`` is lost,
    with the tab after it or the first letters of the first label.
    """
    start = raw.index(b"\ntime\n", raw.index(_END)) + 1
    lines = raw[start + 5 : start + 5 + _HEAD].split(b"\n")
    number = next((i for i, line in enumerate(lines) if b"/" in line or b"\t" in line), None)
    if number is None:
        raise Nem2eError(
            f"{path}: no labels are left in the damaged header, so nothing can be repaired; simulate again."
        )
    rest = raw[start + 5 + sum(len(line) + 1 for line in lines[:number]) :]
    return raw[:start] + _labels(lines[number]) + rest[len(lines[number]) :]


def _labels(line: bytes) -> bytes:
    """The line of labels with ``time``, and the first label whole again: states start with those of joints."""
    first = line.lstrip(b"\t")
    cut = next((at for at in range(len(_FIRST)) if first.startswith(_FIRST[at:])), len(_FIRST))
    return b"time\t" + _FIRST[:cut] + first


def repair_states(path: Path, target: Path | None = None) -> Path:
    """Write a damaged file of states anew with a whole header; data are bit for bit the same.

    Raises
    ------
    Nem2eError
        If no line of labels is left in the file, or it has no rows.
    """
    storage = read_states(path)
    if not len(storage.time):
        raise Nem2eError(f"{path}: no rows are left after the header, so nothing can be repaired; simulate again.")
    write_storage(target or path, storage)
    return target or path


def activation_of_states(path: Path, muscles: Sequence[str] = ()) -> Storage:
    """Return activation from a file of states: columns ``/forceset/<muscle>/activation``, labelled by muscle.

    Time steps stay as the integrator chose them, unless shorter than `INSTANT_S`; computed muscle control starts
    0.03 s after the window asked for.

    Parameters
    ----------
    muscles : sequence of str
        Order of the columns; without it, that of the file.

    Raises
    ------
    Nem2eError
        If the file has no column of activation, or lacks one of `muscles`.
    """
    storage = read_states(path)
    columns = {muscle_name(label): label for label in storage.labels if label.endswith(("/activation", ".activation"))}
    if not columns:
        raise Nem2eError(
            f"{path}: has no column /forceset/<muscle>/activation; the states that computed muscle control writes "
            "(…_states.sto) are expected."
        )
    names = list(muscles) or list(columns)
    missing = [name for name in names if name not in columns]
    if missing:
        raise Nem2eError(f"{path}: has no activation of muscle {missing[0]!r}; it has {', '.join(columns)}.")
    values = np.column_stack([storage.column(columns[name]) for name in names])
    rows = _apart(storage.time)
    return Storage("activation", tuple(names), storage.time[rows], values[rows])


def _apart(time: np.ndarray) -> np.ndarray:
    """Rows whose time is more than an instant after the one before, and the last."""
    keep = np.append(np.diff(time) > INSTANT_S, True)
    return np.flatnonzero(keep)


def save_static_optimisation(results: Path, target: Path, muscles: Sequence[str]) -> None:
    """Write the muscles' columns of a static optimisation, without reserves and residuals."""
    storage = read_storage(results)
    values = np.column_stack([storage.column(name) for name in muscles])
    save_activation(target, Storage("activation", tuple(muscles), storage.time, values))


def save_activation(path: Path, storage: Storage) -> None:
    """Write activation; StepFailed where it is not finite, which no study accepts."""
    bad = np.argwhere(~np.isfinite(storage.values))
    if len(bad):
        row, column = bad[0]
        raise StepFailed(
            f"{path}: activation of {storage.labels[column]!r} is not finite at {storage.time[row]:.6g} s; "
            "the simulation broke down there."
        )
    write_storage(path, storage)
