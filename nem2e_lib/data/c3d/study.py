"""A study folder of what was converted from C3D files and then simulated: one leg a trial, cycles from its plates.

Two plates carry one foot each, and the rest of the time a foot is on bare floor. So only muscles of the leg that treads
on its plate are valid, and each trial of the study is one leg; left legs are mirrored to the right. What is taken of a
walk, and what is left and why, is told cycle by cycle.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nem2e_lib.data.c3d.converted import read_converted
from nem2e_lib.data.c3d.electrodes import live
from nem2e_lib.data.c3d.feet import SIDES
from nem2e_lib.data.c3d.mapping import Mapping as Said
from nem2e_lib.data.columns import muscle_columns
from nem2e_lib.data.files import read_text, whole_folder
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.muscles import TRUNK, base, side
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.data.study.beside import SETS, of_leg, velocities
from nem2e_lib.data.study.settings import Line, Section, settings_text
from nem2e_lib.data.study.trials import BESIDE
from nem2e_lib.error import Nem2eError

_BARE_S = 0.05
"""Bare floor under a foot for longer than that spoils a cycle; shorter is the strike that ends it."""
FACTS = "facts.json"
"""What is known of a simulated trial beside its activation, such as when a foot stood on floor without a plate."""
TAKEN = ("trial", "leg", "mirrored", "plate", "start_s", "end_s", "end_by", "taken", "why")
"""Columns of the table of what was taken of the walks: a row a step on a plate, and one a leg or walk without any."""


@dataclass
class Built:
    """A study that was made: its trials, how many cycles, what was taken (`TAKEN`), and what is to be told."""

    trials: pd.DataFrame
    cycles: int
    told: list[str] = field(default_factory=list)
    taken: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(TAKEN)))


@dataclass(frozen=True, eq=False)
class _Leg:
    """One leg of a walk: its activation under right-hand names, its EMG, and its cycles (rows of the contacts)."""

    trial: str
    subject: str
    condition: str
    side: str
    activation: Storage
    emg: Storage
    cycles: tuple[_Cycle, ...]
    beside: Mapping[str, Storage] = field(default_factory=dict)
    mass_kg: str = ""


@dataclass(frozen=True)
class _Cycle:
    """From a foot's step on a plate to its next strike, and why it cannot be used; empty where it can."""

    plate: str
    start_s: float
    end_s: float
    end_by: str
    speed_m_s: float
    why: str


def study_of(
    converted: Path, simulated: Path, out: Path, name: str = "", said: Mapping[str, str] | None = None
) -> Built:
    """Write a study folder.

    Parameters
    ----------
    converted
        What `from_c3d` wrote: its trials, contacts and mapping.
    simulated
        What `nem2e simulate run` wrote for its ``trials.csv``: a folder a trial with ``activation.sto``. Where each has
        ``angles.sto``, ``moments.sto`` and ``lengths.sto``, too, the study names these and what follows from them, and
        the force under the measured foot, as inputs beside activation.
    out
        Study folder to write; must not exist.
    name
        Of the study; default: the folder's.
    said
        ``simulated_by``, ``citation`` and ``licence`` of ``study.toml``, as far as they are known.

    Raises
    ------
    Nem2eError
        If a folder is not what it should be, `out` exists, or nothing can be used.
    """
    if out.exists():
        raise Nem2eError(f"{out}: is there already; name a new study folder.")
    if not simulated.is_dir():
        raise Nem2eError(f"{simulated}: no such folder; name the one that 'nem2e simulate run' wrote.")
    known, account = read_converted(converted), _Account()
    trials, contacts = known.trials, known.contacts
    for walk, why in _without_step(known.mapping, set(trials["trial"]), contacts):
        account.leave(walk, "", why)
    legs = [leg for row in trials.to_dict("records") for leg in _legs(row, contacts, converted, simulated, account)]
    legs, channels = _common(legs, account)
    if not legs:
        first = next(iter(account.lines()), "")
        raise Nem2eError(f"{simulated}: no walk has activation, EMG and a usable step of one leg. {first}".rstrip())
    mapping, taken = known.named(channels, legs[0].activation.labels), account.table()
    with whole_folder(out) as partial:
        table = _write(legs, partial, channels)
        taken.to_csv(partial / "taken.csv", index=False, lineterminator="\n")
        (partial / "study.toml").write_text(
            _settings(name or out.name, mapping, channels, said or {}), encoding="utf-8"
        )
    told = [*account.lines(), *account.more]
    mirrored = sum(leg.side == "left" for leg in legs)
    if mirrored:
        told.append(f"{mirrored} of {len(legs)} trials are left legs, mirrored: their muscles are called _r.")
    return Built(table, sum(len(leg.cycles) for leg in legs), told, taken)


