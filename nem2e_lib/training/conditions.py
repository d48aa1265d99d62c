"""The three conditions of the paper, as sequences to train on (Teramae et al. 2025, section 3.2.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.data.cycles.segment import recorded
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.config import Configuration

CONDITIONS = ("one_quarter", "one_entire", "all_entire")
QUARTERS = 4

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Examples:
    """Sequences of one condition, for all channels of a study.

    Attributes
    ----------
    inputs
        Simulated activation, shape (input sets, sequences, tokens, features). One-muscle conditions have one input set
        a channel; All-Entire has one for all, and so has one network for all channels, whose tokens in one-muscle
        conditions are the own muscles of all channels.
    targets
        Measured EMG, shape (channels, sequences, steps); NaN where a channel was not recorded, which no model is shown.
    set_of_channel
        Index into `inputs` for each channel.
    cycle
        Cycle of each sequence, shape (sequences,).
    part
        Model that a sequence belongs to where a condition trains several: its quarter, otherwise 0.
    tokens
        Coordinates of the attention's tokens: per cent of the sequence's span, or muscle names.
    muscles
        How many muscles the tokens are; 0 where they are samples in time.
    """

    inputs: Floats
    targets: Floats
    set_of_channel: NDArray[np.int32]
    cycle: NDArray[np.int32]
    part: NDArray[np.int32]
    tokens: NDArray[np.generic]
    muscles: int = 0

    @property
    def per_cycle(self) -> int:
        """Sequences that make up one gait cycle."""
        return int(np.bincount(self.cycle)[0])


def examples(cycles: xr.Dataset, condition: str, configuration: Configuration) -> Examples:
    """Return the sequences of a condition.

    Parameters
    ----------
    cycles
        Segmented cycles (see `nem2e_lib.data.cycles.segment`).
    condition
        `one_quarter`, `one_entire` or `all_entire`.
    configuration
        Its `quarter`, `spatial`, `token_order`, `order_seed` and `targets` options are read.

    Raises
    ------
    Nem2eError
        If the condition is unknown, a channel's target muscle is missing, or a value is not finite.
    """
    if condition not in CONDITIONS:
        raise Nem2eError(f"condition {condition!r} is unknown, expected one of {', '.join(CONDITIONS)}; choose one.")
    _require_finite(cycles)
    if condition == "all_entire":
        return _all_entire(cycles, configuration)
    made = _one_entire(cycles) if condition == "one_entire" else _one_quarter(cycles, configuration)
    return _side_by_side(made) if configuration.targets == "all" else made


def _side_by_side(made: Examples) -> Examples:
    """Let a token be the own muscles of all channels."""
    inputs = np.moveaxis(made.inputs[..., 0], 0, -1)[None]
    return replace(made, inputs=_floats(inputs), set_of_channel=np.zeros_like(made.set_of_channel))


def own_muscle(cycles: xr.Dataset, variable: str = "activation") -> xr.DataArray:
    """Return the simulated activation of each channel's own muscle, dims (channel, cycle, sample or phase)."""
    missing = sorted(set(cycles.target.values.tolist()) - set(cycles.muscle.values.tolist()))
    if missing:
        raise Nem2eError(
            f"study {cycles.attrs['study']}: the EMG map names {missing[0]!r}, which is no column of the activation "
            "files; correct [emg] in study.toml."
        )
    chosen = cycles[variable].sel(muscle=cycles.target)
    return chosen.transpose("channel", "cycle", ...).drop_vars("muscle")


def join_quarters(sequences: NDArray[np.floating], samples: NDArray[np.floating]) -> NDArray[np.floating]:
    """Join four quarters to one cycle, before any error is taken.

    Parameters
    ----------
    sequences
        Shape (…, 4, steps).
    samples
        Phases of the joined cycle in per cent. Where the quarters are sampled more densely, they are thinned to these.
    """
    *lead, quarters, steps = sequences.shape
    joined = sequences.reshape(*lead, quarters * steps)
    if joined.shape[-1] == len(samples):
        return joined
    phases = _dense_phases(steps).ravel()
    flat = joined.reshape(-1, quarters * steps)
    return np.stack([np.interp(samples, phases, row) for row in flat]).reshape(*lead, len(samples))


