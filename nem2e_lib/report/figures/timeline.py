"""Where a study's gait cycles lie in their trials, which of them were kept, and which were not."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from nem2e_lib.report.figures.panels import plural
from nem2e_lib.report.style import Drawn, add_legend, heading, new_figure, styled

KEPT, SKIPPED = "#0072b2", "#e69f00"
MOST = 40
"""Trials that are drawn; those with a skipped cycle come first."""


@styled
def cycle_timeline(report: pd.DataFrame, *, synthetic: bool) -> Drawn:
    """Draw one row a trial: each cycle from its start to its end, kept or skipped.

    Parameters
    ----------
    report : pandas.DataFrame
        Rows of ``segments.csv``: study, trial, number, start_s, end_s, kept, reason.
    synthetic : bool
        Whether nobody moved for these data.
    """
    placed = report.dropna(subset=["start_s", "end_s"])
    trials = _chosen(report)
    data = placed[placed["trial"].isin(trials)]
    title = heading(f"{report['study'].iloc[0]}: cycles kept and skipped", synthetic)
    figure = new_figure(1.3 + 0.2 * len(trials), title)
    axis = figure.subplots()
    for row, trial in enumerate(trials):
        _bars(axis, row, data[data["trial"] == trial])
    axis.set_yticks(range(len(trials)), labels=trials, fontsize=8)
    axis.set_ylim(len(trials) - 0.4, -0.6)
    axis.set_xlabel("time in the trial (s)")
    add_legend(
        figure,
        [
            Patch(facecolor=KEPT, edgecolor="white", label="kept"),
            Patch(facecolor=SKIPPED, edgecolor="#5b3b00", hatch="////", label="skipped"),
        ],
    )
    caption = _caption(report, len(trials))
    alt = f"A horizontal bar for each gait cycle, one row a trial, {plural(len(trials), 'row')}. {caption}"
    return Drawn(figure, data, title, alt, caption, synthetic)


def _chosen(report: pd.DataFrame) -> list[str]:
    skipped = report.groupby("trial", sort=False)["kept"].apply(lambda kept: not kept.all())
    order = [*skipped.index[skipped], *skipped.index[~skipped]][:MOST]
    return [str(trial) for trial in skipped.index if trial in set(order)]


def _bars(axis: Axes, row: int, cycles: pd.DataFrame) -> None:
    for kept, rows in cycles.groupby("kept"):
        spans = list(zip(rows["start_s"], rows["end_s"] - rows["start_s"], strict=True))
        colour, edge, hatch = (KEPT, "white", None) if kept else (SKIPPED, "#5b3b00", "////")
        axis.broken_barh(spans, (row - 0.36, 0.72), lw=0.8, facecolor=colour, edgecolor=edge, hatch=hatch)


def _caption(report: pd.DataFrame, shown: int) -> str:
    kept, trials = int(report["kept"].sum()), report["trial"].nunique()
    reasons = report.loc[~report["kept"], "reason"].str.split(":").str[0].str.strip().value_counts()
    why = "; ".join(f"{reason} ({count})" for reason, count in reasons.head(4).items())
    part = f" Shown: {shown} of {trials} trials, those with skipped cycles first." if shown < trials else ""
    return (
        f"{plural(kept, 'cycle')} of {plural(trials, 'trial')} kept, {len(report) - kept} skipped"
        f"{': ' + why if why else ''}.{part}"
    )
