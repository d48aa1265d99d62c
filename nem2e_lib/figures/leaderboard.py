"""The leaderboard: Er of every method with its CI, who beats whom, and what was tried on the way (not in the paper)."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import TwoSlopeNorm
from matplotlib.lines import Line2D

from nem2e_lib.figures.points import BLACK_EDGE, mean_handle, rows_of_points, unit_handle
from nem2e_lib.figures.style import (
    OWN_METHOD,
    Drawn,
    add_legend,
    colour_of,
    heading,
    label_of,
    new_figure,
    signed,
    styled,
)
from nem2e_lib.training.units import caveat, units_said


@styled
def leaderboard(standings: pd.DataFrame, units: pd.DataFrame, *, synthetic: bool, own: Collection[str] = ()) -> Drawn:
    """Draw each method's Er per held-out unit with mean and 95 % CI, best on top; one panel a study.

    Parameters
    ----------
    standings, units : pandas.DataFrame
        Rows of ``leaderboard.standings`` and ``leaderboard.per_unit``.
    own : collection of str
        Methods that are the reader's own: in a colour of theirs.
    """
    studies = list(dict.fromkeys(standings["study"]))
    most = int(standings.groupby("study").size().max())
    title = heading("Leaderboard: Er of every method under the same folds", synthetic)
    figure = new_figure(1.2 + 0.24 * most, title)
    axes = figure.subplots(1, len(studies), squeeze=False)[0]
    for axis, study in zip(axes, studies, strict=True):
        rows = standings[standings["study"] == study]
        _panel(axis, rows, units[units["study"] == study], own)
        axis.set_title(
            f"{study} (n = {units_said(int(rows['n_units'].iloc[0]), str(rows['unit'].iloc[0]), 'held-out')})"
        )
    theirs = Line2D([], [], ls="", marker="D", ms=5, mfc=OWN_METHOD, **BLACK_EDGE, label="added: a method of one's own")
    add_legend(figure, [unit_handle(), mean_handle(), *([theirs] if own else [])])
    caption = (
        "Er is averaged over the channels of an electrode and then over electrodes within each held-out unit. On the "
        "right: Er, and the 95 % interval of the rank (bootstrap over held-out units). "
        + " ".join([*(_sentence(standings, study) for study in studies), *_short(units)])
    )
    data = units.merge(standings[["study", "method", "rank", "er_mean", "ci_low", "ci_high"]], on=["study", "method"])
    return Drawn(figure, data, title, caption, caption, synthetic)


def _short(units: pd.DataFrame) -> list[str]:
    """Say whose mean is over fewer electrodes, since some were not recorded: one sentence a study."""
    told = []
    for study, rows in units.groupby("study", sort=False):
        most, numbers = rows["n_electrodes"].max(), rows.groupby("label", sort=False)["n_electrodes"].max()
        parts = [f"{number} of {label}" for label, number in numbers.items() if number < most]
        told += [
            f"In {study}, of {most} electrodes only {', '.join(parts)} were recorded, and Er is over these."
        ] * bool(parts)
    return told


def _panel(axis: Axes, rows: pd.DataFrame, units: pd.DataFrame, own: Collection[str]) -> None:
    axis.axvline(0, color="#444444", lw=0.9)
    ordered = rows.sort_values("er_mean", kind="stable")
    rows_of_points(
        axis,
        ordered,
        row="method",
        palette={method: OWN_METHOD if method in own else colour_of(method) for method in ordered["method"]},
        names=[label_of(method) for method in ordered["method"]],
        notes=[f"{_er(row['er_mean'])}  {_ranks(row)}".rstrip() for row in ordered.to_dict("records")],
        units=units,
    )
    axis.set_xlabel("Er  (negative: better than OpenSim)")


def _ranks(row: Mapping[Hashable, Any]) -> str:
    low, high = row.get("rank_low"), row.get("rank_high")
    if pd.isna(low) or pd.isna(high):
        return ""
    return f"({low})" if low == high else f"({low}\N{EN DASH}{high})"


def _er(value: float) -> str:
    return signed(value) if np.isfinite(value) else "undefined"


def _sentence(standings: pd.DataFrame, study: str) -> str:
    rows = standings[standings["study"] == study].sort_values("er_mean").to_dict("records")
    named = [f"{label_of(row['method'])} {_er(row['er_mean'])}" for row in rows]
    return f"{study}, best first: " + ", ".join(named) + "."


@styled
def duels(fights: pd.DataFrame, standings: pd.DataFrame, *, synthetic: bool) -> Drawn:
    """Draw who beats whom: difference of Er, row minus column, with a mark where it is sure after Holm's correction.

    Parameters
    ----------
    fights, standings : pandas.DataFrame
        Rows of ``leaderboard.duels`` and ``leaderboard.standings``.
    """
    studies = list(dict.fromkeys(standings["study"]))
    title = heading("Who beats whom: Er of the row minus Er of the column", synthetic)
    most = int(standings.groupby("study").size().max())
    figure = new_figure(2.0 + 0.27 * most, title, legend_rows=0)
    axes = figure.subplots(1, len(studies), squeeze=False)[0]
    limit = max(float(fights["difference"].abs().max()), 1e-6)
    scale = ScalarMappable(TwoSlopeNorm(0.0, -limit, limit), "PuOr")
    for axis, study in zip(axes, studies, strict=True):
        order = standings.loc[standings["study"] == study].sort_values("er_mean", kind="stable")["method"].tolist()
        _matrix(axis, fights[fights["study"] == study], order, scale)
        axis.set_title(study)
    bar = figure.colorbar(scale, ax=axes, pad=0.02, aspect=30, shrink=0.8)
    bar.set_label("Er of the row minus Er of the column")
    bar.outline.set_visible(False)
    wins = int((fights["winner"] != "").sum())
    caption = (
        "For exploring: paired over held-out units, corrected for training data that folds share and, by Holm, for all "
        f"pairs of a study; ● p < .05 ({wins} of {len(fights)} pairs). Orange: the row has the lower Er. Best method "
        f"first. {caveat(standings['unit'])}"
    ).strip()
    return Drawn(figure, fights, title, caption, caption, synthetic)


def _matrix(axis: Axes, fights: pd.DataFrame, order: list[str], scale: ScalarMappable) -> None:
    both = pd.concat(
        [fights, fights.rename(columns={"a": "b", "b": "a"}).assign(difference=lambda t: -t["difference"])]
    )
    wide = both.pivot_table(index="a", columns="b", values="difference", dropna=False).reindex(order, columns=order)
    sns.heatmap(
        wide.astype(float),
        norm=scale.norm,
        cmap=scale.cmap,
        square=True,
        linewidths=0.5,
        cbar=False,
        xticklabels=False,
        yticklabels=False,
        ax=axis,
    )
    for row in fights[fights["winner"] != ""].itertuples():
        i, j = order.index(str(row.a)) + 0.5, order.index(str(row.b)) + 0.5
        axis.plot([i, j], [j, i], ls="", marker="o", ms=3.5, color="black")
    names, middles = [label_of(name) for name in order], np.arange(len(order)) + 0.5
    axis.set_yticks(middles, names, fontsize=8)
    axis.set_xticks(middles, names, fontsize=8, rotation=60, ha="right", rotation_mode="anchor")
    axis.set(xlabel="", ylabel="")


_STUDIES = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


@styled
def tried(table: pd.DataFrame, *, target: Mapping[str, float]) -> Drawn:
    """Draw Er of every variant that was tried, in the order of trying; one line a study.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns step, variant, study, er_mean, synthetic; further ones (method) are kept in the CSV.
    target : mapping
        Er to be beaten, by study: that of ridge regression on all muscles.
    """
    title = "What was tried (running, walking: SYNTHETIC data; running*, walking*: of another seed)"
    figure = new_figure(3.4, title)
    axis = figure.subplots()
    colours = dict(zip(dict.fromkeys(table["study"]), _STUDIES, strict=False))
    best_so_far = table.assign(er_mean=table.groupby("study", sort=False)["er_mean"].cummin())
    shared: dict[str, Any] = {
        "x": "step",
        "y": "er_mean",
        "hue": "study",
        "palette": colours,
        "legend": False,
        "ax": axis,
    }
    sns.scatterplot(table, s=16, alpha=0.6, linewidth=0, **shared)
    sns.lineplot(best_so_far, estimator=None, errorbar=None, drawstyle="steps-post", **shared)
    for study, colour in colours.items():
        axis.axhline(target[str(study)], color=colour, ls=":", lw=1)
    axis.set_xlabel("variant, in the order of trying (named in the table)")
    axis.set_ylabel("Er, mean over electrodes")
    handles = [Line2D([], [], color=c, marker="o", ms=4, label=str(s)) for s, c in colours.items()]
    add_legend(figure, [*handles, Line2D([], [], color="#444444", ls=":", lw=1, label=label_of("ridge_all"))])
    best = table.loc[table.groupby("study", sort=False)["er_mean"].idxmin()]
    caption = "Lines: best so far. " + " ".join(
        f"{row['study']}: best {signed(row['er_mean'])} ({row['variant']})." for row in best.to_dict("records")
    )
    return Drawn(figure, table, title, caption, caption, bool(table["synthetic"].any()))
