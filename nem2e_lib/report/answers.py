"""What a sceptical reader asks first, answered from the tables that a run has saved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from nem2e_lib.analysis.attention_verdicts import NOTHING
from nem2e_lib.analysis.claims.evidence import FAILS, HOLDS, PARTLY, UNTESTED
from nem2e_lib.analysis.control_tests import CANNOT, FOLLOWS, LEARNS, NOT_SHOWN
from nem2e_lib.analysis.statistics import ALPHA, one_sample
from nem2e_lib.report.style import CONDITION_LABELS, signed

ALTERNATIVE, RIDGE, MEAN, OPENSIM = "lag attention", "ridge, all muscles", "training-mean curve", "OpenSim"
"""Names that the leaderboard shows of a few rivals."""


@dataclass(frozen=True)
class Answer:
    """A question, its verdict (one of the claims' verdicts), the evidence in a sentence, and where it is shown."""

    question: str
    study: str
    verdict: str
    evidence: str
    page: str


@dataclass(frozen=True)
class Site:
    """The tables that a run's notebooks have saved."""

    folder: Path
    _read: dict[str, pd.DataFrame | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def table(self, name: str) -> pd.DataFrame | None:
        """Return a saved table, read once; None where its notebook has not run."""
        if name not in self._read:
            path = self.folder / f"{name}.csv"
            self._read[name] = pd.read_csv(path) if path.exists() else None
        return self._read[name]


def answers(site: Site, studies: Iterable[str]) -> list[Answer]:
    """Answer every question for every study, then those about the paper's own numbers."""
    asked = [
        answer
        for study in studies
        for answer in (
            _beats(site, study, OPENSIM, "Is the refined activity nearer to EMG than the simulated one?"),
            _beats(site, study, MEAN, "Is the network better than replaying the mean of other people's EMG?"),
            _beats(site, study, RIDGE, "Is a network needed: is it better than ridge regression?"),
            _alternative(site, study),
            _input(site, study),
            _learning(site, study),
            _attention(site, study),
            _review(site, study),
        )
    ]
    return [*asked, _audit(site)]


def _missing(question: str, study: str, page: str) -> Answer:
    return Answer(question, study, UNTESTED, f"{page} has not been run; run it, then 07_claims again.", page)


def _beats(site: Site, study: str, rival: str, question: str) -> Answer:
    page = "08_rivals"
    duels = site.table("duels_table")
    if duels is None:
        return _missing(question, study, page)
    own = [_duel(duels, study, label, rival) for label in CONDITION_LABELS.values()]
    found = [duel for duel in own if duel]
    if not found:
        return Answer(question, study, UNTESTED, f"No comparison with {rival} was made.", page)
    said = "; ".join(duel.said for duel in found)
    return Answer(question, study, _share([duel.below for duel in found]), f"Er against {rival}: {said}.", page)


@dataclass(frozen=True)
class _Duel:
    below: bool
    said: str


def _duel(duels: pd.DataFrame, study: str, method: str, rival: str) -> _Duel | None:
    rows = duels[duels["study"] == study]
    one = rows[(rows["a"] == method) & (rows["b"] == rival)]
    other = rows[(rows["a"] == rival) & (rows["b"] == method)]
    if one.empty and other.empty:
        return None
    row, sign = (one.iloc[0], 1.0) if len(one) else (other.iloc[0], -1.0)
    if not pd.notna(row["p_holm"]):
        return _Duel(False, f"{method} undefined")
    difference, ends = sign * row["difference"], sorted((sign * row["ci_low"], sign * row["ci_high"]))
    below = bool(difference < 0 and row["p_holm"] < ALPHA)
    interval = f"95 % CI {signed(ends[0])} to {signed(ends[1])}"
    return _Duel(below, f"{method} {signed(difference)} ({interval}, p {_p(row['p_holm'])}, n = {int(row['n'])})")


def _alternative(site: Site, study: str) -> Answer:
    question, page = "Is there an attention model that beats its rivals?", "08_rivals"
    board, duels = site.table("leaderboard_table"), site.table("duels_table")
    if board is None or duels is None:
        return _missing(question, study, page)
    rows = board[board["study"] == study]
    own = rows[rows["method"] == ALTERNATIVE]
    found = {rival: _duel(duels, study, ALTERNATIVE, rival) for rival in (MEAN, RIDGE)}
    fought = {rival: duel for rival, duel in found.items() if duel}
    if own.empty or not fought:
        return Answer(question, study, UNTESTED, "Lag attention or its rivals are not among this run's methods.", page)
    if own["er_mean"].isna().any():
        return Answer(question, study, UNTESTED, "Er of lag attention is undefined here.", page)
    ranked = f"{ALTERNATIVE}: rank {int(own['rank'].iloc[0])} of {len(rows)}, Er {signed(own['er_mean'].iloc[0])}"
    said = "; ".join(f"against {rival} {duel.said.removeprefix(f'{ALTERNATIVE} ')}" for rival, duel in fought.items())
    return Answer(question, study, _share([duel.below for duel in fought.values()]), f"{ranked}; {said}.", page)


def _input(site: Site, study: str) -> Answer:
    question, page = "Does the network use its input, or replay what it remembers?", "06_shortcut"
    table = site.table(f"swapped_{study}")
    if table is None:
        return _missing(question, study, page)
    rise = one_sample(table["difference"].dropna())
    if rise.reason:
        return Answer(question, study, UNTESTED, rise.reason, page)
    said = (
        f"With another muscle's input Er rises by {signed(rise.mean)} (95 % CI {signed(rise.ci_low)} to "
        f"{signed(rise.ci_high)}, n = {rise.n} muscles)."
    )
    return Answer(question, study, HOLDS if rise.ci_low > 0 else (PARTLY if rise.mean > 0 else FAILS), said, page)


def _learning(site: Site, study: str) -> Answer:
    question, page = "Has it learned something that replaying a mean cannot give?", "13_controls"
    table = site.table("controls_verdicts")
    if table is None:
        return _missing(question, study, page)
    rows = table[table["study"] == study]
    tested = [verdict for verdict in rows["verdict"] if verdict not in (CANNOT, NOT_SHOWN)]
    said = " ".join(
        f"{CONDITION_LABELS[str(name)]}: {sentence}"
        for name, sentence in zip(rows["condition"], rows["sentence"], strict=True)
    )
    if not tested:
        return Answer(question, study, UNTESTED, said, page)
    verdict = _share([verdict == LEARNS for verdict in tested])
    return Answer(question, study, PARTLY if verdict == FAILS and FOLLOWS in tested else verdict, said, page)


def _attention(site: Site, study: str) -> Answer:
    question, page = "Do the attention maps say where the network looks?", "14_attention_tests"
    table = site.table("attention_verdicts")
    if table is None:
        return _missing(question, study, page)
    rows = table[table["study"] == study]
    unspoken = [str(verdict) == NOTHING for verdict in rows["verdict"]]
    said = "; ".join(
        f"{CONDITION_LABELS[str(name)]}: entropy {share:.2f} of its maximum, {verdict}"
        for name, share, verdict in zip(rows["condition"], rows["entropy"], rows["verdict"], strict=True)
    )
    return Answer(question, study, _share(unspoken), f"{said}.", page)


def _review(site: Site, study: str) -> Answer:
    question, page = "Do the improvements survive correction for many muscles?", "10_audit"
    table = site.table("review_improvement")
    if table is None:
        return _missing(question, study, page)
    rows = table[table["study"] == study]
    claimed = rows[rows["as_published_verdict"] == "improves"]
    kept = int((claimed["verdict"] == "improves").sum())
    verdict = UNTESTED if claimed.empty else _share([value == "improves" for value in claimed["verdict"]])
    said = (
        f"{len(claimed)} of {len(rows)} muscles and conditions improve as published (t-test, not corrected); {kept} of "
        "them do after Holm's correction over independent electrodes."
    )
    return Answer(question, study, verdict, said, page)


def _audit(site: Site) -> Answer:
    question, page = "Do the paper's own numbers agree with each other?", "10_audit"
    table = site.table("audit_rows")
    if table is None:
        return _missing(question, "the paper", page)
    agree = int(table["consistent"].astype(bool).sum())
    said = f"{agree} of {len(table)} rows of Tables 2 and 3 are consistent; the others contradict themselves."
    return Answer(question, "the paper", HOLDS if agree == len(table) else FAILS, said, page)


def _share(found: list[bool]) -> str:
    return HOLDS if found and all(found) else (PARTLY if any(found) else FAILS)


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"= {value:.3f}"


def by_question(found: list[Answer]) -> Iterator[tuple[str, list[Answer]]]:
    """Group answers by question, in the order asked."""
    for question in dict.fromkeys(answer.question for answer in found):
        yield question, [answer for answer in found if answer.question == question]
