"""What a run has computed, as far as the claims need it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import pandas as pd
import xarray as xr

from nem2e_lib.data.muscles import RUNNING_EMG, WALKING_EMG
from nem2e_lib.training.config import PUBLISHED_EPOCHS
from nem2e_lib.training.units import unit_name

PAPER_MUSCLES = {"running": tuple(RUNNING_EMG), "walking": tuple(WALKING_EMG)}
"""The muscles that the paper's counts are over."""

HOLDS, PARTLY, NOT_SHOWN, FAILS, UNTESTED = "holds", "holds in part", "not shown", "does not hold", "cannot be tested"
"""Verdicts. Not shown: the tests were made and do not decide; cannot be tested: what a test needs is not there."""


class Finding(NamedTuple):
    """Verdict on a claim: this run's value, the verdict, and why."""

    value: str
    verdict: str
    why: str


def limited(found: Finding, why: str) -> Finding:
    """Return a finding on a part of what the claim is about: it holds in part at most, and says why; empty: on all."""
    if not why:
        return found
    return found._replace(verdict=PARTLY if found.verdict == HOLDS else found.verdict, why=f"{found.why} {why}")


class Untestable(Exception):
    """Raised by a rule whose evidence is missing; its text says what is missing."""


Part = TypeVar("Part")


def tested(motions: Iterable[str], part: Callable[[str], Part]) -> tuple[dict[str, Part], str]:
    """Test a claim for each motion; return what could be tested, and why the rest cannot; none raises `Untestable`."""
    found, untold = {}, []
    for motion in motions:
        try:
            found[motion] = part(motion)
        except Untestable as reason:
            untold.append(str(reason))
    if not found:
        raise Untestable(" ".join(dict.fromkeys(untold)))
    return found, " ".join(dict.fromkeys(untold))


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

    def study(self, motion: str, *, people: bool = True) -> str:
        """Return the study of a motion, with more than one subject if the claim is on `people`."""
        named = [study for study, its in self.motions.items() if its == motion]
        if not named:
            raise Untestable(f"This run has no {motion} study.")
        if people and self._unit(named[0]) != "subject":
            raise Untestable(f"{named[0]} has one subject: nothing can be said about subjects.")
        return named[0]

    def _unit(self, study: str) -> str:
        units = self.errors.loc[self.errors["study"] == study, "unit"]
        return next((str(unit) for unit in units if unit != "subject"), "subject")

    def of_whom(self, motion: str) -> str:
        """Say what a claim on networks does not tell where one subject was measured; empty where there are more."""
        study = self.study(motion, people=False)
        unit = self._unit(study)
        left = f"left out are its {unit_name(unit, 2)}, and nothing is said of other people"
        return "" if unit == "subject" else f"{study} has one subject: {left}."

    def rows(self, motion: str, condition: str) -> pd.DataFrame:
        """Return the summary of a motion's study under a condition, a row a muscle."""
        study = self.study(motion)
        rows = self.summary[(self.summary["study"] == study) & (self.summary["condition"] == condition)]
        if rows.empty:
            raise Untestable(f"{study} was not trained under {condition}.")
        return rows.set_index("muscle")

    def improved(self, motion: str, condition: str, *muscles: str, part: bool = False) -> pd.Series:
        """Tell for each muscle whether mean Er is below 0 at p < .05; all muscles of the paper, or those named.

        With `part`, of those that were measured, if one was.
        """
        rows = self._of_muscles(motion, self.rows(motion, condition), muscles, part=part)
        return rows["improved"]

    def pair(self, motion: str, a: str, b: str, *, part: bool = False) -> pd.DataFrame:
        """Return Tukey's comparison of two conditions, a row for each muscle of the paper; `part` as in `improved`."""
        study = self.study(motion)
        table = self.tukey[self.tukey["study"] == study]
        rows = table[[{x, y} == {a, b} for x, y in zip(table["a"], table["b"], strict=True)]]
        if rows.empty:
            raise Untestable(f"{study} has no comparison of {a} and {b}.")
        return self._of_muscles(motion, rows.set_index("muscle"), part=part)

    def channels(self, motion: str) -> dict[str, str]:
        """Return the EMG channel of each of the paper's muscles: that of its name, else one on the same muscle."""
        study = self.study(motion, people=False)
        have = set(self.summary.loc[self.summary["study"] == study, "muscle"])
        of_muscle = {
            str(muscle): str(channel)
            for (its, _), results in self.results.items()
            if its == study
            for channel, muscle in zip(results.channel.values, results.target.values, strict=True)
        }
        found = {name: name if name in have else of_muscle.get(muscle, "") for name, muscle in RUNNING_EMG.items()}
        return {name: channel for name, channel in found.items() if channel in have}

    def lacking(self, motion: str, *muscles: str) -> str:
        """Say which of the paper's muscles, or of those named, were not measured; empty where all were."""
        known = self.channels(motion)
        missing = [name for name in muscles or PAPER_MUSCLES[motion] if name not in known]
        told = f"Not measured in {self.study(motion)}: {', '.join(missing)}, so that the claim is tested in part."
        return told if missing else ""

    def _of_muscles(
        self, motion: str, rows: pd.DataFrame, muscles: tuple[str, ...] = (), *, part: bool = False
    ) -> pd.DataFrame:
        wanted, known = muscles or PAPER_MUSCLES[motion], self.channels(motion)
        there = [name for name in wanted if name in known]
        missing = [name for name in wanted if name not in known]
        if missing and not (part and there):
            raise Untestable(f"{self.study(motion)} has no muscle {', '.join(missing)}.")
        chosen = rows.loc[[known[name] for name in there]].set_axis(there)
        undefined = list(chosen.index[chosen["p_value"].isna()])
        if undefined:
            why = str(chosen.loc[undefined[0]].get("reason", ""))
            raise Untestable(f"{self.study(motion)}: the test of {', '.join(undefined)} is undefined. {why}".strip())
        return chosen

    def trained(self, motion: str, condition: str) -> xr.Dataset:
        """Return a trained condition of a motion's study, whoever was left out."""
        study = self.study(motion, people=False)
        if (study, condition) not in self.results:
            raise Untestable(f"{study} was not trained under {condition}.")
        return self.results[study, condition]


def trained_long_enough(evidence: Evidence, motion: str, *conditions: str) -> None:
    """Raise `Untestable` where a motion's networks were trained for fewer epochs than the paper's.

    Claims on loss curves and on what attention has become are about trained networks; after a fraction of the published
    training they say how long it lasted.

    Parameters
    ----------
    conditions
        Those that the claim is about; none: all that were trained.
    """
    study = evidence.study(motion, people=False)
    named = conditions or tuple(condition for its, condition in evidence.results if its == study)
    epochs = [int(evidence.trained(motion, condition).sizes["epoch"]) for condition in named]
    if epochs and min(epochs) < PUBLISHED_EPOCHS:
        raise Untestable(
            f"Not testable at this length of training: {study} was trained for {min(epochs)} epochs, the paper's "
            f"networks for {PUBLISHED_EPOCHS}."
        )


def count(flags: pd.Series) -> str:
    """Return `3 of 5 (a, b, c)` for a series of truth values over muscles."""
    named = [str(name) for name, flag in flags.items() if flag]
    shown = f" ({', '.join(named)})" if 0 < len(named) <= 5 else ""
    return f"{len(named)} of {len(flags)}{shown}"


def all_or_part(flags: list[bool]) -> str:
    """Holds where all parts hold, in part where some do."""
    return HOLDS if all(flags) else PARTLY if any(flags) else FAILS
