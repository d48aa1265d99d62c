"""One person's C3D files, opened and looked at: what 16_c3d_to_emg starts from.

A step of that notebook returns the tables of a figure, or says in one sentence why a recording has none (`Missing`).
"""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from nem2e_lib.data.c3d.axes import find_axes
from nem2e_lib.data.c3d.contacts import Walk
from nem2e_lib.data.c3d.convert import Made, from_c3d
from nem2e_lib.data.c3d.feet import SIDES, find_feet
from nem2e_lib.data.c3d.mapping import COLUMNS
from nem2e_lib.data.c3d.mapping import FOLDER as MAPPING
from nem2e_lib.data.c3d.mapping import Mapping as Said
from nem2e_lib.data.c3d.plates import plate_forces
from nem2e_lib.data.c3d.recording import read_c3d
from nem2e_lib.data.emg.clock import runs
from nem2e_lib.data.open import children
from nem2e_lib.data.open.fetch import fetch_open
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.people import MODEL

CHILDREN = "children_walk"
"""Open recordings that stand in where none is named."""


@dataclass(frozen=True)
class Missing:
    """Why a part is left out: one sentence, shown where the part would be."""

    why: str

    def __str__(self) -> str:
        return self.why

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.why)}</p>"


Part: TypeAlias = "dict[str, Any] | Missing"
"""What a figure is drawn of, by the names of its arguments."""


def shown(draw: Callable[..., Any], part: Part | pd.DataFrame, *words: str) -> Any:
    """Return the figure of a part, or the table of a data frame with its words; or the sentence why there is none."""
    if isinstance(part, Missing):
        return part
    return draw(part, *words) if isinstance(part, pd.DataFrame) else draw(**part)


# --- Files ---


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody's recordings, converted.

    Attributes
    ----------
    name : str
        The subject.
    source, folder : Path
        C3D files, and what they were converted to.
    walks : tuple of str
        Trials that are walks, those with a usable step first.
    static : str
        Trial that is a static pose; empty where there is none.
    mass_kg : float or None
    leg : str
        The one that was measured; empty for both.
    said : Mapping
        Which file is what, who is who, which channel measures what.
    made : Made
        Tables of everybody's trials and contacts, and what is to be told.
    """

    name: str
    source: Path
    folder: Path
    walks: tuple[str, ...]
    static: str
    mass_kg: float | None
    leg: str
    said: Said
    made: Made

    def markers(self, trial: str) -> Path:
        """Return the marker file that a trial was converted to."""
        return self.folder / (self.name or "nobody") / f"{trial}.trc"


@dataclass(frozen=True, eq=False)
class Opened:
    """A walk, opened: its recording in OpenSim's axes, a row a contact, and why plates are left out."""

    trial: str
    person: Person
    walk: Walk
    contacts: pd.DataFrame
    no_plates: str = ""

    @property
    def legs(self) -> tuple[str, ...]:
        """Legs that were measured."""
        return (self.person.leg,) if self.person.leg else SIDES

    @property
    def usable(self) -> pd.DataFrame:
        """Contacts of the measured leg that count."""
        return self.contacts[(self.contacts["doubts"] == "") & self.contacts["foot"].isin(self.legs)]


def model_file(named: str) -> Path:
    """Return the model that was named, or that of Hamner & Delp (2013), fetched."""
    return Path(named) if named else fetch_open(MODEL) / MODEL


def converted(
    named: str,
    out: Path,
    subject: str = "",
    channels: Mapping[str, str] | None = None,
    leg: str = "",
    mass_kg: float = 0.0,
) -> Person:
    """Convert C3D files to what OpenSim takes, as ``nem2e study from-c3d`` does, and return one person's.

    Parameters
    ----------
    named
        Folder of C3D files; empty for the children's of the open recordings, fetched, with the mapping that comes with
        them.
    out
        Folder of trials, tables and mapping; a mapping there that somebody has edited is followed.
    subject
        Who; the first who has a walk by default.
    channels
        Words of a channel's name to the muscle that it measures, or to nothing for a channel to leave out.
    leg
        The one that was measured, where the files do not tell or are wrong.
    mass_kg
        Of the person, where the files do not tell.

    Raises
    ------
    Nem2eError
        As `from_c3d`, or if nobody is called so or has a walk, or no channel has such words in its name.
    """
    if not named:
        recordings = fetch_open(CHILDREN)
        source, made = recordings / CHILDREN / "c3d", children.convert(recordings, out)
        return _person(source, out, subject, made)
    source = Path(named)
    if (out / MAPPING).is_dir() and not _tables(out).channels["emg"].any():
        shutil.rmtree(out)  # a mapping without EMG would be refused: it is proposed anew, since nothing was said of it
    made = from_c3d(source, out)
    person = _person(source, out, subject, made)
    if _edited(person, channels or {}, leg, mass_kg):
        person = _person(source, out, subject, from_c3d(source, out))
    return person


