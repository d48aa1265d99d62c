"""Trained models asked again with inputs that they should not do well on: is it learning or remembering?

A model that replays the mean EMG of its training cycles beats OpenSim without looking at its input. So its input is
changed (`every_change`) or moved in the cycle (`shifts`), its models refine it (`ask`), and their output is
compared with the EMG of the original input (`errors_under`)::

    trained = Trained.load(cycles, results, "walking/models")
    errors_under(trained, {"louder": lambda channel: 2 * trained.sampled(channel)[None]})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.analysis.metrics import FLAT, errors, shares_of
from nem2e_lib.analysis.shortcut import Model, perturbed
from nem2e_lib.data.cycles.segment import circumstances, recorded
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.conditions import own_muscle
from nem2e_lib.training.results import grid_of, load_models
from nem2e_lib.training.units import unit_name

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
        if self.condition not in ASKED:
            raise Nem2eError(
                f"controls: {self.condition} does not refine whole cycles, expected {' or '.join(ASKED)}; choose one."
            )

    @classmethod
    def load(cls, cycles: xr.Dataset, results: xr.Dataset, store: Path | str) -> Trained:
        """Load the models of a trained condition: of its first seed, and of one channel an electrode.

        Parameters
        ----------
        cycles
            The study's segmented cycles.
        results
            The trained condition, with all seeds and channels.
        store
            Folder of finished models.
        """
        work, whole = grid_of(results, cycles), results.isel(seed=[0])
        firsts = np.sort(np.unique(whole.electrode.values, return_index=True)[1])
        own = whole.isel(channel=firsts)
        models = {name: load_models(store, work, name) for name in map(str, own.channel.values)}
        return cls(cycles.sel(channel=own.channel.values), own, models, tuple(map(str, work.examples.tokens)))

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
    def weights(self) -> Array:
        """Each cycle's weight in its held-out unit; see `unit_weights`."""
        return unit_weights(self.results)

    @cached_property
    def base(self) -> pd.DataFrame:
        """Rows of `metrics.errors`: the unchanged input, the training-mean curve and OpenSim."""
        return errors(self.results)


def ask(trained: Trained, change: Change) -> Array:
    """Let every channel's models refine changed inputs of the cycles that they have not seen.

    Returns
    -------
    NDArray
        Outputs, shape (variants, channels, cycles, samples); NaN where the input was, and where the channel was not
        recorded.
    """
    longest, there = np.bincount(trained.fold).max(), recorded(trained.results.measured)
    outputs = []
    for channel, own in zip(map(str, trained.results.channel.values), there, strict=True):
        inputs = change(channel)
        out = np.full((len(inputs), *trained.results.measured.shape[1:]), np.nan)
        for fold, label in enumerate(trained.results.fold.values.astype(str)):
            held = np.flatnonzero((trained.fold == fold) & own)
            if not len(held):
                continue
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
    """Return each cycle's weight in its held-out unit, shape (channels, folds, cycles); rows sum to 1.

    As in `metrics.errors`: mean over the speeds of a unit, over the trials of a speed, over the cycles of a trial. A
    unit of which a channel was not recorded has weights of 0.
    """
    fold, shares, there = results.fold_of_cycle.values, shares_of(results), recorded(results.measured)
    weights = np.zeros((len(there), results.sizes["fold"], results.sizes["cycle"]))
    for channel, number in product(range(len(there)), range(results.sizes["fold"])):
        held = (fold == number) & there[channel]
        if held.any():
            weights[channel, number, held] = shares(held).mean(axis=0)
    return weights


def er_of_units(trained: Trained, outputs: Array) -> Array:
    """Return Er of outputs of shape (variants, channels, cycles, samples), shape (channels, folds).

    The target is the original EMG, the reference the original OpenSim error; RMSE is averaged over the variants. NaN
    where Er is undefined or a held-out cycle has no output.
    """
    cells = _cells(trained)
    defined = trained.base.set_index(["muscle", "label"])
    opensim = defined["rmse_opensim"].where(defined["reason"] == "").reindex(cells)
    rmse = _rmse_of_units(trained, outputs)
    return rmse / opensim.to_numpy(float).reshape(rmse.shape) - 1.0


def _cells(trained: Trained) -> pd.MultiIndex:
    """Every muscle and held-out unit, whether the muscle was recorded of it or not."""
    muscles, labels = (trained.results[name].values.astype(str).tolist() for name in ("channel", "fold"))
    return pd.MultiIndex.from_product([muscles, labels], names=["muscle", "label"])


