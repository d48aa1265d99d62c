"""How cost grows, drawn."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

AXES = {
    "models": "models trained together",
    "units": "units",
    "tokens": "tokens (muscles) read",
    "samples": "samples a cycle",
    "cores": "processor cores",
}


def growth(rows: list[dict[str, Any]]) -> str:
    """Return an SVG of time per model-step over each axis, both on logarithmic scales."""
    with mpl.rc_context(
        {"font.family": "DejaVu Sans", "font.size": 10, "svg.fonttype": "none", "svg.hashsalt": "nem2e"}
    ):
        figure = Figure(figsize=(12, 6.4), layout="constrained")
        for panel, (axis, label) in zip(figure.subplots(2, 3).flat, AXES.items(), strict=False):
            points = [(row["value"], row["ms_per_model_step"]) for row in rows if row["axis"] == axis]
            panel.plot(*zip(*points, strict=True), marker="o", color="#0072b2")
            panel.set(xscale="log", yscale="log", xlabel=label, ylabel="ms a model-step")
            panel.set_xticks([x for x, _ in points], [f"{x:g}" for x, _ in points])
            panel.minorticks_off()
            panel.yaxis.set_major_formatter("{x:g}")
            low, high = min(y for _, y in points), max(y for _, y in points)
            ticks = [t for t in _ticks() if low / 1.6 <= t <= high * 1.6]
            panel.set_yticks(ticks, [f"{t:g}" for t in ticks])
            panel.set_ylim(low / 1.6, high * 1.6)
            panel.grid(alpha=0.3)
        figure.axes[-1].set_visible(False)
        figure.suptitle("Time of one update of one model (SYNTHETIC running study)")
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _ticks() -> list[float]:
    return [m * 10.0**e for e in range(-3, 3) for m in (1, 2, 5)]
