"""A sceptical reader's questions, answered from the tables that a run has saved; joined on ids alone.

Methods are compared by the planned contrasts alone (`analysis.contrasts`): each is tested and answered once, where its
notebook saves it, and read here by its id. A question that needs two contrasts is answered from their answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nem2e_lib.analysis import published
from nem2e_lib.analysis.attention_verdicts import MARGIN
from nem2e_lib.analysis.contrasts import CANNOT, FILE, NOT_SHOWN, OTHERWISE, SHOWN, both, of_family, planned
from nem2e_lib.analysis.review import IMPROVES
from nem2e_lib.analysis.statistics import ALPHA, FEWEST
from nem2e_lib.figures.panels import plural
from nem2e_lib.figures.style import label_of, signed
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.shared_tables import ATTENTION, AUDIT, CONTRASTS, IMPROVEMENT, NEEDED, SharedTable
from nem2e_lib.paper.studies import long
from nem2e_lib.site.tables import p_text
from nem2e_lib.training.units import caveat, others, units_said

PAPER = "the paper"
OWN_INPUT = "Does the network use its cycle's own input, or replay what it remembers?"
MAPS = "Do the attention maps say where the network looks?"
"""Questions that the front page answers, too."""


@dataclass(frozen=True)
class Answer:
    """A question about a method in a study, one of `contrasts.ANSWERS`, the evidence, and where it is shown.

    Attributes
    ----------
    about
        Label of the method; empty where the question is about none.
    """

    question: str
    study: str
    about: str
    verdict: str
    evidence: str
    page: str


class Untold(Exception):
    """Raised where a question cannot be answered; its text says why."""


@dataclass(frozen=True)
class Site:
    """The tables that a run's notebooks have saved, what evaluation left out, and claims after training as published.

    Attributes
    ----------
    folder
        Where the tables are.
    units
        What evaluation left out, by study.
    trained
        Verdicts at the published length of training on data of the run's kind (`long.of_run`); None where there are
        none.
    """

    folder: Path
    units: Mapping[str, str] = field(default_factory=dict)
    trained: pd.DataFrame | None = field(default=None, compare=False)
    _read: dict[str, pd.DataFrame] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, found: Findings) -> Site:
        """Return that of a run."""
        return cls(found.run.site, found.units, long.of_run(found.run))

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

    def contrast(self, study: str, name: str) -> Judged:
        """Return a planned contrast of a study by its id, as its notebook has judged it."""
        shared = NEEDED if name in {one.id for one in of_family("input")} else CONTRASTS
        rows = self.rows(shared, study)
        found = rows[rows["id"] == name]
        if len(found) != 1:
            raise Untold(f"{shared.file} has {len(found)} rows of contrast {name}, expected one; {_again(shared)}.")
        return Judged(found.iloc[0])


def _again(shared: SharedTable) -> str:
    return f"run {shared.page}, then 07_claims again"


@dataclass(frozen=True)
class Judged:
    """A row of `contrasts.judged`, in words."""

    row: pd.Series[Any]

    @property
    def answer(self) -> str:
        """One of `contrasts.ANSWERS`."""
        return str(self.row["answer"])

    @property
    def method(self) -> str:
        """Id of the method that is asked about."""
        return str(self.row["method"])

    @property
    def difference(self) -> float:
        """Er of the method minus Er of its rival."""
        return float(self.row["difference"])

    @property
    def is_tested(self) -> bool:
        """Whether a test could be made."""
        return bool(np.isfinite(self.row["p_holm"]))

    @property
    def half_width(self) -> float:
        """Half the corrected interval."""
        return float(self.row["ci_high"] - self.row["ci_low"]) / 2

    @property
    def alone(self) -> str:
        """The answer that it would have as the only comparison, of enough units."""
        low, high = self.row["ci_low"], self.row["ci_high"]
        return SHOWN if high < 0 else OTHERWISE if low > 0 else NOT_SHOWN

    @property
    def numbers(self) -> str:
        """Effect and corrected interval, the plain interval, then p; why there is no p where units are too few."""
        row, reason = self.row, str(self.row["reason"]).rstrip(".")
        if not self.is_tested:
            effect = f"{signed(row['difference'])}, " if np.isfinite(row["difference"]) else ""
            return f"{effect}no test can be made{'' if reason in ('', 'nan') else f' ({reason})'}"
        n = units_said(int(row["n"]), str(row["unit"]))
        plain = "" if row["plain_answer"] == row["answer"] else f"; a plain t-test would say: {row['plain_answer']}"
        few = f"no p, which needs {FEWEST} of them"
        told = few if row["n"] < FEWEST else f"p {_p(row['p_holm'])} after Holm; signs flipped: p {_p(row['p_flips'])}"
        return (
            f"{signed(row['difference'])}, 95 % CI {_ends(row, '')} (plain {_ends(row, 'plain_')}); "
            f"{told}; n = {n}{plain}"
        )

    @property
    def said(self) -> str:
        """The numbers with the rival's name before them."""
        return f"Er against {label_of(self.row['rival'])}: {self.numbers}"


