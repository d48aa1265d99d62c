"""Claims on attention, each part tested over held-out units against what a map without content would give.

Intervals are corrected for training data that folds share (`statistics.over_folds`).

The paper's text on Figure 6 (I) contradicts itself in size: attention at about 50 % for outputs at 0-40 % is a distance
of 10-50 % of the cycle, some 70-350 ms, read as a delay of about 75 ms, which is 10 %. A uniform map does the first
without having learned anything, and a map of the delay does not. C14 therefore asks for what both share, weight later
than the output beyond a uniform map's, and apart from it for the reading, one lag of about 75 ms at every output. A map
that gazes at mid-cycle shows the first alone, a map of the delay both, a uniform one neither.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.analysis import attention
from nem2e_lib.analysis.claims.evidence import (
    FAILS,
    HOLDS,
    NOT_SHOWN,
    PARTLY,
    Evidence,
    Finding,
    State,
    Untestable,
    every,
    trained_long_enough,
)
from nem2e_lib.analysis.statistics import over_folds

Array = NDArray[np.float64]

DELAY_MS = 75.0
"""The delay that the paper reads from its map; a lag is that delay within one sample of the cycle."""
LATER = 0.1
"""Least weight later than the output, beyond a uniform map's, as a share of what is possible."""
DIAGONAL = 0.5
"""A map whose centre moves by more than this with the output is nearer to a diagonal (1) than to a uniform map (0)."""
LATE = 2.5
"""Least distance of the centre from mid-cycle, % of the cycle: a tenth of a diagonal's over the second half."""
PHASES = (0.0, 50.0, 100.0)
"""Phases of the cycle (%) at which the paper shows the ten most attended muscles."""
K, DRAWS = 10, 2000

WORDS: dict[State, str] = {True: "shown", None: "undecided", False: "otherwise"}
"""What is told of a part of a claim."""


def c14(evidence: Evidence) -> Finding:
    """Holds when outputs at 0-40 % attend later than a uniform map, and inner outputs at one lag of about 75 ms.

    Later: the weight on samples after the output, above a uniform map's, as a share of what is possible, is at least
    0.1. One lag: the centre moves with the output by more than half (a diagonal: 1, a uniform map: 0), and its mean
    distance is 75 ms within one sample. Each is shown where the 95 % interval over held-out units lies on its side; one
    of the two alone makes the claim hold in part, none of them, where none is shown to be otherwise, leaves it open.
    """
    results, told = _temporal(evidence)
    interval, found = attention.sample_interval_ms(results), attention.places(results)
    later, slope, lag = (_Mean.of(found[name]) for name in ("later", "slope", "lag_ms"))
    of_lag = every([slope.above(DIAGONAL), lag.within(DELAY_MS - interval, DELAY_MS + interval)])
    value = f"weight later than the output {later}; slope {slope}; lag {lag:+.0f} ms"
    why = (
        "The first over outputs at 0-40 %, above a uniform map's and as a share of what is possible; slope and mean "
        f"lag of the centre over inner outputs. Looks later: {WORDS[later.above(LATER)]}; at one lag of "
        f"{DELAY_MS:.0f} ms within {interval:.0f} ms: {WORDS[of_lag]}. {told}"
    )
    return Finding(value, _verdict([later.above(LATER), of_lag]), why)


def c22(evidence: Evidence) -> Finding:
    """Holds when outputs at 50-100 % attend after mid-cycle, and later than outputs at 0-40 % do.

    Both on the mean, where a uniform map's centre is at 50 %: the centre lies at least 2.5 % of the cycle after it, and
    as much after that of early outputs. Each is shown where the 95 % interval over held-out units lies on its side.
    """
    results, told = _temporal(evidence)
    found = attention.places(results)
    late, moves = _Mean.of(found["late"]), _Mean.of(found["late"] - found["early"])
    value = f"centre {late:+.1f} % of the cycle from mid-cycle for outputs at 50-100 %"
    why = (
        f"After mid-cycle: {WORDS[late.above(LATE)]}; later than for outputs at 0-40 %: {WORDS[moves.above(LATE)]} "
        f"({moves:+.1f} %). {told}"
    )
    return Finding(value, _verdict([late.above(LATE), moves.above(LATE)]), why)


