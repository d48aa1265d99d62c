"""Tests of the controls over held-out units, and in a sentence whether a condition uses its input or remembers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.analysis import contrasts
from nem2e_lib.analysis.controls import AVERAGE, CONSTANT, Shifts, electrode_weights
from nem2e_lib.analysis.following import MEASURES
from nem2e_lib.analysis.leaderboard import DECIMALS
from nem2e_lib.analysis.statistics import holm, one_sample, over_folds
from nem2e_lib.training.units import unit_name, units_said

Row = dict[Any, Any]

UNCHANGED = "unchanged"
NEEDS, VARIES, REPLAYS, HARMED = "needs its input", "varies without gain", "replays", "harmed by its input"
NOT_SHOWN, CANNOT = "not shown", "cannot be tested"
SAID = {
    NEEDS: "it needs the cycle's own input",
    VARIES: "its output varies with its input, but the average input is not shown to serve it worse than the own one",
    REPLAYS: "its output hardly varies with its input, and the average input is not shown to serve it worse",
    HARMED: "the average input serves it better than the cycle's own one",
    NOT_SHOWN: "it is not shown to need the cycle's own input",
    CANNOT: "whether it needs the cycle's own input cannot be tested",
}
"""Verdicts in words."""
HARDLY = 0.1
"""Share of the EMG's variance over a unit's cycles up to which an output hardly varies."""
ERS = ("er", "er_unchanged", "er_mean_curve", "rise", "above_mean_curve")
_ON = ["study", "condition", "control", "unit", "label", "synthetic"]


def over_electrodes(table: pd.DataFrame, by: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """Average over the channels of an electrode, then over electrodes; missing in one is missing in the mean."""
    whole = {name: (name, lambda column: column.mean(skipna=False)) for name in values}
    electrodes = table.groupby([*by, "electrode"], sort=False).agg(**whole).reset_index()
    return electrodes.groupby([*by], sort=False).agg(**whole).reset_index()


def per_unit(table: pd.DataFrame) -> pd.DataFrame:
    """Return each control's Er per held-out unit, one row a control and unit; muscles without any Er are left out."""
    usable = table[table["er_unchanged"].notna()]
    means = over_electrodes(usable, _ON, ERS)
    means[list(ERS)] = means[list(ERS)].round(DECIMALS)
    return means


def inputs(table: pd.DataFrame) -> pd.DataFrame:
    """Return Er per held-out unit with the own and with the average input, as `contrasts.judged` takes it.

    Parameters
    ----------
    table
        Rows of `controls.errors_under`.

    Returns
    -------
    pandas.DataFrame
        Columns study, method (the condition, and the same with ``_average``), unit, label, er.
    """
    units = per_unit(table)
    rows = units[units["control"] == AVERAGE]
    own = rows.assign(method=rows["condition"], er=rows["er_unchanged"])
    average = rows.assign(method=rows["condition"] + "_average")
    return pd.concat([own, average], ignore_index=True)[["study", "method", "unit", "label", "er"]]


def control_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Test each control over held-out units; the unchanged input stands first.

    These tests are for exploring. Whether a condition needs its input is planned, and decided by `verdicts`.

    Parameters
    ----------
    table
        Rows of `controls.errors_under`.

    Returns
    -------
    pandas.DataFrame
        One row a study, condition and control: er_mean, ci_low, ci_high; rise (paired, over the unchanged input) with
        rise_ci_low, rise_ci_high, rise_t, rise_p_value, rise_p_holm; above_mean_curve (paired) with the same; n, unit,
        synthetic, reason (why the rise is not tested). Holm over the controls of a study and condition, each family of
        its own.
    """
    units = per_unit(table)
    tables = []
    for _, rows in units.groupby(["study", "condition"], sort=False):
        first = str(rows["control"].iloc[0])
        same = rows[rows["control"] == first].assign(control=UNCHANGED, er=lambda t: t["er_unchanged"], rise=np.nan)
        same = same.assign(above_mean_curve=same["er_unchanged"] - same["er_mean_curve"])
        tested = [_tested(group) for _, group in pd.concat([same, rows]).groupby("control", sort=False)]
        found = pd.DataFrame(tested)
        for name in ("rise", "above_mean_curve"):
            found[f"{name}_p_holm"] = holm(found[f"{name}_p_value"])
        tables.append(found)
    return pd.concat(tables, ignore_index=True)


def _tested(rows: pd.DataFrame) -> dict[str, object]:
    er = one_sample(rows["er"])
    head = {name: rows[name].iloc[0] for name in ("study", "condition", "control")}
    found: dict[str, object] = {**head, "er_mean": er.mean, "ci_low": er.ci_low, "ci_high": er.ci_high}
    for name in ("rise", "above_mean_curve"):
        test = over_folds(rows[name].round(DECIMALS))
        found |= {
            name: test.mean,
            f"{name}_ci_low": test.ci_low,
            f"{name}_ci_high": test.ci_high,
            f"{name}_t": test.t,
            f"{name}_p_value": test.p_value,
            f"{name}_reason": test.reason,
        }
    unchanged = head["control"] == UNCHANGED
    reason = "" if unchanged else found.pop("rise_reason")
    found.pop("rise_reason", None)
    curve = found.pop("above_mean_curve_reason")
    return {
        **found,
        "er_mean_curve": rows["er_mean_curve"].mean(),
        "n": len(rows),
        "unit": rows["unit"].iloc[0],
        "synthetic": bool(rows["synthetic"].iloc[0]),
        "reason": reason or curve,
    }


def rises_by_muscle(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rise of Er under each control by muscle, mean over held-out units; a column a control.

    Parameters
    ----------
    table
        Rows of `controls.errors_under`.
    """
    by = ["study", "condition", "muscle"]
    rises = table.assign(row=table[by].agg("|".join, axis=1))
    wide = rises.pivot_table(index="row", columns="control", values="rise", sort=False, dropna=False)
    return rises.drop_duplicates("row")[["row", *by]].merge(wide, on="row").drop(columns="row")


