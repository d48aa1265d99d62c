"""Channels of an export, each on its own clock, made into one table over time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.exports.sheet import Sheet
from nem2e_lib.data.storage.header import shown, unique_labels
from nem2e_lib.data.storage.storage import Storage

Array = NDArray[np.float64]

_SAME_RATE = 1e-3
"""Rates that a header and a time column state may differ by this share: a header rounds."""
_FINER = 4
"""A channel is brought to this many times its rate before a spline reads between its samples."""
_OF_EMG = r"|.*V(?:olts?)?|%.*|a\.?u\.?"
_FEWEST = 2  # rows
_TOLD = 6  # labels that a message names


@dataclass(frozen=True, eq=False)
class Channel:
    """One signal.

    Attributes
    ----------
    label : str
    unit : str
        Empty where the file does not say.
    time : float64 array, shape (rows,)
        In s.
    values : float64 array, shape (rows,)
        NaN where there is no sample.
    """

    label: str
    unit: str
    time: Array
    values: Array

    @property
    def rate_hz(self) -> float:
        """Mean rate; 0 of less than two rows."""
        return float((len(self.time) - 1) / (self.time[-1] - self.time[0])) if len(self.time) > 1 else 0.0


def ticks(rows: int, rate_hz: float, start_s: float = 0.0) -> Array:
    """Return an even clock."""
    return start_s + np.arange(rows) / rate_hz


def even_clock(sheet: Sheet, time: Array, decimals: int, rate_hz: float | None = None, start: int = 0) -> Array:
    """Return a time column without the rounding of its print.

    A column that is nowhere further from an even clock than its last digit becomes that clock: the header's rate if
    it states one, else the mean rate.

    Parameters
    ----------
    sheet : Sheet
        For messages.
    time : float64 array, shape (rows,)
        In s.
    decimals : int
        Digits after the decimal point that are printed, counted in s.
    rate_hz : float, optional
        What the header states.
    start : int
        Lines above the first row.

    Raises
    ------
    Nem2eError
        If time does not rise, or runs at another rate than the header states.
    """
    if len(time) < _FEWEST:
        raise sheet.refusal(f"there are {len(time)} rows, but at least {_FEWEST} are expected; export it anew.")
    if not np.isfinite(time).all():
        raise sheet.refusal(f"line {start + int(np.argmin(np.isfinite(time))) + 1}: there is no time; mend it.")
    if (back := np.diff(time) < 0).any():
        row = int(np.argmax(back))
        raise sheet.refusal(
            f"line {start + row + 2}: time goes back from {time[row]:g} to {time[row + 1]:g} s, but rising "
            "numbers are expected; two recordings in one file must be split."
        )
    if time[-1] == time[0]:
        raise sheet.refusal(f"all rows have the time {time[0]:g} s, but rising times are expected.")
    mean = (len(time) - 1) / (time[-1] - time[0])
    half = 0.51 * 10.0**-decimals
    if rate_hz is not None and rate_hz > 0:
        if np.abs(time - ticks(len(time), rate_hz, time[0])).max() <= 2 * half:
            return ticks(len(time), rate_hz, time[0])
        if abs(mean / rate_hz - 1) > _SAME_RATE:
            raise sheet.refusal(
                f"the header states {rate_hz:g} Hz, but the time column runs at {mean:.6g} Hz; which of them is right "
                "cannot be known, export it anew or correct the header."
            )
    level = ticks(len(time), mean, time[0])
    return level if np.abs(time - level).max() <= 2 * half else time


def gather(
    sheet: Sheet,
    name: str,
    channels: Sequence[Channel],
    told: Iterable[str] = (),
    metadata: dict[str, str] | None = None,
) -> Storage:
    """Return one table of channels, whose metadata tell ``format``, ``rate_hz`` and ``units`` (see `units`).

    Channels of several clocks are brought to the fastest one by band-limited interpolation, which keeps the high
    frequencies of raw EMG; beyond the samples of a channel its values are NaN.

    Raises
    ------
    Nem2eError
        If there is no channel.
    """
    if not channels:
        raise sheet.refusal(f"no channel with numbers is left in this {name} file; export the EMG or force channels.")
    if (rows := min(len(channel.time) for channel in channels)) < _FEWEST:
        raise sheet.refusal(f"there are {rows} rows, but at least {_FEWEST} are expected; export it anew.")
    clock, own = _fastest(channels)
    values, moved = [], []
    for channel in channels:
        if np.array_equal(channel.time, clock[own]):
            column = np.full(len(clock), np.nan)
            column[own] = channel.values
            values.append(column)
        else:
            values.append(_on(clock, channel))
            moved.append(channel)
    labels = unique_labels([channel.label for channel in channels])
    rate = (len(clock) - 1) / float(clock[-1] - clock[0])
    known = {label: channel.unit for label, channel in zip(labels, channels, strict=True) if channel.unit}
    facts = {"format": name, "rate_hz": f"{rate:.8g}", **(metadata or {})}
    if known:
        facts["units"] = json.dumps(known, ensure_ascii=False)
    table = np.column_stack(values)
    odd = [*sheet.odd, *told, *_moved(moved, rate), *_renamed(channels, labels), *_gaps(table, labels, clock)]
    return Storage(Path(sheet.path).stem, tuple(labels), clock, table, metadata=facts, warnings=tuple(odd))


def units(storage: Storage) -> dict[str, str]:
    """Return the units of a table's columns by label, where an export told them (``uV``, ``mV``, ``N``)."""
    try:
        found = json.loads(storage.metadata.get("units", "{}"))
    except ValueError:
        return {}
    return {str(label): str(unit) for label, unit in found.items()} if isinstance(found, dict) else {}