def _rmse_of_units(trained: Trained, outputs: Array) -> Array:
    measured = trained.results.measured.transpose("channel", "cycle", "sample").values
    wrong = np.sqrt(np.mean((outputs - measured) ** 2, axis=-1))
    have = np.isfinite(wrong)
    per_cycle = np.where(have, wrong, 0.0).sum(axis=0) / np.where(have.any(axis=0), have.sum(axis=0), np.nan)
    return np.einsum("cfk,ck->cf", trained.weights, np.nan_to_num(per_cycle)) + _gaps(trained, per_cycle)


def _gaps(trained: Trained, per_cycle: Array) -> Array:
    """NaN for a unit one of whose cycles has no value, else 0; shape (channels, folds)."""
    weighs = trained.weights > 0
    lost = (weighs & np.isnan(per_cycle)[:, None]).any(axis=-1) | ~weighs.any(axis=-1)
    return np.where(lost, np.nan, 0.0)


def errors_under(trained: Trained, changes: Mapping[str, Change]) -> pd.DataFrame:
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
    base = trained.base.rename(columns={"er": "er_unchanged"})
    every = pd.Series(er_of_units(trained, outputs).ravel(), _cells(trained))
    er = every.reindex(pd.MultiIndex.from_frame(base[["muscle", "label"]])).to_numpy()
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


# --- Changed inputs, on which a model that refines should do badly, and what a study is too small to offer ---

AVERAGE, SUBJECT, SPEED, MUSCLE = "average input", "another subject", "another speed", "another muscle"
HALF, REVERSED, CONSTANT = "half a cycle later", "reversed in time", "constant"
VARIANTS = 3
"""Other muscles, speeds or subjects that a cycle is given at most, evenly spread; errors are averaged over them."""

WORDS = {
    AVERAGE: "the mean of the inputs that the model was trained on, the same for every cycle",
    SUBJECT: "the same muscle at the same speed in other subjects, whom the model was trained on",
    SPEED: "the same muscle of the same subject at other speeds",
    MUSCLE: "the activation of muscles under other electrodes; in All-Entire every muscle is given another's",
    HALF: "the same waveform half a cycle later",
    REVERSED: "the same waveform run backwards",
    CONSTANT: "the cycle's mean, without a waveform",
}
"""What each control feeds to the models."""


def every_change(trained: Trained) -> dict[str, Change]:
    """Return the controls that the study offers, by name; those it is too small for are left out."""
    samples = trained.cycles.sample.values
    own, names = cache(trained.sampled), trained.results.channel.values.tolist()
    there = dict(zip(names, recorded(trained.results.measured), strict=True))
    changes: dict[str, Change] = {AVERAGE: lambda channel: average(own(channel), trained.fold, there[channel])[None]}
    for name, partners in ((SUBJECT, other_subjects(trained.cycles)), (SPEED, other_speeds(trained.cycles))):
        if len(partners):
            changes[name] = lambda channel, partners=partners: borrowed(own(channel), partners)  # type: ignore[misc]
    if len(np.unique(trained.results.electrode.values)) > 1 or trained.condition == "all_entire":
        changes[MUSCLE] = lambda channel: other_muscles(trained, channel)
    half = shift_matrix(-0.5, samples, trained.cycles.phase.size)
    changes[HALF] = lambda channel: (trained.waveform(channel) @ half.T)[None]
    changes[REVERSED] = lambda channel: own(channel)[None, ..., ::-1]
    changes[CONSTANT] = lambda channel: np.broadcast_to(own(channel).mean(axis=-1, keepdims=True), own(channel).shape)[
        None
    ]
    return changes


def not_offered(trained: Trained) -> list[str]:
    """Say in a sentence each what cannot be told, because the study is too small for it."""
    have, study = every_change(trained), str(trained.results.attrs["study"])
    why = {
        SUBJECT: "no subject has a companion at the same speed",
        SPEED: "no subject has a cycle at another speed",
        MUSCLE: "there is one electrode",
    }
    lost = [f"{study}: {name} cannot be tested, because {reason}." for name, reason in why.items() if name not in have]
    unit = str(trained.results.attrs["unit"])
    others = (
        f"{study}: there is one subject, so the held-out unit is a {unit_name(unit)}, and whether it carries over to "
        f"other {'people' if unit == 'speed' else 'people or speeds'} cannot be tested."
    )
    return lost if unit == "subject" else [*lost, others]


