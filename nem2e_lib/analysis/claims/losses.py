"""Claims on loss curves: whether a network that is trained for long gets worse on whom it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from nem2e_lib.analysis.claims.evidence import (
    Evidence,
    Finding,
    State,
    Untestable,
    every,
    limited,
    trained_long_enough,
    verdict_on_parts,
)
from nem2e_lib.analysis.equivalence import Equivalence, tost
from nem2e_lib.analysis.statistics import ALPHA

NEAR = 1.1
"""A loss within this factor of its minimum counts as staying there."""
WINDOW = 0.1
"""Losses are averaged over windows of this share of the epochs: one epoch's is noise, the last one's too."""
EARLY = 0.5
"""A minimum in this first part of the epochs counts as early."""
_RULE = (
    "For each model the mean validation loss of the last tenth of the epochs over that of the least window as long; "
    "models averaged (geometric mean) for each held-out unit, tested over units. It stays near its minimum where that "
    f"ratio is below {NEAR}, rises where it is above, each shown at p < .05 (one-sided)."
)


def c12(evidence: Evidence) -> Finding:
    """Holds when in running validation loss ends near its minimum and below where it began, under all conditions."""
    found = _losses(evidence, "running")
    states = [every([one.stays, one.falls]) for one in found.values()]
    return _finding(evidence, "running", found, states)


def c13(evidence: Evidence) -> Finding:
    """Holds when in walking validation loss ends above a minimum in the first half, under all conditions."""
    found = _losses(evidence, "walking")
    states = [every([_contrary(one.stays), one.is_early]) for one in found.values()]
    return _finding(evidence, "walking", found, states)


@dataclass(frozen=True)
class Loss:
    """Validation losses of a condition, tested over held-out units.

    Attributes
    ----------
    rise
        Logarithm of the last window's loss over the least window's.
    fall
        Logarithm of the last window's loss over the first epoch's.
    minimum
        Centre of the least window, as a share of the training, less `EARLY`.
    """

    rise: Equivalence
    fall: Equivalence
    minimum: Equivalence

    @property
    def stays(self) -> State:
        """Whether the loss stays within `NEAR` of its minimum; not where it rises above that."""
        return True if self.rise.ci_high < self.rise.margin else False if self.rise.ci_low > self.rise.margin else None

    @property
    def falls(self) -> State:
        """Whether it ends below where it began."""
        return _below_zero(self.fall)

    @property
    def is_early(self) -> State:
        """Whether the least loss comes in the first part of the training."""
        return _below_zero(self.minimum)

    @property
    def said(self) -> str:
        """Ratio with its interval, and when the minimum comes."""
        if self.rise.reason:
            return f"of {self.rise.n} held-out unit, of which no test can be made"
        ratio, low, high = np.exp([self.rise.mean, self.rise.ci_low, self.rise.ci_high])
        when = f"minimum at {self.minimum.mean + EARLY:.0%} of the training"
        return f"{ratio:.2f} (90 % CI {low:.2f} to {high:.2f}), {when}"


def losses(results: xr.Dataset) -> Loss:
    """Test a condition's validation losses over its held-out units."""
    curves = results.validation_loss.transpose("seed", "channel", "fold", "epoch").values
    rise, fall, when = (np.full(curves.shape[:-1], np.nan) for _ in range(3))
    for place in np.ndindex(*rise.shape):
        curve = curves[place][np.isfinite(curves[place])]
        if len(curve):
            rise[place], fall[place], when[place] = _of_model(curve)
    over = [np.nanmean(one, axis=(0, 1)) for one in (rise, fall, when)]
    return Loss(_tested(over[0], float(np.log(NEAR))), _tested(over[1]), _tested(over[2] - EARLY))


def _tested(values: NDArray[np.float64], margin: float = 0.0) -> Equivalence:
    """Test as `tost` does; where all units agree to the last digit, as they do if none rises, that is certain."""
    if len(values) > 1 and np.ptp(values) == 0:
        mean = float(values[0])
        zero, above, below = (0.0 if so else 1.0 for so in (mean != 0, mean > -margin, mean < margin))
        return Equivalence(mean, len(values), margin, mean, mean, zero, above, below)
    return tost(values, margin)


def _of_model(curve: NDArray[np.float64]) -> tuple[float, float, float]:
    length = max(1, round(WINDOW * len(curve)))
    windows = uniform_filter1d(curve, length)[length // 2 : len(curve) - (length - 1) // 2]
    least = int(windows.argmin())
    centre = (least + (length - 1) / 2 + 0.5) / len(curve)
    last = windows[-1]
    return float(np.log(last / windows[least])), float(np.log(last / curve[0])), centre


def _below_zero(test: Equivalence) -> State:
    if not test.p_difference < ALPHA:
        return None
    return test.mean < 0


def _contrary(state: State) -> State:
    return None if state is None else not state


def _losses(evidence: Evidence, motion: str) -> dict[str, Loss]:
    study = evidence.study(motion, people=False)
    found = {c: r for (s, c), r in evidence.results.items() if s == study}
    if not found:
        raise Untestable(f"{study} was not trained.")
    trained_long_enough(evidence, motion)
    return {name: losses(results) for name, results in found.items()}


def _finding(evidence: Evidence, motion: str, found: dict[str, Loss], states: list[State]) -> Finding:
    value = "; ".join(f"{name} {one.said}" for name, one in found.items())
    marks = [evidence.trained(motion, name).diverged for name in found]
    blown = f"{sum(int(m.sum()) for m in marks)} of {sum(m.size for m in marks)} models diverged; they count as in Er."
    whole = Finding(value, verdict_on_parts(states), f"{_RULE} {blown}")
    return limited(whole, evidence.of_whom(motion))
