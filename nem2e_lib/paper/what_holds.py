"""The page "What holds": a sceptical reader's questions, answered from the tables that a run has saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from nem2e_lib.analysis.ablations import said as choices
from nem2e_lib.analysis.ablations import unfinished
from nem2e_lib.analysis.claims.contradictions import contradictions
from nem2e_lib.analysis.claims.evidence import FAILS, HOLDS, PARTLY, UNTESTED
from nem2e_lib.analysis.claims.table import said
from nem2e_lib.analysis.control_tests import CANNOT, FOLLOWS, LEARNS, NOT_SHOWN
from nem2e_lib.analysis.review import IMPROVES
from nem2e_lib.analysis.shortcut import FALLS, RISES, UNDEFINED, UNSURE
from nem2e_lib.figures.ablations import name_of
from nem2e_lib.figures.style import label_of, signed
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.shared_tables import (
    ABLATIONS,
    ATTENTION,
    AUDIT,
    DUELS,
    IMPROVEMENT,
    LEADERBOARD,
    LEARNING,
    SWAPPED,
    SharedTable,
)
from nem2e_lib.paper.shown import published_beside
from nem2e_lib.paper.studies.ablations import Committed
from nem2e_lib.paper.studies.attention import KnownTruth
from nem2e_lib.site import tables
from nem2e_lib.site.claims import ANSWERS, cards
from nem2e_lib.site.frame import page
from nem2e_lib.site.saving import write_text
from nem2e_lib.site.tables import Table
from nem2e_lib.training.conditions import CONDITIONS
from nem2e_lib.training.units import caveat

# --- What a sceptical reader asks first, answered from the tables that a run has saved; joined on ids alone ---

ALTERNATIVE, RIDGE, MEAN, OPENSIM = "delayed_kernel_ridge", "ridge_all", "mean_curve", "identity"
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
    """The tables that a run's notebooks have saved, and what evaluation left out in each study."""

    folder: Path
    units: Mapping[str, str] = field(default_factory=dict)
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
        verdict, told = answer(site, study)
        evidence = f"{told} {caveat([site.units.get(study)])}".strip()
    except Untold as reason:
        verdict, evidence = UNTESTED, str(reason)
    return Answer(question, study, verdict, evidence, shared.page)


def _beats_people(site: Site, study: str) -> Told:
    if site.units.get(study, "subject") != "subject":
        raise Untold(f"{study} has one subject: the mean curve is of that subject's other cycles, not of other people.")
    return _beats(site, study, rival=MEAN)


def _beats(site: Site, study: str, *, rival: str) -> Told:
    found = _duels(site.rows(DUELS, study), CONDITIONS, rival)
    if not found:
        raise Untold(f"No comparison with {label_of(rival)} was made.")
    said = "; ".join(f"{label_of(method)} {duel.said}" for method, duel in found.items())
    return _won(found.values(), f"Er against {label_of(rival)}: {said}.")


@dataclass(frozen=True)
class _Duel:
    """Whether a method's Er is surely below its rival's, None where no test can be made, and the numbers."""

    below: bool | None
    said: str


def _won(duels: Iterable[_Duel], said: str) -> Told:
    """Judge by the duels that are defined; raise `Untold` where none is."""
    known = [duel.below for duel in duels if duel.below is not None]
    if not known:
        raise Untold(said)
    return _share(known), said


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
        reason = str(row.get("reason", "") or "").rstrip(".")
        return _Duel(None, "undefined" + (f" ({reason})" if reason and reason != "nan" else ""))
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
    return _won(fought.values(), f"{ranked}; {said}.")


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
    ("Is the network better than replaying the mean of other people's EMG?", DUELS, _beats_people),
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


# --- The page "What holds" ---

IN_RESULTS = {"leaderboard": LEADERBOARD, "ablations": ABLATIONS, "audit": AUDIT}
"""Lists of results.json and the saved tables that they repeat."""


def tables_of(site: Path) -> dict[str, pd.DataFrame]:
    """Return the further tables of results.json, as far as their notebooks have run.

    Seconds differ from run to run, so they stay in the table's own CSV.
    """
    found = {name: table.read(site) for name, table in IN_RESULTS.items()}
    return {name: t.drop(columns="seconds", errors="ignore") for name, t in found.items() if t is not None}


def tables_below(found: Findings, steady: pd.DataFrame, seeds: str) -> list[Table]:
    """Return the tables below the claims: seeds, the paper against itself, published intervals beside ours."""
    flips = steady.assign(flips=steady["flips"].map({True: "yes", False: "no"}))
    return [
        tables.plain(flips, "Verdicts over seeds", f"{said(steady)} {seeds}", synthetic=found.any_synthetic),
        tables.plain(
            contradictions(),
            "Where the paper contradicts itself",
            "What its text says in one place and its text or tables in another; counts are taken from the tables.",
        ),
        *(beside for study in found.motions if (beside := _beside(found, study))),
    ]


def _beside(found: Findings, study: str) -> Table | None:
    """Return the published intervals beside those of a measured study; None where they cannot be compared."""
    theirs = published_beside(found.summary, found.motions[study], study)
    if theirs is None or found.synthetic(study):
        return None
    keys, numbers = ["muscle", "condition"], ["er_mean", "ci_low", "ci_high"]
    own = found.summary.loc[found.summary["study"] == study, [*keys, *numbers, "n_units", "unit"]]
    both = own.merge(theirs[[*keys, *numbers]].rename(columns={n: f"published_{n}" for n in numbers}), on=keys)
    if both.empty:
        return None
    overlap = (both["ci_low"] <= both["published_ci_high"]) & (both["published_ci_low"] <= both["ci_high"])
    known = both[["ci_low", "ci_high", "published_ci_low", "published_ci_high"]].notna().all(axis=1)
    words = overlap.map({True: "yes", False: "no"}).where(known, "not known")
    count = f"{int(overlap[known].sum())} of {int(known.sum())}"
    return tables.plain(
        both.assign(intervals_overlap=words),
        f"{study}: Er beside the published Er",
        f"95 % intervals, this run's and the paper's: {count} overlap. Units differ where this run's are not subjects.",
    )


def write(found: Findings, claims: pd.DataFrame, steady: pd.DataFrame, seeds: str) -> Path:
    """Write ``what_holds.html``: each question, its verdict in every study, the evidence and where it is shown."""
    units = dict(zip(found.summary["study"], found.summary["unit"], strict=True))
    text = page(
        "what_holds.html.j2",
        runs=found.runs,
        questions=by_question(answers(Site(found.run.site, units), found.cycles)),
        looks=ANSWERS,
        cards=cards(claims),
        seeds=f"{said(steady)} {seeds}",
        studies=_studies(found),
    )
    path = found.run.site / "what_holds.html"
    write_text(path, text)
    return path


def _studies(found: Findings) -> list[tuple[str, list[str], str]]:
    """Return heading, lines and page of what the committed studies say.

    They are SYNTHETIC and stand beside synthetic runs alone.
    """
    if not found.run.is_synthetic:
        return []
    told = [("What attention maps may be read as", KnownTruth().verdict.splitlines(), "14_attention_tests")]
    ablated = Committed()
    if ablated.path.exists():
        text = "\n".join((choices(ablated.effects, name_of), unfinished(ablated.effects), ablated.provenance))
        told.append(("Which open choice matters", [line for line in text.splitlines() if line], "15_ablations"))
    return told
