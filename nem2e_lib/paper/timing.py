"""Timing, size and co-contraction in sentences, and the tables that show them: logic of 18_timing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nem2e_lib.analysis import timing
from nem2e_lib.analysis.mixed import MEAN_CURVE
from nem2e_lib.analysis.timing import MEASURED, MEASURES
from nem2e_lib.figures.style import label_of, signed
from nem2e_lib.site.tables import p_text, rounded
from nem2e_lib.training.conditions import CONDITIONS
from nem2e_lib.training.units import unit_name, units_said

OPENSIM = "opensim"
_SAID = {"onset_off": "onset", "offset_off": "offset", "peak_off": "peak time"}


def who(summary: pd.DataFrame) -> list[str]:
    """Say what intervals are over, a sentence a study; one person's are over what was left out of that person."""
    told = []
    for study, rows in summary.groupby("study", sort=False):
        unit, number = str(rows["unit"].iloc[0]), int(rows["of_units"].max())
        data = "SYNTHETIC data; " if rows["synthetic"].iloc[0] else ""
        people = unit == "subject"
        rest = "" if people else f" of one person: they say nothing of other people, and {number} are few"
        told.append(f"{study}: {data}intervals are over {units_said(number, unit, 'held-out')}{rest}.")
    return told


def values(summary: pd.DataFrame, study: str) -> pd.DataFrame:
    """Lay out what each method says of each muscle, a row a muscle and method, as mean and interval in text."""
    shown = ["onset", "offset", "peak", "height", "onset_error", "offset_error", "peak_error", "height_error"]
    shown += ["correlation", "rmse"]
    rows = summary[summary["study"].eq(study) & summary["measure"].isin(shown)]
    texts = rows.assign(text=[_text(row) for row in rows.to_dict("records")])
    wide = texts.pivot_table(index=["muscle", "method"], columns="measure", values="text", aggfunc="first", sort=False)
    return wide.reindex(columns=[name for name in shown if name in wide]).fillna("–").reset_index()


def _text(row: Mapping[str, object]) -> str:
    digits = 0 if MEASURES[str(row["measure"])].kind == "time" else 2
    mean, low, high = (float(str(row[name])) for name in ("mean", "ci_low", "ci_high"))
    span = f" ({rounded(low, digits)} to {rounded(high, digits)})" if np.isfinite(low) else ""
    few = f" in {row['cycles']} of {row['of_cycles']}" if row["cycles"] != row["of_cycles"] else ""
    return f"{rounded(mean, digits)}{span}{few}" if np.isfinite(mean) else "–"


def bursts_told(counted: pd.DataFrame) -> list[str]:
    """Say which curves have no burst, and why."""
    if counted.empty:
        return ["Every cycle, measured and estimated, has a burst."]
    return [
        f"{study}: no burst in "
        + "; ".join(
            f"{_name(row['method'])}, {row['muscle']}, {row['cycles']} of {row['of_cycles']} ({row['reason']})"
            for row in rows.to_dict("records")
        )
        + "."
        for study, rows in counted.groupby("study", sort=False)
    ]


def _name(method: str) -> str:
    return "measured EMG" if method == MEASURED else label_of(method)


def thinning_told(summary: pd.DataFrame) -> list[str]:
    """Say what the number of samples alone does to timing, a sentence a study."""
    told = []
    for study, rows in summary.groupby("study", sort=False):
        means = rows.groupby("measure", sort=False)["mean"]
        sizes = ", ".join(f"{name} by {means.mean()[key]:.1f} %" for key, name in _SAID.items())
        worst = {name: float(means.max()[key]) for key, name in _SAID.items()}
        height = float(means.mean()["height_error"])
        told.append(
            f"{study}: thinning moves measured EMG's {sizes} of the cycle on average (at most "
            f"{max(worst.values()):.1f} % in one muscle), its greatest value by {signed(height)}, and hides "
            f"{float(means.mean()['missed']):.2f} bursts a cycle."
        )
    return told


def off_told(means: pd.DataFrame, against: pd.DataFrame) -> list[str]:
    """Say how far off each method is, and what the networks' timing is beside the mean curve's, a paragraph a study.

    Parameters
    ----------
    means
        Rows of `timing.summary` of `timing.over_muscles`.
    against
        Rows of `timing.contrasts` with the mean curve.
    """
    told = []
    for study, rows in means.groupby("study", sort=False):
        wide = rows.pivot_table(index="method", columns="measure", values="mean", sort=False)
        there = [name for name in (OPENSIM, MEAN_CURVE, *CONDITIONS) if name in wide.index]
        parts = [
            f"{name} is off by "
            + ", ".join(f"{wide.loc[method, key]:.1f} % ({label_of(method)})" for method in there if key in wide)
            for key, name in _SAID.items()
            if key in wide
        ]
        sentence = f"{study}: {'; '.join(parts)} of the cycle."
        told.append(f"{sentence} {_sure(against[against['study'].eq(study)])}")
    return told


