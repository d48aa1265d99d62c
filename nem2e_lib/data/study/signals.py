"""The signals of one trial: columns found, renamed and judged before anything is computed from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.columns import Columns, sort_columns
from nem2e_lib.data.emg.processing import DEAD_CHANNEL, power_above
from nem2e_lib.data.emg.table import lacks
from nem2e_lib.data.exports.formats import read_recording
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.limits import no_activation
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.settings import Settings
from nem2e_lib.data.tables import near
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

_RECTIFIED = 0.3  # mean over mean absolute value; near 0 where a signal swings about zero
UNSCALED = (0.02, 1.5)
"""EMG whose median channel rises higher than this, or not so high, is in mV, % or another unit, not normalised."""
_EMG = "EMG column"
UNASKED = "not in [activation] columns"
"""What is said of a muscle that a study leaves out."""
_ENVELOPE_HZ, _ROUGH = 50.0, 0.3  # envelopes have nearly no power above that frequency, raw EMG most of it


def read_activation(path: Path, settings: Settings, muscles: Sequence[str] = ()) -> Storage:
    """Read activation with muscle names as labels.

    Parameters
    ----------
    path : Path
    settings : Settings
        Its `activation_columns`, where given, name the columns.
    muscles : sequence of str
        What another trial of the study has; the columns come in this order.

    Raises
    ------
    Nem2eError
        If muscles are missing, double or new, or values are not finite or no activations.
    """
    storage = _read(path)
    column_of = _muscles(path, storage, settings)
    wanted = list(muscles or column_of)
    _require(path, "muscle column", wanted, column_of)
    new = [name for name in column_of if name not in wanted]
    if new:
        raise Nem2eError(
            f"{path}: muscle column {new[0]!r} is not in the first trial's file; all trials must have "
            "the same muscles, or study.toml must name those to use in [activation] columns."
        )
    chosen = _select(path, storage, [column_of[name] for name in wanted], wanted)
    if problem := no_activation(chosen.values):
        raise Nem2eError(f"{path}: {problem}")
    return chosen


def read_emg(path: Path, channels: Sequence[str]) -> Storage:
    """Read EMG envelopes with `channels` as labels.

    Raises
    ------
    Nem2eError
        If a channel is missing, or values are not finite or no envelope.
    """
    storage = _read(path)
    _require(path, _EMG, channels, storage.labels)
    chosen = _select(path, storage, channels, channels)
    check_envelope(path, channels, chosen.values, chosen.time)
    return chosen


def read_raw_emg(path: Path, channels: Sequence[str]) -> Storage:
    """Read raw EMG with `channels` as labels; values may be NaN, where a sensor paused.

    Raises
    ------
    Nem2eError
        If a channel is missing.
    """
    storage = _read(path)
    _require(path, _EMG, channels, storage.labels)
    index = [storage.labels.index(channel) for channel in channels]
    return dataclasses.replace(storage, labels=tuple(channels), values=storage.values[:, index])


def widened(storage: Storage, channels: Sequence[str]) -> Storage:
    """Return a recording with all `channels` as labels, NaN throughout for those that it does without."""
    if storage.labels == tuple(channels):
        return storage
    values = np.full((len(storage.time), len(channels)), np.nan)
    values[:, [list(channels).index(label) for label in storage.labels]] = storage.values
    return dataclasses.replace(storage, labels=tuple(channels), values=values)


def check_envelope(path: Path, channels: Sequence[str], values: Array, time: Array | None = None) -> None:
    """Refuse channels that recorded nothing, swing about zero as raw EMG does, or are not smooth (given `time` in s).

    Raises
    ------
    Nem2eError
        With the first such channel.
    """
    size, advice = np.abs(values).mean(axis=0), "say in study.toml, [emg_processing], how to make one of raw EMG."
    rough = _roughness(time, values) if time is not None else np.zeros(len(channels))
    for channel, mean, height, share in zip(channels, values.mean(axis=0), size, rough, strict=True):
        if height == 0:
            raise Nem2eError(f"{path}: EMG {channel!r} is zero throughout; {DEAD_CHANNEL}.")
        if mean < _RECTIFIED * height:
            raise Nem2eError(
                f"{path}: EMG {channel!r} swings about zero (mean {mean:.3g}, mean size {height:.3g}), "
                f"but an envelope is expected; {advice}"
            )
        if share > _ROUGH:
            raise Nem2eError(
                f"{path}: EMG {channel!r} has {share:.0%} of its power above {_ENVELOPE_HZ:g} Hz, but a smooth "
                f"envelope is expected; {advice}"
            )


def is_raw(time: Array, values: Array) -> NDArray[np.bool_]:
    """Whether each column is like raw EMG, about zero or about an offset, shape (columns,); NaN counts as 0."""
    known = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    size = np.abs(known).mean(axis=0)
    swings = (size > 0) & (known.mean(axis=0) < _RECTIFIED * size)
    return np.asarray(swings | (_roughness(time, known) > _ROUGH))


def _roughness(time: Array, values: Array) -> Array:
    """Share of each column's power above 50 Hz, its mean left out; 0 where the rate is under 200 Hz."""
    seconds = float(time[-1] - time[0])
    rate = (len(time) - 1) / seconds if seconds > 0 else 0.0
    varying = np.ptp(values, axis=0) > 0
    share = np.zeros(values.shape[1])
    if rate >= 4 * _ENVELOPE_HZ and varying.any():
        share[varying] = power_above(values[:, varying], rate, _ENVELOPE_HZ)
    return share