def _all_entire(cycles: xr.Dataset, configuration: Configuration) -> Examples:
    ordered = cycles.isel(muscle=_order(cycles.sizes["muscle"], configuration))
    over_time = configuration.spatial == "time_tokens"
    token, feature = ("sample", "muscle") if over_time else ("muscle", "sample")
    tokens = ordered.activation.transpose("cycle", token, feature).values
    targets = cycles.emg.transpose("channel", "cycle", "sample").values
    count = cycles.sizes["cycle"]
    return Examples(
        _floats(tokens[None]),
        _floats(targets),
        np.zeros(len(targets), np.int32),
        np.arange(count, dtype=np.int32),
        np.zeros(count, np.int32),
        ordered[token].values,
        0 if over_time else cycles.sizes["muscle"],
    )


def _order(muscles: int, configuration: Configuration) -> NDArray[np.intp]:
    if configuration.token_order == "shuffled":
        return np.random.default_rng(configuration.order_seed).permutation(muscles)
    return np.arange(muscles)[:: -1 if configuration.token_order == "reversed" else 1]


def _one_entire(cycles: xr.Dataset) -> Examples:
    inputs = own_muscle(cycles).values[..., None]
    targets = cycles.emg.transpose("channel", "cycle", "sample").values
    count = cycles.sizes["cycle"]
    return Examples(
        _floats(inputs),
        _floats(targets),
        np.arange(len(targets), dtype=np.int32),
        np.arange(count, dtype=np.int32),
        np.zeros(count, np.int32),
        cycles.sample.values,
    )


def _one_quarter(cycles: xr.Dataset, configuration: Configuration) -> Examples:
    dense = configuration.quarter == "dense"
    cut = _dense_quarters if dense else _plain_quarters
    suffix = "_waveform" if dense else ""
    inputs = cut(own_muscle(cycles, f"activation{suffix}").values)
    targets = cut(cycles[f"emg{suffix}"].transpose("channel", "cycle", ...).values)
    count, quarters = inputs.shape[1:3]
    steps = inputs.shape[-1]
    part = np.tile(np.arange(quarters, dtype=np.int32), count)
    return Examples(
        _floats(inputs.reshape(len(inputs), -1, steps, 1)),
        _floats(targets.reshape(len(targets), -1, steps)),
        np.arange(len(inputs), dtype=np.int32),
        np.repeat(np.arange(count, dtype=np.int32), quarters),
        part if configuration.quarter == "separate" else np.zeros_like(part),
        np.linspace(0.0, 25.0, steps),
    )


def _plain_quarters(waveforms: NDArray[np.floating]) -> NDArray[np.floating]:
    *lead, samples = waveforms.shape
    if samples % QUARTERS:
        raise Nem2eError(f"one_quarter: a cycle has {samples} samples, expected a multiple of 4; segment it so.")
    return waveforms.reshape(*lead, QUARTERS, samples // QUARTERS)


def _dense_quarters(waveforms: NDArray[np.floating], steps: int = 20) -> NDArray[np.floating]:
    phases = np.linspace(0.0, 100.0, waveforms.shape[-1])
    flat = waveforms.reshape(-1, waveforms.shape[-1])
    wanted = _dense_phases(steps)
    cut = np.stack([np.interp(wanted.ravel(), phases, row).reshape(wanted.shape) for row in flat])
    return cut.reshape(*waveforms.shape[:-1], *wanted.shape)


def _dense_phases(steps: int) -> NDArray[np.floating]:
    width = 100.0 / QUARTERS
    return np.arange(QUARTERS)[:, None] * width + np.arange(steps) * width / steps


def _floats(values: NDArray[np.floating]) -> Floats:
    return np.ascontiguousarray(values, np.float32)


def _require_finite(cycles: xr.Dataset) -> None:
    for name in ("activation", "emg"):
        bad = ~np.isfinite(cycles[name].values)
        if name == "emg":
            bad &= recorded(cycles.emg).T[:, None, :]
        if bad.any():
            where = {str(dim): int(index[0]) for dim, index in zip(cycles[name].dims, np.nonzero(bad), strict=True)}
            trial = str(cycles.trial.values[where["cycle"]])
            raise Nem2eError(
                f"study {cycles.attrs['study']}: {name} of trial {trial} is not finite in cycle {where['cycle']}, "
                "expected numbers; mend the file and segment again."
            )
