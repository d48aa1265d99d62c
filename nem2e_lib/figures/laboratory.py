"""A laboratory's recording on its way: markers, feet on plates, a model's pose, OpenSim beside the laboratory's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon

from nem2e_lib.figures.panels import cycle_axis, panel_grid, plural, rows_for
from nem2e_lib.figures.recording import AXIAL, FORCE, LEFT, RIGHT
from nem2e_lib.figures.style import (
    MEAN_CURVE,
    MEAN_CURVE_LABEL,
    MEASURED,
    REFINED,
    SIMULATED,
    Drawn,
    add_legend,
    new_figure,
    styled,
)

SIDE_COLOURS = {"right": RIGHT, "left": LEFT, "": AXIAL}
DASHES = {"heel": "-", "toe": "--"}
MOST_MARKERS, MOST_CYCLES = 24, 4
"""Rows of markers, and columns of gait cycles, that a figure has room for."""
AROUND_M = (1.0, 0.4)
"""Floor drawn before and after the plates, and to their sides."""
LEAST_M = 0.4
"""Width of a view of the model at least."""
NEAR_M = 0.02
"""Two centimetres: the root mean square marker error up to which OpenSim's checklist calls inverse kinematics good."""
SOURCES = {"OpenSim": SIMULATED, "laboratory": MEASURED}
SERIES = {
    "simulated": (SIMULATED, "-", "simulated activation"),
    "measured": (MEASURED, "-", "measured EMG"),
    "mean curve": (MEAN_CURVE, "--", f"{MEAN_CURVE_LABEL} of the others"),
    "refined": (REFINED, "-", "refined activity"),
}


@styled
def markers_over_time(heights: pd.DataFrame, gaps: pd.DataFrame, events: pd.DataFrame, markers: int) -> Drawn:
    """Draw the height of heels and toes with the file's events, and when markers were not seen.

    Parameters
    ----------
    heights
        foot, part (heel, toe), time_s, height_m.
    gaps
        marker, start_s, end_s: a row a gap.
    events
        label, foot, time_s.
    markers
        How many there are.
    """
    lost = _longest(gaps)
    title = "The recording: heels and toes, and gaps of markers"
    rows = max(1, len(lost))
    figure = new_figure(3.0 + 0.19 * rows, title)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[2.1, 0.35 + 0.19 * rows])
    for (foot, part), rows_of in heights.groupby(["foot", "part"], sort=False):
        top.plot(rows_of["time_s"], rows_of["height_m"], color=SIDE_COLOURS[str(foot)], ls=DASHES[str(part)], lw=1.3)
    for row in events.to_dict("records"):
        style = "-" if "strike" in row["label"].lower() else ":"
        top.axvline(row["time_s"], color=SIDE_COLOURS.get(row["foot"], AXIAL), ls=style, lw=0.8, zorder=0)
    top.set_ylabel("height (m)")
    _gap_rows(bottom, gaps, lost)
    bottom.set_xlabel("time (s)")
    add_legend(figure, _feet_legend(heights, events))
    known = f"{plural(len(events), 'event')} of the file" if len(events) else "the file has no events"
    whole = markers - gaps["marker"].nunique()
    more = f", of which the {len(lost)} with the longest are drawn" if gaps["marker"].nunique() > len(lost) else ""
    caption = (
        f"Above: height of the markers at heel and toe; {known}. Below: gaps; {whole} of {plural(markers, 'marker')} "
        f"have none{more}."
    )
    data = pd.concat([heights.assign(what="height"), gaps.assign(what="gap"), events.assign(what="event")])
    return Drawn(figure, data.reset_index(drop=True), title, f"Lines over time. {caption}", caption)


def _longest(gaps: pd.DataFrame) -> list[str]:
    """Markers with gaps, those with the longest first, as many as there is room for."""
    lost = (gaps["end_s"] - gaps["start_s"]).groupby(gaps["marker"]).sum().sort_values(ascending=False, kind="stable")
    return [str(name) for name in lost.index[:MOST_MARKERS]]


