"""Claims on what a refiner gives: curves that lie close to measured ones, and what becomes of them on other inputs."""

from __future__ import annotations

from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.analysis.claims.evidence import (
    Evidence,
    Finding,
    State,
    Untestable,
    limited,
    tested,
    verdict_on_parts,
)
from nem2e_lib.analysis.equivalence import IMPROVES, NO_IMPROVEMENT, Equivalence, tost, tost_of
from nem2e_lib.analysis.shortcut import CURVE, MODEL, ORIGINAL
from nem2e_lib.analysis.statistics import ALPHA
from nem2e_lib.data.cycles.segment import circumstances, recorded

Array = NDArray[np.float64]

_SHORTCUT = "soleus"
"""The muscle that the paper tests for shortcut learning."""


def c11(evidence: Evidence) -> Finding:
    """Holds when on changed inputs mean Er is above 0 and above that of unchanged ones; in part when one of the two.

    Each at p < .05 over subjects, against the original OpenSim error; shown not to where a rise of the margin is ruled
    out. The paper tests the first alone, over inputs, which a model that is worse than OpenSim on any input passes too.
    """
    evidence.study("walking")
    if evidence.shortcut is None:
        raise Untestable("The shortcut test was not run.")
    original = evidence.shortcut[evidence.shortcut["reference"] == ORIGINAL]
    model, curve = (original[original["method"] == name].iloc[0] for name in (MODEL, CURVE))
    if pd.isna(model["p_value"]):
        raise Untestable(f"The test is undefined. {model.get('reason', '')}".strip())
    tried, n = model.get("channel", _SHORTCUT), int(model["n"])
    tests = tost_of(model["er_mean"], model["er_sd"], n), tost_of(model["rise"], model["rise_sd"], n)
    of = f"{n} subjects, {int(model['draws'])} draws of {int(model['inputs'])} inputs"
    value = f"Er {tests[0].said}, rise above unchanged inputs {tests[1].said}; {of}"
    why = (
        "One-sample t-test over subjects of Er against the original OpenSim error, each subject's mean over draws and "
        f"inputs. Single draws gave mean Er from {model['draw_low']:+.2f} to {model['draw_high']:+.2f}; "
        f"{int(model['draws_degrade'])} of {int(model['draws'])} alone would show it above 0. The training-mean curve, "
        f"which ignores its input, has {curve['er_mean']:+.2f} in the same test: a model that comes near to this may "
        "replay a curve."
    )
    untold = "" if tried == _SHORTCUT else f"Not measured: {_SHORTCUT}; this is the model of {tried}."
    return limited(Finding(value, verdict_on_parts([_above_zero(test) for test in tests]), why), untold)


def _above_zero(test: Equivalence) -> State:
    if test.mean > 0 and test.p_difference < ALPHA:
        return True
    return False if test.p_below < ALPHA else None


CLOSE = float(np.log(1.1))
"""Ratios of errors within 10 % of each other count as equal."""
_FIGURE_3 = {"walking": "one_entire", "running": "all_entire"}


def c21(evidence: Evidence) -> Finding:
    """Holds when refined curves are as close as another cycle of the same person, and closer than the mean curve.

    The paper judges by eye. Close is a curve no farther (10 %) from the measured one than the person's own cycles are
    from each other; the second part is what a curve of other people's mean would give. In part when one is shown.
    """
    shown, untold = tested(_FIGURE_3, partial(_of_people, evidence))
    parts = {motion: closeness(results) for motion, results in shown.items()}
    states = [state for motion in parts for state in _closer(parts[motion])]
    value = "; ".join(f"{motion}: {_close_said(people)}" for motion, people in parts.items())
    why = (
        "RMSE as a share of the range of each person's EMG, mean over cycles and electrodes; ratios are tested over "
        f"people by their logarithms. {' '.join(_numbers(motion, people) for motion, people in parts.items())}"
    )
    return limited(Finding(value, verdict_on_parts(states), why), untold)


def _of_people(evidence: Evidence, motion: str) -> xr.Dataset:
    evidence.study(motion)
    return evidence.trained(motion, _FIGURE_3[motion])


