"""The verdicts on attention, tested: evidence in which a claim is true, false, uniform, or hidden by noise."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.analysis.claims import Evidence
from nem2e_lib.analysis.claims.attention import c14, c15, c22
from nem2e_lib.analysis.claims.evidence import FAILS, HOLDS, NOT_SHOWN, PARTLY, UNTESTED
from nem2e_lib.data.muscles import GAIT2392, region
from tests.support.planted_claims import FALSE, SAMPLES, TRUE, WEAK, Case, evidence, results

Array = NDArray[np.float64]
INTERVAL_MS = 760.0 / 19
"""Time between two samples of the planted cycles."""
ONE_ENTIRE = results("running", "one_entire", muscles=("tib", "soleus"))
ALL_ENTIRE = results("running", "all_entire", muscles=("tib",))
EDGES = 6


def rows(scores: Array) -> Array:
    weights: Array = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def bell(places: Array, width: float = 5.0) -> Array:
    """Weights around a place (%) for every output, of a width in % of the cycle, shape (outputs, tokens)."""
    return rows(-0.5 * ((SAMPLES[None] - places[:, None]) / width) ** 2)


def delayed(ms: float) -> Array:
    """Weights later than the output by a delay, at every output."""
    return bell(SAMPLES + ms / INTERVAL_MS * 100 / 19)


UNIFORM = np.full((20, 20), 0.05)


def planted(weights: Array, trained: xr.Dataset = ONE_ENTIRE, spread: float = 0.02, seed: int = 0) -> Evidence:
    """Return evidence whose maps are these, each person's with a departure of its own in its logarithms."""
    rng, shape = np.random.default_rng(seed), trained.attention.shape
    fold = trained.fold_of_cycle.values
    own = rng.normal(0, spread, (trained.sizes["fold"], *weights.shape))[fold]
    maps = rows(np.log(weights + 1e-12) + own)
    return evidence(trained=[trained.assign(attention=(trained.attention.dims, np.broadcast_to(maps, shape).copy()))])


def tops(ends: list[str], middle: list[str]) -> Array:
    """Return a map of all muscles with one top ten at both ends of the cycle and another in between."""
    scores = np.zeros((20, len(GAIT2392)))
    for places, names in ((slice(0, EDGES), ends), (slice(EDGES, -EDGES), middle), (slice(-EDGES, None), ends)):
        scores[places, np.isin(GAIT2392, names)] = 3.0
    return rows(scores)


LEFT_HIP = [name for name in GAIT2392 if name.endswith("_l") and region(name) == "hip"]
RIGHT_LEG = [name for name in GAIT2392 if name.endswith("_r") and region(name) in ("shank", "thigh")]
SAME_SIDE = tops(RIGHT_LEG[:10], RIGHT_LEG[:10])

CASES = (
    Case("C14", TRUE, lambda: planted(delayed(60))),
    Case("C14", TRUE, lambda: planted(delayed(75))),
    Case("C14", FALSE, lambda: planted(UNIFORM)),
    Case("C14", FALSE, lambda: planted(bell(SAMPLES))),
    Case("C14", FALSE, lambda: planted(delayed(-75))),
    Case("C14", WEAK, lambda: planted(UNIFORM, spread=3.0)),
    Case("C15", TRUE, lambda: planted(tops(LEFT_HIP[:10], LEFT_HIP[10:20]), ALL_ENTIRE)),
    Case("C15", FALSE, lambda: planted(SAME_SIDE, ALL_ENTIRE)),
    Case("C15", FALSE, lambda: planted(np.full((20, 92), 1 / 92), ALL_ENTIRE, spread=0.0)),
    Case("C22", TRUE, lambda: planted(delayed(75))),
    Case("C22", TRUE, lambda: planted(bell(SAMPLES))),
    Case("C22", FALSE, lambda: planted(UNIFORM)),
    Case("C22", FALSE, lambda: planted(bell(100 - SAMPLES))),
    Case("C22", WEAK, lambda: planted(UNIFORM, spread=3.0)),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_verdict_follows_what_was_planted(case: Case) -> None:
    case.check()


@pytest.mark.parametrize(
    ("claim", "weights", "why"),
    [
        # the text of Figure 6 (I) to the letter: mid-cycle at every output, later than early ones, but at no one lag
        ("C14", lambda: bell(np.full(20, 50.0)), "at one lag of 75 ms within 40 ms: otherwise"),
        # a delay of four samples: later, at one lag, which is not the paper's
        ("C14", lambda: delayed(160), "Looks later: shown; at one lag of 75 ms within 40 ms: otherwise"),
        # late samples weigh most whatever the output
        ("C22", lambda: bell(np.full(20, 75.0)), "later than for outputs at 0-40 %: otherwise"),
    ],
)
def test_half_a_claim_holds_in_part(claim: str, weights: Callable[[], Array], why: str) -> None:
    found = Case(claim, "half", lambda: planted(weights())).found
    assert found["verdict"] == PARTLY
    assert why in found["why"]


def test_a_uniform_map_is_none_of_it_however_small_the_spread() -> None:
    for spread in (0.0, 1e-6, 1e-3, 0.1):
        made = planted(UNIFORM, spread=spread)
        assert [rule(made).verdict for rule in (c14, c22)] == [FAILS, FAILS]


def test_a_delay_over_a_uniform_ground_is_still_a_delay() -> None:
    assert c14(planted(0.7 * delayed(75) + 0.3 * UNIFORM)).verdict == HOLDS


def test_random_tens_are_not_from_elsewhere() -> None:
    """The share from elsewhere of random maps is beyond chance about as often as the level says."""
    rng, verdicts = np.random.default_rng(1), []
    for seed in range(40):
        names = list(rng.choice(GAIT2392, 20, replace=False))
        verdicts.append(c15(planted(tops(names[:10], names[10:]), ALL_ENTIRE, seed=seed)).verdict)
    assert verdicts.count(HOLDS) <= 6
    assert set(verdicts) <= {HOLDS, PARTLY}  # the two tens differ in all of them, which is the other part


@pytest.mark.parametrize("claim", ["C14", "C22"])
def test_short_training_cannot_be_asked(claim: str) -> None:
    short = results("running", "one_entire", muscles=("tib", "soleus"), epochs=19)
    assert Case(claim, TRUE, lambda: planted(delayed(75), short)).found["verdict"] == UNTESTED


def test_noise_decides_nothing() -> None:
    verdicts = [c14(planted(UNIFORM, spread=3.0, seed=seed)).verdict for seed in range(20)]
    assert verdicts.count(HOLDS) == 0
    assert NOT_SHOWN in verdicts
