"""Tables 1-3 of the paper on this run's data, beside the published ones, and what the paper leaves open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.analysis.statistics import FEWEST
from nem2e_lib.data.cycles.segment import CONDITION, recorded
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.style import CONDITION_LABELS, heading, stars
from nem2e_lib.site.tables import CONTEXT, Table, p_text, rounded, unbroken
from nem2e_lib.training.units import units_of_each

PUBLISHED_DATASETS = pd.DataFrame(
    {"subjects": [8, 10], "speeds": [4, 4], "activation_columns": [92, 102]}, index=["walking", "running"]
)
"""Table 1 of Teramae et al. (2025)."""


def datasets(studies: Mapping[str, xr.Dataset]) -> Table:
    """Return Table 1: what each study holds.

    Parameters
    ----------
    studies : mapping of name to segmented cycles (``cycles.nc``)
    """
    data = pd.DataFrame([_dataset_row(name, cycles) for name, cycles in studies.items()])
    if "conditions" in data:
        data["conditions"] = data["conditions"].fillna(1).astype(int)
    synthetic = bool(data["synthetic"].any())
    cited = [f"{row['study']}: {row['citation']}" for row in data.to_dict("records") if row["citation"]]
    words = data.assign(synthetic=np.where(data["synthetic"], "SYNTHETIC", "measured"))
    shown = words.drop(columns="citation").astype(str)
    shown.columns = pd.MultiIndex.from_tuples([("" if c == "study" else "this run", _words(str(c))) for c in shown])
    for name in PUBLISHED_DATASETS.columns:
        column = PUBLISHED_DATASETS[name].reindex(data["study"]).to_numpy()
        data[f"published_{name}"] = column
        if not pd.isna(column).all():
            shown[CONTEXT, name.replace("_", " ")] = ["–" if pd.isna(v) else f"{v:.0f}" for v in column]
    caption = (
        "Activation columns are what All-Entire reads; electrodes count the EMG channels that are not copies "
        "of another."
    )
    caption = " ".join([caption, *filter(None, (_short(name, cycles) for name, cycles in studies.items()))])
    caption += f" Cite: {' '.join(one.rstrip('.') + '.' for one in cited)}" if cited else ""
    return Table(data, shown, heading("Table 1. Datasets", synthetic), caption, synthetic)


def _short(name: str, cycles: xr.Dataset) -> str:
    """Of how many subjects each channel was recorded, where not of all."""
    there, subject = recorded(cycles.emg), cycles.subject.values
    numbers = {
        str(channel): len(np.unique(subject[own])) for channel, own in zip(cycles.channel.values, there, strict=True)
    }
    whole = len(np.unique(subject))
    fewer = [f"{channel} of {number}" for channel, number in numbers.items() if number < whole]
    return f"{name}: {', '.join(fewer)} of {whole} subjects." if fewer else ""


def _words(column: str) -> str:
    return "data" if column == "synthetic" else column.replace("_", " ")


def _dataset_row(name: str, cycles: xr.Dataset) -> dict[str, object]:
    return {
        "study": name,
        "motion": str(cycles.attrs.get("motion", name)),
        "subjects": len(np.unique(cycles["subject"])),
        "speeds": len(np.unique(cycles["speed"])),
        **({"conditions": len(np.unique(cycles[CONDITION]))} if CONDITION in cycles.coords else {}),
        "trials": len(np.unique(cycles["trial"])),
        "cycles": cycles.sizes["cycle"],
        "skipped_cycles": int(cycles.attrs.get("skipped", 0)),
        "simulated_by": str(cycles.attrs.get("simulated_by", "unknown")),
        "activation_columns": cycles.sizes["muscle"],
        "emg_channels": cycles.sizes["channel"],
        "electrodes": len(np.unique(cycles["electrode"])),
        "synthetic": bool(cycles.attrs.get("synthetic", 0)),
        "citation": str(cycles.attrs.get("citation", "")),
    }


def results_table(
    summary: pd.DataFrame,
    *,
    study: str,
    number: int | None,
    synthetic: bool,
    published: pd.DataFrame | None = None,
) -> Table:
    """Return Table 2 (walking), Table 3 (running) or that of any study: Er and its statistics.

    Parameters
    ----------
    summary : pandas.DataFrame
        Rows of ``statistics.summary``: study, muscle, condition, er_mean, ci_low, ci_high, p_value, cohen_d,
        r2_pearson, r2_sse, n_units, unit.
    number : int, optional
        The table's number in the paper.
    published : pandas.DataFrame, optional
        Rows of ``published_results.csv``; the study's stand in columns of their own, marked as context.

    Raises
    ------
    Nem2eError
        When the summary has no row for the study.
    """
    rows = summary[summary["study"] == study].reset_index(drop=True)
    if rows.empty:
        raise Nem2eError(f"The summary has no row for study '{study}'; expected one per muscle and condition.")
    rows = _ordered(rows)
    told = rows[["p_value", "cohen_d"]].where(rows["n_units"] >= FEWEST)  # the CSV has those of fewer units, too
    shown = pd.DataFrame(
        {
            ("", "muscle"): rows["muscle"],
            ("", "condition"): [unbroken(CONDITION_LABELS[c]) for c in rows["condition"]],
            ("this run", "Er"): [_starred(m, p) for m, p in zip(rows["er_mean"], told["p_value"], strict=True)],
            ("this run", "p"): told["p_value"].map(p_text),
            ("this run", "95 % CI"): _interval(rows),
            ("this run", "d"): told["cohen_d"].map(rounded),
            ("this run", "R² (r²)"): rows["r2_pearson"].map(rounded),
            ("this run", "R² (1 − SSE/SST)"): rows["r2_sse"].map(rounded),
            ("this run", "n"): rows["n_units"].astype(int).astype(str),
        }
    )
    data = rows
    if published is not None:
        theirs = rows[["muscle", "condition"]].merge(
            published[published["dataset"] == study], on=["muscle", "condition"], how="left"
        )
        shown = shown.join(_context(theirs))
        data = rows.join(theirs[[c for c in _PUBLISHED if c in theirs]].add_prefix("published_"))
    better = (rows["er_mean"] < 0) & (told["p_value"] < 0.05)
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    bold["this run", "Er"] = better
    name = f"Table {number}. {study}: statistics of Er" if number else f"{study}: statistics of Er"
    caption = _results_caption(rows, int(better.sum()), synthetic, published is not None)
    return Table(data, shown, heading(name, synthetic), caption, synthetic, bold)


_PUBLISHED = (
    "er_mean",
    "p_value",
    "p_is_bound",
    "ci_low",
    "ci_high",
    "cohen_d",
    "r2",
    "n_subjects",
    "transcription_note",
)


def _ordered(rows: pd.DataFrame) -> pd.DataFrame:
    muscles = list(dict.fromkeys(rows["muscle"]))
    order = rows["muscle"].map(muscles.index) * 10 + rows["condition"].map(list(CONDITION_LABELS).index)
    return rows.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)


def _context(rows: pd.DataFrame) -> pd.DataFrame:
    p_values = [
        (unbroken("< ") if bound == 1 else "") + p_text(p) if np.isfinite(p) else "–"
        for p, bound in zip(rows["p_value"], rows["p_is_bound"], strict=True)
    ]
    return pd.DataFrame(
        {
            (CONTEXT, "Er"): rows["er_mean"].map(rounded),
            (CONTEXT, "p"): p_values,
            (CONTEXT, "95 % CI"): _interval(rows),
            (CONTEXT, "d"): rows["cohen_d"].map(rounded),
            (CONTEXT, "R²"): rows["r2"].map(rounded),
        }
    )


def _results_caption(rows: pd.DataFrame, better: int, synthetic: bool, context: bool) -> str:
    units = ", ".join(
        f"n = {units_of_each(dict(zip(own['muscle'], own['n_units'], strict=True)), str(unit), 'held-out')}"
        for unit, own in rows.groupby("unit", sort=False)
    )
    return (
        f"Unit of analysis: {units}. One-sample t-test of Er against 0; * p < 0.05, ** p < 0.01, *** p < "
        f"0.001; bold: improved (Er below 0 and p < 0.05), {better} of {len(rows)} rows. "
        + (f"No p, star or d from fewer than {FEWEST} units. " if (rows["n_units"] < FEWEST).any() else "")
        + "The test takes folds for independent, as the paper does. The paper does not define its R²: both readings "
        "are given."
        + (" Published numbers come from other data and stand here as context only." if context and synthetic else "")
        + ("" if context or synthetic else " No published numbers stand beside these: they are of other people.")
        + (" '–': not legible in the source, or undefined." if context else "")
    )


def _starred(value: float, p_value: float) -> str:
    return unbroken(f"{rounded(value)} {stars(p_value)}".strip())


def _interval(rows: pd.DataFrame) -> list[str]:
    return [
        unbroken(f"[{rounded(a)}, {rounded(b)}]") if np.isfinite(a) and np.isfinite(b) else "–"
        for a, b in zip(rows["ci_low"], rows["ci_high"], strict=True)
    ]


def open_points(rows: Iterable[Mapping[str, object]]) -> Table:
    """Return "What the paper leaves open": a row a choice (`training.config.open_points`), with its `effect` if given.

    Raises
    ------
    Nem2eError
        If a row lacks what a choice is, what it is here, its alternatives or the reason.
    """
    data = pd.DataFrame(list(rows))
    for name in ("id", "point", "option", "here", "alternatives", "reason"):
        if name not in data:
            raise Nem2eError(f"open points: a row has no {name!r}, expected rows of training.config.open_points.")
    caption = (
        f"{len(data)} choices that the paper's text does not settle. Option: its name in this package, empty where it "
        "is no option of the network; here: its value in this run."
    )
    return Table(data, data.drop(columns="id").astype(str), "What the paper leaves open", caption)