def _ends(row: pd.Series[Any], plain: str) -> str:
    return f"{signed(row[f'{plain}ci_low'])} to {signed(row[f'{plain}ci_high'])}"


def _p(value: float) -> str:
    text = p_text(value)
    return text if text.startswith("<") else f"= {text}"


Told = tuple[str, str, str]
"""Label of the method, answer, evidence."""


def answers(site: Site, studies: Iterable[str]) -> list[Answer]:
    """Answer every question for every study, then that about the paper's own numbers; one a method that is asked."""
    asked = [one for study in studies for question in QUESTIONS for one in _answered(site, study, *question)]
    return [*asked, *_answered(site, PAPER, "Do the paper's own numbers agree with each other?", AUDIT, _audit)]


def _answered(
    site: Site, study: str, question: str, shared: SharedTable, answer: Callable[[Site, str], Iterable[Told]]
) -> list[Answer]:
    try:
        told = list(answer(site, study))
    except Untold as reason:
        told = [("", CANNOT, str(reason))]
    words = caveat([site.units.get(study)])
    return [Answer(question, study, about, one, f"{said} {words}".strip(), shared.page) for about, one, said in told]


def _each(site: Site, study: str, *, question: str) -> Iterator[Told]:
    """Answer each contrast of a question by itself."""
    for one in planned():
        if one.question == question:
            found = site.contrast(study, one.id)
            yield label_of(one.method), found.answer, f"{found.said}.{_whose(site, study, one.rival)}"


def _whose(site: Site, study: str, rival: str) -> str:
    return (
        f" The curve is the mean EMG of {others(site.units.get(study, 'subject'), 'subjects')}."
        if rival == "mean_curve"
        else ""
    )


def _together(site: Site, study: str, *, questions: tuple[str, ...]) -> Iterator[Told]:
    """Answer for each method whether all contrasts of some questions are shown of it, without a test of its own."""
    names: dict[str, list[str]] = {}
    for one in planned():
        if one.question in questions:
            names.setdefault(one.method, []).append(one.id)
    for method, ids in names.items():
        found = [site.contrast(study, name) for name in ids]
        if {one.row["question"] for one in found} == set(questions):
            told = "; ".join(f"{one.answer}: {one.said}" for one in found)
            yield label_of(method), both(one.answer for one in found), f"{told[:1].upper()}{told[1:]}."


def _attention(site: Site, study: str) -> Iterator[Told]:
    for row in site.rows(ATTENTION, study).to_dict("records"):
        said = f"{row['sentence']} Entropy, which decides nothing: {row['entropy']:.2f} of its maximum."
        yield label_of(row["condition"]), str(row["verdict"]), f"{said} {_at_length(site, 'C14', 'C22')}".strip()


def _at_length(site: Site, *claims: str) -> str:
    """Say what claims have come to at the published length of training, which a demo does not reach."""
    if site.trained is None:
        return ""
    rows = site.trained[site.trained["id"].isin(claims)]
    if rows.empty:
        return ""
    told = "; ".join(f"{row['id']} {row['verdict']} ({row['value']})" for row in rows.to_dict("records"))
    first, of = rows.iloc[0], "SYNTHETIC data" if long.is_synthetic(rows) else "people"
    return (
        f"The paper's claims on it after its {first['epochs']} epochs ({of}, {first['units']} units, trained once): "
        f"{told}."
    )


def _review(site: Site, study: str) -> Iterator[Told]:
    rows = site.rows(IMPROVEMENT, study)
    if rows["electrode"].nunique() < 2:
        raise Untold("There is one electrode: nothing is to be corrected for.")
    for condition, own in rows.groupby("condition", sort=False):
        claimed = own[own["as_published_verdict"] == IMPROVES]
        kept = int((claimed["verdict"] == IMPROVES).sum())
        if claimed.empty:
            yield label_of(condition), CANNOT, f"None of {plural(len(own), 'muscle')} improves as published."
            continue
        said = (
            f"{len(claimed)} of {plural(len(own), 'muscle')} improve as published (t-test, not corrected); of {kept} "
            "of these it is shown by the rule above, with Holm over independent electrodes."
        )
        yield label_of(condition), SHOWN if kept == len(claimed) else NOT_SHOWN, said


def _audit(site: Site, _: str) -> Iterator[Told]:
    table = site.table(AUDIT)
    readings = set(table["reading"])
    told = OTHERWISE if published.CONTRADICTS in readings else NOT_SHOWN if readings - {published.AGREES} else SHOWN
    yield "", told, published.said(table)