def may_be_emg(storage: Storage) -> list[str]:
    """Return the labels of columns whose unit, where an export told it, is one that EMG comes in: V, % or arbitrary."""
    known = units(storage)
    return [label for label in storage.labels if re.fullmatch(_OF_EMG, known.get(label, ""), re.IGNORECASE)]


def _fastest(channels: Sequence[Channel]) -> tuple[Array, slice]:
    """The fastest clock, carried on to where the earliest channel starts and the last one ends, and its own rows."""
    fastest = max(channels, key=lambda channel: channel.rate_hz)
    time, step = fastest.time, 1 / fastest.rate_hz
    before = int((time[0] - min(channel.time[0] for channel in channels)) / step + 1e-6)
    after = int((max(channel.time[-1] for channel in channels) - time[-1]) / step + 1e-6)
    head, tail = time[0] - step * np.arange(before, 0, -1), time[-1] + step * np.arange(1, after + 1)
    return np.concatenate([head, time, tail]), slice(before, before + len(time))


def _on(clock: Array, channel: Channel) -> Array:
    """Values of a channel on another clock; NaN where its nearest sample is missing or more than a step away."""
    from scipy import signal  # slow to load, and the command line starts without it
    from scipy.interpolate import CubicSpline

    known = np.isfinite(channel.values)
    if known.sum() < 2:
        return np.full(len(clock), np.nan)
    last = len(known) - int(np.argmax(known[::-1]))
    time, known = channel.time[:last], known[:last]
    filled = np.interp(time, time[known], channel.values[:last][known])
    rate = (last - 1) / (time[-1] - time[0])
    if np.allclose(ticks(last, rate, time[0]), time, rtol=0, atol=1e-6):
        filled = signal.resample_poly(filled, _FINER, 1, padtype="line")
        knots = ticks(len(filled), _FINER * rate, time[0])
    else:  # a clock with pauses is read as it is
        rising = np.concatenate([[True], np.diff(time) > 0])
        knots, filled = time[rising], filled[rising]
    found = np.asarray(CubicSpline(knots, filled)(clock), np.float64)
    right = np.searchsorted(time, clock).clip(1, last - 1)
    nearest = np.where(clock - time[right - 1] <= time[right] - clock, right - 1, right)
    away = np.abs(clock - time[nearest]) > 0.75 * np.median(np.diff(time))
    found[~known[nearest] | away] = np.nan
    return found


def _moved(moved: Sequence[Channel], rate: float) -> Iterable[str]:
    if moved:
        rates = ", ".join(f"{shown(each.label)} ({each.rate_hz:.6g} Hz)" for each in moved[:_TOLD])
        more = f" and {len(moved) - _TOLD} more" if len(moved) > _TOLD else ""
        yield f"Channels have clocks of their own: {rates}{more} were brought to {rate:.6g} Hz by interpolation."


def _renamed(channels: Sequence[Channel], labels: Sequence[str]) -> Iterable[str]:
    pairs = [(channel.label, label) for channel, label in zip(channels, labels, strict=True) if channel.label != label]
    if pairs:
        told = ", ".join(f"{shown(old)} as {shown(new)}" for old, new in pairs[:_TOLD])
        yield f"Labels that occur more than once were renamed: {told}."


def _gaps(table: Array, labels: Sequence[str], clock: Array) -> Iterable[str]:
    lost = np.isnan(table)
    if not lost.any():
        return
    counts = lost.sum(axis=0)
    told = ", ".join(f"{shown(labels[i])} ({counts[i]})" for i in np.flatnonzero(counts)[:_TOLD].tolist())
    first = clock[int(np.argmax(lost.any(axis=1)))]
    yield f"Cells without a number were kept as nan, the first at {first:.6g} s: {told}."


_AT_END = re.compile(r".*?\s*(?:[\[(]\s*([^\[\]()]*?)\s*[\])]|,\s*([^\s,]{1,6}))")
_UNITS = re.compile(
    r"[mun\u00b5\u03bck]?V(?:olts?)?|%.*|[mk]?N|N[.*\u00b7 ]?m+|mm[.*\u00b7 ]?N|m?g|(?:deg|rad|\u00b0)(?:/s)?|"
    r"m?m(?:/s.*)?|a\.?u\.?|[u\u00b5\u03bc]T",
    re.IGNORECASE,
)


def unit_of(label: str) -> str:
    """Return the unit at the end of a label: ``uV`` of ``RT SOLEUS (uV)``, ``RT SOLEUS,uV`` and ``RT SOLEUS [uV]``."""
    found = _AT_END.fullmatch(label)
    unit = (found.group(1) or found.group(2) or "") if found else ""
    return unit if is_unit(unit) else ""


def is_unit(text: str) -> bool:
    """Whether a text is a unit that signals come in."""
    return _UNITS.fullmatch(text) is not None