@dataclass
class _Account:
    """What was taken of each walk, and what was left and why; `more` is what else is to be told."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    more: list[str] = field(default_factory=list)

    def leave(self, trial: str, leg: str, why: str) -> None:
        """Enter a walk, or a leg of it, of which nothing is taken."""
        self.rows.append({**dict.fromkeys(TAKEN, ""), "trial": trial, "leg": leg, "taken": "no", "why": why})

    def enter(self, trial: str, leg: str, cycle: _Cycle, why: str = "") -> None:
        """Enter a cycle; it is taken if nothing speaks against it."""
        reason = why or cycle.why
        whole = "" if np.isnan(cycle.end_s) else f"{cycle.end_s:.4f}"
        values = (
            trial,
            leg,
            "yes" if leg == "left" else "no",
            cycle.plate,
            f"{cycle.start_s:.4f}",
            whole,
            cycle.end_by,
        )
        self.rows.append(dict(zip(TAKEN, (*values, "no" if reason else "yes", reason), strict=True)))

    def undo(self, trial: str, leg: str, why: str) -> None:
        """Enter that what was taken of a leg is left after all."""
        for row in self.rows:
            if (row["trial"], row["leg"], row["taken"]) == (trial, leg, "yes"):
                row |= {"taken": "no", "why": why}

    def table(self) -> pd.DataFrame:
        """Return the rows, `TAKEN`."""
        return pd.DataFrame(self.rows, columns=list(TAKEN))

    def lines(self) -> list[str]:
        """Return a sentence a walk: what was taken of each leg, and what was left and why."""
        parts: dict[str, list[str]] = {}
        for (trial, leg, taken, why), some in self.table().groupby(["trial", "leg", "taken", "why"], sort=False):
            when = ", ".join(
                f"{row['start_s']} to {row['end_s']} s" for row in some.to_dict("records") if row["start_s"]
            )
            whose = f"{leg} leg {when}".strip() if leg else ""
            mirrored = " (mirrored)" if leg == "left" else ""
            said = f"{whose} taken{mirrored}" if taken == "yes" else f"{whose} left out, {why}".lstrip()
            parts.setdefault(str(trial), []).append(said)
        return [f"{trial}: {'; '.join(said)}." for trial, said in parts.items()]


def _without_step(mapping: Said, trials: Set[str], contacts: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Walks that were not simulated, and why: no step of the measured leg, or of either, is of use."""
    measured = dict(zip(mapping.subjects["subject"], mapping.subjects["leg"], strict=True))
    for row in mapping.recordings.to_dict("records"):
        if row["kind"] != "walk" or row["trial"] in trials:
            continue
        leg, own = measured.get(row["subject"], ""), contacts[contacts["trial"] == row["trial"]]
        steps = own[own["foot"] == leg] if leg else own
        doubts = [
            step["doubts"] if leg else f"{step['foot']}: {step['doubts']}"
            for step in steps.to_dict("records")
            if step["doubts"]
        ]
        nowhere = f"the {leg} leg, which was measured, is on no plate" if leg else "no foot is on a plate"
        yield row["trial"], "; ".join(doubts) or nowhere


