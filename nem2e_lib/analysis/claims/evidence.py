"""What a run has computed, as far as the claims need it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple, TypeVar

import pandas as pd
import xarray as xr

from nem2e_lib.analysis.equivalence import Equivalence, pairs, tost, tost_of
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
    synthetic
        Whether a study's data are, by study.
    printed
        Tables 2 and 3 as printed; None: the paper's.
    """

    errors: pd.DataFrame
    summary: pd.DataFrame
    tukey: pd.DataFrame
    results: Mapping[tuple[str, str], xr.Dataset]
    motions: Mapping[str, str]
    shortcut: pd.DataFrame | None = None
    synthetic: Mapping[str, bool] = field(default_factory=dict)
    printed: pd.DataFrame | None = None

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

    def improvement(self, motion: str, condition: str, *muscles: str, part: bool = False) -> pd.Series:
        """Test for each muscle whether Er improves, or is shown not to; all muscles of the paper, or those named.

        With `part`, of those that were measured, if one was.

        Returns
        -------
        pandas.Series
            An `equivalence.Equivalence` by muscle.
        """
        rows = self._of_muscles(motion, self.rows(motion, condition), muscles, part=part)
        numbers = rows[["er_mean", "er_sd", "n_units"]].itertuples(index=False)
        return pd.Series([tost_of(*row) for row in numbers], index=rows.index, dtype=object)

    def overall(self, motion: str, condition: str, muscles: Iterable[str]) -> Equivalence:
        """Test mean Er over muscles, each held-out unit's own mean: what counts over muscles stand beside."""
        study, known = self.study(motion), self.channels(motion)
        of = (self.errors["study"] == study) & (self.errors["condition"] == condition)
        rows = self.errors[of & self.errors["muscle"].isin([known[name] for name in muscles])]
        return tost(rows.groupby("label")["er"].mean())

    def pair(self, motion: str, a: str, b: str, *, part: bool = False) -> pd.DataFrame:
        """Compare two conditions for each muscle of the paper; `part` as in `improvement`.

        Returns
        -------
        pandas.DataFrame
            A row a muscle: p_value (of Tukey's test, as published), test (`equivalence.Equivalence` of the paired
            difference).
        """
        study = self.study(motion)
        table = self.tukey[self.tukey["study"] == study]
        rows = table[[{x, y} == {a, b} for x, y in zip(table["a"], table["b"], strict=True)]]
        if rows.empty:
            raise Untestable(f"{study} has no comparison of {a} and {b}.")
        tests = pairs(self.errors[self.errors["study"] == study], a, b)
        rows = rows.set_index("muscle").assign(test=tests)
        return self._of_muscles(motion, rows, part=part)[["p_value", "test"]]

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


# --- From tests to verdicts: a part of a claim is shown (True), its contrary is (False), or neither (None) ---

State = bool | None


def every(states: Iterable[State]) -> State:
    """All are shown; not so where one's contrary is."""
    known = list(states)
    return False if False in known else None if None in known else True


def most(states: Iterable[State], *, share: Fraction = Fraction(1, 2)) -> State:
    """Tell whether more than a share of them is so, whatever those that are not decided would be."""
    known = list(states)
    enough = share * len(known)
    return True if known.count(True) > enough else False if len(known) - known.count(False) <= enough else None


FEW = Fraction(1, 3)
"""A few of many are at most this share."""


def few(states: Iterable[State]) -> State:
    """Tell whether at most a third is so, whatever those that are not decided would be."""
    many = most(states, share=FEW)
    return None if many is None else not many


def verdict_on(state: State) -> str:
    """Return the verdict on a claim that holds as a whole or not."""
    return NOT_SHOWN if state is None else HOLDS if state else FAILS


def verdict_on_parts(states: Iterable[State]) -> str:
    """Holds where all parts are shown, in part where some are; does not hold where a contrary is, and no part."""
    known = list(states)
    if True in known:
        return HOLDS if known.count(True) == len(known) else PARTLY
    return FAILS if False in known else NOT_SHOWN


def tally(states: pd.Series, so: str, not_so: str) -> str:
    """Return ``3 of 5 improve (a, b, c), 1 does not (d), 1 undecided (e)`` for states over muscles."""
    parts = [
        (f"{len(named)} of {len(states)} {words}" if first else f"{len(named)} {words}") + _listed(named)
        for words, state, first in ((so, True, True), (not_so, False, False), ("undecided", None, False))
        if (named := [str(name) for name, its in states.items() if its is state]) or first
    ]
    return ", ".join(parts)


def _listed(names: list[str]) -> str:
    return f" ({', '.join(names)})" if 0 < len(names) <= 5 else ""