def average(inputs: Array, fold: Order, there: NDArray[np.bool_]) -> Array:
    """Give every cycle the mean input of the cycles that its model was trained on, of those that are `there`."""
    out = np.full_like(inputs, np.nan)
    for one in np.unique(fold[there]):
        out[fold == one] = inputs[there & (fold != one)].mean(axis=0)
    return out


def borrowed(inputs: Array, partners: Order) -> Array:
    """Give every cycle its partners' inputs, shape (variants, cycles, …); NaN where a partner is -1."""
    given = inputs[partners].astype(float)
    given[partners < 0] = np.nan
    return given


def other_subjects(cycles: xr.Dataset) -> Order:
    """Return for each cycle one cycle each of other subjects at the same speed, shape (variants, cycles)."""
    return _partners(cycles, same="speed", other="subject")


def other_speeds(cycles: xr.Dataset) -> Order:
    """Return for each cycle one cycle each of the same subject at other speeds, shape (variants, cycles)."""
    return _partners(cycles, same="subject", other="speed")


def _partners(cycles: xr.Dataset, same: str, other: str) -> Order:
    values = {"subject": cycles.subject.values.astype(str), "speed": circumstances(cycles)}
    rows = [_choose(values[same], values[other], cycle) for cycle in range(cycles.sizes["cycle"])]
    most = max(map(len, rows))
    return np.array([row + [-1] * (most - len(row)) for row in rows], dtype=np.intp).reshape(len(rows), most).T


def _choose(same: NDArray[np.str_], other: NDArray[np.str_], cycle: int) -> list[int]:
    """Pick at most `VARIANTS` of the other labels, counted on from the cycle's own, and of each the like cycle."""
    near = np.nonzero(same == same[cycle])[0]
    labels = np.unique(other[near])
    start = int(np.searchsorted(labels, other[cycle]))
    turned = np.roll(labels, -start)[1:]
    picked = turned[_spread(len(turned), VARIANTS)]
    place = int(np.sum(near[other[near] == other[cycle]] < cycle))
    found = [near[other[near] == label] for label in picked]
    return [int(mates[place % len(mates)]) for mates in found]


def _spread(count: int, most: int) -> Order:
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.intp))


def other_muscles(trained: Trained, channel: str) -> Array:
    """Return inputs of other muscles, shape (variants, cycles, muscles, samples).

    One-Entire's models are given the muscles of other electrodes; All-Entire's muscles all swap places: each token
    carries the waveform of the muscle some places further on, a third or so of the muscles away.
    """
    if trained.condition == "all_entire":
        inputs = trained.sampled(channel)
        count = inputs.shape[1]
        turns = 1 + _spread(count - 1, VARIANTS + 2)[1:-1] if count > VARIANTS + 2 else np.arange(1, count)[:VARIANTS]
        return np.stack([np.roll(inputs, turn, axis=1) for turn in turns])
    results = trained.results
    electrode = dict(zip(map(str, results.channel.values), results.electrode.values, strict=True))
    firsts = {str(e): c for c, e in reversed(electrode.items()) if e != electrode[channel]}
    others = [firsts[e] for e in sorted(firsts)]
    chosen = [others[i] for i in _spread(len(others), VARIANTS)]
    return own_muscle(trained.cycles).sel(channel=chosen).values[:, :, None, :].astype(float)


def shift_matrix(shift: float, samples: Array, phases: int) -> Array:
    """Return the matrix that takes a waveform to its samples `shift` cycles on, shape (samples, phases)."""
    return np.stack([perturbed(row, 1.0, shift, samples) for row in np.eye(phases)], axis=1)


# --- Moved inputs: how the error rises with the shift, and whether the output moves along ---

STEPS = 20
LAGS = 100
"""Lags at which outputs are compared: 1 % of the cycle apart."""
NEAR = 25.0
"""Largest shift (%) over which the output's lag is regressed on the shift; beyond it, lags turn over."""


