"""What real people say, in the words of a results section: logic of 17_people, and what opens a site on people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.analysis.agreement import DELAYS_MS, agreement
from nem2e_lib.analysis.statistics import ALPHA
from nem2e_lib.data.cycles.segment import CONDITION
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.panels import plural
from nem2e_lib.figures.style import label_of, signed
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.shared_tables import DUELS, LEADERBOARD, SharedTable
from nem2e_lib.simulate.people import MADE, laboratory
from nem2e_lib.site.contents import Studied
from nem2e_lib.site.tables import Table, p_text, rounded
from nem2e_lib.training.conditions import CONDITIONS
from nem2e_lib.training.units import unit_name, units_said

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
    counts = (
        "1 person" if people == 1 else f"{people} people",
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
    laboratory
        How angles and moments agree with the laboratory's own, by study that has them: `simulate.people.laboratory`.
    """

    cycles: Mapping[str, xr.Dataset]
    units: Mapping[str, str]
    board: pd.DataFrame
    duels: pd.DataFrame
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
        return cls(found.cycles, units, _read(LEADERBOARD, found), _read(DUELS, found), there)

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

    def duel(self, study: str, method: str, rival: str) -> Duel:
        """Return a method's comparison with a rival, whichever way round it stands."""
        here = self.duels[self.duels["study"] == study]
        one = here[(here["a"] == method) & (here["b"] == rival)]
        other = here[(here["a"] == rival) & (here["b"] == method)]
        if len(one) + len(other) != 1:
            raise Nem2eError(f"{DUELS.file} has {len(one) + len(other)} rows of {method} and {rival}, expected one.")
        row, sign = (one.iloc[0], 1.0) if len(one) else (other.iloc[0], -1.0)
        low, high = sorted((sign * row["ci_low"], sign * row["ci_high"]))
        return Duel(method, rival, sign * row["difference"], low, high, row["p_holm"], int(row["n"]))


@dataclass(frozen=True)
class Duel:
    """Er of a method minus Er of its rival, the 95 % CI of this one comparison, and p after Holm over all pairs."""

    method: str
    rival: str
    difference: float
    low: float
    high: float
    p_holm: float
    n: int

    @property
    def sure(self) -> bool:
        """Whether the two differ after correction."""
        return bool(self.p_holm < ALPHA)

    @property
    def sure_alone(self) -> bool:
        """Whether they would, were this the only comparison."""
        return bool(self.low > 0 or self.high < 0)

    @property
    def said(self) -> str:
        """The numbers: difference, interval and p."""
        if not np.isfinite(self.p_holm):
            return f"{signed(self.difference)} (no test can be made)"
        interval = f"95 % CI {signed(self.low)} to {signed(self.high)}"
        return f"{signed(self.difference)} ({interval}, p {_p(self.p_holm)} after Holm)"


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
    unit, whose = results.units[study], _whose(results, study)
    mean = results.standing(study, MEAN)
    duels = [results.duel(study, condition, MEAN) for condition in CONDITIONS]
    lines = [
        f"{study}: replaying the mean EMG curve of {whose} gives Er {signed(mean['er_mean'])}"
        f"{_interval(mean['ci_low'], mean['ci_high'])}, n = {units_said(int(mean['n_units']), unit, 'held-out')}; "
        "the simulation as it stands has 0 by definition.",
        "Er of the paper's networks minus that of the mean curve, paired: "
        + "; ".join(f"{label_of(one.method)} {one.said}" for one in duels)
        + ".",
        verdict(duels, f"the mean curve of {whose}"),
    ]
    if set(results.board.loc[results.board["study"] == study, "method"]) >= {OWN}:
        own, duel = results.standing(study, OWN), results.duel(study, OWN, MEAN)
        lines.append(
            f"{_begin(label_of(OWN))}, this project's own method: rank {int(own['rank'])} of "
            f"{int((results.board['study'] == study).sum())}, Er {signed(own['er_mean'])}, against the mean curve "
            f"{duel.said}."
        )
    return [*lines, best(results, study)]


def verdict(duels: Iterable[Duel], rival: str) -> str:
    """Say in a sentence whether methods beat a rival; an outcome against them like any other."""
    duels = list(duels)
    if not any(np.isfinite(one.p_holm) for one in duels):
        return f"Whether {_names(duels)} can beat {rival} cannot be told: no test can be made."
    better = [one for one in duels if one.sure and one.difference < 0]
    worse = [one for one in duels if one.sure and one.difference > 0]
    rest = [one for one in duels if not one.sure]
    alone = [one for one in rest if one.sure_alone]
    would = [
        f"{_names(some)} would be {word}"
        for word, some in (
            ("better", [one for one in alone if one.difference < 0]),
            ("worse", [one for one in alone if one.difference > 0]),
        )
        if some
    ]
    said = (
        (better, f"{_verb(better, 'beats', 'beat')} {rival}."),
        (worse, f"{_verb(worse, 'is', 'are')} worse than {rival}."),
        (rest, f"{_verb(rest, 'is', 'are')} not shown to differ from {rival} after correction."),
    )
    sentences = [_begin(f"{_names(some)} {told}") for some, told in said if some]
    return " ".join([*sentences, *([f"As the only comparison, {' and '.join(would)}."] if would else [])])