def _person(source: Path, out: Path, subject: str, made: Made) -> Person:
    said = _tables(out)
    walks = said.recordings[said.recordings["kind"] == "walk"]
    walking = list(dict.fromkeys(walks["subject"].astype(str)))
    who = subject or next(iter(walking), "")
    if who not in walking:
        there = ", ".join(map(repr, walking)) or "nobody"
        raise Nem2eError(
            f"{source}: no walk of {who!r}, but of {there}; who is who is in {out / MAPPING / 'recordings.csv'}."
        )
    still = said.recordings.query("kind == 'static' and subject == @who")["trial"].astype(str)
    ready = made.trials["trial"].tolist()
    own = sorted(walks.loc[walks["subject"] == who, "trial"].astype(str), key=lambda trial: trial not in ready)
    mass, leg = said.subjects.loc[said.subjects["subject"] == who, ["mass_kg", "leg"]].iloc[0].astype(str)
    static = next(iter(still), "")
    return Person(who, source, out, tuple(own), static, float(mass) if mass else None, leg, said, made)


def _tables(out: Path) -> Said:
    """The mapping as it stands, which may say nothing of EMG."""
    return Said(
        **{name: pd.read_csv(out / MAPPING / f"{name}.csv", dtype=str, keep_default_na=False) for name in COLUMNS}
    )


def _edited(person: Person, channels: Mapping[str, str], leg: str, mass_kg: float) -> bool:
    """Write muscles, the measured leg and the mass into the mapping; returns whether anything changed."""
    before = person.said
    table, people = before.channels.copy(), before.subjects.copy()
    for words, muscle in channels.items():
        pattern = re.compile(rf"\b{re.escape(words)}\b", re.IGNORECASE)
        rows = np.array([bool(pattern.search(str(name))) for name in table["channel"]], bool)
        if not rows.any():
            raise Nem2eError(f"channels: no analogue channel has {words!r} in its name; there are {_some(table)}.")
        table.loc[rows, ["emg", "muscle"]] = muscle
    own = people["subject"] == person.name
    for column, value in (("leg", leg), ("mass_kg", f"{mass_kg:g}" if mass_kg else "")):
        if value:
            people.loc[own, column] = value
    if table.equals(before.channels) and people.equals(before.subjects):
        return False
    Said(before.recordings, people, table).save(person.folder)
    return True


def _some(table: pd.DataFrame) -> str:
    return ", ".join(map(repr, table["channel"])) or "none that may be EMG"


def opened(person: Person, trial: str = "") -> Opened:
    """Return a walk of somebody's, the first by default, with its contacts.

    Raises
    ------
    Nem2eError
        If there is no such walk.
    """
    chosen = trial or person.walks[0]
    if chosen not in person.walks:
        raise Nem2eError(f"{person.name} has no walk {chosen!r}; there are {', '.join(person.walks)}.")
    recordings, contacts = person.said.recordings, person.made.contacts
    (file,) = recordings.loc[recordings["trial"] == chosen, "file"].astype(str)
    own = contacts[contacts["trial"] == chosen].drop(columns="trial").reset_index(drop=True)
    recording, why = read_c3d(person.source / file), ""
    try:
        forces = plate_forces(recording)
    except Nem2eError as error:
        forces, why = [], str(error)
    feet = find_feet(recording.markers)
    mass = float("nan") if person.mass_kg is None else person.mass_kg
    walk = Walk(recording, find_axes(recording, forces, feet), feet, forces, mass)
    return Opened(chosen, person, walk, own, why)


# --- 1: what is in the file ---