def shift_summary(moved: Iterable[Shifts]) -> pd.DataFrame:
    """Return Er over the shift of the input, mean over electrodes, with its 95 % CI over held-out units.

    Returns
    -------
    pandas.DataFrame
        One row a study, condition and shift: shift_pct, er_mean, ci_low, ci_high, er_mean_curve, er_unchanged (of the
        same cycles), n, unit, reason.
    """
    rows = []
    for one in moved:
        base, attributes = one.trained.base, one.trained.results.attrs
        plain = over_electrodes(base[base["er"].notna()], ["label"], ["er", "er_mean_curve"])[
            ["er", "er_mean_curve"]
        ].mean()
        for shift, er in zip(one.shift, _er_of_shifts(one), strict=True):
            test = one_sample(er.round(DECIMALS))
            rows.append(
                {
                    "study": attributes["study"],
                    "condition": attributes["condition"],
                    "shift_pct": shift,
                    "er_mean": test.mean,
                    "ci_low": test.ci_low,
                    "ci_high": test.ci_high,
                    "er_mean_curve": plain["er_mean_curve"],
                    "er_unchanged": plain["er"],
                    "n": test.n,
                    "unit": str(attributes["unit"]),
                    "reason": test.reason,
                }
            )
    return pd.DataFrame(rows)


def _er_of_shifts(one: Shifts) -> NDArray[np.float64]:
    """Er of each shift and held-out unit, mean over electrodes, shape (shifts, folds).

    A channel that is undefined somewhere is left out; one that was not recorded of a unit is left out of that unit.
    """
    there = np.asarray(one.trained.weights.sum(axis=-1) > 0)
    usable = ~(np.isnan(one.er).any(axis=0) & there).any(axis=-1)
    weight = electrode_weights(one.trained.results.isel(channel=usable))
    if there.all():
        return np.einsum("scf,c->sf", one.er[:, usable], weight)
    shares = weight[:, None] * there[usable]
    return np.einsum("scf,cf->sf", np.nan_to_num(one.er[:, usable]), shares / shares.sum(axis=0))


def slope_summary(moved: Iterable[Shifts]) -> pd.DataFrame:
    """Return the slope of the output's lag on the shift of the input with its 95 % CI over held-out units.

    Returns
    -------
    pandas.DataFrame
        One row a study and condition: share (1 moves along, 0 stays), ci_low, ci_high, p_value, n, unit, reason.
    """
    rows = []
    for one in moved:
        test, attributes = one_sample(one.share.round(DECIMALS)), one.trained.results.attrs
        rows.append(
            {
                "study": attributes["study"],
                "condition": attributes["condition"],
                "share": test.mean,
                "ci_low": test.ci_low,
                "ci_high": test.ci_high,
                "p_value": test.p_value,
                "n": test.n,
                "unit": str(attributes["unit"]),
                "reason": test.reason.replace("Er is", "It is"),
            }
        )
    return pd.DataFrame(rows)


