"""Mains hum in raw EMG: at 50 or 60 Hz and its harmonics, which an amplifier's own notch leaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.checks import HUM, Note
from nem2e_lib.data.emg.clock import EvenSignal
from nem2e_lib.data.emg.envelope import Recipe, harmonics, notch

Array = NDArray[np.float64]

MAINS_HZ = (50.0, 60.0)  # of Europe and most of the world, of North America
_BLOCK_S = 0.5
_WITHIN_HZ = 2 / _BLOCK_S  # as far as a Hann window spreads a line
_BESIDE_HZ = 12.0
_STEADY = 0.25
"""Quantile of the blocks' power: hum is there in all of them, a burst of EMG is not."""
_COUNTS = 0.01  # of the power; a line with less is none


def notes(path: Path, channels: Sequence[str], raw: EvenSignal, recipe: Recipe) -> Iterator[Note]:
    """Yield the channels that hum, with each line's share; `raw` is what the recipe starts from."""
    for mains in MAINS_HZ:
        lines = harmonics(mains, raw.rate_hz, recipe.band_hz[1] if recipe.band_hz else np.inf)
        shares = lines_share(raw.values, raw.rate_hz, lines)
        hums = (shares.sum(axis=0) > HUM.limit) & _of(mains, raw, shares)
        if not hums.any():
            continue
        told = [
            f"{channel!r} ({_lines(lines, column)} of its power)"
            for channel, column, odd in zip(channels, shares.T, hums, strict=True)
            if odd
        ]
        yield HUM.note(f"{path}: mains hum in EMG {', '.join(told)}; {_way_out(mains, raw, hums, recipe)}.")


def _lines(lines: Sequence[float], shares: Array) -> str:
    return ", ".join(f"{line:g} Hz {part:.0%}" for line, part in zip(lines, shares, strict=True) if part)


def _of(mains: float, raw: EvenSignal, shares: Array) -> NDArray[np.bool_]:
    """Whether a channel's hum is this network's and not the other's: 300 Hz is a harmonic of both."""
    (other,) = (each for each in MAINS_HZ if each != mains)
    theirs = lines_share(raw.values, raw.rate_hz, harmonics(other, raw.rate_hz)).sum(axis=0)
    return np.asarray(shares.sum(axis=0) >= theirs)


def _way_out(mains: float, raw: EvenSignal, hums: NDArray[np.bool_], recipe: Recipe) -> str:
    if recipe.notch_hz is None:
        return f"notch_hz = {mains:g} in study.toml, [emg_processing], takes it out"
    lines = recipe.lines_hz(raw.rate_hz)
    left = lines_share(notch(raw.values[:, hums], raw.rate_hz, lines), raw.rate_hz, harmonics(mains, raw.rate_hz))
    asked = recipe.notch_hz if isinstance(recipe.notch_hz, float | int) else list(recipe.notch_hz)
    return f"notch_hz = {asked} leaves {left.sum(axis=0).max():.1%} of it"


def hum_share(values: Array, rate_hz: float, mains_hz: float) -> Array:
    """Return each channel's share of power that is hum of a network, its harmonics added up, shape (channels,)."""
    return np.asarray(lines_share(values, rate_hz, harmonics(mains_hz, rate_hz)).sum(axis=0))


def lines_share(values: Array, rate_hz: float, lines_hz: Sequence[float]) -> Array:
    """Return each channel's share of power that stands steadily at a line above its surroundings, (lines, channels).

    Power spectral densities of half-second blocks; their lower quartile over the blocks, which bursts of EMG hardly
    raise. A steady line is in all of them, and its share is rather told too low. What lies beside a line, within 12 Hz
    and away from other lines, is taken off. The whole is the power from 5 Hz on, so that drift does not hide the hum. A
    share under 1 % is 0.

    Parameters
    ----------
    values : float64 array, shape (rows, channels)
        Evenly sampled.
    """
    from scipy import signal  # loaded where it is used: half a second

    if not len(lines_hz):
        return np.zeros((0, values.shape[1]))
    rows = min(len(values), round(_BLOCK_S * rate_hz))
    frequency, _, blocks = signal.spectrogram(
        values, rate_hz, "hann", rows, rows // 2, detrend="constant", mode="psd", axis=0
    )
    power = np.quantile(blocks, _STEADY, axis=-1)
    total = blocks[frequency >= 5].mean(axis=-1).sum(axis=0)
    known = np.concatenate([np.arange(mains, rate_hz / 2, mains) for mains in MAINS_HZ])
    clear = np.abs(frequency[:, None] - known).min(axis=1) > _WITHIN_HZ
    shares = np.zeros((len(lines_hz), values.shape[1]))
    for row, line in enumerate(lines_hz):
        away = np.abs(frequency - line)
        on, beside = power[away <= _WITHIN_HZ], power[(away <= _BESIDE_HZ) & clear]
        excess = on.sum(axis=0) - len(on) * beside.mean(axis=0)
        shares[row] = np.divide(excess, total, out=np.zeros_like(total), where=total > 0)
    return np.where(shares >= _COUNTS, shares, 0.0)
