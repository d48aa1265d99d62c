"""Charts that readers touch: functions of tables and results that return a `Chart`, drawn by Vega-Lite.

    from nem2e_lib import charts

    chart = charts.leaderboard(standings, units, fights, synthetic=False)
    chart.data  # exactly what is drawn, tidy; chart.title, chart.alt and chart.caption say it in words

They read no file and write none; `Run.show(chart, name)` puts a chart into the site three times over: as SVG, which
stands where scripts are off, as CSV, and as a script of its data that the page's own script draws. The paper's own
figures are in `nem2e_lib.figures`.

To add one, write a function in the module of its subject that returns `Chart`, and name it in `_HOMES`. `chart` has the
look and turns tables into what a page embeds; `parts` has boxes to choose from and numbers as Vega writes them; colours
and names of methods are those of `figures.style`.

===========  ============  ===========  ========================================================================
chart        charts.…      module       what can be touched
===========  ============  ===========  ========================================================================
leaderboard  leaderboard   leaderboard  study; two methods, which are compared; a held-out unit to follow
Er           errors        errors       study; a held-out unit to follow through all muscles
waveforms    waveforms     waveforms    muscle, condition, person; a moment, at which values are read
losses       losses        losses       muscle, condition, axis; an epoch, of which losses are read
learning     learning      learning     study; a number of training cycles, with which Er is read
===========  ============  ===========  ========================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nem2e_lib.lazy import on_first_use

if TYPE_CHECKING:
    from nem2e_lib.charts.chart import Chart
    from nem2e_lib.charts.errors import errors
    from nem2e_lib.charts.leaderboard import leaderboard
    from nem2e_lib.charts.learning import learning
    from nem2e_lib.charts.losses import losses
    from nem2e_lib.charts.waveforms import waveforms

_HOMES = {
    "Chart": "chart",
    "errors": "errors",
    "leaderboard": "leaderboard",
    "learning": "learning",
    "losses": "losses",
    "waveforms": "waveforms",
}

__all__ = ["Chart", "errors", "leaderboard", "learning", "losses", "waveforms"]

__getattr__ = on_first_use(__name__, _HOMES)