def _sure(rows: pd.DataFrame) -> str:
    """Say which contrasts of the networks with the mean curve have an interval without 0, and how many have not."""
    some = rows[rows["method"].isin(CONDITIONS) & rows["measure"].isin([*_SAID, "height_off", "correlation", "rmse"])]
    known = some[np.isfinite(some["ci_low"])]
    sure = known[(known["ci_low"] > 0) | (known["ci_high"] < 0)]
    if known.empty:
        return "No difference from the mean curve has an interval."
    said = []
    for row in sure.to_dict("records"):
        more = MEASURES[str(row["measure"])].kind == "z"
        better = (row["difference"] > 0) == more
        words = "better" if better else "worse"
        ends = f"{signed(row['difference'])}, {signed(row['ci_low'])} to {signed(row['ci_high'])}"
        said.append(f"{label_of(row['method'])} has a {words} {_measure(str(row['measure']))} ({ends})")
    rest = f"{len(known) - len(sure)} of {len(known)} differences from the mean curve have 0 in their interval"
    return f"Beside the mean curve: {'; '.join(said)}; {rest}." if said else f"{rest[0].upper()}{rest[1:]}."


def _measure(name: str) -> str:
    return {"height_off": "height", "rmse": "RMSE", "correlation": "correlation (Fisher's z)", **_SAID}[name]


def together_told(summary: pd.DataFrame) -> list[str]:
    """Say how much antagonists overlap in EMG and in each method, and which is nearest, a sentence a study."""
    told = []
    for study, rows in summary.groupby("study", sort=False):
        means = rows[rows["measure"].eq("overlap")].groupby("method", sort=False)["mean"].mean()
        others = means.drop(MEASURED)
        nearest = str((others - means[MEASURED]).abs().idxmin())
        listed = ", ".join(f"{label_of(name)} {value:.2f}" for name, value in others.items())
        pairs = list(dict.fromkeys(rows["muscle"]))
        told.append(
            f"{study}: over {len(pairs)} pair{'s' * (len(pairs) != 1)} of antagonists ({', '.join(pairs)}) the common "
            f"area is {means[MEASURED]:.2f} in EMG; {listed}. Nearest to EMG is {label_of(nearest)}."
        )
    return told


def mixed_told(table: pd.DataFrame) -> list[str]:
    """Say the contrasts of the mixed model for other people, and whether its fit warned, a sentence a study."""
    told = []
    for study, whole in table.groupby("study", sort=False):
        rows = whole[whole["scope"].eq("these muscles")]
        if (reason := str(rows["reason"].iloc[0])) != "":
            told.append(f"{study}: no model can be fitted. {reason}")
            continue
        parts = [
            f"{label_of(row['a'])} − {label_of(row['b'])} {signed(row['difference'])} ({signed(row['ci_low'])} to "
            f"{signed(row['ci_high'])}, p {p_text(row['p_value'])})"
            for row in rows.to_dict("records")
        ]
        unit = str(rows["unit"].iloc[0])
        scope = "other people" if unit == "subject" else f"other {unit_name(unit, 2)} of this one person"
        warned = "" if whole["warned"].eq("").all() else " The fit warned; the table says of what."
        bad = "" if whole["converged"].all() else " A fit did not converge: its rows are not to be relied on."
        told.append(f"{study}, for {scope} and these muscles: {'; '.join(parts)}.{warned}{bad}")
    return told


def orders_told(table: pd.DataFrame) -> list[str]:
    """Say how far Er and the order of the methods depend on what EMG is divided by, a sentence a study."""
    told = []
    for study, rows in table.groupby("study", sort=False):
        given, least = rows[rows["scale"].eq("as given")].iloc[0], rows["spearman"].min()
        moved = rows[rows["best"].ne(given["best"])]
        best = (
            f"{label_of(given['best'])} is first under every one"
            if moved.empty
            else f"{label_of(given['best'])} is first as given, but "
            + ", ".join(f"{label_of(row['best'])} under {row['scale']}" for row in moved.to_dict("records"))
        )
        low, high = rows["er_from"].min(), rows["er_from"].max()
        told.append(
            f"{study}: the lowest Er runs from {signed(low)} to {signed(high)} over {len(rows)} normalisations; {best};"
            f" the order of {given['n_methods']} methods agrees with that as given at a rank correlation of "
            f"{least:.2f} or more."
        )
    return told


def losses_told(table: pd.DataFrame) -> list[str]:
    """Say what a speed costs that is left out beside a person, a sentence a study."""
    told = []
    for study, rows in table.groupby("study", sort=False):
        parts = [
            f"{label_of(row['method'])} {signed(row['er_person'])} → {signed(row['er_apart'])} (rise "
            f"{signed(row['rise'])}, {signed(row['ci_low'])} to {signed(row['ci_high'])})"
            for row in rows.to_dict("records")
        ]
        told.append(f"{study}: {'; '.join(parts)}.")
    return told


def resolutions(studies: Mapping[str, object]) -> list[str]:
    """Say how finely refined activity of each study can be timed."""
    return [f"{study}: {timing.resolution(results)}" for study, results in studies.items()]  # type: ignore[arg-type]
