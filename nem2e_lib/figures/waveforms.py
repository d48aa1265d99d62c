"""Simulated, refined and measured muscle activity over the gait cycle: of one held-out unit (Figure 3), and of all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from nem2e_lib.data.cycles.segment import recorded
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.panels import Float, activity_axis, curves_with_bands, is_synthetic, panel_grid, plural, rows_for
from nem2e_lib.figures.style import (
    CONDITION_LABELS,
    SERIES_COLOURS,
    Drawn,
    add_legend,
    heading,
    new_figure,
    signed,
    styled,
)
from nem2e_lib.training.units import unit_name, units_of_each

SERIES_LABELS = {
    "simulated": "simulated (OpenSim)",
    "refined": "refined (STDR-Net)",
    "measured": "measured (EMG)",
}


def representative(errors: pd.DataFrame, study: str, condition: str) -> tuple[str, float]:
    """Return the held-out unit with the median Er (mean over muscles) and that Er.

    With an even number of units the better of the two middle ones is taken.

    Raises
    ------
    Nem2eError
        When `errors` has no defined Er for the study and condition.
    """
    rows = errors[(errors["study"] == study) & (errors["condition"] == condition)]
    means = rows.groupby("label")["er"].mean().dropna().sort_values(kind="stable")
    if means.empty:
        raise Nem2eError(
            f"The table of errors has no defined Er for study '{study}' and condition '{condition}'; "
            "expected one row per muscle and held-out unit: run the statistics for this study first."
        )
    middle = (len(means) - 1) // 2
    return str(means.index[middle]), float(means.iloc[middle])


@styled
def refined_curves(
    results: xr.Dataset, errors: pd.DataFrame, *, letter: str = "", label: str | None = None, name: str = "Figure 3"
) -> Drawn:
    """Draw one panel per muscle for a held-out unit: mean over its cycles, band over their range.

    Parameters
    ----------
    results : xarray.Dataset
        A trained condition (``<condition>.nc``).
    errors : pandas.DataFrame
        Tidy errors, for the choice of the unit.
    letter : str
        Panel letter of the published figure, such as ``a``.
    label : str, optional
        Held-out unit to draw; by default the one with the median Er.
    name : str
        What the title begins with; empty outside the paper's figures.

    Source: Teramae et al. (2025), Figure 3, doi:10.3389/fbioe.2025.1611414.
    """
    study, condition = str(results.attrs["study"]), str(results.attrs["condition"])
    chosen, er = representative(errors, study, condition)
    data = curves(results, label or chosen)
    muscles = list(data["muscle"].unique())
    synthetic = is_synthetic(results)
    title = heading(
        f"{f'{name}{letter}. ' if name else ''}{study}, {CONDITION_LABELS[condition]}: {label or chosen}", synthetic
    )
    figure = new_figure(0.95 + 1.75 * rows_for(len(muscles)), title)
    axes = panel_grid(figure, len(muscles), sharex=False)
    for axis, muscle in zip(axes, muscles, strict=True):
        rows = data[data["muscle"] == muscle]
        curves_with_bands(axis, rows, x="sample_pct", hue="series", palette=SERIES_COLOURS, clip_on=False)
        activity_axis(axis, muscle, rows)
    _name_activity(figure, len(muscles))
    cycles = int(data["n_cycles"].iloc[0])
    add_legend(figure, _handles(cycles))
    why = (
        f"the held-out {unit_name(results.attrs['unit'])} with the median Er of this condition (mean over muscles "
        f"{signed(er)})"
        if label in (None, chosen)
        else "chosen by the reader"
    )
    caption = (
        f"Lines: mean over the {plural(cycles, 'cycle')} of {label or chosen}, {why}; "
        "the model never saw it. "
        + ("Bands: lowest to highest of these cycles. " if cycles > 1 else "")
        + f"Cycle: {_cycle_words(results)}."
    )
    alt = (
        f"{len(muscles)} panels, one a muscle: simulated, refined and measured activity over the gait cycle. " + caption
    )
    return Drawn(figure, data, title, alt, caption, synthetic)


@styled
def everybody(results: xr.Dataset) -> Drawn:
    """Draw one panel per muscle for all held-out units: mean over them, band one standard deviation either way.

    Parameters
    ----------
    results : xarray.Dataset
        A trained condition (``<condition>.nc``).
    """
    study, condition = str(results.attrs["study"]), str(results.attrs["condition"])
    data = over_units([curves(results, str(label)) for label in results["fold"].to_numpy()])
    unit = str(results.attrs["unit"])
    numbers = {str(muscle): int(own["n_units"].max()) for muscle, own in data.groupby("muscle", sort=False)}
    synthetic = is_synthetic(results)
    title = heading(f"{study}: simulated, refined ({CONDITION_LABELS[condition]}) and measured", synthetic)
    muscles = list(data["muscle"].unique())
    figure = new_figure(0.95 + 1.75 * rows_for(len(muscles)), title)
    for axis, muscle in zip(panel_grid(figure, len(muscles), sharex=False), muscles, strict=True):
        rows = data[data["muscle"] == muscle]
        curves_with_bands(axis, rows, x="sample_pct", hue="series", palette=SERIES_COLOURS, clip_on=False)
        activity_axis(axis, muscle, rows)
    _name_activity(figure, len(muscles))
    band = Patch(color="#bbbbbb", label=f"± 1 SD over {unit_name(unit, max(numbers.values()))}")
    add_legend(figure, [*_handles(1), band])
    caption = (
        f"Lines: mean over {units_of_each(numbers, unit, 'held-out')}, each the mean of its cycles, which its model "
        f"never saw. Bands: one standard deviation between them. Cycle: {_cycle_words(results)}."
    )
    alt = f"{len(muscles)} panels, one a muscle: simulated, refined and measured activity. {caption}"
    return Drawn(figure, data, title, alt, caption, synthetic)


def over_units(units: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return mean and standard deviation over held-out units, each of which counts by the mean of its cycles.

    Parameters
    ----------
    units : sequence of pandas.DataFrame
        Rows of `curves`, a table a unit.

    Returns
    -------
    pandas.DataFrame
        Columns study, condition, muscle, series, sample_pct, mean, sd, n_units, low, high (one sd either way).
    """
    each = pd.concat(units, ignore_index=True)
    keys = ["study", "condition", "muscle", "series", "sample_pct"]
    over = each.dropna(subset="mean").groupby(keys, sort=False)["mean"].agg(mean="mean", sd="std", n_units="size")
    return over.reset_index().assign(
        low=lambda t: t["mean"] - t["sd"].fillna(0.0), high=lambda t: t["mean"] + t["sd"].fillna(0.0)
    )


