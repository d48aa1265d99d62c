"""Trained models asked again with inputs that they should not do well on: is it learning or remembering?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.analysis.metrics import errors, speed_shares
from nem2e_lib.analysis.shortcut import Model
from nem2e_lib.errors import Nem2eError
from nem2e_lib.refine.conditions import own_muscle

Array = NDArray[np.float64]
Order = NDArray[np.intp]

ASKED = ("one_entire", "all_entire")
"""Conditions whose models can be asked again; One-Quarter's see no whole cycle."""
Change = Callable[[str], Array]
"""From a channel to its changed inputs, shape (variants, cycles, muscles, samples); NaN where a cycle has none."""


@dataclass(frozen=True)
class Trained:
    """A trained condition that can be asked again.

    Attributes
    ----------
    cycles
        Segmented cycles, with the channels of `results`.
    results
        Trained condition `one_entire` or `all_entire`, one seed.
    models
        Channel to held-out label to model: from (n, tokens, features) to (n, samples).
    tokens
        Muscles in the order in which All-Entire's models read them; One-Entire's models read the own muscle.
    """

    cycles: xr.Dataset
    results: xr.Dataset
    models: Mapping[str, Mapping[str, Model]]
    tokens: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse conditions whose models do not see a whole cycle."""
        if self.condition not in ("one_entire", "all_entire"):
            raise Nem2eError(
                f"controls: {self.condition} does not refine whole cycles, expected one_entire or all_entire; choose "
                "one."
            )

    @property
    def condition(self) -> str:
        """`one_entire` or `all_entire`."""
        return str(self.results.attrs["condition"])

    @property
    def fold(self) -> Order:
        """Index of the fold that holds a cycle out, shape (cycles,)."""
        index: Order = self.results.fold_of_cycle.values.astype(np.intp)
        return index

    def sampled(self, channel: str) -> Array:
        """Return what a channel's models read, shape (cycles, tokens or muscles, samples)."""
        if self.condition == "one_entire":
            return np.asarray(own_muscle(self.cycles).sel(channel=channel).values[:, None, :], float)
        chosen = self.cycles.activation.sel(muscle=list(self.tokens))
        return np.asarray(chosen.transpose("cycle", "muscle", "sample").values, float)

    def waveform(self, channel: str) -> Array:
        """Return the same at 101 phases, shape (cycles, muscles, phases)."""
        if self.condition == "one_entire":
            own = own_muscle(self.cycles, "activation_waveform").sel(channel=channel)
            return np.asarray(own.values[:, None, :], float)
        chosen = self.cycles.activation_waveform.sel(muscle=list(self.tokens))
        return np.asarray(chosen.transpose("cycle", "muscle", "phase").values, float)

    def one_cycle_a_trial(self) -> Trained:
        """Return the same with the first cycle of each trial alone."""
        firsts = np.sort(np.unique(self.cycles.trial.values, return_index=True)[1])
        return replace(self, cycles=self.cycles.isel(cycle=firsts), results=self.results.isel(cycle=firsts))

    @cached_property
    def base(self) -> pd.DataFrame:
        """Rows of `metrics.errors`: the unchanged input, the training-mean curve and OpenSim."""
        return errors(self.results)


def ask(trained: Trained, change: Change) -> Array:
    """Let every channel's models refine changed inputs of the cycles that they have not seen.

    Returns
    -------
    NDArray
        Outputs, shape (variants, channels, cycles, samples); NaN where the input was.
    """
    longest = np.bincount(trained.fold).max()
    outputs = []
    for channel in map(str, trained.results.channel.values):
        inputs = change(channel)
        out = np.full((len(inputs), *trained.results.measured.shape[1:]), np.nan)
        for fold, label in enumerate(trained.results.fold.values.astype(str)):
            held = np.flatnonzero(trained.fold == fold)
            chosen = inputs[:, np.resize(held, longest)]  # one shape for all folds, so one compiled program
            flat = chosen.reshape(-1, *chosen.shape[2:])
            tokens = flat.transpose(0, 2, 1) if trained.condition == "one_entire" else flat
            refined = trained.models[channel][label](np.nan_to_num(tokens))
            missing = np.asarray(np.isnan(flat).any(axis=(1, 2)))
            refined = np.where(missing[:, None], np.nan, refined)
            out[:, held] = refined.reshape(len(inputs), longest, -1)[:, : len(held)]
        outputs.append(out)
    return np.stack(outputs, axis=1)


