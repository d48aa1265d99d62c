"""What charts share: boxes to choose from, layouts that narrow with the page, numbers as Vega writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import altair as alt
import pandas as pd

WIDE = 560
"""Width of a view in px from which names and numbers stand beside what is drawn, and not above it."""
NOBODY = "nobody"
TICK = "datum.value == 0 ? '0' : (datum.value > 0 ? '+' : '') + datum.label"
"""Labels of an axis of differences: with their sign."""


def by_width(wide: float | str, narrow: float | str) -> alt.ExprRef:
    """Return a value for wide views and one for narrow ones; either may be an expression."""
    return alt.ExprRef(f"width < {WIDE} ? {narrow} : {wide}")


def box(options: Sequence[str], said: str, labels: Mapping[str, str] | None = None) -> alt.BindRadioSelect:
    """Return a box to choose one of the options from: a native element, which keyboards reach.

    Parameters
    ----------
    options
        Values of the parameter that it is bound to.
    said
        Its name on the page.
    labels
        What readers see of an option, where that is not the option itself.
    """
    names = [(labels or {}).get(one, one) for one in options]
    return alt.binding_select(options=list(options), labels=names, name=f"{said} ")


def choice(
    name: str, options: Sequence[str], said: str, *, value: str = "", labels: Mapping[str, str] | None = None
) -> alt.Parameter:
    """Return a parameter that readers set by a box alone; in expressions it is ``<name>_chosen``.

    Parameters
    ----------
    name, options, said, labels
        See `box`.
    value
        What is chosen at first; the first option where it is not given.
    """
    first = value or options[0]
    if len(options) < 2:  # nothing to choose, no box
        return alt.param(name=f"{name}_chosen", value=first)
    # a variable with a box would do, but its box would stand after those of all selections
    return alt.selection_point(
        name=name, fields=["chosen"], value=[{"chosen": first}], bind=box(options, said, labels), toggle=False
    )


def pick(name: str, field: str, value: str, bind: alt.BindRadioSelect, *, on: str, if_row: str) -> alt.Parameter:
    """Return a parameter that readers set by a box or by touching marks; in expressions it is ``<name>_<field>``.

    Parameters
    ----------
    field
        Of the marks' tables, whose value is picked. The marks need a tooltip, or Vega-Lite lets nobody touch them.
    value
        What is picked at first.
    on, if_row
        The gesture, and the name of a column that only marks have which pick, with its value where that decides:
        ``label``, ``ring == 'first'``.
    """
    where = f"{on}[event.item && event.item.datum && event.item.datum.{if_row}]"
    return alt.selection_point(
        name=name, fields=[field], value=[{field: value}], bind=bind, on=where, toggle=False, clear=False
    )


def asking(layer: alt.Chart, *choices: alt.Parameter) -> alt.Chart:
    """Return a layer that carries what readers choose, first to last: Vega puts the last parameter's box first.

    One layer carries all of them, and before it is joined to others: altair copies a whole chart at every step.
    """
    return layer.add_params(*reversed(choices))


def keys_of_muscles(data: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return what a box calls each muscle of each study: with the study's name where there are several."""
    pairs = data[["study", "muscle"]].drop_duplicates().itertuples(index=False)
    several = len(data["study"].unique()) > 1
    return {(str(study), str(muscle)): f"{study}: {muscle}" if several else str(muscle) for study, muscle in pairs}


def layered(*layers: alt.Chart | alt.LayerChart, **given: Any) -> alt.LayerChart:
    """Return layers as one view, the first one lowest; given is what a view is given (data, width, height, …)."""
    return cast(alt.LayerChart, alt.layer(*layers, **given))  # a view that is faceted is another type; these are not


def of_study(*layers: alt.Chart | alt.LayerChart, data: pd.DataFrame) -> alt.LayerChart:
    """Return layers that draw the rows of a table that belong to the study that was chosen."""
    return layered(*layers, data=data).transform_filter("datum.study == study_chosen")


def number(value: str, digits: int = 2) -> str:
    """Return the expression that writes a number with its sign and a true minus, as `figures.style.signed` does."""
    return f"replace(format({value}, '+.{digits}f'), '-', '−')"


def p_text(value: str) -> str:
    """Return the expression that writes a p-value, as `site.tables.p_text` does."""
    return f"({value} < 0.001 ? '< 0.001' : '= ' + format({value}, '.3f'))"
