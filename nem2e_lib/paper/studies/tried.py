"""What was tried on the way to kernel ridge and to the weights of `auto`: docs/tried.csv, a row a variant and study."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.panels import plural
from nem2e_lib.project import ROOT
from nem2e_lib.rivals import every
from nem2e_lib.training.conditions import CONDITIONS

STUDY = ROOT / "docs" / "tried.csv"
AS = {"kernel_ridge": "delayed_kernel_ridge"}
"""Methods that keep another one's design: without its delayed heads, nothing was chosen anew."""


def rows() -> pd.DataFrame:
    """Return every variant that was tried, in the order of trying.

    Columns step, family, variant, method (its id, where it is one of `rivals.every`), study, seed, synthetic, er_mean,
    led_to (id of the method that was chosen among such variants).
    """
    return pd.read_csv(STUDY, dtype={"study": str})


def counted(tried: pd.DataFrame) -> pd.DataFrame:
    """Return how many variants of each family were tried on each study: columns family, study, variants, synthetic."""
    groups = tried.groupby(["family", "study", "synthetic"], sort=False)["variant"]
    return groups.nunique().rename("variants").reset_index()[["family", "study", "variants", "synthetic"]]


SAME = {"runner": "hamner-subject01"}
"""Studies of a run whose recordings are those of a study in the list, by another name."""
SYNTHETIC = {"walking": "walking*", "running": "running*"}
"""SYNTHETIC studies of a run, and those in the list: generator 1, another seed."""


def said(tried: pd.DataFrame, studies: Iterable[str]) -> str:
    """Say how many designs were tried on what, and what that means for ranks in the studies of a run."""
    each = tried.groupby("study", sort=False).size()
    where = ", ".join(f"{number} on {study}" for study, number in each.items())
    designs, names = len(tried[["family", "variant"]].drop_duplicates()), list(studies)
    seen = [name for name in names if SAME.get(name, name) in each.index]
    alike = [name for name in names if SYNTHETIC.get(name) in each.index]
    fresh = [name for name in names if name not in (*seen, *alike)]
    lines = [
        f"{designs} designs were tried in {len(tried)} evaluations before the leaderboard was what it is: {where}."
    ]
    if seen:
        lines.append(f"What was chosen by them looks better on {_and(seen)} than it is: they were tried on these data.")
    if alike:
        lines.append(
            f"{_and(alike)}: designs were tried on SYNTHETIC data of the same motion, of another seed and generator 1."
        )
    if fresh:
        lines.append(f"None of them was tried on {_and(fresh)}: ranks there owe nothing to that choice.")
    return " ".join(lines)


def _and(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def tuned_on(tried: pd.DataFrame) -> dict[str, str]:
    """Return what of each method was chosen on which data, with the number of evaluations where designs were tried."""
    told = {}
    for one in every():
        text, design = str(getattr(one, "tuned_on", "not said")), AS.get(one.name, one.name)
        counts = tried[tried["led_to"] == design].groupby("study", sort=False).size()
        if len(counts):
            where = ", ".join(f"{number} on {study}" for study, number in counts.items())
            text += f", in {plural(int(counts.sum()), 'evaluation')} ({where})"
        told[one.name] = text
    open_points = "nothing here: the paper's method; sizes and open points by hand"
    return {
        **told,
        **dict.fromkeys(CONDITIONS, open_points),
        "all_entire": f"{open_points}, the order of muscles by Er on SYNTHETIC data and the runner",
    }


def ridge_of(tried: pd.DataFrame) -> dict[str, float]:
    """Return the Er of ridge regression on all muscles in each study of what was tried: the bar to be cleared.

    Raises
    ------
    Nem2eError
        If a study has none, or several.
    """
    ridge = tried[tried["method"] == "ridge_all"]
    count = ridge["study"].value_counts()
    odd = [study for study in dict.fromkeys(tried["study"]) if count.get(study, 0) != 1]
    if odd:
        raise Nem2eError(
            f"{STUDY}: study {odd[0]} has {count.get(odd[0], 0)} rows whose method is ridge_all, expected one: its Er "
            "is what every variant is measured against."
        )
    return dict(zip(ridge["study"], ridge["er_mean"].astype(float), strict=True))
