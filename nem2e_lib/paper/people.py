"""What real people say, in the words of a results section: logic of 17_people, and what opens a site on people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.analysis.agreement import DELAYS_MS, agreement
from nem2e_lib.analysis.contrasts import CANNOT, NOT_SHOWN, OTHERWISE, SHOWN
from nem2e_lib.analysis.leaderboard import against
from nem2e_lib.analysis.statistics import FEWEST
from nem2e_lib.data.cycles.segment import CONDITION
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.panels import plural
from nem2e_lib.figures.style import label_of, signed
from nem2e_lib.paper.answers import Judged
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.shared_tables import CONTRASTS, DUELS, LEADERBOARD, SharedTable
from nem2e_lib.simulate.people import MADE, laboratory
from nem2e_lib.site.contents import Studied
from nem2e_lib.site.tables import Table, rounded
from nem2e_lib.training.conditions import CONDITIONS
from nem2e_lib.training.units import others, unit_name, units_said

MEAN, OPENSIM, OWN = "mean_curve", "identity", "delayed_kernel_ridge"
"""Ids of the methods that sentences are about: the mean curve, the simulation as it stands, this project's own."""
OPEN_POINT = (
    "No published table is reproduced here: the recordings of Teramae et al. (2025) stand behind a login. These are "
    "other people, and the paper's claims are asked of them as far as they can answer."
)


def studied(study: str, cycles: xr.Dataset, unit: str) -> Studied:
    """Say who was measured in a study, and how the rest was made."""
    people = len(np.unique(cycles["subject"]))
    of_channel = measured_people(cycles)
    few = {name: n for name, n in of_channel.items() if n < people}
    muscles = ", ".join(f"{name} in {n}" if name in few else name for name, n in of_channel.items())
    invented = bool(cycles.attrs["synthetic"])
    counts = (
        plural(people, "SYNTHETIC subject") if invented else "1 person" if people == 1 else f"{people} people",
        *_circumstances(cycles),
        plural(cycles.sizes["cycle"], "gait cycle"),
        f"{plural(len(of_channel), 'muscle')} ({muscles})",
    )
    told = {name: str(cycles.attrs.get(name, "")) for name in ("simulated_by", "citation", "licence")}
    motion = str(cycles.attrs["motion"])
    left = f"one {unit_name(unit)} left out at a time"
    return Studied(study, motion, f"{motion}, {', '.join(counts)}; {left}", unit, **told)


def _circumstances(cycles: xr.Dataset) -> list[str]:
    """Speeds, and conditions where the study tells them."""
    told = [plural(len(np.unique(cycles["speed"])), "speed")]
    if CONDITION not in cycles.coords:
        return told
    conditions = list(dict.fromkeys(cycles[CONDITION].values.astype(str).tolist()))
    named = f"{plural(len(conditions), 'condition')} ({', '.join(conditions)})"
    return [named] if len(np.unique(cycles["speed"])) == 1 else [*told, named]


def measured_people(cycles: xr.Dataset) -> dict[str, int]:
    """Return in how many people each EMG channel was measured."""
    there = np.isfinite(cycles.emg.transpose("channel", "cycle", "sample").values).all(axis=2)
    people = cycles.subject.values.astype(str)
    return {
        str(channel): len(np.unique(people[row])) for channel, row in zip(cycles.channel.values, there, strict=True)
    }