def closeness(results: xr.Dataset) -> pd.DataFrame:
    """Return how close curves lie to the measured ones, one row a subject.

    Returns
    -------
    pandas.DataFrame
        refined, simulated, mean_curve: RMSE over the range of the subject's EMG in a cycle, mean over cycles; own: that
        between two cycles of the subject at the same speed (at any, where it has one cycle a speed; NaN where it has
        one in all); same_speed: 1 where these are of one speed; r, r_mean_curve: Pearson's with the measured curve,
        mean over cycles. Means over electrodes.
    """
    refined = results.refined.transpose("seed", "channel", "cycle", "sample").values
    measured = results.measured.transpose("channel", "cycle", "sample").values
    estimates = {name: results[name].values[None] for name in ("simulated", "mean_curve")} | {"refined": refined}
    subjects, speeds, there = results.subject.values.astype(str), circumstances(results), recorded(results.measured)
    rows = []
    for channel, electrode in enumerate(results.electrode.values.astype(str)):
        for subject in np.unique(subjects[there[channel]]):
            mine = np.flatnonzero((subjects == subject) & there[channel])
            curves = measured[channel, mine]
            size = np.ptp(curves, axis=-1).mean()
            guesses = {name: one[:, channel, mine] for name, one in estimates.items()}
            rows.append(
                {
                    "subject": subject,
                    "electrode": electrode,
                    **{name: _distance(guess, curves) / size for name, guess in guesses.items()},
                    "own": _between(curves, speeds[mine]) / size,
                    "same_speed": len(set(speeds[mine])) < len(mine),
                    "r": _correlation(guesses["refined"], curves),
                    "r_mean_curve": _correlation(guesses["mean_curve"], curves),
                }
            )
    of_electrodes = pd.DataFrame(rows).groupby(["subject", "electrode"], sort=False).mean()
    return of_electrodes.groupby("subject", sort=False).mean()


def _distance(guess: Array, measured: Array) -> float:
    return float(np.sqrt(((guess - measured) ** 2).mean(axis=-1)).mean())


def _between(curves: Array, speeds: NDArray[np.str_]) -> float:
    """Mean RMSE between two cycles of the same speed; of any two where no speed has two."""
    pairs = list(combinations(range(len(curves)), 2))
    alike = [pair for pair in pairs if speeds[pair[0]] == speeds[pair[1]]] or pairs
    return float(np.mean([_distance(curves[a], curves[b]) for a, b in alike])) if alike else float("nan")


def _correlation(guess: Array, measured: Array) -> float:
    """Mean Pearson's r over the cycles in which both vary."""
    x, y = (one - one.mean(axis=-1, keepdims=True) for one in (guess, np.broadcast_to(measured, guess.shape)))
    size = np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
    varies = size > 0
    return float(((x * y).sum(axis=-1)[varies] / size[varies]).mean()) if varies.any() else float("nan")


def _ratios(people: pd.DataFrame) -> dict[str, Equivalence]:
    """Test the logarithms of refined over own (of people with two cycles), and of refined over mean curve."""
    ratios = {name: np.log(people["refined"] / people[name]) for name in ("own", "mean_curve")}
    return {name: tost(ratio[people[name].notna()], CLOSE) for name, ratio in ratios.items()}


def _closer(people: pd.DataFrame) -> list[State]:
    own, curve = _ratios(people).values()
    close = True if own.ci_high < CLOSE else False if own.ci_low > CLOSE else None
    return [close, {IMPROVES: True, NO_IMPROVEMENT: False}.get(curve.improvement)]


_AGAINST = {"own": "another cycle of the same person", "mean_curve": "the mean curve"}
"""What refined curves are laid beside."""


def _close_said(people: pd.DataFrame) -> str:
    ratios = ", ".join(_times(test, _AGAINST[name]) for name, test in _ratios(people).items())
    return f"RMSE {people['refined'].mean():.0%} of EMG's range, r {people['r'].mean():.2f}; {ratios}"


def _times(test: Equivalence, other: str) -> str:
    if test.reason:
        return f"no comparison with {other} can be made"
    ratio, low, high = np.exp([test.mean, test.ci_low, test.ci_high])
    return f"{ratio:.2f} times that of {other} (90 % CI {low:.2f} to {high:.2f}, n = {test.n})"


def _numbers(motion: str, people: pd.DataFrame) -> str:
    mean = people.mean()
    below = int(((people["refined"] < people["simulated"]) & (people["refined"] < people["mean_curve"])).sum())
    others = f"OpenSim {mean['simulated']:.0%}, mean curve {mean['mean_curve']:.0%} (r {mean['r_mean_curve']:.2f})"
    alike = int((people["same_speed"] > 0).sum())
    cycles = f"another cycle {mean['own']:.0%} (of the same speed in {alike} of {len(people)} people)"
    return f"{motion}: {others}, {cycles}; {below} of {len(people)} people below OpenSim and mean curve."