def _legs(
    row: Mapping[Any, str], contacts: pd.DataFrame, converted: Path, simulated: Path, account: _Account
) -> Iterator[_Leg]:
    name, path = row["trial"], simulated / row["trial"] / "activation.sto"
    if not path.is_file():
        account.leave(name, "", f"there is no {path}")
        return
    if not row["emg"]:
        account.leave(name, "", "it has no EMG")
        return
    activation, emg = read_storage(path), read_storage(converted / row["emg"])
    for leg in (row["leg"],) if row["leg"] else SIDES:
        own = contacts[(contacts["trial"] == name) & (contacts["foot"] == leg)]
        bare = _bare_floor(simulated / name, leg)
        cycles = [_cycle(each, activation, bare) for each in own.to_dict("records")]
        measured = _measured(emg, leg, sided=not row["leg"])
        why = "" if measured is None else _silent(name, leg, measured, account)
        why = "it has no EMG" if measured is None else why
        for cycle in cycles:
            account.enter(name, leg, cycle, why)
        if not cycles:
            account.leave(name, leg, why or "it treads on no plate")
        usable = tuple(cycle for cycle in cycles if not cycle.why)
        if measured is not None and usable and not why:
            muscles = _of_leg(activation, leg)
            beside = _beside(simulated / name, converted / row["grf"], muscles, leg, usable)
            yield _Leg(name, row["subject"], row["condition"], leg, muscles, measured, usable, beside, row["mass_kg"])


def _cycle(contact: Mapping[Any, str], activation: Storage, bare: Sequence[tuple[float, float]]) -> _Cycle:
    start, end = float(contact["start_s"]), float(contact["next_strike_s"] or "nan")
    why = contact["doubts"]
    if not why and not (activation.time[0] <= start and end <= activation.time[-1]):
        why = "its activation does not cover it"
    if not why and any(min(end, last) - max(start, first) > _BARE_S for first, last in bare):
        why = "the foot stands on floor without a plate in it"
    speed = float(contact["speed_m_s"] or "nan")
    return _Cycle(contact["plate"], start, end, contact["strike_by"], speed, why)


def _bare_floor(folder: Path, leg: str) -> list[tuple[float, float]]:
    """When a foot stood on floor without a plate in a simulated trial, as far as it tells."""
    path = folder / FACTS
    known = json.loads(read_text(path)[0]) if path.is_file() else {}
    return [(start, end) for start, end in known.get("floor", {}).get(leg, {}).get("bare", [])]


def _silent(trial: str, leg: str, emg: Storage, account: _Account) -> str:
    """Say that no channel of a leg looks like EMG; where some do not, that goes to what else is told."""
    rate = 1 / float(np.median(np.diff(emg.time)))
    dead = [label for label in emg.labels if not live(emg.column(label), rate)]
    if len(dead) == len(emg.labels):
        return "none of its channels looks like EMG"
    if dead:
        account.more.append(f"{trial}: of the {leg} leg, {', '.join(dead)} does not look like EMG.")
    return ""


def _measured(emg: Storage, leg: str, *, sided: bool) -> Storage | None:
    """The EMG of one leg, its channels without the side."""
    if not sided:
        return emg
    end = f"_{leg[0]}"
    labels = [label for label in emg.labels if label.endswith(end)]
    if not labels:
        return None
    values = emg.values[:, [emg.labels.index(label) for label in labels]]
    return replace(emg, labels=tuple(label.removesuffix(end) for label in labels), values=values)


def _of_leg(activation: Storage, leg: str) -> Storage:
    """The muscles of one leg under right-hand names; the trunk's are no leg's."""
    chosen = [
        label
        for label in muscle_columns(activation.labels)
        if side(muscle_name(label)) == leg and base(muscle_name(label)) not in TRUNK
    ]
    values = activation.values[:, [activation.labels.index(label) for label in chosen]]
    labels = tuple(base(muscle_name(label)) + "_r" for label in chosen)
    return replace(activation, labels=labels, values=np.ascontiguousarray(values), metadata={}, warnings=())


