"""Charts that readers touch: functions of tables and results that return a `Chart`, drawn by Vega-Lite.

    from nem2e_lib import charts

    chart = charts.leaderboard.leaderboard(standings, units, fights, synthetic=False)
    chart.data  # exactly what is drawn, tidy; chart.title, chart.alt and chart.caption say it in words

They read no file and write none; `Run.show(chart, name)` puts a chart into the site three times over: as SVG, which
stands where scripts are off, as CSV, and as a script of its data that the page's own script draws. The paper's own
figures are in `nem2e_lib.figures`.

=======================  ===========  ===============================================================================
chart                    module       what can be touched
=======================  ===========  ===============================================================================
leaderboard.leaderboard  leaderboard  study; two methods, which are compared; a held-out unit to follow
errors.errors            errors       study; a held-out unit to follow through all muscles
waveforms.waveforms      waveforms    muscle, condition, person; a moment, at which values are read
losses.losses            losses       muscle, condition, axis; an epoch, of which losses are read
learning.learning        learning     study; a number of training cycles, with which Er is read
temporal_attention       temporal     an output of the map: what it looks at, and how far away
spatial_attention        spatial      the phase of a figure that walks, its muscles coloured by attention, ten named
=======================  ===========  ===============================================================================

To add one, write a function in the module of its subject that returns `Chart`, and name it here. `chart` has the look
and turns tables into what a page embeds; `parts` has boxes to choose from, layouts that narrow with the page, and
numbers as Vega writes them; colours and names of methods are those of `figures.style`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nem2e_lib.lazy import on_first_use

if TYPE_CHECKING:
    from nem2e_lib.charts import chart, errors, leaderboard, learning, losses, parts, spatial, temporal, waveforms
    from nem2e_lib.charts.chart import Chart
    from nem2e_lib.charts.spatial import spatial_attention
    from nem2e_lib.charts.temporal import temporal_attention

_FUNCTIONS = {
    "chart": "Chart",
    "spatial": "spatial_attention",
    "temporal": "temporal_attention",
}
_MODULES = ("chart", "errors", "leaderboard", "learning", "losses", "parts", "spatial", "temporal", "waveforms")
_HOMES = {name: module for module, names in _FUNCTIONS.items() for name in names.split()}

__all__ = [
    "Chart",
    "chart",
    "errors",
    "leaderboard",
    "learning",
    "losses",
    "parts",
    "spatial",
    "spatial_attention",
    "temporal",
    "temporal_attention",
    "waveforms",
]


__getattr__ = on_first_use(__name__, _HOMES, _MODULES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
