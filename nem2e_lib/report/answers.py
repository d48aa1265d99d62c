"""What a sceptical reader asks first, answered from the tables that a run has saved; joined on ids alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from nem2e_lib.analysis.claims.evidence import FAILS, HOLDS, PARTLY, UNTESTED
from nem2e_lib.analysis.control_tests import CANNOT, FOLLOWS, LEARNS, NOT_SHOWN
from nem2e_lib.analysis.review import IMPROVES
from nem2e_lib.analysis.shortcut import FALLS, RISES, UNDEFINED, UNSURE
from nem2e_lib.refine.conditions import CONDITIONS
from nem2e_lib.report.shared_tables import (
    ATTENTION,
    AUDIT,
    DUELS,
    IMPROVEMENT,
    LEADERBOARD,
    LEARNING,
    SWAPPED,
    SharedTable,
)
from nem2e_lib.report.style import label_of, signed

ALTERNATIVE, RIDGE, MEAN, OPENSIM = "lag_attention", "ridge_all", "mean_curve", "identity"
"""Ids of the rivals that the questions are about."""
PAPER = "the paper"


@dataclass(frozen=True)
class Answer:
    """A question, its verdict (one of the claims' verdicts), the evidence in a sentence, and where it is shown."""

    question: str
    study: str
    verdict: str
    evidence: str
    page: str


class Untold(Exception):
    """Raised where a question cannot be answered; its text says why."""


@dataclass(frozen=True)
class Site:
    """The tables that a run's notebooks have saved."""

    folder: Path
    _read: dict[str, pd.DataFrame] = field(default_factory=dict, init=False, repr=False, compare=False)

    def table(self, shared: SharedTable) -> pd.DataFrame:
        """Return a saved table, read once; raise `Untold` where its notebook has not run, or saved another table."""
        if shared.name not in self._read:
            data = shared.read(self.folder)
            if data is None:
                raise Untold(f"{shared.page} has not been run; run it, then 07_claims again.")
            if wrong := shared.problem(data):
                raise Untold(f"{shared.file}: {wrong}; {_again(shared)}.")
            self._read[shared.name] = data
        return self._read[shared.name]

    def rows(self, shared: SharedTable, study: str) -> pd.DataFrame:
        """Return a study's rows of a saved table; raise `Untold` where it has none, or lacks some."""
        table = self.table(shared)
        rows = table[table["study"] == study]
        if lost := shared.lacking(rows):
            raise Untold(f"{shared.file} lacks {lost} for study {study}; {_again(shared)}.")
        return rows


def _again(shared: SharedTable) -> str:
    return f"run {shared.page}, then 07_claims again"


Told = tuple[str, str]
"""Verdict and evidence."""


def answers(site: Site, studies: Iterable[str]) -> list[Answer]:
    """Answer every question for every study, then those about the paper's own numbers."""
    asked = [_answered(site, study, *question) for study in studies for question in QUESTIONS]
    return [*asked, _answered(site, PAPER, "Do the paper's own numbers agree with each other?", AUDIT, _audit)]


def _answered(
    site: Site, study: str, question: str, shared: SharedTable, answer: Callable[[Site, str], Told]
) -> Answer:
    try:
        verdict, evidence = answer(site, study)
    except Untold as reason:
        verdict, evidence = UNTESTED, str(reason)
    return Answer(question, study, verdict, evidence, shared.page)


def _beats(site: Site, study: str, *, rival: str) -> Told:
    found = _duels(site.rows(DUELS, study), CONDITIONS, rival)
    if not found:
        raise Untold(f"No comparison with {label_of(rival)} was made.")
    said = "; ".join(f"{label_of(method)} {duel.said}" for method, duel in found.items())
    return _share([duel.below for duel in found.values()]), f"Er against {label_of(rival)}: {said}."


@dataclass(frozen=True)
class _Duel:
    below: bool
    said: str


def _duels(rows: pd.DataFrame, methods: Sequence[str], rival: str) -> dict[str, _Duel]:
    """Return each method's duel with a rival; none where the rival did not take part."""
    if rival not in {*rows["a"], *rows["b"]}:
        return {}
    return {method: _duel(rows, method, rival) for method in methods}


def _duel(rows: pd.DataFrame, method: str, rival: str) -> _Duel:
    one = rows[(rows["a"] == method) & (rows["b"] == rival)]
    other = rows[(rows["a"] == rival) & (rows["b"] == method)]
    if len(one) + len(other) != 1:
        count = len(one) + len(other) or "no"
        raise Untold(f"{DUELS.file} has {count} rows of {method} and {rival}, expected one; {_again(DUELS)}.")
    row, sign = (one.iloc[0], 1.0) if len(one) else (other.iloc[0], -1.0)
    if not pd.notna(row["p_holm"]):
        return _Duel(False, "undefined")
    difference, ends = sign * row["difference"], sorted((sign * row["ci_low"], sign * row["ci_high"]))
    interval = f"95 % CI {signed(ends[0])} to {signed(ends[1])}"
    said = f"{signed(difference)} ({interval}, p {_p(row['p_holm'])}, n = {int(row['n'])})"
    return _Duel(bool(row["winner"] == method), said)


def _alternative(site: Site, study: str) -> Told:
    board, rows = site.rows(LEADERBOARD, study), site.rows(DUELS, study)
    label, own = label_of(ALTERNATIVE), board[board["method"] == ALTERNATIVE]
    rivals = [] if own.empty else [rival for rival in (MEAN, RIDGE) if rival in set(board["method"])]
    if not rivals:
        raise Untold(f"Among this run's methods, {label} or its rivals are missing.")
    if own["er_mean"].isna().any():
        raise Untold(f"Er of {label} is undefined here.")
    fought = {rival: _duel(rows, ALTERNATIVE, rival) for rival in rivals}
    ranked = f"{label}: rank {int(own['rank'].iloc[0])} of {len(board)}, Er {signed(own['er_mean'].iloc[0])}"
    said = "; ".join(f"against {label_of(rival)} {duel.said}" for rival, duel in fought.items())
    return _share([duel.below for duel in fought.values()]), f"{ranked}; {said}."


def _input(site: Site, study: str) -> Told:
    row: Any = site.rows(SWAPPED.of(study), study).iloc[0]
    if row["verdict"] == UNDEFINED:
        raise Untold(str(row["reason"]))
    said = (
        f"With another muscle's input Er rises by {signed(row['rise'])} (95 % CI {signed(row['ci_low'])} to "
        f"{signed(row['ci_high'])}, n = {int(row['n'])} muscles)."
    )
    return {RISES: HOLDS, UNSURE: PARTLY, FALLS: FAILS}[str(row["verdict"])], said


def _learning(site: Site, study: str) -> Told:
    rows = site.rows(LEARNING, study)
    tested = [verdict for verdict in rows["verdict"] if verdict not in (CANNOT, NOT_SHOWN)]
    said = " ".join(
        f"{label_of(name)}: {sentence}" for name, sentence in zip(rows["condition"], rows["sentence"], strict=True)
    )
    if not tested:
        raise Untold(said)
    verdict = _share([verdict == LEARNS for verdict in tested])
    return PARTLY if verdict == FAILS and FOLLOWS in tested else verdict, said


def _attention(site: Site, study: str) -> Told:
    rows = site.rows(ATTENTION, study)
    said = "; ".join(
        f"{label_of(name)}: entropy {share:.2f} of its maximum, {verdict}"
        for name, share, verdict in zip(rows["condition"], rows["entropy"], rows["verdict"], strict=True)
    )
    return _share([not spoken_against for spoken_against in rows["spoken_against"]]), f"{said}."


def _review(site: Site, study: str) -> Told:
    rows = site.rows(IMPROVEMENT, study)
    claimed = rows[rows["as_published_verdict"] == IMPROVES]
    kept = int((claimed["verdict"] == IMPROVES).sum())
    said = (
        f"{len(claimed)} of {len(rows)} muscles and conditions improve as published (t-test, not corrected); {kept} of "
        "them do after Holm's correction over independent electrodes."
    )
    if claimed.empty:
        raise Untold(said)
    return _share([value == IMPROVES for value in claimed["verdict"]]), said


def _audit(site: Site, _: str) -> Told:
    table = site.table(AUDIT)
    agree = int(table["consistent"].sum())
    said = f"{agree} of {len(table)} rows of Tables 2 and 3 are consistent; the others contradict themselves."
    return HOLDS if agree == len(table) else FAILS, said


QUESTIONS: tuple[tuple[str, SharedTable, Callable[[Site, str], Told]], ...] = (
    ("Is the refined activity nearer to EMG than the simulated one?", DUELS, partial(_beats, rival=OPENSIM)),
    ("Is the network better than replaying the mean of other people's EMG?", DUELS, partial(_beats, rival=MEAN)),
    ("Is a network needed: is it better than ridge regression?", DUELS, partial(_beats, rival=RIDGE)),
    ("Is there an attention model that beats its rivals?", DUELS, _alternative),
    ("Does the network use its input, or replay what it remembers?", SWAPPED, _input),
    ("Has it learned something that replaying a mean cannot give?", LEARNING, _learning),
    ("Do the attention maps say where the network looks?", ATTENTION, _attention),
    ("Do the improvements survive correction for many muscles?", IMPROVEMENT, _review),
)
"""What is asked of every study, the table whose page shows it, and how it is answered."""


def _share(found: list[bool]) -> str:
    return HOLDS if found and all(found) else (PARTLY if any(found) else FAILS)


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"= {value:.3f}"


def by_question(found: list[Answer]) -> Iterator[tuple[str, list[Answer]]]:
    """Group answers by question, in the order asked."""
    for question in dict.fromkeys(answer.question for answer in found):
        yield question, [answer for answer in found if answer.question == question]