def following_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean and 95 % CI over held-out units of each measure of following.

    Parameters
    ----------
    table
        Rows of `following.following` of any number of studies and methods.

    Returns
    -------
    pandas.DataFrame
        One row a study, method and measure: mean, ci_low, ci_high, p_value (against 0), n, unit, synthetic, reason.
    """
    by = ["study", "method", "unit", "label", "synthetic"]
    units = over_electrodes(table, by, list(MEASURES))
    rows = []
    for (study, method), group in units.groupby(["study", "method"], sort=False):
        for name in MEASURES:
            test = one_sample(group[name].round(DECIMALS))
            rows.append(
                {
                    "study": study,
                    "method": method,
                    "measure": name,
                    "mean": test.mean,
                    "ci_low": test.ci_low,
                    "ci_high": test.ci_high,
                    "p_value": test.p_value,
                    "n": test.n,
                    "unit": group["unit"].iloc[0],
                    "synthetic": bool(group["synthetic"].iloc[0]),
                    "reason": test.reason.replace("Er is", "It is"),
                }
            )
    return pd.DataFrame(rows)


def verdicts(summary: pd.DataFrame, followed: pd.DataFrame, needed: pd.DataFrame) -> pd.DataFrame:
    """Say of each study and condition whether it needs its input or replays what it remembers.

    Whether it is better than the training-mean curve is a question of its own, which the planned contrasts of
    the leaderboard answer over all electrodes and seeds; here only its numbers stand.

    Parameters
    ----------
    summary, followed
        `control_summary` and `following_summary`.
    needed
        `contrasts.judged` of the own against the average input (`inputs`).

    Returns
    -------
    pandas.DataFrame
        Columns study, condition, verdict (a key of `SAID`), answer (of the contrast), er_unchanged, er_mean_curve,
        without_input (Er with the average input), constant_input (Er with the cycle's mean), remembered (share of the
        improvement over OpenSim that the training-mean curve reaches), variance_share, slope, n, sentence.
    """
    rows = [
        _verdict(
            group,
            followed[(followed["study"] == study) & (followed["method"] == condition)],
            needed[(needed["study"] == study) & (needed["method"] == condition)].iloc[0],
        )
        for (study, condition), group in summary.groupby(["study", "condition"], sort=False)
    ]
    return pd.DataFrame(rows)


def _verdict(summary: pd.DataFrame, followed: pd.DataFrame, needed: pd.Series[Any]) -> dict[str, object]:
    by_control: dict[str, Row] = {str(row["control"]): row for row in summary.to_dict("records")}
    measured = followed.set_index("measure")["mean"].astype(float)
    plain, blind = by_control[UNCHANGED], by_control[AVERAGE]
    share = measured["variance_share"]
    blank = NOT_SHOWN if math.isnan(share) else REPLAYS if share <= HARDLY else VARIES
    decided = {contrasts.SHOWN: NEEDS, contrasts.OTHERWISE: HARMED, contrasts.CANNOT: CANNOT}
    verdict = decided.get(str(needed["answer"]), blank)
    er, curve = plain["er_mean"], plain["er_mean_curve"]
    numbers = {
        "er_unchanged": er,
        "er_mean_curve": curve,
        "without_input": blind["er_mean"],
        "constant_input": by_control[CONSTANT]["er_mean"],
        "remembered": curve / er if er < 0 and curve < 0 else math.nan,
        "variance_share": share,
        "slope": measured["slope_within"],
        "n": plain["n"],
    }
    head = {name: plain[name] for name in ("study", "condition")}
    sentence = _sentence(verdict, plain, needed, numbers)
    return {**head, "verdict": verdict, "answer": needed["answer"], **numbers, "sentence": sentence}


def _sentence(verdict: str, plain: Row, needed: pd.Series[Any], numbers: Row) -> str:
    share, moved = numbers["remembered"], numbers["variance_share"]
    part = f" ({_percent(share)} of the improvement over OpenSim)" if math.isfinite(share) else ""
    varies = (
        f" Over the cycles of a {unit_name(plain['unit'])} "
        f"its output varies with {_percent(moved)} of the EMG's variance and follows "
        f"it with slope {_signed(numbers['slope'])}."
        if math.isfinite(moved)
        else ""
    )
    return (
        f"{SAID[verdict]}. Er is {_signed(numbers['er_unchanged'])} with the own input and "
        f"{_signed(numbers['without_input'])} with the average input (rise {_signed(-needed['difference'])}, 95 % CI "
        f"{_ends(-needed['ci_high'], -needed['ci_low'])}, corrected for shared training data, "
        f"n = {units_said(plain['n'], plain['unit'])}), "
        f"{_signed(numbers['constant_input'])} with a constant one; the training-mean curve, which sees no "
        f"input, reaches {_signed(numbers['er_mean_curve'])}{part}, and the model lies "
        f"{_signed(plain['above_mean_curve'])} from it.{varies}"
    )


def _ends(low: float, high: float) -> str:
    return f"{_signed(low)} to {_signed(high)}" if math.isfinite(low) else "not defined"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