@dataclass(frozen=True)
class Results:
    """What a run has found on people: its cycles, and the tables of 08_rivals.

    Attributes
    ----------
    cycles, units
        Segmented cycles, and what was left out at a time, by study.
    board, duels
        Rows of `leaderboard.standings` and `leaderboard.duels`.
    judged
        Rows of `contrasts.judged`: the planned contrasts, whose answers are those of the page "What holds".
    laboratory
        How angles and moments agree with the laboratory's own, by study that has them: `simulate.people.laboratory`.
    """

    cycles: Mapping[str, xr.Dataset]
    units: Mapping[str, str]
    board: pd.DataFrame
    duels: pd.DataFrame
    judged: pd.DataFrame
    laboratory: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Findings) -> Results:
        """Read the tables of a run.

        Raises
        ------
        Nem2eError
            When 08_rivals has not run, or has saved other tables.
        """
        units = {study: str(rows["one_entire"].attrs["unit"]) for study, rows in found.trained.items()}
        own = {study: laboratory(path) for study, path in found.run.studies.items() if (path / MADE).is_file()}
        there = {study: rows for study, rows in own.items() if len(rows)}
        board, duels, judged = (_read(shared, found) for shared in (LEADERBOARD, DUELS, CONTRASTS))
        return cls(found.cycles, units, board, duels, judged, there)

    @property
    def agreement(self) -> pd.DataFrame:
        """Simulated against measured, muscle by muscle, of every study."""
        tables = [agreement(cycles).assign(study=study) for study, cycles in self.cycles.items()]
        return pd.concat(tables, ignore_index=True)

    def standing(self, study: str, method: str) -> pd.Series:
        """Return a method's row of the leaderboard."""
        rows = self.board[(self.board["study"] == study) & (self.board["method"] == method)]
        if len(rows) != 1:
            raise Nem2eError(f"{LEADERBOARD.file} has {len(rows)} rows of {method} in {study}, expected one.")
        return rows.iloc[0]

    def contrast(self, study: str, method: str, rival: str) -> Judged:
        """Return the planned contrast of a method with a rival."""
        own = self.judged
        rows = own[(own["study"] == study) & (own["method"] == method) & (own["rival"] == rival)]
        if len(rows) != 1:
            raise Nem2eError(
                f"{CONTRASTS.file} has {len(rows)} rows of {method} and {rival} in {study}, expected one; run "
                f"{CONTRASTS.page} again."
            )
        return Judged(rows.iloc[0])

    def of_networks(self, study: str, rival: str) -> list[Judged]:
        """Return the planned contrasts of the paper's networks with a rival."""
        return [self.contrast(study, condition, rival) for condition in CONDITIONS]


def _read(shared: SharedTable, found: Findings) -> pd.DataFrame:
    data = shared.read(found.run.site)
    if data is None:
        raise Nem2eError(f"{found.run.site / shared.file} is not there yet; run {shared.page} first.")
    if wrong := shared.problem(data):
        raise Nem2eError(f"{found.run.site / shared.file}: {wrong}; run {shared.page} again.")
    return data


# --- Sentences ---


def who(results: Results) -> list[str]:
    """Say who was measured in each study, and how."""
    lines = []
    for study, cycles in results.cycles.items():
        one = studied(study, cycles, results.units[study])
        each = pd.Series(cycles.subject.values.astype(str)).value_counts()
        some = str(each.min()) if each.min() == each.max() else f"{each.min()} to {each.max()}"
        kept = (
            f" {plural(int(cycles.attrs['skipped']), 'further cycle')} skipped." if cycles.attrs.get("skipped") else ""
        )
        lines.append(
            f"{study}: {one.who}. {some} gait cycles a person.{kept} Simulated by {one.simulated_by}. "
            f"{_processed(cycles)}Licence: {one.licence or 'not told'}. Cite: {one.citation or 'not told'}"
        )
    return lines


def _processed(cycles: xr.Dataset) -> str:
    told = str(cycles.attrs.get("emg_processing", "")).rstrip(".")
    return f"EMG: {told}. " if told else ""


def agrees(table: pd.DataFrame) -> list[str]:
    """Say how far the simulation agrees with EMG as it stands, a sentence a study."""
    lines = []
    for study, rows in table.groupby("study", sort=False):
        ranked: list[Any] = list(rows.sort_values("r", ascending=False).itertuples())
        told = ", ".join(f"{one.muscle} {rounded(one.r)}{_interval(one.ci_low, one.ci_high)}" for one in ranked)
        late = [f"{one.muscle} {one.delay_ms:.0f} ms" for one in ranked if np.isfinite(one.delay_ms)]
        none = [str(one.muscle) for one in ranked if not np.isfinite(one.delay_ms)]
        people = sorted(set(rows["n"]))
        n = str(people[0]) if len(people) == 1 else f"{people[0]} to {people[-1]}"
        lines.append(
            f"{study}: correlation of simulated activation with EMG over the cycle, mean over people (n = {n}): "
            f"{told}. EMG leads it by, at best: {', '.join(late) or 'nothing'}"
            + (f"; of {', '.join(none)} no delay up to {DELAYS_MS[-1]} ms is best." if none else ".")
        )
    return lines