def contents(one: Opened) -> pd.DataFrame:
    """Return what a walk's file holds: a row a kind of content."""
    recording = one.walk.recording
    emg = one.person.said.channels_of(one.person.name)
    here = emg[emg["channel"].isin(recording.channels) & emg["side"].isin(one.legs)]
    events = [f"{event.context.lower()} {event.label.lower()}".strip() for event in recording.events]
    mass = one.walk.mass_kg
    rows = {
        "file": f"{recording.path.name}: {recording.head.frames} frames at {recording.head.rate_hz:g} Hz",
        "markers": f"{len(_real(one))}, in {recording.unit}",
        "outcomes of a model": f"{len(recording.computed & set(recording.labels))} of {len(recording.labels)} points",
        "force plates": _counted([f"type {plate.type}" for plate in recording.plates]),
        "analogue channels": f"{len(recording.channels)} at {recording.analog_rate_hz:g} Hz",
        "EMG": _counted([f"{muscle} {leg}" for muscle, leg in zip(here["muscle"], here["side"], strict=True)]),
        "events": _counted(events),
        "axes": one.walk.axes.told,
        "mass": f"{mass:g} kg" if np.isfinite(mass) else "not told",
        "leg measured": one.person.leg or "both",
    }
    return pd.DataFrame({"what": list(rows), "found": list(rows.values())})


def notes(one: Opened) -> list[str]:
    """Return what is odd about a walk's file, one sentence each."""
    return [*one.walk.axes.notes, *one.walk.recording.notes, *(note for each in one.walk.forces for note in each.notes)]


def _counted(names: Sequence[str]) -> str:
    """A text such as ``2: type 2, type 2``; ``none`` where there is nothing."""
    return f"{len(names)}: {', '.join(dict.fromkeys(names))}" if names else "none"


def _real(one: Opened) -> list[str]:
    recording = one.walk.recording
    return [name for name in recording.markers if name not in recording.segment_axes]


def over_time(one: Opened) -> Part:
    """Heights of heels and toes, gaps of markers, and events: for `figures.laboratory.markers_over_time`."""
    recording, time = one.walk.recording, one.walk.recording.time
    heights = [
        pd.DataFrame({"foot": foot, "part": part, "time_s": time, "height_m": place[:, 1]})
        for foot, part, place in _feet(one)
    ]
    step = 1 / recording.head.rate_hz
    gaps = [
        (name, time[first], time[last] + step)
        for name in _real(one)
        for first, last in runs(np.isnan(recording.point(name)[:, 0]))
    ]
    events = [(event.label, event.context.lower(), event.time_s) for event in recording.events]
    return {
        "heights": _joined(heights, ("foot", "part", "time_s", "height_m")),
        "gaps": pd.DataFrame(gaps, columns=["marker", "start_s", "end_s"]),
        "events": pd.DataFrame(events, columns=["label", "foot", "time_s"]),
        "markers": len(_real(one)),
    }


def _feet(one: Opened) -> Iterator[tuple[str, str, np.ndarray]]:
    """Foot, part, and the mean place of the markers there, shape (frames, 3)."""
    for foot in SIDES:
        for part, names in (("heel", one.walk.feet.heel.get(foot)), ("toe", one.walk.feet.toe.get(foot))):
            if names:
                yield foot, part, np.mean([one.walk.place(name) for name in names[:1]], axis=0)


def _joined(parts: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(columns))


# --- 2: plates and feet ---


def contacts(person: Person) -> pd.DataFrame:
    """Return every contact of somebody's walks, with why it is left out."""
    table = person.made.contacts
    return table[table["trial"].isin(person.walks)].reset_index(drop=True)


def from_above(one: Opened) -> Part:
    """Plates, ways of the feet and centres of pressure on the floor: for `figures.laboratory.plates_and_feet`."""
    if not one.walk.forces:
        why = one.no_plates or f"{one.walk.recording.path.name} has no force plates."
        return Missing(f"{why} Without forces there are no joint moments, and no muscle activation.")
    turn, recording = one.walk.axes.turn, one.walk.recording
    plates = [_on_floor(turn(plate.corners)).assign(plate=plate.number) for plate in one.walk.forces]
    ways = [_on_floor(place).assign(foot=foot, part=part, time_s=recording.time) for foot, part, place in _feet(one)]
    forces, pressure = {plate.number: plate for plate in one.walk.forces}, []
    for number, row in enumerate(one.contacts.to_dict("records")):
        on = (recording.analog_time >= float(row["start_s"])) & (recording.analog_time <= float(row["off_s"]))
        points = _on_floor(turn(forces[int(row["plate"])].point[on]))
        pressure.append(points.assign(contact=number, time_s=recording.analog_time[on]).dropna())
    return {
        "plates": _joined(plates, ("plate", "x_m", "z_m")),
        "ways": _joined(ways, ("foot", "part", "time_s", "x_m", "z_m")),
        "pressure": _joined(pressure, ("contact", "time_s", "x_m", "z_m")),
        "contacts": one.contacts,
    }


def _on_floor(places: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"x_m": places[:, 0], "z_m": places[:, 2]})
