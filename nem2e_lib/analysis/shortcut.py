"""Does a model refine its input, or replay what it remembers? Claim C11, and models fed with another muscle."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import ttest_1samp

from nem2e_lib.analysis.statistics import ALPHA, OneSample, one_sample
from nem2e_lib.data.cycles.segment import recorded
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.conditions import own_muscle
from nem2e_lib.training.results import of_channel

Array = NDArray[np.float64]
Model = Callable[[Array], Array]

MODEL, CURVE = "model", "mean_curve"
"""Ids of methods in the table of `shortcut`."""
ORIGINAL, CHANGED = "original input", "changed input"
"""Inputs whose OpenSim error Er divides by."""


def perturbed(waveform: Array, scale: float, shift: float, samples: Array) -> Array:
    """Return x(s·t + φ), periodic in the cycle, at the samples (%) of a cycle.

    Parameters
    ----------
    waveform
        One cycle at evenly spaced phases from 0 to 100 %, shape (phases,).
    scale, shift
        s, and φ in cycles.
    samples
        Phases in %, shape (n,).
    """
    phases = np.linspace(0.0, 1.0, len(waveform))
    at = scale * samples / 100.0 + shift
    # a whole cycle is read at its end, so that scale 1 and shift 0 change nothing where a cycle does not close
    return np.interp(np.where(at > 0, at - np.ceil(at) + 1.0, at % 1.0), phases, waveform)


DRAWS = 50
"""Times that each cycle's input is changed anew: what one draw says is chance."""