QUESTIONS: tuple[tuple[str, SharedTable, Callable[[Site, str], Iterable[Told]]], ...] = (
    (
        "Is the refined activity nearer to EMG than the simulated one?",
        CONTRASTS,
        partial(_each, question="nearer"),
    ),
    (
        "Is the network better than replaying the mean EMG curve of what it was trained on?",
        CONTRASTS,
        partial(_each, question="mean"),
    ),
    (
        "Is a network needed: is it better than ridge regression, plain and with a delay?",
        CONTRASTS,
        partial(_together, questions=("network",)),
    ),
    (
        "Does attention help: is the paper's network better than an LSTM without it?",
        CONTRASTS,
        partial(_each, question="attention"),
    ),
    (
        "Is this project's own method better than the mean curve, and than ridge regression with a delay?",
        CONTRASTS,
        partial(_together, questions=("own",)),
    ),
    (
        OWN_INPUT,
        NEEDED,
        partial(_each, question="input"),
    ),
    (
        "Has it learned something that replaying a mean cannot give: does it use its input, and beat the mean curve?",
        NEEDED,
        partial(_together, questions=("mean", "input")),
    ),
    (MAPS, ATTENTION, _attention),
    ("Do the improvements survive correction for many muscles?", IMPROVEMENT, _review),
)
"""What is asked of every study, the table whose page shows it, and how it is answered."""


SHORT = dict(
    zip(
        (question for question, _, _ in QUESTIONS),
        (
            "Refined activity nearer to EMG?",
            "Network better than the mean EMG curve?",
            "Network better than ridge regression?",
            "Network better than an LSTM without attention?",
            "Our kernel ridge better than both curve and ridge?",
            "Network uses its own input?",
            "Network uses it and beats the curve?",
            "Attention maps say where it looks?",
            "Gains survive correction for many muscles?",
        ),
        strict=True,
    )
)
"""Each question in few words, for the front page."""


def rule() -> list[str]:
    """Return the one rule that every answer follows, a sentence or two a line."""
    sizes = " and ".join(f"{len(of_family(name))} of {page}" for name, page in _PAGES.items())
    return [
        f"Methods are compared by {len(planned())} contrasts that stand in a file (nem2e_lib/analysis/{FILE.name}) and "
        "were chosen by question, not by outcome, though earlier runs of the same studies were known when they were "
        "written: Er of a method minus Er of its rival, paired over held-out units, with its 95 % interval before p.",
        f"{SHOWN.capitalize()}: Er is lower, p < {ALPHA:g}. {OTHERWISE.capitalize()}: Er is higher, p < {ALPHA:g}. "
        f"{NOT_SHOWN.capitalize()}: neither, which is no evidence of no difference: the interval says what remains "
        f"possible. {CANNOT.capitalize()}: no test can be made. p is corrected by Holm over the family of a study, "
        f"{sizes}; intervals are for one comparison.",
        "Models that leave one unit out share most of their training data, so their errors are not independent and a "
        "plain t-test is too sure. Answers go by the corrected resampled t-test (Nadeau & Bengio 2003, variance factor "
        "1/n + 1/(n − 1) for 1/n); the plain interval stands in brackets, and flipping the signs of units is a "
        "check that supposes no normal distribution.",
        f"With fewer than {FEWEST} held-out units nothing is {SHOWN}: even the exact test of signs cannot reach "
        f"p < {ALPHA:g}. Speeds and cycles of one person say nothing of others.",
        f"A question that joins two contrasts is {SHOWN} where both are and {OTHERWISE} where either is; it has no "
        "test of its own. Improvements of muscles go by the same test, Holm over the electrodes of a condition; maps "
        f"by the same interval, held against a change of Er by {MARGIN:g} when their weights are made uniform.",
    ]


_PAGES = {"methods": CONTRASTS.page, "input": NEEDED.page}


def bounded(site: Site, studies: Iterable[str]) -> list[str]:
    """Say how many answers the dependence of folds changes, and how often signs alone bear out what is shown."""
    rows = []
    for study in studies:
        for shared in (CONTRASTS, NEEDED):
            try:
                rows.append(site.rows(shared, study))
            except Untold:
                continue
    if not rows:
        return []
    table = pd.concat(rows, ignore_index=True)
    tested = table[table["p_holm"].notna()]
    changed = tested[tested["answer"] != tested["plain_answer"]]
    named = [f"{row['study']}: {_pair(row)}, {row['plain_answer']}" for row in changed.to_dict("records")]
    decided = tested[tested["answer"].isin((SHOWN, OTHERWISE))]
    agree = int((decided["p_flips"] < ALPHA).sum())
    return [
        f"Taking folds for independent would change {len(changed)} of {plural(len(tested), 'answer')}"
        + (f" ({'; '.join(named)})." if named else "."),
        f"Of {plural(len(decided), 'contrast')} that {'is' if len(decided) == 1 else 'are'} {SHOWN} or {OTHERWISE}, "
        f"flipping signs alone gives p < {ALPHA:g} in {agree}.",
    ]


def _pair(row: Mapping[Any, Any]) -> str:
    return f"{label_of(row['method'])} against {label_of(row['rival'])}"


def by_question(found: list[Answer]) -> Iterator[tuple[str, list[Answer]]]:
    """Group answers by question, in the order asked."""
    for question in dict.fromkeys(answer.question for answer in found):
        yield question, [answer for answer in found if answer.question == question]