def c15(evidence: Evidence) -> Finding:
    """Holds when tib's top ten at 0 and 100 % are alike, others at 50 %, and from elsewhere more than by chance.

    Alike: their overlap exceeds the mean overlap with 50 % (95 % interval over held-out units) and the 95th percentile
    of two random tens. From elsewhere: contralateral hip and trunk muscles are more of them than of ten random
    muscles', kept over the three phases (p < .05, labels of the muscles exchanged).
    """
    results = _with_rows(evidence.trained("running", "all_entire"))
    if "tib" not in results.channel.values:
        raise Untestable(f"{results.attrs['study']} has no muscle tib.")
    if not attention.over_muscles(results):
        raise Untestable("All-Entire was trained with spatial=time_tokens, which has no map of muscles.")
    maps = attention.fold_maps(results.sel(channel=["tib"]))[0].dropna("fold", how="all")
    tops = [[set(attention.top(one, phase, K)) for phase in PHASES] for one in maps]
    ends = pd.Series([attention.jaccard(start, end) for start, _, end in tops])
    middle = pd.Series([np.mean([attention.jaccard(half, one) for one in (start, end)]) for start, half, end in tops])
    chance = attention.chance_jaccard_95(K, results.sizes["token"])
    nearer = _Mean.of(ends - middle)
    alike = every([nearer.above(0.0), bool(ends.mean() > chance)])
    share, usual, p_value = _elsewhere(maps.mean("fold"), str(results.target.sel(channel="tib").item()))
    away = True if p_value < 0.05 else None if share > usual else False
    value = f"overlap 0/100 % {ends.mean():.2f}, with 50 % {middle.mean():.2f}; {share:.0%} contralateral hip or trunk"
    why = (
        f"Jaccard overlap of the ten most attended muscles, difference {nearer} (95 % of random tens overlap by at "
        f"most {chance:.2f}): {WORDS[alike]}. Random tens have {usual:.0%} from elsewhere (p = {p_value:.2g}): "
        f"{WORDS[away]}. {_entropy(results.sel(channel=['tib']))} {evidence.of_whom('running')}"
    ).strip()
    return Finding(value, _verdict([alike, away]), why)


class _Mean:
    """Mean over held-out units with its 95 % interval, to be compared with bounds."""

    def __init__(self, mean: float, low: float, high: float):
        self.mean, self.low, self.high = mean, low, high

    @classmethod
    def of(cls, values: pd.Series[float]) -> _Mean:
        """Take the mean over units; where all units have the same value, that is the interval."""
        if len(values) < 2:
            raise Untestable(f"{len(values)} held-out unit: an interval needs two.")
        if np.ptp(values) < 1e-9:
            return cls(*[float(values.mean())] * 3)
        test = over_folds(values)
        return cls(test.mean, test.ci_low, test.ci_high)

    def above(self, bound: float) -> State:
        """Tell whether the interval lies above a bound, below it, or on both sides."""
        return True if self.low > bound else False if self.high <= bound else None

    def within(self, low: float, high: float) -> State:
        """Tell whether the interval lies between two bounds, outside of them, or neither."""
        inside = low <= self.low and self.high <= high
        return True if inside else False if self.high < low or self.low > high else None

    def __format__(self, spec: str) -> str:
        """Write the mean with its interval."""
        spec = spec or "+.2f"
        return f"{self.mean:{spec}} (95 % CI {self.low:{spec}} to {self.high:{spec}})"


def _verdict(parts: list[State]) -> str:
    """Holds where all parts are shown, in part where one is; open where none is and one is undecided."""
    if True in parts:
        return HOLDS if parts.count(True) == len(parts) else PARTLY
    return NOT_SHOWN if None in parts else FAILS


def _temporal(evidence: Evidence) -> tuple[xr.Dataset, str]:
    """Return running One-Entire, trained as long as the paper's, and what is to be said beside its map."""
    trained_long_enough(evidence, "running", "one_entire")
    results = _with_rows(evidence.trained("running", "one_entire"))
    return results, f"{_entropy(results)} {evidence.of_whom('running')}".strip()


def _with_rows(results: xr.Dataset) -> xr.Dataset:
    """Return results whose maps have a row of their own for each output; others cannot be asked about outputs."""
    if not attention.over_outputs(results):
        raise Untestable(attention.ONE_ROW)
    return results


def _entropy(results: xr.Dataset) -> str:
    return f"Entropy is {attention.mean_entropy(results.attention.values):.2f} of its maximum, which decides nothing."


def _elsewhere(weights: xr.DataArray, target: str) -> tuple[float, float, float]:
    """Return the share of a map's top tens from elsewhere, that of random tens, and how often they have as much."""
    names = weights.token.values.astype(str)
    away = np.array([attention.elsewhere(name, target) for name in names])
    places = [np.isin(names, attention.top(weights, phase, K)) for phase in PHASES]
    often = np.sum(places, axis=0)  # at how many phases a muscle is in the top ten
    share = float(often @ away) / often.sum()
    rng = np.random.default_rng(0)
    drawn = np.array([often @ rng.permutation(away) for _ in range(DRAWS)]) / often.sum()
    return share, float(away.mean()), float((1 + (drawn >= share - 1e-12).sum()) / (1 + DRAWS))
