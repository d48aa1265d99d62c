"""The way through a site by question: what a newcomer asks, answered from the run's tables, and the page of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from nem2e_lib.analysis import statistics
from nem2e_lib.analysis.claims import summarise
from nem2e_lib.analysis.contrasts import SHOWN
from nem2e_lib.analysis.statistics import ALPHA, FEWEST
from nem2e_lib.figures.panels import plural
from nem2e_lib.figures.style import label_of, signed
from nem2e_lib.paper.answers import MAPS, OWN_INPUT, PAPER, Answer, Judged, Site, Untold
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.shared_tables import CONTRASTS, LEADERBOARD
from nem2e_lib.site.contents import Guided
from nem2e_lib.site.saving import saved_csv
from nem2e_lib.training.units import others, units_said

MEAN, OPENSIM, ALL, OWN = "mean_curve", "identity", "all_entire", "one_entire"
LISTED = 4
"""Muscles up to which each is named with its number."""


def guide(found: Findings, site: Site, asked: Iterable[Answer], claims: pd.DataFrame) -> list[Guided]:
    """Return the questions with their answers; one whose page a run lacks is left out.

    Parameters
    ----------
    found, site
        Of the run, whose notebooks have all been run.
    asked
        Its `answers.answers`.
    claims
        Its claims: id and verdict.
    """
    every = list(asked)
    told = [
        Guided("What beats the mean EMG curve?", _lines(found, lambda s: _mean(site, s)), "touch_leaderboard.html"),
        Guided(
            "Which muscles gain when the network reads all muscles?",
            _lines(found, lambda s: _all_muscles(found, s)),
            "all_against_own.html",
        ),
        Guided(
            "Is the refined activity nearer to EMG than the simulated one?",
            _lines(found, lambda s: _nearer(site, s)),
            "touch_waveforms.html",
        ),
        Guided(
            "Does the attention map say where the network looks?",
            _lines(found, lambda s: _asked(every, s, MAPS)),
            "14_attention_tests.html",
        ),
        Guided("Did a claim of the paper hold, and why?", summarise(claims).said, "claims.html"),
        Guided(
            "Do the paper’s own numbers agree with each other?",
            " ".join(one.evidence for one in every if one.study == PAPER),
            "10_audit.html",
        ),
        Guided(
            "Does refined activity begin and peak at the right time?",
            "Onset, offset, time and height of the peak, and co-contraction, method by method.",
            "18_timing.html",
        ),
        Guided(
            "Does the network use its input, or replay what it remembers?",
            _lines(found, lambda s: _asked(every, s, OWN_INPUT)),
            "13_controls.html",
        ),
        Guided(
            "What does the paper leave open, and does it matter?",
            "Every choice that it does not tell, with what varying it does to Er.",
            "15_ablations.html",
        ),
        Guided(
            "How would a refiner do on my recordings?",
            "One is trained, kept and tried here, with its band and what is out of its range.",
            "09_refine.html",
        ),
        Guided(
            "Who was measured, and is the simulation itself right?",
            "Angles and moments beside the laboratory’s own, activation beside EMG.",
            "17_people.html",
        ),
    ]
    return [one for one in told if (found.run.site / one.page).exists() or _saved(found, one.page)]


def _saved(found: Findings, page: str) -> bool:
    """Whether a figure or a chart of that name was saved: its page is written with the front page."""
    return saved_csv(found.run.site, Path(page).stem) is not None


def _lines(found: Findings, answer: Callable[[str], str]) -> str:
    """Answer for each study, a sentence each."""
    return " ".join(f"{study[:1].upper()}{study[1:]}: {_or_why(answer, study)}" for study in found.cycles)


def _or_why(answer: Callable[[str], str], study: str) -> str:
    try:
        return answer(study)
    except Untold as reason:
        return str(reason)


def _mean(site: Site, study: str) -> str:
    """Say what is shown to be better than the mean curve, and what came out lowest."""
    board = site.rows(LEADERBOARD, study).set_index("method")["er_mean"]
    rows = site.rows(CONTRASTS, study)
    against = [Judged(row) for _, row in rows[rows["rival"] == MEAN].iterrows()]
    shown = [label_of(one.method) for one in against if one.answer == SHOWN]
    n = int(rows["n"].max())
    if n < FEWEST:
        told = f"nothing can be shown from {units_said(n, str(rows['unit'].iloc[0]))}"
    else:
        told = f"{', '.join(shown)}" if shown else f"nothing is shown to, of {plural(len(against), 'planned contrast')}"
    best = str(board.idxmin())
    whose = others(site.units.get(study, "subject"), "subjects")
    return (
        f"{told}. Lowest Er: {label_of(best)} {signed(board[best])}; mean EMG curve of {whose} {signed(board[MEAN])}."
    )


def _all_muscles(found: Findings, study: str) -> str:
    """Say by how much reading all muscles changes Er of each muscle, and where that is shown."""
    table = all_against_own(found.errors[found.errors["study"] == study])
    tested = table[table["n"] >= FEWEST]
    lower = tested[(tested["p_holm"] < ALPHA) & (tested["difference"] < 0)]
    higher = tested[(tested["p_holm"] < ALPHA) & (tested["difference"] > 0)]
    if tested.empty:
        said = f"nothing can be shown from {units_said(int(table['n'].max()), found.units[study])}"
    else:
        said = f"shown of {', '.join(lower['muscle']) or 'none'}"
        said += f"; worse is shown of {', '.join(higher['muscle'])}" if len(higher) else ""
    below = int((table["difference"] < 0).sum())
    return f"{said}; Er is lower in {below} of {plural(len(table), 'muscle')}{_each(table)}."


def _each(table: pd.DataFrame) -> str:
    if len(table) > LISTED:
        return ""
    rows = table.to_dict("records")
    told = [f"{r['muscle']} {signed(r['difference'])} [{signed(r['ci_low'])}, {signed(r['ci_high'])}]" for r in rows]
    return f": {', '.join(told)}"


def all_against_own(errors: pd.DataFrame) -> pd.DataFrame:
    """Return Er of All-Entire minus that of One-Entire, muscle by muscle: `statistics.paired`, corrected for folds.

    Parameters
    ----------
    errors
        Rows of `metrics.errors`.
    """
    return statistics.paired(errors, ALL, OWN, test=statistics.over_folds)


def _nearer(site: Site, study: str) -> str:
    rows = site.rows(CONTRASTS, study)
    found = [Judged(row) for _, row in rows[rows["rival"] == OPENSIM].iterrows()]
    if not found:
        raise Untold("not compared.")
    told = [f"{label_of(one.method)} {signed(one.difference)}, {one.answer}" for one in found]
    return f"{'; '.join(told)}."


def _asked(every: Iterable[Answer], study: str, question: str) -> str:
    """Say the answers to a question of the page "What holds"."""
    told = [one for one in every if one.study == study and one.question == question]
    return "; ".join(dict.fromkeys(_short(told))) + "."


def _short(answers: Iterable[Answer]) -> Iterator[str]:
    for one in answers:
        yield f"{one.about}: {one.verdict}" if one.about else one.verdict


def done(found: Findings, methods: int) -> str:
    """Say in a sentence what was done."""
    cycles = sum(own.sizes["cycle"] for own in found.cycles.values())
    left = " or ".join(dict.fromkeys(units_said(2, unit).split(" ", 1)[1] for unit in found.units.values()))
    whose = "SYNTHETIC" if found.any_synthetic else "measured"
    networks = len(np.unique([c for rows in found.trained.values() for c in rows]))
    return (
        f"Simulated activation of {plural(cycles, 'gait cycle')} was refined by the paper’s network in "
        f"{plural(networks, 'condition')} and by {methods - networks} other methods, each judged on {left} that it had "
        f"not seen, against {whose} EMG. Er = RMSE refined / RMSE simulated − 1: lower is better."
    )
