"""Studies that a notebook is too short for: trained by ``make study-…``, committed in docs/, shown beside a run."""

from __future__ import annotations

from nem2e_lib.charts.chart import Chart
from nem2e_lib.figures.style import Drawn
from nem2e_lib.paper.run import Run
from nem2e_lib.site.saving import Saved
from nem2e_lib.site.tables import Table

NOT_SHOWN = "Not shown: it was made on SYNTHETIC data, and says nothing about the study of this run."


def beside(run: Run, shown: Drawn | Chart | Table, name: str, *, own: str = "") -> Saved | str:
    """Show a figure, chart or table of a committed study, save it into the run's site, or say why it is not shown.

    What was made on SYNTHETIC data stands beside SYNTHETIC runs alone.

    Parameters
    ----------
    run
        The run that is shown.
    shown, name
        See `Run.show`.
    own
        The user's own file that it was made from, which is shown whatever its data are.
    """
    return run.show(shown, name) if own or run.is_synthetic or not shown.synthetic else NOT_SHOWN