def _gap_rows(axis: Axes, gaps: pd.DataFrame, lost: list[str]) -> None:
    for place, marker in enumerate(lost):
        own = gaps[gaps["marker"] == marker]
        axis.broken_barh([(a, b - a) for a, b in zip(own["start_s"], own["end_s"], strict=True)], (place - 0.35, 0.7))
    axis.set_yticks(range(len(lost)), lost)
    axis.set_ylim(max(1, len(lost)) - 0.5, -0.5)
    axis.set_ylabel("not seen")
    if not lost:
        axis.text(0.5, 0.5, "every marker was seen throughout", transform=axis.transAxes, ha="center", va="center")


def _feet_legend(heights: pd.DataFrame, events: pd.DataFrame) -> list[Line2D]:
    lines = [
        Line2D([], [], color=SIDE_COLOURS[str(foot)], ls=DASHES[str(part)], label=f"{foot} {part}")
        for foot, part in heights[["foot", "part"]].drop_duplicates().itertuples(index=False)
    ]
    if len(events):
        lines += [
            Line2D([], [], color=AXIAL, lw=0.8, label="heel strike"),
            Line2D([], [], color=AXIAL, lw=0.8, ls=":", label="other event"),
        ]
    return lines


@styled
def plates_and_feet(plates: pd.DataFrame, ways: pd.DataFrame, pressure: pd.DataFrame, contacts: pd.DataFrame) -> Drawn:
    """Draw force plates from above with the way of heels and toes, and the centre of pressure of each contact.

    Parameters
    ----------
    plates
        plate, x_m (forward), z_m (to the right): four corners a plate.
    ways
        foot, part, time_s, x_m, z_m.
    pressure
        contact (row of `contacts`), time_s, x_m, z_m.
    contacts
        plate, foot, start_s, off_s, doubts (empty for one that counts).
    """
    title = "The plates from above: which foot trod on which"
    figure = new_figure(3.9, title)
    axis = figure.subplots()
    for plate, corners in plates.groupby("plate", sort=False):
        outline = np.column_stack([corners["x_m"], corners["z_m"]])
        axis.add_patch(Polygon(outline, facecolor="#EEEEEE", edgecolor="#888888", lw=1.0, zorder=0))
        corner = (outline[:, 0].min(), outline[:, 1].max())
        axis.annotate(f"plate {plate}", corner, (4, 4), textcoords="offset points", va="bottom", fontsize=8)
    for (foot, part), way in ways.groupby(["foot", "part"], sort=False):
        axis.plot(way["x_m"], way["z_m"], color=SIDE_COLOURS[str(foot)], ls=DASHES[str(part)], lw=0.9, alpha=0.7)
    for row, points in pressure.groupby("contact", sort=False):
        counts = contacts["doubts"].iloc[int(str(row))] == ""
        axis.plot(points["x_m"], points["z_m"], color=FORCE if counts else "#888888", lw=2.6, zorder=3)
        place = points.iloc[len(points) // 2]
        axis.annotate(
            str(int(str(row)) + 1),
            (place["x_m"], place["z_m"]),
            (0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            fontweight="bold",
            color=FORCE if counts else "#666666",
        )
    _floor(axis, plates, ways)
    add_legend(figure, _above_legend(ways, contacts))
    caption = " ".join(
        [
            "Walking goes to the right of the page.",
            *(_contact(number, row) for number, row in enumerate(contacts.itertuples(), 1)),
        ]
    )
    data = pd.concat([plates.assign(what="plate"), ways.assign(what="way"), pressure.assign(what="pressure")])
    return Drawn(figure, data.reset_index(drop=True), title, f"A plan of the floor. {caption}", caption)


def _floor(axis: Axes, plates: pd.DataFrame, ways: pd.DataFrame) -> None:
    """Show the plates with some floor around them, as far as somebody goes there; right is down on the page."""
    axis.set_aspect("equal")
    limits = {
        place: (plates[place].min() - around, plates[place].max() + around)
        for place, around in (("x_m", AROUND_M[0]), ("z_m", AROUND_M[1]))
    }
    there = ways[ways["x_m"].between(*limits["x_m"]) & ways["z_m"].between(*limits["z_m"])]
    every = pd.concat([plates, there])
    axis.set_xlim(every["x_m"].min() - 0.05, every["x_m"].max() + 0.05)
    axis.set_ylim(every["z_m"].max() + 0.05, every["z_m"].min() - 0.05)
    axis.set_xlabel("forward (m)")
    axis.set_ylabel("to the right (m)")


def _contact(number: int, row: Any) -> str:
    foot = f"the {row.foot} foot" if row.foot else "a foot that no marker tells"
    why = f" – left out, {row.doubts}" if row.doubts else ""
    return f"{number}: {foot} on plate {row.plate}, {row.start_s:.2f} to {row.off_s:.2f} s{why}."


def _above_legend(ways: pd.DataFrame, contacts: pd.DataFrame) -> list[Line2D]:
    lines = [
        Line2D([], [], color=SIDE_COLOURS[str(foot)], ls=DASHES[str(part)], lw=0.9, label=f"{foot} {part}")
        for foot, part in ways[["foot", "part"]].drop_duplicates().itertuples(index=False)
    ]
    out = contacts["doubts"] != ""
    if (~out).any():
        lines.append(Line2D([], [], color=FORCE, lw=2.6, label="centre of pressure"))
    if out.any():
        lines.append(Line2D([], [], color="#888888", lw=2.6, label="… of a contact left out"))
    return lines


@styled
def markers_on_model(markers: pd.DataFrame, lines: pd.DataFrame) -> Drawn:
    """Draw measured markers and those of the scaled model in the static pose from the side and from the front.

    Parameters
    ----------
    markers
        marker, source (measured, model), x_m, y_m, z_m, error_m.
    lines
        body, x0 … z1 (m), as `nem2e_lib.simulate.posture.postures` gives them.
    """
    title = "The scaled model in the static pose: measured markers and the model's"
    errors = markers[markers["source"] == "model"].sort_values("error_m", kind="stable")
    rows = errors[-MOST_MARKERS:]
    figure = new_figure(5.4, title)
    wide = [max(LEAST_M, float(np.ptp(markers[place])) + 0.1) for place in ("x_m", "z_m")]
    side, front, far = figure.subplots(1, 3, width_ratios=[*wide, 0.6 * sum(wide)])
    low, high = float(markers["y_m"].min()) - 0.05, float(markers["y_m"].max()) + 0.05
    for axis, across, name, width in zip((side, front), "xz", ("right", "front"), wide, strict=True):
        _pose(axis, markers, lines, across)
        middle = float(markers[f"{across}_m"].agg(["min", "max"]).mean())
        axis.set_xlim(middle - width / 2, middle + width / 2)
        axis.set_ylim(low, high)
        axis.locator_params(axis="x", nbins=3)
        axis.set_xlabel(f"from the {name} (m)")
    front.invert_xaxis()  # who faces us has the right hand on our left
    side.set_ylabel("height (m)")
    far.plot(1e3 * rows["error_m"], range(len(rows)), ls="", marker="o", ms=4, color=REFINED)
    far.hlines(range(len(rows)), 0, 1e3 * rows["error_m"], color="#DDDDDD", lw=1.0, zorder=0)
    far.set_yticks(range(len(rows)), rows["marker"])
    far.set_ylim(-0.7, len(rows) - 0.3)
    far.set_xlim(0, None)
    far.set_xlabel("distance (mm)")
    legend = [
        Line2D([], [], ls="", marker="o", mfc="none", color=MEASURED, label="measured"),
        Line2D([], [], ls="", marker="x", color=REFINED, label="model"),
        *(Line2D([], [], color=colour, label=name) for name, colour in (("right leg", RIGHT), ("left leg", LEFT))),
    ]
    add_legend(figure, legend)
    rms = float(np.sqrt((errors["error_m"] ** 2).mean()))
    worst = errors.iloc[-1]
    more = f"; the {len(rows)} that are furthest away stand on the right" if len(errors) > len(rows) else ""
    caption = (
        f"{plural(len(errors), 'marker')}: {1e3 * rms:.0f} mm root mean square, worst {worst['marker']} "
        f"({1e3 * worst['error_m']:.0f} mm), before the model's markers are moved to where they were measured{more}."
    )
    data = pd.concat([markers.assign(what="marker"), lines.assign(what="line")], ignore_index=True)
    return Drawn(figure, data, title, f"A stick figure with markers in two views, and distances. {caption}", caption)


def _pose(axis: Axes, markers: pd.DataFrame, lines: pd.DataFrame, across: str) -> None:
    for row in lines.to_dict("records"):
        colour = {"_r": RIGHT, "_l": LEFT}.get(str(row["body"])[-2:], AXIAL)
        ends = ([row[f"{across}0"], row[f"{across}1"]], [row["y0"], row["y1"]])
        axis.plot(*ends, color=colour, lw=1.6, alpha=0.6, solid_capstyle="round", zorder=1)
    table = markers.pivot_table(index="marker", columns="source", values=[f"{across}_m", "y_m"], sort=False)
    places = {source: (table[f"{across}_m"][source], table["y_m"][source]) for source in ("measured", "model")}
    axis.plot(*np.stack([places["measured"], places["model"]], axis=1), color="#999999", lw=0.8, zorder=2)
    axis.plot(*places["measured"], ls="", marker="o", ms=4.5, mfc="none", color=MEASURED, mew=0.9, zorder=3)
    axis.plot(*places["model"], ls="", marker="x", ms=4.5, color=REFINED, mew=1.1, zorder=3)
    axis.set_aspect("equal")


@styled
def marker_residuals(residuals: pd.DataFrame, shown: int = 12) -> Drawn:
    """Draw how far the model's markers stay from the measured ones in inverse kinematics.

    Parameters
    ----------
    residuals
        marker, time_s, error_m; NaN where a marker was not seen.
    shown
        How many of the worst markers get a row of their own.
    """
    title = "Inverse kinematics: what is left between measured and model markers"
    seen = residuals.dropna(subset="error_m").reset_index(drop=True)
    squared = seen.assign(squared=seen["error_m"] ** 2).groupby("time_s")
    rms, peak = squared["squared"].mean() ** 0.5, squared["error_m"].max()
    figure = new_figure(3.6, title)
    over, by = figure.subplots(1, 2, width_ratios=[1.7, 1.0])
    over.plot(peak.index, 1e3 * peak, color=REFINED, lw=1.3)
    over.plot(rms.index, 1e3 * rms, color=SIMULATED)
    over.axhline(1e3 * NEAR_M, color="#999999", lw=0.8, ls=":")
    over.set(xlabel="time (s)", ylabel="distance (mm)")
    over.set_ylim(0, None)
    over.set_xlim(float(rms.index[0]), float(rms.index[-1]))
    worst = seen.iloc[int(seen["error_m"].argmax())]
    over.plot(worst["time_s"], 1e3 * worst["error_m"], ls="", marker="o", ms=4, color=REFINED)
    each = seen.groupby("marker")["error_m"].agg(["median", "max"]).sort_values("median", kind="stable")[-shown:]
    by.hlines(range(len(each)), 1e3 * each["median"], 1e3 * each["max"], color=REFINED, lw=1.6, alpha=0.5)
    by.plot(1e3 * each["median"], range(len(each)), ls="", marker="o", ms=4.5, color=SIMULATED)
    by.set_yticks(range(len(each)), each.index)
    by.set_ylim(-0.6, len(each) - 0.4)
    by.set_xlim(0, None)
    by.set_xlabel("median, and up to the largest (mm)")
    legend = [
        Line2D([], [], color=SIMULATED, label="root mean square of all markers"),
        Line2D([], [], color=REFINED, lw=1.3, label="worst marker"),
        Line2D([], [], color="#999999", lw=0.8, ls=":", label="20 mm"),
    ]
    add_legend(figure, legend)
    caption = (
        f"{seen['marker'].nunique()} markers, of which the {len(each)} with the largest median stand on the right; "
        f"root mean square {1e3 * float(rms.mean()):.0f} mm on average and {1e3 * float(rms.max()):.0f} mm at most. "
        f"Worst: {worst['marker']}, {1e3 * worst['error_m']:.0f} mm at {worst['time_s']:.2f} s."
    )
    return Drawn(figure, residuals, title, f"Distances over time and by marker. {caption}", caption)


@styled
def beside_laboratory(curves: pd.DataFrame, agreement: pd.DataFrame, quantity: str, unit: str) -> Drawn:
    """Draw OpenSim's angles or moments beside those that the laboratory's own model left in the same file.

    Parameters
    ----------
    curves
        foot, joint, start_s (of the contact), source (OpenSim, laboratory), time_s, value.
    agreement
        foot, joint, start_s, r.
    quantity
        What is drawn, such as ``Joint angles``.
    unit
        Of the values.
    """
    title = f"{quantity}: OpenSim beside the laboratory's own"
    feet, joints = list(curves["foot"].unique()), list(curves["joint"].unique())
    figure = new_figure(0.95 + 2.0 * len(feet), title)
    axes = figure.subplots(len(feet), len(joints), squeeze=False, sharex="row")
    for (row, foot), (column, joint) in ((a, b) for a in enumerate(feet) for b in enumerate(joints)):
        axis, own = axes[row, column], curves[(curves["foot"] == foot) & (curves["joint"] == joint)]
        for (_, source), line in own.groupby(["start_s", "source"], sort=False):
            axis.plot(line["time_s"], line["value"], color=SOURCES[str(source)], lw=1.5)
        axis.axhline(0, color="#BBBBBB", lw=0.7, zorder=0)
        r = agreement.loc[(agreement["foot"] == foot) & (agreement["joint"] == joint), "r"]
        axis.set_title(f"{foot} {joint}, r = {', '.join(f'{each:.3f}' for each in r)}")
        axis.set(xlabel="time (s)" if row == len(feet) - 1 else "", ylabel=unit if column == 0 else "")
    add_legend(figure, [Line2D([], [], color=colour, label=name) for name, colour in SOURCES.items()])
    told = ", ".join(f"{row.foot} {row.joint} {row.r:.3f}" for row in agreement.itertuples())
    caption = f"In OpenSim's signs. Correlation over the time drawn: {told}."
    alt = f"{plural(len(feet) * len(joints), 'panel')} of curves. {caption}"
    return Drawn(figure, curves, title, alt, caption)


@styled
def activity_by_cycle(curves: pd.DataFrame, *, synthetic: bool = False) -> Drawn:
    """Draw muscle activity gait cycle by gait cycle, a row a muscle and a column a cycle.

    Parameters
    ----------
    curves
        muscle, cycle (its name), phase (%), series (of `SERIES`), value.
    synthetic
        Whether the refiner was trained on synthetic data.
    """
    there = [name for name in SERIES if name in set(curves["series"])]
    muscles, cycles = list(curves["muscle"].unique()), list(curves["cycle"].unique())
    drawn = cycles[:MOST_CYCLES]
    what = ", ".join(SERIES[name][2] for name in there if name != "mean curve")
    title = f"{'SYNTHETIC refiner – ' if synthetic else ''}Gait cycle by gait cycle: {what}"
    panels = [(muscle, cycle) for muscle in muscles for cycle in drawn]
    rows = rows_for(len(panels)) if len(drawn) == 1 else len(muscles)
    figure = new_figure(0.95 + 1.5 * rows, title)
    axes = (
        panel_grid(figure, len(panels), sharex=True)
        if len(drawn) == 1
        else figure.subplots(len(muscles), len(drawn), squeeze=False, sharex=True, sharey="row").ravel().tolist()
    )
    for axis, (muscle, cycle) in zip(axes, panels, strict=True):
        own = curves[(curves["muscle"] == muscle) & (curves["cycle"] == cycle)]
        for name in there:
            colour, dash, _ = SERIES[name]
            line = own[own["series"] == name]
            axis.plot(line["phase"], line["value"], color=colour, ls=dash, lw=1.2 if name == "mean curve" else 1.5)
        axis.set_title(f"{muscle}, {cycle}" if len(drawn) > 1 else muscle)
        values = curves.loc[curves["muscle"] == muscle, "value"]
        axis.set_ylim(min(0.0, float(values.min())), 1.05 * float(values.max()))
        axis.locator_params(axis="y", nbins=4)
        cycle_axis(axis, label=axis.get_subplotspec().is_last_row())
    figure.supylabel("muscle activity", fontsize=9)
    add_legend(figure, [Line2D([], [], color=SERIES[n][0], ls=SERIES[n][1], label=SERIES[n][2]) for n in there])
    left = f"; the first {len(drawn)} are drawn" if len(cycles) > len(drawn) else ""
    missing = "" if "measured" in there else " No EMG was measured."
    caption = f"{plural(len(cycles), 'gait cycle')} of one person{left}, from heel strike to heel strike.{missing}"
    alt = f"{plural(len(muscles) * len(drawn), 'panel')}, a row a muscle and a column a cycle. {caption}"
    return Drawn(figure, curves, title, alt, caption, synthetic)