def against_laboratory(results: Results) -> list[str]:
    """Say how far joint moments and angles agree with the laboratory's own, a sentence a study that has them."""
    lines = []
    for study, rows in results.laboratory.items():
        medians = rows.groupby(["quantity", "joint"], sort=False)["r"].median()
        joints = list(dict.fromkeys(rows["joint"]))
        moments, angles = (
            ", ".join(f"{joint} {rounded(medians[quantity, joint], 3)}" for joint in joints)
            for quantity in ("moment", "angle")
        )
        lines.append(
            f"{study}: in {plural(rows['trial'].nunique(), 'walk')}, net joint moments in stance correlate with those "
            f"that the laboratory's own model left in the same files by, in the median, {moments}; joint angles over "
            f"the gait cycle by {angles}. Both come from the same markers and forces: it shows that these were taken "
            "over rightly, and nothing of how moments are shared out over muscles."
        )
    return lines


def laboratory_table(study: str, rows: pd.DataFrame) -> Table:
    """Return a study's agreement with the laboratory's own angles and moments as a table for reading."""
    groups = rows.groupby(["quantity", "joint"], sort=False)
    shown = pd.DataFrame(
        [
            {
                "quantity": quantity,
                "joint": joint,
                "n": str(len(part)),
                "r, median": rounded(part["r"].median(), 3),
                "r, lowest": rounded(part["r"].min(), 3),
                "rms, median": f"{rounded(part['rms'].median())} {part['unit'].iloc[0]}",
                "offset, median": f"{rounded(part['offset'].median())} {part['unit'].iloc[0]}",
            }
            for (quantity, joint), part in groups
        ]
    )
    caption = (
        "n: walks of the measured leg. Moments while its foot is on a plate, angles from that contact to the foot's "
        "next strike. rms: of the difference, of angles after their offset (simulated minus laboratory's) is taken off."
    )
    return Table(rows, shown, f"{study}: OpenSim against the laboratory's own model", caption)


def networks(results: Results, study: str) -> list[str]:
    """Say how the paper's networks and this project's own method stand against the mean curve and the simulation."""
    unit, whose = results.units[study], others(results.units[study])
    mean, found = results.standing(study, MEAN), results.of_networks(study, MEAN)
    lines = [
        f"{study}: replaying the mean EMG curve of {whose} gives Er {signed(mean['er_mean'])}"
        f"{_interval(mean['ci_low'], mean['ci_high'])}, n = {units_said(int(mean['n_units']), unit, 'held-out')}; "
        "the simulation as it stands has 0 by definition.",
        "Er of the paper's networks minus that of the mean curve, paired: "
        + "; ".join(f"{label_of(one.method)} {one.numbers}" for one in found)
        + ".",
        verdict(found, f"the mean curve of {whose}"),
    ]
    if set(results.board.loc[results.board["study"] == study, "method"]) >= {OWN}:
        own, one = results.standing(study, OWN), results.contrast(study, OWN, MEAN)
        lines.append(
            f"{_begin(label_of(OWN))}, this project's own method: rank {int(own['rank'])} of "
            f"{int((results.board['study'] == study).sum())}, Er {signed(own['er_mean'])}, against the mean curve "
            f"{one.numbers}. Better than the mean curve: {one.answer}."
        )
    return [*lines, best(results, study)]


def verdict(found: Iterable[Judged], rival: str) -> str:
    """Say in a sentence whether methods are better than a rival; an outcome against them like any other."""
    found = list(found)
    by_answer = {name: [one for one in found if one.answer == name] for name in (SHOWN, OTHERWISE, NOT_SHOWN, CANNOT)}
    untold = by_answer[CANNOT]
    words = {
        SHOWN: f"shown to be better than {rival}.",
        OTHERWISE: f"shown to be worse than {rival}.",
        NOT_SHOWN: f"not shown to differ from {rival}.",
    }
    sentences = [
        _begin(f"{_names(some)} {'is' if len(some) == 1 else 'are'} {words[name]}")
        for name, some in by_answer.items()
        if some and name in words
    ]
    if untold:
        sentences.append(f"Whether {_names(untold)} can beat {rival} cannot be told: no test can be made.")
    return " ".join([*sentences, *_alone(by_answer[NOT_SHOWN])])