def _beside(folder: Path, force: Path, activation: Storage, leg: str, cycles: Sequence[_Cycle]) -> dict[str, Storage]:
    """Tables of a simulated trial beside its activation, by column of ``trials.csv``, under right-hand names."""
    tables = {}
    for which in ("angle", "moment", "length"):
        path = folder / f"{SETS[which].column}.sto"
        if not path.is_file():
            return {}
        tables[SETS[which].column] = of_leg(which, read_storage(path), activation.labels, leg, mirrored=True)
    tables["velocities"] = velocities(tables["lengths"])
    plates = {cycle.plate for cycle in cycles}
    label = f"{next(iter(plates))}_ground_force_vy"
    if len(plates) == 1 and force.is_file() and label in (ground := read_storage(force)).labels:
        within = (ground.time >= activation.time[0]) & (ground.time <= activation.time[-1])
        pressed = ground.only([label])
        tables["forces"] = replace(
            pressed, labels=("R_ground_force_vy",), time=pressed.time[within], values=pressed.values[within]
        )
    return tables


def _common(legs: Sequence[_Leg], account: _Account) -> tuple[list[_Leg], list[str]]:
    """The legs that can stand in one study, and the channels that one of them has at least."""
    if not legs:
        return [], []
    same = [leg for leg in legs if leg.activation.labels == legs[0].activation.labels]
    for leg in legs:
        if leg not in same:
            account.undo(leg.trial, leg.side, f"it has other muscles than {legs[0].trial}")
    channels = list(dict.fromkeys(label for leg in same for label in leg.emg.labels))
    for leg in same:
        if lost := [label for label in channels if label not in leg.emg.labels]:
            account.more.append(
                f"{leg.trial}: without EMG {', '.join(lost)}, which is learnt and judged on the others alone."
            )
    return same, channels


def _write(legs: Sequence[_Leg], folder: Path, channels: Sequence[str]) -> pd.DataFrame:
    both = {leg.trial for leg in legs if sum(other.trial == leg.trial for other in legs) > 1}
    trials, cycles = [], []
    shared = [name for name in BESIDE if all(name in leg.beside for leg in legs)]
    for leg in legs:
        name = f"{leg.trial}_{leg.side}" if leg.trial in both else leg.trial
        place = Path(leg.subject or "nobody") / name
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        write_storage(folder / f"{place}_activation.sto", leg.activation)
        write_storage(folder / f"{place}_emg.sto", replace(leg.emg, metadata={}))
        for column in shared:
            write_storage(folder / f"{place}_{column}.sto", leg.beside[column])
        speed = np.mean([cycle.speed_m_s for cycle in leg.cycles])
        trials.append(
            {
                "trial": name,
                "subject": leg.subject,
                "condition": leg.condition or "walk",
                "speed_m_s": f"{speed:.2f}" if np.isfinite(speed) else "",
                "activation": f"{place}_activation.sto",
                "emg": f"{place}_emg.sto",
                "without": "; ".join(label for label in channels if label not in leg.emg.labels),
                "leg": leg.side,
                **{column: f"{place}_{column}.sto" for column in shared},
                **({"mass_kg": leg.mass_kg} if shared else {}),
            }
        )
        cycles += [
            {"trial": name, "cycle": number, "start_s": f"{cycle.start_s:.4f}", "end_s": f"{cycle.end_s:.4f}"}
            for number, cycle in enumerate(leg.cycles)
        ]
    table = pd.DataFrame(trials)
    table.to_csv(folder / "trials.csv", index=False, lineterminator="\n")
    pd.DataFrame(cycles).to_csv(folder / "cycles.csv", index=False, lineterminator="\n")
    return table


def _settings(name: str, mapping: Said, channels: Sequence[str], said: Mapping[str, str]) -> str:
    muscle = dict(zip(mapping.channels["emg"], mapping.channels["muscle"], strict=True))
    top = [
        Line("name", "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name)),
        Line("motion", "walking"),
        Line("simulated_by", said.get("simulated_by", "static optimisation (OpenSim)"), "by nem2e simulate run"),
        Line("cycle", "right-right", "left legs are mirrored to the right"),
        Line("synthetic", False),
        Line("citation", said.get("citation", "")),
        Line("licence", said.get("licence", "")),
    ]
    emg = [Line(channel, f"{muscle[channel]}_r") for channel in channels]
    steps = [Line("recipe", "general"), Line("normalise", "subject_max")]
    sections = [Section("", top), Section("emg", emg), Section("emg_processing", steps, "the EMG is raw")]
    return settings_text(sections)