def clocks_apart(path: Path, signal: Storage, activation_path: Path, activation: Storage) -> str:
    """Say what is wrong if a signal and the activation share no time; empty if they do."""
    (first, last), (start, end) = signal.time[[0, -1]], activation.time[[0, -1]]
    if first < end and start < last:
        return ""
    return (
        f"{path}: time runs from {first:g} to {last:g} s, but {activation_path} from {start:g} to {end:g} s; they must "
        "overlap on one clock (see the offsets of trials.csv)."
    )


def columns_of(path: Path, storage: Storage, settings: Settings) -> Columns:
    """Tell the muscles among the columns of an activation file from all else.

    ``[activation] columns`` decides where it is given, else the model, else names; the muscles that ``[emg]`` names are
    muscles by that word.

    Raises
    ------
    Nem2eError
        If a column that is named is missing.
    """
    if settings.activation_columns is None:
        return sort_columns(storage.labels, settings.model, map(muscle_name, settings.targets.values()))
    asked = _asked(path, storage, settings.activation_columns)
    kinds = sort_columns(storage.labels, settings.model).left
    left = {label: kinds.get(label, UNASKED) for label in storage.labels if label not in asked}
    return Columns(tuple(asked), left)


def _muscles(path: Path, storage: Storage, settings: Settings) -> dict[str, str]:
    """Muscle name → column label."""
    candidates = columns_of(path, storage, settings).muscles
    if not candidates:
        raise Nem2eError(
            f"{path}: no muscle column found; name them in study.toml, [activation] columns, or give the model there."
        )
    names = [muscle_name(label) for label in candidates]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise Nem2eError(
            f"{path}: muscle {twice[0]!r} has more than one column; "
            "name the columns to use in study.toml, [activation] columns."
        )
    return dict(zip(names, candidates, strict=True))


def _asked(path: Path, storage: Storage, columns: Sequence[str]) -> list[str]:
    found = sort_columns(storage.labels, told=map(muscle_name, columns)).muscles
    by_name = {muscle_name(label): label for label in found} | {label: label for label in storage.labels}
    _require(path, "activation column", columns, by_name)
    return [by_name[column] for column in columns]


def _require(path: Path, what: str, wanted: Iterable[str], found: Iterable[str]) -> None:
    known = list(found)
    missing = [name for name in wanted if name not in known]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        shown = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
        hint = lacks(missing[0], known) if what == _EMG else near(missing[0], known) or "."
        raise Nem2eError(f"{path}: no {what} {missing[0]!r}{more}; found {shown}{hint}")


def _read(path: Path) -> Storage:
    storage = read_recording(path)
    if len(storage.time) < 2:
        raise Nem2eError(f"{path}: found {len(storage.time)} rows, but at least 2 are expected.")
    return storage


def _select(path: Path, storage: Storage, columns: Sequence[str], labels: Sequence[str]) -> Storage:
    index = [storage.labels.index(column) for column in columns]
    values = np.ascontiguousarray(storage.values[:, index])
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        raise Nem2eError(
            f"{path}: column {columns[column]!r} is {values[row, column]} at {storage.time[row]:.9g} s "
            f"({len(bad)} such in all), but finite numbers are expected; mend or cut the file."
        )
    return dataclasses.replace(storage, labels=tuple(labels), values=values)
