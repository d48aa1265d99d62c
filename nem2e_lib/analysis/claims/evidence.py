"""What a run has computed, as far as the claims need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd
import xarray as xr

from nem2e_lib.data.muscles import RUNNING_EMG, WALKING_EMG

PAPER_MUSCLES = {"running": tuple(RUNNING_EMG), "walking": tuple(WALKING_EMG)}
"""The muscles that the paper's counts are over."""

HOLDS, PARTLY, FAILS, UNTESTED = "holds", "holds in part", "does not hold", "cannot be tested"


class Finding(NamedTuple):
    """Verdict on a claim: this run's value, the verdict, and why."""

    value: str
    verdict: str
    why: str


class Untestable(Exception):
    """Raised by a rule whose evidence is missing; its text says what is missing."""


@dataclass(frozen=True)
class Evidence:
    """Tables and trained conditions of a run.

    Attributes
    ----------
    errors, summary, tukey
        Of `metrics.errors`, `statistics.summary` and `statistics.tukey`, all studies together.
    results
        Trained conditions by (study, condition).
    motions
        Motion of each study.
    shortcut
        `shortcut.shortcut_summary` of the walking study, or None.
    """

    errors: pd.DataFrame
    summary: pd.DataFrame
    tukey: pd.DataFrame
    results: Mapping[tuple[str, str], xr.Dataset]
    motions: Mapping[str, str]
    shortcut: pd.DataFrame | None = None
    synthetic: Mapping[str, bool] = field(default_factory=dict)

    def study(self, motion: str) -> str:
        """Return the study of a motion with more than one subject."""
        named = [study for study, its in self.motions.items() if its == motion]
        if not named:
            raise Untestable(f"This run has no {motion} study.")
        rows = self.errors[self.errors["study"] == named[0]]
        if (rows["unit"] != "subject").any():
            raise Untestable(f"{named[0]} has one subject: nothing can be said about subjects.")
        return named[0]

    def rows(self, motion: str, condition: str) -> pd.DataFrame:
        """Return the summary of a motion's study under a condition, a row a muscle."""
        study = self.study(motion)
        rows = self.summary[(self.summary["study"] == study) & (self.summary["condition"] == condition)]
        if rows.empty:
            raise Untestable(f"{study} was not trained under {condition}.")
        return rows.set_index("muscle")

    def improved(self, motion: str, condition: str, *muscles: str) -> pd.Series:
        """Tell for each muscle whether mean Er is below 0 at p < .05; all muscles of the paper, or those named."""
        rows = self._of_muscles(motion, self.rows(motion, condition), muscles)
        return rows["improved"]

    def pair(self, motion: str, a: str, b: str) -> pd.DataFrame:
        """Return Tukey's comparison of two conditions, a row for each muscle of the paper."""
        study = self.study(motion)
        table = self.tukey[self.tukey["study"] == study]
        rows = table[[{x, y} == {a, b} for x, y in zip(table["a"], table["b"], strict=True)]]
        if rows.empty:
            raise Untestable(f"{study} has no comparison of {a} and {b}.")
        return self._of_muscles(motion, rows.set_index("muscle"))

    def _of_muscles(self, motion: str, rows: pd.DataFrame, muscles: tuple[str, ...] = ()) -> pd.DataFrame:
        wanted = muscles or PAPER_MUSCLES[motion]
        missing = [muscle for muscle in wanted if muscle not in rows.index]
        if missing:
            raise Untestable(f"{self.study(motion)} has no muscle {', '.join(missing)}.")
        chosen = rows.loc[list(wanted)]
        undefined = list(chosen.index[chosen["p_value"].isna()])
        if undefined:
            why = str(chosen.loc[undefined[0]].get("reason", ""))
            raise Untestable(f"{self.study(motion)}: the test of {', '.join(undefined)} is undefined. {why}".strip())
        return chosen

    def trained(self, motion: str, condition: str) -> xr.Dataset:
        """Return a trained condition of a motion's study."""
        study = self.study(motion)
        if (study, condition) not in self.results:
            raise Untestable(f"{study} was not trained under {condition}.")
        return self.results[study, condition]


def count(flags: pd.Series) -> str:
    """Return `3 of 5 (a, b, c)` for a series of truth values over muscles."""
    named = [str(name) for name, flag in flags.items() if flag]
    shown = f" ({', '.join(named)})" if 0 < len(named) <= 5 else ""
    return f"{len(named)} of {len(flags)}{shown}"


def all_or_part(flags: list[bool]) -> str:
    """Holds where all parts hold, in part where some do."""
    return HOLDS if all(flags) else PARTLY if any(flags) else FAILS
