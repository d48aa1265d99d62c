"""Timing, size and co-contraction in sentences, and the tables that show them: logic of 18_timing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nem2e_lib.analysis import timing
from nem2e_lib.analysis.mixed import MEAN_CURVE
from nem2e_lib.analysis.statistics import ALPHA
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
    """Say how far off each method is, and what is surely better or worse than the mean curve and than OpenSim.

    Parameters
    ----------
    means
        Rows of `timing.summary` of `timing.over_muscles`.
    against
        Rows of `timing.contrasts` with the mean curve, and with OpenSim.

    Returns
    -------
    list of str
        A paragraph a study.
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
        here = against[against["study"].eq(study)]
        sure = [_sure(here[here["against"].eq(other)], other) for other in (MEAN_CURVE, OPENSIM)]
        told.append(" ".join([f"{study}: {'; '.join(parts)} of the cycle.", *sure]))
    return told


def _sure(rows: pd.DataFrame, other: str) -> str:
    """Say in which measures the networks surely differ from another method, and in how many not."""
    some = rows[rows["method"].isin(CONDITIONS) & np.isfinite(rows["p_holm"])]
    if some.empty:
        return f"No difference from {_plain(other)} can be tested."
    parts = []
    for method, own in some[some["p_holm"] < ALPHA].groupby("method", sort=False):
        said = [
            f"{_measure(str(row['measure']))} {signed(row['difference'])} ({signed(row['ci_low'])} to "
            f"{signed(row['ci_high'])}, {_verdict(row)})"
            for row in own.to_dict("records")
        ]
        parts.append(f"{label_of(method)}: {', '.join(said)}")
    count = int((some["p_holm"] >= ALPHA).sum())
    rest = (
        f"{count} of {len(some)} differences between networks and {_plain(other)} are not sure after Holm's correction"
    )
    return f"Against {_plain(other)}, {'; '.join(parts)}; {rest}." if parts else f"{rest[0].upper()}{rest[1:]}."


def _plain(method: str) -> str:
    return "the mean curve" if method == MEAN_CURVE else label_of(method)


def _verdict(row: Mapping[str, object]) -> str:
    more = MEASURES[str(row["measure"])].kind == "z"
    return "better" if (float(str(row["difference"])) > 0) == more else "worse"


def _measure(name: str) -> str:
    names = {"height_off": "height", "rmse": "RMSE", "correlation": "Fisher's z of the correlation", **_SAID}
    return names.get(name, f"{name} bursts")


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