def _name_activity(figure: Figure, muscles: int) -> None:
    between = " " if rows_for(muscles) > 1 else "\n"  # a single row is lower than the words are long
    figure.supylabel(f"muscle activity{between}(normalised)", fontsize=9)


def curves(results: xr.Dataset, label: str) -> pd.DataFrame:
    """Return mean, lowest and highest value of each series over one unit's cycles, of the muscles that it has in all.

    Columns: study, condition, label, muscle, series, sample_pct, mean, low, high, n_cycles. `refined` is
    averaged over seeds first.
    """
    held_out = results["fold"].to_numpy()[results["fold_of_cycle"].to_numpy()].astype(str)
    here = results.isel(cycle=np.flatnonzero(held_out == label))
    if here.sizes["cycle"] == 0:
        raise Nem2eError(
            f"The results of study '{results.attrs['study']}' have no cycle of held-out unit '{label}'; "
            f"expected one of {', '.join(map(str, results['fold'].to_numpy()))}."
        )
    series = {
        "simulated": here["simulated"],
        "refined": here["refined"].mean("seed"),
        "measured": here["measured"],
    }
    parts = [
        _rows(
            np.asarray(values.sel(channel=muscle).transpose("cycle", "sample"), float),
            here,
            str(muscle),
            name,
        )
        for muscle in here["channel"].to_numpy()[recorded(here["measured"]).all(axis=1)]
        for name, values in series.items()
    ]
    table = pd.concat(parts, ignore_index=True)
    keys = {"study": results.attrs["study"], "condition": results.attrs["condition"], "label": label}
    for position, (key, value) in enumerate(keys.items()):
        table.insert(position, key, value)
    return table


def _rows(values: Float, here: xr.Dataset, muscle: str, series: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "muscle": muscle,
            "series": series,
            "sample_pct": here["sample"].to_numpy(),
            "mean": values.mean(0),
            "low": values.min(0),
            "high": values.max(0),
            "n_cycles": len(values),
        }
    )


def _handles(cycles: int) -> list[Line2D | Patch]:
    lines: list[Line2D | Patch] = [
        Line2D([], [], color=SERIES_COLOURS[s], label=text) for s, text in SERIES_LABELS.items()
    ]
    if cycles > 1:
        lines.append(Patch(color="#bbbbbb", label=f"lowest to highest of {plural(cycles, 'cycle')}"))
    return lines


def _cycle_words(results: xr.Dataset) -> str:
    definition = str(results.attrs.get("cycle_definition", "right-right"))
    return f"right heel strike to next {definition.split('-')[-1]} heel strike"