def unit_weights(results: xr.Dataset) -> Array:
    """Return each cycle's weight in its held-out unit, shape (folds, cycles); rows sum to 1.

    As in `metrics.errors`: mean over the speeds of a unit, over the trials of a speed, over the cycles of a trial.
    """
    fold, speed, trial = (results[name].values for name in ("fold_of_cycle", "speed", "trial"))
    weights = np.zeros((results.sizes["fold"], results.sizes["cycle"]))
    for number, row in enumerate(weights):
        held = fold == number
        row[held] = speed_shares(speed[held], trial[held]).mean(axis=0)
    return weights


def er_of_units(trained: Trained, outputs: Array) -> Array:
    """Return Er of outputs of shape (variants, channels, cycles, samples), shape (channels, folds).

    The target is the original EMG, the reference the original OpenSim error; RMSE is averaged over the variants. NaN
    where Er is undefined or a held-out cycle has no output.
    """
    shape = trained.results.sizes["channel"], trained.results.sizes["fold"]
    opensim = trained.base["rmse_opensim"].where(trained.base["reason"] == "").to_numpy(float).reshape(shape)
    er: Array = _rmse_of_units(trained, outputs) / opensim - 1.0
    return er


def _rmse_of_units(trained: Trained, outputs: Array) -> Array:
    measured = trained.results.measured.transpose("channel", "cycle", "sample").values
    wrong = np.sqrt(np.mean((outputs - measured) ** 2, axis=-1))
    have = np.isfinite(wrong)
    per_cycle = np.where(have, wrong, 0.0).sum(axis=0) / np.where(have.any(axis=0), have.sum(axis=0), np.nan)
    return np.einsum("fk,ck->cf", unit_weights(trained.results), np.nan_to_num(per_cycle)) + _gaps(trained, per_cycle)


def _gaps(trained: Trained, per_cycle: Array) -> Array:
    """NaN for a unit one of whose cycles has no value, else 0; shape (channels, folds)."""
    folds = range(trained.results.sizes["fold"])
    lost = np.stack(
        [np.isnan(per_cycle[:, np.flatnonzero(trained.fold == fold)]).any(axis=1) for fold in folds], axis=1
    )
    return np.where(lost, np.nan, 0.0)


def controls(trained: Trained, changes: Mapping[str, Change]) -> pd.DataFrame:
    """Return Er of every control, one row a control, muscle and held-out unit.

    The target stays the original EMG and Er is taken against the original OpenSim error.

    Returns
    -------
    pandas.DataFrame
        Columns study, condition, control, muscle, electrode, unit, label, er, er_unchanged, er_mean_curve, rise (er −
        er_unchanged), above_mean_curve (er − er_mean_curve), synthetic, reason (why er is undefined).
    """
    first = str(trained.results.channel.values[0])
    sizes = [len(change(first)) for change in changes.values()]
    outputs = ask(trained, lambda channel: np.concatenate([change(channel) for change in changes.values()]))
    parts = np.split(outputs, np.cumsum(sizes)[:-1])
    return pd.concat([_rows(trained, *pair) for pair in zip(changes, parts, strict=True)], ignore_index=True)


def _rows(trained: Trained, control: str, outputs: Array) -> pd.DataFrame:
    base, er = trained.base.rename(columns={"er": "er_unchanged"}), er_of_units(trained, outputs).ravel()
    lost = (base["reason"] == "") & np.isnan(er)
    table = base.assign(
        control=control,
        er=er,
        rise=er - base["er_unchanged"],
        above_mean_curve=er - base["er_mean_curve"],
        reason=base["reason"].where(~lost, "a held-out cycle has no such input"),
    )
    columns = [
        "study",
        "condition",
        "control",
        "muscle",
        "electrode",
        "unit",
        "label",
        "er",
        "er_unchanged",
        "er_mean_curve",
        "rise",
        "above_mean_curve",
        "synthetic",
        "reason",
    ]
    return table[columns]
