"""What both maps of attention share: their verdict, which stands over them, their colours and their first muscle."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd
import xarray as xr

from nem2e_lib.analysis.attention_verdicts import worth
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.panels import plural
from nem2e_lib.figures.style import HEAT

USUAL = "tib"
"""Muscle that is shown first where there is such a one."""
LETTERS, BOLD_LETTERS = 52, 40
"""How many fit into a line of a chart that a phone shows."""
WIDE: dict[str, Any] = {"wide": {"columns": 2}, "wide_from": 740}
"""What a page puts into the specification where it has so many pixels: then the parts stand side by side."""


@dataclass(frozen=True)
class Verdict:
    """What interventions say of a condition's maps: the answer, what uniform weights do to Er, all that was found."""

    answer: str
    worth: str
    sentence: str

    @property
    def headline(self) -> str:
        """The answer as a line over a chart."""
        return f"Do the maps say where the network looks? {self.answer.capitalize()}."


def verdict_of(results: xr.Dataset, answers: pd.DataFrame) -> Verdict:
    """Return what interventions say of the maps of a condition.

    Parameters
    ----------
    results : xarray.Dataset
        A trained condition.
    answers : pandas.DataFrame
        Rows of `analysis.attention_verdicts.own_verdicts`.

    Raises
    ------
    Nem2eError
        When none of them is of this study and condition: a map is shown with its verdict or not at all.
    """
    study, condition = str(results.attrs["study"]), str(results.attrs["condition"])
    found = answers[(answers["study"] == study) & (answers["condition"] == condition)]
    if found.empty:
        raise Nem2eError(
            f"study {study}, {condition}: its attention is to be shown beside a verdict, but there are only "
            f"{plural(len(answers), 'verdict')} on others; intervene on it first."
        )
    row: dict[Any, Any] = found.iloc[0].to_dict()
    return Verdict(str(row["verdict"]), worth({**row, "change": row["effect"]}), str(row["sentence"]))


def headline(verdict: Verdict) -> alt.TitleParams:
    """Return the lines over a chart of attention: the verdict, and what uniform weights do to Er."""
    return alt.TitleParams(
        text=textwrap.wrap(verdict.headline, BOLD_LETTERS),
        subtitle=textwrap.wrap(verdict.worth, LETTERS),
        subtitlePadding=5,
        offset=12,
    )


def first_muscle(muscles: list[str]) -> str:
    """Return the muscle that a chart shows before anyone chooses."""
    return USUAL if USUAL in muscles else muscles[0]


def by_name(values: pd.Series[float]) -> str:
    """Return what an expression looks up by a muscle's name."""
    return json.dumps({str(name): round(float(value), 2) for name, value in values.items()})


def muscle_box(muscles: list[str], said: str) -> alt.Parameter:
    """Return the parameter ``muscle``, which readers choose in a box of this name."""
    return alt.param("muscle", value=first_muscle(muscles), bind=alt.binding_select(options=muscles, name=f"{said} "))


def weight_colours(tokens: int, *, faintest: float = 0.0, **scale: Any) -> alt.Color:
    """Return the colours of ``weight`` (%), from 0 to the parameter ``top``; their legend tells the uniform weight.

    Parameters
    ----------
    tokens
        Among how many attention is shared.
    faintest
        Where in the colours of maps those of the weight 0 are.
    """
    name: Any = HEAT
    return alt.Color(
        "weight:Q",
        scale=alt.Scale(
            scheme=alt.SchemeParams(name=name, extent=[faintest, 1]),
            domain=[0, alt.ExprRef("top")],
            nice=False,
            **scale,
        ),
        legend=alt.Legend(
            title=f"attention weight (%); uniform: {100 / tokens:.3g}", gradientLength=200, titleLimit=320
        ),
    )