@dataclass(frozen=True)
class Shifts:
    """What happens when the input comes earlier by a shift.

    Attributes
    ----------
    trained
        Whose input is moved.
    shift, lag
        In % of the cycle, −50 to below 50; shapes (shifts,) and (lags,).
    er
        Per muscle and held-out unit, against the original EMG and OpenSim error, shape (shifts, channels, folds).
    correlation
        Mean correlation of the shifted input's output with the unchanged input's output that comes earlier by a lag,
        shape (shifts, folds, lags): a ridge on shift = lag where the output moves along, on lag 0 where it stays.
    """

    trained: Trained
    shift: Array
    lag: Array
    er: Array
    correlation: Array

    @property
    def moved(self) -> Array:
        """Lag of the output in %, shape (shifts, folds): where the correlation is greatest."""
        found: Array = self.lag[np.argmax(np.nan_to_num(self.correlation, nan=-2.0), axis=-1)]
        return np.where(np.isnan(self.correlation).all(axis=-1), np.nan, found)

    @property
    def share(self) -> Array:
        """Slope of the output's lag on the shift within ±`NEAR`, shape (folds,): 1 moves along, 0 stays."""
        near = (np.abs(self.shift) <= NEAR) & (self.shift != 0)
        x = self.shift[near]
        slope: Array = (x[:, None] * self.moved[near]).sum(axis=0) / (x**2).sum()
        return slope


def shifts(trained: Trained, steps: int = STEPS) -> Shifts:
    """Move every input through the whole cycle in equal steps (periodic, on the 101-phase waveforms)."""
    shift = np.arange(steps) * 100.0 / steps - 50.0
    samples, phases = trained.cycles.sample.values, trained.cycles.sizes["phase"]
    matrices = np.stack([shift_matrix(s / 100.0, samples, phases) for s in [*shift, 0.0]])
    outputs = ask(trained, lambda channel: np.einsum("kmp,tsp->tkms", trained.waveform(channel), matrices))
    er = np.stack([er_of_units(trained, out[None]) for out in outputs[:-1]])
    correlation = _correlations(outputs[:-1], outputs[-1], samples)
    followed = _over_units(correlation, trained.weights, electrode_weights(trained.results))
    return Shifts(trained, shift, lags(), er, followed)


def lags() -> Array:
    """Lags in % of the cycle, −50 to 49."""
    return np.arange(LAGS) * 100.0 / LAGS - 50.0


def _correlations(moved: Array, still: Array, samples: Array) -> Array:
    """Correlate each output with the still one, earlier by each lag, shape (shifts, channels, cycles, lags)."""
    grid = np.arange(LAGS) * 100.0 / LAGS
    a, b = (_standard(_at(values, samples, grid)) for values in (moved, still))
    # sum over t of a(t) b(t + lag), for all lags at once
    product = np.fft.irfft(np.conj(np.fft.rfft(a)) * np.fft.rfft(b), n=LAGS) / LAGS
    correlation: Array = np.fft.fftshift(product, axes=-1)
    return correlation


def _at(values: Array, samples: Array, grid: Array) -> Array:
    flat = values.reshape(-1, values.shape[-1])
    rows = [np.interp(grid, samples, row) for row in flat]
    return np.asarray(rows, float).reshape(*values.shape[:-1], len(grid))


def _standard(values: Array) -> Array:
    """Mean 0 and sd 1 over the cycle; NaN where the output is constant."""
    centred = values - values.mean(axis=-1, keepdims=True)
    sd = centred.std(axis=-1, keepdims=True)
    flat = np.ptp(values, axis=-1, keepdims=True) <= FLAT * np.abs(values).max(axis=-1, keepdims=True)
    return np.where(flat, np.nan, centred / np.where(flat, 1.0, sd))


def electrode_weights(results: xr.Dataset) -> Array:
    """Return each channel's weight: electrodes count alike, and so do the channels of one; shape (channels,)."""
    electrode = pd.Series(results.electrode.values.astype(str))
    return np.asarray(1.0 / electrode.map(electrode.value_counts()) / electrode.nunique(), float)


def _over_units(correlation: Array, cycles: Array, channels: Array) -> Array:
    """Weighted mean over channels and the cycles of each unit, of those whose outputs vary."""
    weight = cycles.swapaxes(0, 1) * channels[None, :, None]
    there = np.isfinite(correlation)
    total = np.einsum("tckl,fck->tfl", np.where(there, correlation, 0.0), weight)
    share = np.einsum("tckl,fck->tfl", there.astype(float), weight)
    return np.where(share > 0, total / np.where(share > 0, share, 1.0), np.nan)