def _alone(unsure: list[Judged]) -> list[str]:
    """Say of what is not shown whether units are too few, or what would be shown of it as the only comparison."""
    if not unsure:
        return []
    if unsure[0].row["n"] < FEWEST:
        few = units_said(int(unsure[0].row["n"]), str(unsure[0].row["unit"]))
        return [f"From {few} nothing can be shown either way; it takes {FEWEST}."]
    would = [
        f"{_names(some)} would be {word}"
        for answer, word in ((SHOWN, "better"), (OTHERWISE, "worse"))
        if (some := [one for one in unsure if one.alone == answer])
    ]
    return [f"As the only comparison, {' and '.join(would)}."] if would else []


def best(results: Results, study: str) -> str:
    """Say which method leads; it is named after the fact, so that it is not tested."""
    board = (
        results.board[results.board["study"] == study].dropna(subset="er_mean").sort_values("er_mean", kind="stable")
    )
    first = board.iloc[0]
    said = f"The lowest Er has {label_of(first['method'])}: {signed(first['er_mean'])}" + _interval(
        first["ci_low"], first["ci_high"]
    )
    return f"{said}, picked out of {len(board)} after the fact: no test of it would be fair."


def meaning(results: Results, study: str) -> list[str]:
    """Say what it means for a reader, from the answers alone."""
    found, raw = results.of_networks(study, MEAN), results.of_networks(study, OPENSIM)
    nearer = [one for one in raw if one.answer == SHOWN]
    wins = [one for one in found if one.answer == SHOWN]
    lines = [
        f"{study}: against the simulation as it stands, Er of {_names(raw)} is "
        f"{', '.join(signed(one.difference) for one in raw)}; "
        + (
            f"{_names(nearer)} {_verb(nearer, 'is', 'are')} shown to be nearer to EMG."
            if nearer
            else " ".join(["that any is nearer to EMG is not shown.", *_alone(raw)])
        )
    ]
    if wins:
        return [*lines, _begin(f"{_names(wins)} {_verb(wins, 'does', 'do')} more than replay the mean curve.")]
    lines.append(
        f"Replaying the mean EMG curve of {others(results.units[study])}, which needs no simulation, is not shown to "
        "be worse: whether the networks add anything to it cannot be seen here."
    )
    widths = [one.half_width for one in found if one.is_tested]
    if widths and found[0].row["n"] >= FEWEST:
        few = units_said(int(found[0].row["n"]), results.units[study])
        lines.append(
            f"That is no proof that they add nothing: intervals reach {rounded(max(widths))} to either side, so {few} "
            "cannot show smaller differences in Er."
        )
    return lines


def caveats(results: Results) -> list[str]:
    """Say what these results cannot carry, counted where it can be counted."""
    lines = []
    for study, cycles in results.cycles.items():
        people, unit = len(np.unique(cycles.subject)), results.units[study]
        electrodes = len(np.unique(cycles.electrode))
        lines.append(f"{study}: {plural(electrodes, 'electrode')}, simulated by {cycles.attrs['simulated_by']}.")
        if people == 1:
            lines.append(
                f"{study}: one person. What is left out are its {unit_name(unit, 2)}; nothing is said of other people."
            )
        few = {name: n for name, n in measured_people(cycles).items() if n < people}
        if few:
            told = ", ".join(f"{name} in {n}" for name, n in few.items())
            lines.append(f"{study}: not everybody has every muscle: {told} of {people}.")
    return lines


def headline(results: Results) -> list[str]:
    """Return the sentences that open a front page: what was asked, and what came out, a paragraph a study."""
    lines = [OPEN_POINT]
    for study in results.cycles:
        mean, found = results.standing(study, MEAN), results.of_networks(study, MEAN)
        nets = ", ".join(f"{label_of(c)} {signed(results.standing(study, c)['er_mean'])}" for c in CONDITIONS)
        lines.append(
            f"{study}: Er (lower is better) of the paper's networks {nets}; of the mean EMG curve of "
            f"{others(results.units[study])} {signed(mean['er_mean'])}. {verdict(found, 'that curve')} "
            f"{best(results, study)}"
        )
    return lines


