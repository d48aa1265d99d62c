"""What the paper shows of each study: which condition and muscle, under which number or letter, in which file.

A study of the user's own has no number in the paper: its files carry its name, and both kinds of attention are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd
import xarray as xr

from nem2e_lib import charts, figures
from nem2e_lib.analysis import published
from nem2e_lib.analysis.attention import over_muscles
from nem2e_lib.charts.chart import Chart
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.style import Drawn

TABLES = {"walking": 2, "running": 3}
FIGURE_3 = {"walking": ("a", "one_entire"), "running": ("b", "all_entire")}
FIGURE_4 = {"running": "abc", "walking": "d"}
"""Numbers and letters of Teramae et al. (2025), by motion, and the condition that its Figure 3 shows."""


def results_tables(motions: Mapping[str, str], *, paper: bool) -> Iterator[tuple[str, int | None, str]]:
    """Yield study, number and file name of each table of Er.

    Parameters
    ----------
    motions
        Motion of each study.
    paper
        Whether the studies stand for the paper's (`Run.is_synthetic`), and not for themselves.
    """
    for study, motion in motions.items():
        number = TABLES.get(motion) if paper else None
        yield study, number, f"table_{number}" if number else f"table_results_{study}"


def refined_curves(motions: Mapping[str, str], *, paper: bool) -> Iterator[tuple[str, str, str, str]]:
    """Yield study, condition, letter and file name of each part of Figure 3; see `results_tables`."""
    for study, motion in motions.items():
        if paper and motion in FIGURE_3:
            letter, condition = FIGURE_3[motion]
            yield study, condition, letter, f"figure_3{letter}"
        else:
            for condition in ("one_entire", "all_entire"):
                yield study, condition, "", f"figure_3_{study}_{condition}"


def error_boxes(motions: Mapping[str, str], *, paper: bool) -> Iterator[tuple[str, str]]:
    """Yield study and letters of each part of Figure 4, in their order in the paper; see `results_tables`."""
    for study, motion in sorted(motions.items(), key=lambda pair: pair[1]):
        yield study, FIGURE_4.get(motion, "abc") if paper else "abc"


def published_beside(summary: pd.DataFrame, motion: str, study: str) -> pd.DataFrame | None:
    """Return the paper's own rows, under the study's name, where they may stand beside a study's; else None.

    They may where the study has every muscle of the paper's table and leaves subjects out: beside other muscles, or
    speeds of one person, published numbers would be read as what they are not.

    Parameters
    ----------
    summary
        Rows of ``statistics.summary``.
    """
    theirs, own = published.results_of(motion, study), summary[summary["study"] == study]
    if theirs is None or not set(theirs["muscle"]) <= set(own["muscle"]) or (own["unit"] != "subject").any():
        return None
    return theirs


def published_of_all(summary: pd.DataFrame, motions: Mapping[str, str]) -> pd.DataFrame | None:
    """Return the paper's own rows of every study that they may stand beside; None where there is none.

    Parameters
    ----------
    summary, motions
        See `published_beside` and `results_tables`.
    """
    found = [published_beside(summary, motion, study) for study, motion in motions.items()]
    tables = [table for table in found if table is not None]
    return pd.concat(tables, ignore_index=True) if tables else None


def study_of(motions: Mapping[str, str], motion: str) -> str:
    """Return the first study of a motion, else the first study."""
    return next((study for study, its in motions.items() if its == motion), next(iter(motions)))


def channel_of(results: xr.Dataset, asked: str = "", *, usual: str = "soleus") -> str:
    """Return the EMG channel asked for; where none is, the usual one or, without it, the first.

    Raises
    ------
    Nem2eError
        If the channel asked for is not there.
    """
    have = [str(name) for name in results.channel.values]
    if asked and asked not in have:
        raise Nem2eError(
            f"study {results.attrs['study']} has no EMG channel {asked!r}, expected one of {', '.join(have)}; "
            "choose of these."
        )
    return asked or (usual if usual in have else have[0])


def attention_of(results: xr.Dataset, muscle: str) -> Drawn:
    """Draw All-Entire's attention over muscles; over time where it was trained with `spatial=time_tokens`.

    Parameters
    ----------
    results
        All-Entire, trained.
    muscle
        Whose models; the first muscle where the study lacks it.
    """
    if not over_muscles(results):
        return figures.temporal_attention(results)
    return figures.spatial_attention(results, muscle=channel_of(results, usual=muscle))


def map_to_touch(results: xr.Dataset, answers: pd.DataFrame) -> Chart:
    """Draw a condition's attention to be touched: over muscles on a figure that walks, else over time.

    Parameters
    ----------
    results
        One-Entire or All-Entire, trained.
    answers
        What interventions say of the maps (`analysis.attention_verdicts.own_verdicts`).
    """
    draw = charts.spatial_attention if over_muscles(results) else charts.temporal_attention
    return draw(results, answers)
