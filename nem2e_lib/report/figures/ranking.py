"""Mean Er of the conditions and of the training-mean curve, side by side (not in the paper)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from scipy import special

from nem2e_lib.report.figures.errors import spread
from nem2e_lib.report.figures.panels import plural
from nem2e_lib.report.style import (
    CONDITION_COLOURS,
    MEAN_CURVE,
    Drawn,
    add_legend,
    heading,
    label_of,
    new_figure,
    signed,
    styled,
)

COLOURS = CONDITION_COLOURS | {"mean_curve": MEAN_CURVE}


@styled
def ranking(errors: pd.DataFrame, *, synthetic: bool) -> Drawn:
    """Draw each method's Er, mean over muscles, per held-out unit with mean and 95 % CI; one panel a study.

    Parameters
    ----------
    errors : pandas.DataFrame
        Tidy errors of one or more studies.
    """
    data = per_unit(errors)
    studies = list(dict.fromkeys(data["study"]))
    title = heading("Ranking: mean Er of each method", synthetic)
    figure = new_figure(2.75, title)
    axes = figure.subplots(1, len(studies), squeeze=False, sharex=True)[0]
    for axis, study in zip(axes, studies, strict=True):
        _panel(axis, data[data["study"] == study])
        axis.set_title(f"{study} (n = {plural(_units(data, study), _unit(data, study))})")
    add_legend(figure, _handles())
    caption = "Er averaged over muscles within each held-out unit. " + " ".join(_sentence(data, s) for s in studies)
    return Drawn(figure, data, title, caption, caption, synthetic)


def per_unit(errors: pd.DataFrame) -> pd.DataFrame:
    """Return Er averaged over muscles: columns study, unit, label, method, er, mean, ci_low, ci_high, n.

    The CI is the t-based one of Eq. 4 over units. The training-mean curve does not depend on the condition.
    """
    keys = ["study", "unit", "label"]
    refined = errors.assign(method=errors["condition"])[[*keys, "method", "er"]]
    flat = errors.drop_duplicates([*keys, "muscle"]).assign(method="mean_curve", er=lambda t: t["er_mean_curve"])
    rows = pd.concat([refined, flat[[*keys, "method", "er"]]]).dropna(subset="er")
    table = rows.groupby([*keys, "method"], sort=False, as_index=False)["er"].mean()
    by = table.groupby(["study", "method"], sort=False)["er"]
    quantile = np.asarray(special.stdtrit(by.transform("size") - 1, 0.975), float)
    half = by.transform("sem") * quantile
    mean, n = by.transform("mean"), by.transform("size")
    result: pd.DataFrame = table.assign(mean=mean, ci_low=mean - half, ci_high=mean + half, n=n)
    return result


def _panel(axis: Axes, data: pd.DataFrame) -> None:
    means = data.groupby("method")["mean"].first().sort_values(ascending=False, kind="stable")
    axis.axvline(0, color="#444444", lw=0.9)
    for y, method in enumerate(map(str, means.index)):
        here = data[data["method"] == method]
        colour, first = COLOURS[method], here.iloc[0]
        axis.scatter(here["er"], y + spread(here["er"].to_numpy(float), 0.16), s=11, color=colour, alpha=0.55, lw=0)
        _mean_mark(axis, y, first, colour)
    axis.set_yticks(range(len(means)), map(label_of, means.index), fontsize=9)
    axis.set_ylim(-0.6, len(means) - 0.4)
    axis.set_xlabel("Er, mean over muscles  (negative: better than OpenSim)")


def _mean_mark(axis: Axes, y: int, row: pd.Series[Any], colour: str) -> None:
    error = [[row["mean"] - row["ci_low"]], [row["ci_high"] - row["mean"]]]
    look: dict[str, Any] = {
        "ms": 6,
        "color": colour,
        "mec": "black",
        "mew": 0.7,
        "ecolor": "black",
        "capsize": 3,
        "lw": 1.2,
    }
    axis.errorbar(row["mean"], y, xerr=error, fmt="D", **look)
    at: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"),
        "xytext": (4, 0),
        "textcoords": "offset points",
    }
    axis.annotate(signed(row["mean"]), (1, y), va="center", fontsize=8.5, **at)


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], ls="", marker="o", ms=4, color="#666666", label="one held-out unit"),
        Line2D(
            [],
            [],
            marker="D",
            ms=6,
            color="black",
            mfc="#aaaaaa",
            lw=1.2,
            label="mean and 95 % CI over units",
        ),
    ]


def _sentence(data: pd.DataFrame, study: str) -> str:
    means = data[data["study"] == study].groupby("method")["mean"].first().sort_values()
    return f"{study}, best first: " + ", ".join(f"{label_of(m)} {signed(v)}" for m, v in means.items()) + "."


def _units(data: pd.DataFrame, study: str) -> int:
    return int(data.loc[data["study"] == study, "label"].nunique())


def _unit(data: pd.DataFrame, study: str) -> str:
    return f"held-out {np.unique(data.loc[data['study'] == study, 'unit'])[0]}"