# --- The table of methods ---


def methods(results: Results) -> Table:
    """Return every method with its Er, interval and rank in each study, and its difference from the mean curve."""
    studies = list(results.cycles)
    order = results.board[results.board["study"] == studies[0]].sort_values("er_mean")["method"]
    rows, shown = [], []
    for method in dict.fromkeys([*order, *results.board["method"]]):
        cells: dict[tuple[str, str], str] = {("", "method"): label_of(method)}
        for study in studies:  # every method was evaluated in each
            row, texts = _of_study(results, study, str(method))
            rows.append(row)
            cells |= {(f"{study} (n = {row['n']})", name): text for name, text in texts.items()}
        shown.append(cells)
    data = pd.DataFrame(rows)
    table = pd.DataFrame([list(cells.values()) for cells in shown])
    table.columns = pd.MultiIndex.from_tuples([*shown[0]])
    left = ", ".join(f"{study}: {unit_name(results.units[study], 2)}" for study in studies)
    caption = (
        f"Er: mean over electrodes, then over what was left out ({left}), with its 95 % CI as in the paper. Against "
        "the mean curve: difference of Er, paired, with the 95 % CI of this one comparison, corrected for training "
        "data that folds share; an answer stands where the contrast was planned. Lower is better."
    )
    return Table(data, table, "Every method on people, beside the mean EMG curve", caption)


def _of_study(results: Results, study: str, method: str) -> tuple[dict[str, Any], dict[str, str]]:
    row = results.standing(study, method)
    kept = {"study": study, "method": method, "n": int(row["n_units"])}
    kept |= {name: row[name] for name in ("rank", "er_mean", "ci_low", "ci_high")}
    texts = {"Er": f"{rounded(row['er_mean'], 3)}{_interval(row['ci_low'], row['ci_high'])}"}
    if method == MEAN:
        return kept, texts | {"against the mean curve": "–"}
    pairs = against(results.duels[results.duels["study"] == study], method)
    pair = pairs[pairs["rival"] == MEAN].iloc[0]
    kept |= {name: pair[old] for old, name in _OF_PAIRS.items()}
    planned = results.judged[(results.judged["study"] == study) & (results.judged["rival"] == MEAN)]
    answer = "".join(planned.loc[planned["method"] == method, "answer"])
    told = f"{rounded(pair['difference'], 3)}{_interval(pair['low'], pair['high'])}"
    return kept | {"answer": answer}, texts | {"against the mean curve": "; ".join(filter(None, [told, answer]))}


_OF_PAIRS = {"difference": "difference", "low": "difference_low", "high": "difference_high"}


def agreement_table(found: pd.DataFrame) -> Table:
    """Return `Results.agreement` as a table for reading."""
    shown = pd.DataFrame(
        {
            "study": found["study"],
            "muscle": found["muscle"],
            "n": found["n"].astype(str),
            "cycles": found["cycles"].astype(str),
            "r": [
                f"{rounded(r)}{_interval(a, b)}" for r, a, b in zip(found.r, found.ci_low, found.ci_high, strict=True)
            ],
            "best delay (ms)": ["none" if np.isnan(d) else f"{d:.0f}" for d in found["delay_ms"]],
            "r at that delay": found["r_delayed"].map(rounded),
        }
    )
    caption = (
        "r over the gait cycle, mean over a person's cycles, then over people, with its 95 % CI (none for one person); "
        f"delay: by how much EMG comes first, of 0 to {DELAYS_MS[-1]} ms, each cycle wrapped around."
    )
    return Table(found, shown, "Simulated activation against measured EMG", caption)


# --- Words ---


def _names(found: Iterable[Judged]) -> str:
    names = [label_of(one.method) for one in found]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _begin(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _verb(found: list[Judged], one: str, many: str) -> str:
    return one if len(found) == 1 else many


def _interval(low: float, high: float) -> str:
    return f" [{rounded(low)}, {rounded(high)}]" if np.isfinite(low) and np.isfinite(high) else ""
