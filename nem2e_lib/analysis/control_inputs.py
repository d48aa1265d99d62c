"""Inputs that a model which refines should do badly on, and what a study is too small to offer."""

from __future__ import annotations

from functools import cache

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.analysis.controls import Array, Change, Trained
from nem2e_lib.analysis.shortcut import perturbed
from nem2e_lib.refine.conditions import own_muscle

Order = NDArray[np.intp]

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
    own = cache(trained.sampled)
    changes: dict[str, Change] = {AVERAGE: lambda channel: average(own(channel), trained.fold)[None]}
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
    """Say in a sentence each which controls the study is too small for."""
    have, study = every_change(trained), str(trained.results.attrs["study"])
    why = {
        SUBJECT: "no subject has a companion at the same speed",
        SPEED: "no subject has a cycle at another speed",
        MUSCLE: "there is one electrode",
    }
    return [f"{study}: {name} cannot be tested, because {reason}." for name, reason in why.items() if name not in have]


def average(inputs: Array, fold: Order) -> Array:
    """Give every cycle the mean input of the cycles that its model was trained on."""
    out = np.empty_like(inputs)
    for one in np.unique(fold):
        out[fold == one] = inputs[fold != one].mean(axis=0)
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
    values = {name: cycles[name].values.astype(str) for name in (same, other)}
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
