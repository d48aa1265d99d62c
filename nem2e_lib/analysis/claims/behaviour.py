"""Claims on shortcut learning, loss curves, waveforms and attention."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.analysis import attention
from nem2e_lib.analysis.claims.evidence import (
    FAILS,
    HOLDS,
    PARTLY,
    Evidence,
    Finding,
    Untestable,
    all_or_part,
    limited,
    tested,
)
from nem2e_lib.analysis.metrics import rmse
from nem2e_lib.analysis.shortcut import CURVE, MODEL, ORIGINAL

NEAR = 1.1
"""A last validation loss within this factor of its minimum counts as staying there."""
REPORTED_DISTANCE = (10, 50)
"""How far after the output, in % of the cycle, attention lies in the paper's Figure 6 (I)."""
_SHORTCUT = "soleus"
"""The muscle that the paper tests for shortcut learning."""
EARLY = 0.5
"""A minimum in this first part of the epochs counts as early."""


def c11(evidence: Evidence) -> Finding:
    """Holds when on changed inputs mean Er is above 0 and above that of unchanged ones; in part when one of the two.

    Both at p < .05, against the original OpenSim error. The paper tests the first alone, which a model that is worse
    than OpenSim on any input passes too.
    """
    evidence.study("walking")
    if evidence.shortcut is None:
        raise Untestable("The shortcut test was not run.")
    original = evidence.shortcut[evidence.shortcut["reference"] == ORIGINAL]
    model, curve = (original[original["method"] == name].iloc[0] for name in (MODEL, CURVE))
    if pd.isna(model["p_value"]):
        raise Untestable(f"The test is undefined. {model.get('reason', '')}".strip())
    tried = model.get("channel", _SHORTCUT)
    value = f"Er {model['er_mean']:+.2f}, p = {model['p_value']:.3g}, n = {int(model['n'])}"
    degrades = bool(model["er_mean"] > 0 and model["p_value"] < 0.05)
    rises = bool(model["rise"] > 0 and model["rise_p_value"] < 0.05)
    why = (
        "One-sample t-test of Er against the original OpenSim error; its rise above Er on unchanged inputs is "
        f"{model['rise']:+.2f} (95 % CI {model['rise_ci_low']:+.2f} to {model['rise_ci_high']:+.2f}). "
        "The training-mean curve, which ignores its input, "
        f"has {curve['er_mean']:+.2f} in the same test: a model that comes near to this may replay a curve."
    )
    untold = "" if tried == _SHORTCUT else f"Not measured: {_SHORTCUT}; this is the model of {tried}."
    return limited(Finding(value, all_or_part([degrades, rises]), why), untold)


def c12(evidence: Evidence) -> Finding:
    """Holds when in running the mean validation loss ends within 10 % of its minimum and below its first value."""
    loss = _validation(evidence, "running")
    ratio = {name: curve[-1] / curve.min() for name, curve in loss.items()}
    good = [bool(ratio[name] <= NEAR and curve[-1] < curve[0]) for name, curve in loss.items()]
    why = f"Last loss over minimum, mean over models; at most {NEAR}. {_left_out(evidence, 'running')}"
    return limited(Finding(_ratios(ratio), all_or_part(good), why), evidence.of_whom("running"))


def c13(evidence: Evidence) -> Finding:
    """Holds when in walking the minimum comes in the first half of training and the last loss is 10 % above it."""
    loss = _validation(evidence, "walking")
    ratio = {name: curve[-1] / curve.min() for name, curve in loss.items()}
    early = [bool(curve.argmin() < EARLY * len(curve) and ratio[name] > NEAR) for name, curve in loss.items()]
    when = "; ".join(f"{name} at epoch {curve.argmin() + 1} of {len(curve)}" for name, curve in loss.items())
    why = f"Last loss over minimum, mean over models; minimum: {when}. {_left_out(evidence, 'walking')}"
    return limited(Finding(_ratios(ratio), all_or_part(early), why), evidence.of_whom("walking"))


def c14(evidence: Evidence) -> Finding:
    """Holds when outputs at 0-40 % attend 10-50 % of the cycle later and attention's lag is the input gradient's.

    The second is the paper's reading of the map as a delay: over the inner outputs, the two lags must lie within a
    sample of each other. Of the two, one alone makes it hold in part; attention that is nearly uniform, or not later
    than the output, makes it fail.
    """
    results = evidence.trained("running", "one_entire")
    interval = attention.sample_interval_ms(results)
    weights, share = _map(results)
    early = results.output.values <= 40
    distance = float((weights @ results.token.values - results.output.values)[early].mean())
    gradient = attention.gradient_lag(results)
    lag = attention.centre_lag(weights)
    value = f"centre {distance:+.0f} % of the cycle from the output; entropy {share:.2f} of its maximum"
    why = (
        f"{attention.uniformity(share)} The centre of a uniform map lies at 50 % whatever it was learned from. The "
        f"input gradient peaks {gradient.samples:+d} samples ({gradient.milliseconds(interval):+.0f} ms) off the "
        f"output, attention's centre lies {lag:+.1f} samples ({lag * interval:+.0f} ms) off it. "
        f"{evidence.of_whom('running')}"
    ).strip()
    if share > attention.UNIFORM or distance <= 0:
        return Finding(value, FAILS, why)
    low, high = REPORTED_DISTANCE
    return Finding(value, all_or_part([low <= distance <= high, abs(lag - gradient.refined) <= 1]), why)