def shortcut(
    cycles: xr.Dataset,
    results: xr.Dataset,
    models: Mapping[str, Model],
    channel: str,
    *,
    low: float = 0.5,
    high: float = 2.0,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Feed each cycle, changed in frequency and phase, to the model that held its subject out (section 4.2).

    The paper tells neither the range of frequencies nor the reference error: s is uniform in `low` to `high`, φ uniform
    over the cycle, and Er is taken against both the original and the changed OpenSim error. The target stays the
    original EMG. The training-mean curve, which has no input, goes through the same test.

    Returns
    -------
    pandas.DataFrame
        One row a draw, cycle, method and reference: draw, trial, subject, speed, label (what was held out), scale,
        shift, method (`MODEL` or `CURVE`), reference (`ORIGINAL` or `CHANGED`), er (NaN where the reference's error is
        0), er_unchanged (of the unchanged input's prediction, against the same reference).
    """
    if not 0 < low <= high:
        raise Nem2eError(f"shortcut: frequencies from {low} to {high} are no range of positive numbers; change them.")
    if draws < 1:
        raise Nem2eError(f"shortcut: {draws} draws of changed inputs, expected one or more; change it.")
    rng = np.random.default_rng(seed)
    cycles = cycles.isel(cycle=recorded(results.measured.sel(channel=[channel]))[0])
    waveforms = own_muscle(cycles, "activation_waveform").sel(channel=channel).values
    samples, chosen = cycles.sample.values, of_channel(results, channel)
    # one draw after the other, so that the first stays the same however many there are
    drawn = np.array([[(rng.uniform(low, high), rng.uniform()) for _ in waveforms] for _ in range(draws)])
    tables = []
    for cycle, waveform in enumerate(waveforms):
        changed = np.stack([perturbed(waveform, scale, shift, samples) for scale, shift in drawn[:, cycle]])
        label = str(chosen.fold.values[int(chosen.fold_of_cycle[cycle])])
        original, measured = chosen.simulated.values[cycle], chosen.measured.values[cycle]
        *refined, unchanged = models[label](np.concatenate([changed, original[None]])[..., None])
        curve = chosen.mean_curve.values[cycle]
        guesses = {MODEL: (np.stack(refined), unchanged), CURVE: (curve[None], curve)}
        references = {ORIGINAL: original[None], CHANGED: changed}
        about = {
            "draw": np.arange(draws),
            **{name: str(cycles[name].values[cycle]) for name in ("trial", "subject", "speed")},
            "label": label,
            "scale": drawn[:, cycle, 0],
            "shift": drawn[:, cycle, 1],
        }
        tables += [
            pd.DataFrame(about).assign(
                method=method,
                reference=reference,
                er=_ratios(_errors(guess, measured), _errors(simulated, measured), draws),
                er_unchanged=_ratios(_errors(before[None], measured), _errors(simulated, measured), draws),
            )
            for reference, simulated in references.items()
            for method, (guess, before) in guesses.items()
        ]
    return pd.concat(tables, ignore_index=True)


def by_unit(trials: pd.DataFrame) -> pd.DataFrame:
    """Average the draws and cycles of each held-out unit: method, reference, label, er, er_unchanged, rise.

    Inputs that come from one person and one model are no independent cases: tests are over held-out units.
    """
    rise = trials.assign(rise=trials["er"] - trials["er_unchanged"])
    values = ["er", "er_unchanged", "rise"]
    groups = rise.groupby(["method", "reference", "label"], sort=False)[values]
    means = groups.mean()
    return means.where(groups.count().eq(groups.size(), axis=0)).reset_index()  # undefined where one of them is


def by_draw(trials: pd.DataFrame) -> pd.DataFrame:
    """Return what each draw alone would say: method, reference, draw, er_mean, p_value (over held-out units)."""
    keys = ["method", "reference", "draw"]
    units = trials.pivot_table(index=keys, columns="label", values="er", sort=False)
    with np.errstate(all="ignore"):  # one unit, or equal ones, have no p
        p_value = ttest_1samp(units.to_numpy(), 0.0, axis=1).pvalue
    return pd.DataFrame({"er_mean": units.mean(axis=1), "p_value": p_value}).reset_index()


def shortcut_summary(trials: pd.DataFrame) -> pd.DataFrame:
    """Test Er against 0 over the held-out units, and its rise above that of the unchanged inputs.

    The paper tests the first alone, over its inputs; a model that is worse than OpenSim without any change passes it
    too.

    Returns
    -------
    pandas.DataFrame
        One row a method and reference: method, reference, er_mean, er_sd, ci_low, ci_high, p_value, cohen_d, n
        (held-out units), reason, rise (mean of er minus er_unchanged), rise_sd, rise_ci_low, rise_ci_high,
        rise_p_value, draws, inputs (cycles), draw_low, draw_high (least and greatest mean Er of a draw), draws_degrade
        (draws that alone would give Er above 0 at p < .05).
    """
    table, alone = pd.DataFrame(_tests(by_unit(trials))), by_draw(trials)
    degrades = (alone["er_mean"] > 0) & (alone["p_value"] < ALPHA)
    spread = alone.assign(degrades=degrades).groupby(["method", "reference"], sort=False)
    told = spread.agg(
        draws=("draw", "size"),
        draw_low=("er_mean", "min"),
        draw_high=("er_mean", "max"),
        draws_degrade=("degrades", "sum"),
    )
    inputs = trials[trials["draw"] == trials["draw"].iloc[0]].groupby(["method", "reference"]).size().rename("inputs")
    return table.merge(told.join(inputs).reset_index(), on=["method", "reference"], how="left")


def _tests(units: pd.DataFrame) -> list[dict[str, object]]:
    rows = []
    for (method, reference), group in units.groupby(["method", "reference"], sort=False):
        test, rise = one_sample(group["er"]), one_sample(group["rise"])
        rows.append(
            {
                "method": method,
                "reference": reference,
                "er_mean": test.mean,
                "er_sd": test.sd,
                "ci_low": test.ci_low,
                "ci_high": test.ci_high,
                "p_value": test.p_value,
                "cohen_d": test.cohen_d,
                "n": test.n,
                "reason": test.reason,
                "rise": rise.mean,
                "rise_sd": rise.sd,
                "rise_ci_low": rise.ci_low,
                "rise_ci_high": rise.ci_high,
                "rise_p_value": rise.p_value,
            }
        )
    return rows


def swapped_input(cycles: xr.Dataset, results: xr.Dataset, models: Mapping[str, Mapping[str, Model]]) -> pd.DataFrame:
    """Feed every muscle's One-Entire models with each other muscle's simulated activation.

    Parameters
    ----------
    cycles, results
        A study and its One-Entire results.
    models
        Channel to held-out label to model.

    Returns
    -------
    pandas.DataFrame
        One row a muscle and held-out unit: er_own, er_swapped (mean over the other channels of different electrodes),
        difference (swapped minus own).
    """
    inputs = own_muscle(cycles).values
    rows = []
    for channel, by_label in models.items():
        index = list(results.channel.values).index(channel)
        others = [i for i in range(len(inputs)) if results.electrode.values[i] != results.electrode.values[index]]
        if not others:
            continue
        there = recorded(results.measured)[index]
        for fold, label in enumerate(results.fold.values.astype(str)):
            held = (results.fold_of_cycle == fold).values & there
            if not held.any():
                continue
            measured, simulated = (results[name].values[index, held] for name in ("measured", "simulated"))
            base = _errors(simulated, measured).mean()
            own, *swapped = (_errors(by_label[label](inputs[i, held][..., None]), measured) for i in (index, *others))
            er_own, er_swapped = _ratio(own.mean(), base), _ratio(np.mean([e.mean() for e in swapped]), base)
            rows.append(
                {
                    "muscle": channel,
                    "label": label,
                    "er_own": er_own,
                    "er_swapped": er_swapped,
                    "difference": er_swapped - er_own,
                }
            )
    return pd.DataFrame(rows, columns=["muscle", "label", "er_own", "er_swapped", "difference"])


def swapped_summary(table: pd.DataFrame) -> OneSample:
    """Test the rise of Er under swapped input over the muscles, each averaged over its held-out units.

    Muscles whose Er is undefined are left out.
    """
    return one_sample(table.groupby("muscle", sort=False)["difference"].mean().dropna())


def swapped_sentence(test: OneSample) -> str:
    """Say what `swapped_summary`'s test tells: it is over muscles, so that it describes, and decides nothing."""
    if test.reason:
        return (
            f"By how much Er rises with another muscle's input cannot be told: {test.reason.replace('unit', 'muscle')}"
        )
    return (
        f"Er rises by {test.mean:.2f} with another muscle's input (95 % CI over muscles {test.ci_low:.2f} to "
        f"{test.ci_high:.2f}, n = {test.n} muscles). Muscles of the same people are no sample of people: whether the "
        "network uses its input is answered over held-out units by 13_controls."
    )


def _ratio(error: float, opensim: float) -> float:
    """Er, NaN where it is undefined."""
    return float(error / opensim - 1.0) if opensim > 0 else float("nan")


def _ratios(errors: Array, opensim: Array, draws: int) -> Array:
    """Er of each draw, NaN where it is undefined."""
    base: Array = np.where(opensim > 0, opensim, np.nan)
    return np.broadcast_to(errors / base - 1.0, draws)


def _errors(guess: Array, measured: Array) -> Array:
    errors: Array = np.sqrt(np.mean((guess - measured) ** 2, axis=-1))
    return errors
