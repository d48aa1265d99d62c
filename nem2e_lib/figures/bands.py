"""What bands about refined activity cover of those left out, beside what they are meant to."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from nem2e_lib.figures.panels import label_bottom, panel_grid, plural, rows_for
from nem2e_lib.figures.points import intervals, mean_handle
from nem2e_lib.figures.style import REFINED, Drawn, add_legend, heading, new_figure, styled
from nem2e_lib.refiner.manifest import Manifest
from nem2e_lib.training.units import units_said

EXACT = "#999999"


@styled
def calibration(manifest: Manifest) -> Drawn:
    """Draw one panel a muscle: held-out share within bands over their nominal level.

    Parameters
    ----------
    manifest
        Of a refiner whose bands were measured (`Manifest.calibration` has rows).
    """
    data, training = manifest.calibration(), manifest.training
    muscles = list(dict.fromkeys(data["muscle"]))
    title = heading("What bands cover on those left out", manifest.synthetic)
    figure = new_figure(0.95 + 2.1 * rows_for(len(muscles)), title)
    axes = panel_grid(figure, len(muscles), sharex=True, sharey=True)
    for axis, muscle in zip(axes, muscles, strict=True):
        here = data[data["muscle"] == muscle]
        _diagonal(axis)
        intervals(axis, here["nominal"], here["low"], here["high"], orient="v", color=REFINED, lw=1.2)
        axis.plot(here["nominal"], here["covered"], color=REFINED, marker="D", ms=4.5, mec="black", mew=0.6, lw=1.0)
        axis.set_title(f"{muscle} (n = {here['units'].iloc[0]:.0f})")
    label_bottom(axes, "nominal share")
    figure.supylabel("held-out share within", fontsize=9)
    exact = Line2D([], [], color=EXACT, lw=1.0, ls="--", label="exactly as said")
    add_legend(figure, [mean_handle(), exact])
    caption = (
        f"{training.method}: each unit's band is made from the residuals of the others alone; "
        f"{units_said(training.held_out_units, training.held_out_by)} left out one by one. "
        f"The band that is kept: {manifest.band_said}"
    )
    alt = f"{plural(len(muscles), 'panel')}, one a muscle. {caption}"
    return Drawn(figure, data, title, alt, caption, manifest.synthetic)


def _diagonal(axis: Axes) -> None:
    axis.plot((0, 1), (0, 1), color=EXACT, lw=1.0, ls="--", zorder=0)
    axis.set(xlim=(0.4, 1.0), ylim=(0.4, 1.02))
    axis.locator_params(nbins=4)