def c15(evidence: Evidence) -> Finding:
    """Holds when tib's top ten overlap more between 0 and 100 % than with 50 %, with muscles from elsewhere in them."""
    results = evidence.trained("running", "all_entire")
    if "tib" not in results.channel.values:
        raise Untestable(f"{results.attrs['study']} has no muscle tib.")
    if not attention.over_muscles(results):
        raise Untestable("All-Entire was trained with spatial=time_tokens, which has no map of muscles.")
    if not attention.over_outputs(results):
        raise Untestable(attention.ONE_ROW)
    target = str(results.target.sel(channel="tib").item())
    share = attention.mean_entropy(results.attention.sel(channel="tib").values)
    top = {phase: attention.top_muscles(results, "tib", phase) for phase in (0.0, 50.0, 100.0)}
    ends = attention.jaccard(top[0.0], top[100.0])
    middle = max(attention.jaccard(top[50.0], top[phase]) for phase in (0.0, 100.0))
    elsewhere = attention.share_elsewhere(sorted({name for names in top.values() for name in names}), target)
    chance = attention.chance_jaccard(10, results.sizes["token"])
    value = f"overlap 0/100 %: {ends:.2f}, with 50 %: {middle:.2f}; entropy {share:.2f} of its maximum"
    why = (
        f"Jaccard overlap of the ten most attended muscles (chance {chance:.2f}); {elsewhere['contralateral']:.0%} "
        f"contralateral, {elsewhere['trunk']:.0%} trunk. {attention.uniformity(share)} {evidence.of_whom('running')}"
    ).strip()
    if share > attention.UNIFORM:
        return Finding(value, FAILS, why)
    return Finding(value, all_or_part([ends > middle, elsewhere["contralateral"] + elsewhere["trunk"] > 0]), why)


def c21(evidence: Evidence) -> Finding:
    """Holds when refined curves are nearer the measured ones than OpenSim's and the mean curve for every subject."""
    shown, untold = tested(_FIGURE_3, partial(_of_people, evidence))
    share, parts = {}, []
    for motion, results in shown.items():
        refined, raw, curve = (
            rmse(results.measured, estimate)
            .mean([d for d in estimate.dims if d in ("seed", "channel")])
            .groupby("subject")
            .mean()
            for estimate in (results.refined, results.simulated, results.mean_curve)
        )
        r = float(xr.corr(results.measured, results.refined, "sample").mean())
        share[motion] = float(((refined < raw) & (refined < curve)).mean())
        parts.append(
            f"{motion}: RMSE {float(refined.mean()):.3f} (OpenSim {float(raw.mean()):.3f}, mean curve "
            f"{float(curve.mean()):.3f}), r {r:.2f}"
        )
    verdict = HOLDS if min(share.values()) == 1 else PARTLY if max(share.values()) > 0.5 else FAILS
    said = ", ".join(f"{part:.0%} {motion}" for motion, part in share.items())
    why = f"Share of subjects below both: {said}. The paper judges by eye."
    return limited(Finding("; ".join(parts), verdict, why), untold)


_FIGURE_3 = {"walking": "one_entire", "running": "all_entire"}


def _of_people(evidence: Evidence, motion: str) -> xr.Dataset:
    evidence.study(motion)
    return evidence.trained(motion, _FIGURE_3[motion])


def c22(evidence: Evidence) -> Finding:
    """Holds when outputs at 50-100 % attend after 50 % on the mean, in a map that is not nearly uniform."""
    results = evidence.trained("running", "one_entire")
    weights, share = _map(results)
    late = results.output.values >= 50
    centre = float((weights @ results.token.values)[late].mean())
    value = f"centre at {centre:.0f} % for outputs at 50-100 %; entropy {share:.2f} of its maximum"
    why = f"{attention.uniformity(share)} {evidence.of_whom('running')}".strip()
    return Finding(value, HOLDS if share <= attention.UNIFORM and centre > 50 else FAILS, why)


def _map(results: xr.Dataset) -> tuple[np.ndarray, float]:
    if not attention.over_outputs(results):
        raise Untestable(attention.ONE_ROW)
    weights = results.attention.mean(["seed", "channel", "cycle"]).values
    return weights, attention.mean_entropy(results.attention.values)


def _validation(evidence: Evidence, motion: str) -> dict[str, np.ndarray]:
    study = evidence.study(motion, people=False)
    found = {c: r for (s, c), r in evidence.results.items() if s == study}
    if not found:
        raise Untestable(f"{study} was not trained.")
    curves = {
        name: r.validation_loss.where(~r.diverged).mean(["seed", "channel", "fold"]).values for name, r in found.items()
    }
    if not all(np.isfinite(curve).all() for curve in curves.values()):
        raise Untestable(f"{study}: every model of a condition diverged.")
    if min(map(len, curves.values())) < 5:
        raise Untestable("Too few epochs to speak of convergence.")
    return curves


def _left_out(evidence: Evidence, motion: str) -> str:
    marks = [r.diverged for (study, _), r in evidence.results.items() if study == evidence.study(motion, people=False)]
    return f"{sum(int(m.sum()) for m in marks)} of {sum(m.size for m in marks)} models diverged and are left out."


def _ratios(ratios: dict[str, float]) -> str:
    return "; ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
