"""Where in the cycle the conditions' errors differ from OpenSim's: SPM{t} over the cycle (not in the paper)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from nem2e_lib.analysis.review_waveforms import CAVEAT, Field
from nem2e_lib.figures.panels import cycle_axis, label_bottom, panel_grid, rows_for
from nem2e_lib.figures.style import CONDITION_COLOURS, CONDITION_LABELS, Drawn, add_legend, heading, new_figure, styled


@styled
def fields(tested: Mapping[str, list[Field]], phase: np.ndarray, *, study: str, units: str, synthetic: bool) -> Drawn:
    """Draw each electrode's SPM{t} of a condition's error against OpenSim's; spans beyond the threshold as bars.

    Parameters
    ----------
    tested : mapping of electrode to fields
        Paired SPM{t} named ``opensim − condition``.
    phase : array
        In % of the cycle, shape (sample,).
    units : str
        Number and kind of the held-out units, such as ``8 subjects``.
    """
    title = heading(f"{study}: where in the cycle refining lowers the error (paired SPM{{t}})", synthetic)
    figure = new_figure(0.9 + 1.75 * rows_for(len(tested)), title)
    axes = panel_grid(figure, len(tested), sharex=True)
    for axis, (electrode, its) in zip(axes, tested.items(), strict=True):
        _panel(axis, its, phase)
        axis.set_title(electrode)
    label_bottom(axes, "gait cycle (%)")
    add_legend(figure, _handles(tested))
    rows = [row for electrode, its in tested.items() for one in its for row in _rows(electrode, one, phase)]
    caption = (
        f"Held-out units: {units}, one curve each; independent electrodes, channels of one pooled. Above 0: the "
        "condition's error is smaller than OpenSim's. Dotted: critical value, Bonferroni over the pairs. Bars: spans "
        f"beyond it, above for lower and below for higher error. {_sentence(tested)} {CAVEAT}"
    )
    return Drawn(figure, pd.DataFrame(rows), title, caption, caption, synthetic)


def condition_of(field: Field) -> str:
    """Return the condition that a field compares OpenSim with."""
    return field.name.split(" − ")[-1]


def _panel(axis: Axes, its: list[Field], phase: np.ndarray) -> None:
    axis.axhline(0, color="#444444", lw=0.8)
    most = max([10.0, *(float(np.nanmax(np.abs(f.statistic))) for f in its if not f.reason)])
    for place, field in enumerate(its):
        colour = CONDITION_COLOURS[condition_of(field)]
        axis.plot(phase, field.statistic, color=colour)
        axis.axhline(field.threshold, color=colour, ls=":", lw=0.9)
        axis.axhline(-field.threshold, color=colour, ls=":", lw=0.9)
        for span in field.spans:
            y = _sign(field, phase, span.start, span.end) * most * (1.12 + 0.13 * place)
            axis.plot([span.start, span.end], [y, y], color=colour, lw=3.2, solid_capstyle="butt")
    axis.set_ylim(-1.55 * most, 1.55 * most)
    axis.set_ylabel("SPM{t}")
    cycle_axis(axis, label=False)


def _sign(field: Field, phase: np.ndarray, start: float, end: float) -> float:
    nearest = int(np.argmin(np.abs(phase - (start + end) / 2)))
    return float(np.sign(field.statistic[nearest]))


def _handles(tested: Mapping[str, list[Field]]) -> list[Line2D]:
    names = dict.fromkeys(condition_of(field) for its in tested.values() for field in its)
    lines = [Line2D([], [], color=CONDITION_COLOURS[n], label=f"OpenSim − {CONDITION_LABELS[n]}") for n in names]
    return [*lines, Line2D([], [], color="#444444", ls=":", label="critical value")]


def _rows(electrode: str, field: Field, phase: np.ndarray) -> list[dict[str, object]]:
    known = {"electrode": electrode, "comparison": field.name, "threshold": field.threshold, "reason": field.reason}
    return [
        {**known, "phase_pct": p, "t": t, "difference": d}
        for p, t, d in zip(phase, field.statistic, field.difference, strict=True)
    ]


def _sentence(tested: Mapping[str, list[Field]]) -> str:
    every = [field for its in tested.values() for field in its]
    found = sum(bool(field.spans) for field in every)
    undefined = sum(bool(field.reason) for field in every)
    more = f" {undefined} cannot be tested." if undefined else ""
    return f"{found} of {len(every)} fields have a span beyond it.{more}"