def best(results: Results, study: str) -> str:
    """Say which method leads, and whether it surely beats the mean curve."""
    board = (
        results.board[results.board["study"] == study].dropna(subset="er_mean").sort_values("er_mean", kind="stable")
    )
    first = board.iloc[0]
    said = f"The lowest Er has {label_of(first['method'])}: {signed(first['er_mean'])}" + _interval(
        first["ci_low"], first["ci_high"]
    )
    if first["method"] == MEAN:
        return f"{said}."
    duel = results.duel(study, str(first["method"]), MEAN)
    shown = "surely better" if duel.sure else "not shown to be better"
    return f"{said}; {shown} than the mean curve: {duel.said}."


def meaning(results: Results, study: str) -> list[str]:
    """Say what it means for a reader, from the verdicts alone."""
    duels = [results.duel(study, condition, MEAN) for condition in CONDITIONS]
    raw = [results.duel(study, condition, OPENSIM) for condition in CONDITIONS]
    nearer = [one for one in raw if one.sure and one.difference < 0]
    wins = [one for one in duels if one.sure and one.difference < 0]
    lines = [
        f"{study}: against the simulation as it stands, Er of {_names(raw)} is "
        f"{', '.join(signed(one.difference) for one in raw)}; after correction "
        + (f"{_names(nearer)} {_verb(nearer, 'is', 'are')} nearer to EMG." if nearer else "that is not sure of any.")
    ]
    if wins:
        return [*lines, _begin(f"{_names(wins)} {_verb(wins, 'does', 'do')} more than replay the mean curve.")]
    lines.append(
        f"Replaying the mean EMG curve of {_whose(results, study)}, which needs no simulation, is not shown to be "
        "worse: whether the networks add anything to it cannot be seen here."
    )
    widths = [(one.high - one.low) / 2 for one in duels if np.isfinite(one.p_holm)]
    if widths:
        few = units_said(duels[0].n, results.units[study])
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
        mean, duels = results.standing(study, MEAN), [results.duel(study, c, MEAN) for c in CONDITIONS]
        nets = ", ".join(f"{label_of(c)} {signed(results.standing(study, c)['er_mean'])}" for c in CONDITIONS)
        lines.append(
            f"{study}: Er (lower is better) of the paper's networks {nets}; of the mean EMG curve of "
            f"{_whose(results, study)} {signed(mean['er_mean'])}. {verdict(duels, 'that curve')} {best(results, study)}"
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
        f"Er: mean over electrodes, then over what was left out ({left}), with its 95 % CI. Against the mean curve: "
        "difference of Er, paired, with the 95 % CI of this one comparison; * where p < .05 after Holm over all pairs "
        "of methods of a study. Lower is better."
    )
    return Table(data, table, "Every method on people, beside the mean EMG curve", caption)


def _of_study(results: Results, study: str, method: str) -> tuple[dict[str, Any], dict[str, str]]:
    row = results.standing(study, method)
    kept = {"study": study, "method": method, "n": int(row["n_units"])}
    kept |= {name: row[name] for name in ("rank", "er_mean", "ci_low", "ci_high")}
    texts = {"Er": f"{rounded(row['er_mean'], 3)}{_interval(row['ci_low'], row['ci_high'])}"}
    if method == MEAN:
        return kept, texts | {"against the mean curve": "–"}
    duel = results.duel(study, method, MEAN)
    kept |= {"difference": duel.difference, "difference_low": duel.low, "difference_high": duel.high}
    star = " *" if duel.sure else ""
    against = f"{rounded(duel.difference, 3)}{_interval(duel.low, duel.high)}{star}"
    return kept | {"p_holm": duel.p_holm}, texts | {"against the mean curve": against}


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


def _whose(results: Results, study: str) -> str:
    unit = results.units[study]
    return "other people" if unit == "subject" else f"the same person's other {unit_name(unit, 2)}"


def _names(duels: Iterable[Duel]) -> str:
    names = [label_of(one.method) for one in duels]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _begin(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _verb(duels: Iterable[Duel], one: str, many: str) -> str:
    return one if len(list(duels)) == 1 else many


def _interval(low: float, high: float) -> str:
    return f" [{rounded(low)}, {rounded(high)}]" if np.isfinite(low) and np.isfinite(high) else ""


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"= {p_text(value)}"
