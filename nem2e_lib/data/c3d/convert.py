"""C3D files to what OpenSim and a study take: markers (.trc), forces (.mot), EMG (.sto), and tables of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from nem2e_lib.data.c3d.axes import find_axes
from nem2e_lib.data.c3d.contacts import COLUMNS as CONTACT
from nem2e_lib.data.c3d.contacts import Walk, find_contacts
from nem2e_lib.data.c3d.feet import find_feet
from nem2e_lib.data.c3d.mapping import FOLDER, Mapping, propose, read_mapping
from nem2e_lib.data.c3d.plates import plate_forces
from nem2e_lib.data.c3d.recording import Recording, read_many
from nem2e_lib.data.emg.clock import runs
from nem2e_lib.data.files import whole_folder
from nem2e_lib.data.markers.trc import Markers, write_markers
from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

CUTOFF_HZ = 20.0
"""Low-pass of plates' forces and moments before the centre of pressure is made of them."""
BRIDGED_S = 0.2
"""Gaps of a marker up to this long are bridged by a cubic spline; longer ones stay blank."""
_WHOLE = 0.9
"""A frame counts if this share of the markers is seen; before the first and after the last such one is left out."""
_BEFORE_S, _AFTER_S = 0.02, 0.01
"""What is simulated beyond a cycle's ends."""
TRIALS = ("trial", "subject", "condition", "leg", "static", "markers", "grf", "emg", "mass_kg", "start_s", "end_s")
"""Columns of the table of trials, which `nem2e simulate run` takes."""


@dataclass
class Made:
    """What was written: the table of trials, that of contacts, what is to be told and what a person has to fill in."""

    trials: pd.DataFrame
    contacts: pd.DataFrame
    told: list[str] = field(default_factory=list)
    to_do: list[str] = field(default_factory=list)


def from_c3d(source: Path, out: Path) -> Made:
    """Convert every C3D file below a folder, by the mapping in `out` if there is one, else by one that is proposed.

    Parameters
    ----------
    source
        Folder of C3D files.
    out
        Folder to write: ``trials.csv``, ``contacts.csv``, ``mapping/`` and a folder a subject. What an earlier call
        wrote there is replaced, whole or not at all; the mapping stays.

    Raises
    ------
    Nem2eError
        If there is no file, one cannot be read, the mapping has problems, or `out` holds something else.
    """
    files = _read(source)
    _require_own(out)
    to_do: list[str] = []
    if (out / FOLDER).is_dir():
        mapping = read_mapping(out)
        _require_same(out, mapping, source, files)
    else:
        mapping, to_do = propose(source, files)
    with whole_folder(out) as partial:
        made = _convert(source, files, mapping, partial)
        made.to_do += to_do
        mapping.save(partial)
    return made


def _read(source: Path) -> dict[Path, Recording]:
    if not source.is_dir():
        raise Nem2eError(f"{source}: no such folder; name the one that holds the C3D files.")
    paths = sorted(path for path in source.rglob("*") if path.suffix.lower() == ".c3d" and path.is_file())
    if not paths:
        raise Nem2eError(f"{source}: no .c3d file found below it.")
    read = read_many(paths)
    problems = [str(each) for each in read if isinstance(each, Nem2eError)]
    if problems:
        raise Nem2eError(" ".join([*problems, "Take these files away or mend them."]))
    return {path: each for path, each in zip(paths, read, strict=True) if not isinstance(each, Nem2eError)}


def _require_own(out: Path) -> None:
    if out.exists() and not (out.is_dir() and ((out / FOLDER).is_dir() or not any(out.iterdir()))):
        raise Nem2eError(f"{out}: is there already and was not made from C3D files; name a new folder.")


def _require_same(out: Path, mapping: Mapping, source: Path, files: Iterable[Path]) -> None:
    there = {path.relative_to(source).as_posix() for path in files}
    missing = [file for file in mapping.recordings["file"] if file not in there]
    if missing:
        raise Nem2eError(
            f"{out / FOLDER / 'recordings.csv'}: {missing[0]!r} is not below {source} ({len(missing)} such); take the "
            "row out, or name the folder that has it."
        )


def _convert(source: Path, files: dict[Path, Recording], mapping: Mapping, out: Path) -> Made:
    made = Made(pd.DataFrame(columns=list(TRIALS)), pd.DataFrame(columns=["trial", *CONTACT]))
    people = mapping.subjects.set_index("subject")
    trials, contacts, said = [], [], list[tuple[str, str]]()
    for row in mapping.recordings.to_dict("records"):
        if row["kind"] == "leave":
            continue
        recording, who = files[source / row["file"]], people.loc[row["subject"]]
        place = Path(row["subject"] or "nobody") / row["trial"]
        (out / place).parent.mkdir(parents=True, exist_ok=True)
        walk = _walk(recording, float(who["mass_kg"] or "nan"))
        lines = [walk.axes.told, *walk.axes.notes, *recording.notes]
        lines += [note for plate in walk.forces for note in plate.notes]
        lines += _write_markers(walk, out, place, row["kind"] == "static")
        said += [(line, row["file"]) for line in lines]
        if row["kind"] == "static":
            continue
        found = find_contacts(walk)
        contacts.append(found.assign(trial=row["trial"]))
        written = {"markers": f"{place}.trc", "grf": "", "emg": ""}
        if walk.forces:
            written["grf"] = _write_forces(walk, out, place)
        if emg := _emg(recording, mapping.channels_of(row["subject"]), str(who["leg"])):
            written["emg"] = f"{place}_emg.sto"
            write_storage(out / written["emg"], emg)
        static = mapping.recordings.query("kind == 'static' and subject == @row['subject']")["trial"].tolist()
        pose = f"{Path(row['subject'] or 'nobody') / static[0]}.trc" if static else ""
        start, end = _window(walk, found, str(who["leg"]))
        if walk.forces and np.isnan(start):
            whose = f"the {who['leg']} leg" if who["leg"] else "either leg"
            said.append((f"no step of use of {whose}; not in trials.csv.", row["file"]))
            continue
        trials.append(
            {
                **{key: row[key] for key in ("trial", "subject", "condition")},
                **{"leg": who["leg"], "mass_kg": who["mass_kg"], "static": pose, **written},
                **{"start_s": start, "end_s": end},
            }
        )
    made.told = _together(said)
    made.trials = pd.DataFrame(trials, columns=list(TRIALS))
    made.contacts = pd.concat([made.contacts, *contacts], ignore_index=True)[["trial", *CONTACT]]
    made.trials.to_csv(out / "trials.csv", index=False, lineterminator="\n", float_format="%.6g")
    made.contacts.to_csv(out / "contacts.csv", index=False, lineterminator="\n", float_format="%.6g")
    return made


def _together(said: Sequence[tuple[str, str]]) -> list[str]:
    """What is said of several files is said once."""
    files: dict[str, list[str]] = {}
    for line, file in said:
        files.setdefault(line, []).append(file)
    return [f"{some[0]}{f' and {len(some) - 1} more' if len(some) > 1 else ''}: {line}" for line, some in files.items()]


def _walk(recording: Recording, mass_kg: float) -> Walk:
    forces, feet = plate_forces(recording, None), find_feet(recording.markers)
    return Walk(recording, find_axes(recording, forces, feet), feet, forces, mass_kg)


def _write_markers(walk: Walk, out: Path, place: Path, static: bool) -> list[str]:
    """Write the markers in OpenSim's axes; returns what was bridged and what stays blank.

    With a static pose go the origins of Plug-in Gait's segments, which are joint centres.
    """
    recording = walk.recording
    names = [name for name in recording.markers if name not in recording.segment_axes]
    centres = [name for name in recording.markers if static and name in recording.segment_axes and name[-1] == "O"]
    places = walk.axes.turn(recording.metres)
    index = {name: recording.labels.index(name) for name in (*names, *centres)}
    seen = np.isfinite(places[:, [index[name] for name in names], 0]).mean(axis=1)
    rows = np.flatnonzero(seen >= _WHOLE * seen.max(initial=0.0))
    span = slice(int(rows[0]), int(rows[-1]) + 1)
    longest = round(BRIDGED_S * recording.head.rate_hz)
    filled = {name: _bridged(places[:, at], longest) for name, at in index.items()}
    blank = {name: int(np.isnan(each[span, 0]).sum()) for name, each in filled.items() if name in names}
    lost = sum(int(np.isnan(places[span, index[name], 0]).sum()) for name in names)
    bridged = lost - sum(blank.values())
    written = np.asarray(np.round(np.stack([each[span] for each in filled.values()], axis=1), 6), np.float64)
    write_markers(out / f"{place}.trc", Markers(tuple(filled), recording.time[span], written))
    told = [f"{bridged} places of markers in gaps up to {BRIDGED_S:g} s were bridged."] if bridged else []
    gaps = ", ".join(f"{name} ({count})" for name, count in blank.items() if count)
    return told + ([f"Markers that stay blank in some frames: {gaps}."] if gaps else [])


def _bridged(place: Array, longest: int) -> Array:
    """A marker, shape (frames, 3), its inner gaps of at most `longest` frames filled by a cubic spline."""
    lost = np.isnan(place[:, 0])
    if not lost.any() or (~lost).sum() < 4:
        return place
    spline, filled = CubicSpline(np.flatnonzero(~lost), place[~lost]), place.copy()
    for first, last in runs(lost):
        if first > 0 and last < len(place) - 1 and last - first < longest:
            filled[first : last + 1] = spline(np.arange(first, last + 1))
    return filled


def _write_forces(walk: Walk, out: Path, place: Path) -> str:
    labels: list[str] = []
    columns: list[Array] = []
    for plate in plate_forces(walk.recording, CUTOFF_HZ):
        turned = (walk.axes.turn(part) for part in (plate.force, np.nan_to_num(plate.point), plate.moment))
        for kind, values in zip(("force_v", "force_p", "torque_"), turned, strict=True):
            labels += [f"{plate.number}_ground_{kind}{axis}" for axis in "xyz"]
            columns.append(values)
    path = f"{place}_grf.mot"
    write_storage(out / path, Storage(Path(path).stem, tuple(labels), walk.recording.analog_time, np.hstack(columns)))
    return path


def _emg(recording: Recording, channels: pd.DataFrame, leg: str) -> Storage | None:
    """The EMG of the measured leg, or of both, under the names of the mapping; None where there is none."""
    chosen = channels[channels["channel"].isin(recording.channels)]
    chosen = chosen[chosen["side"] == leg] if leg else chosen
    if chosen.empty:
        return None
    sided = chosen["emg"] if leg else chosen["emg"] + "_" + chosen["side"].str[0]
    values = np.column_stack([recording.channel(name) for name in chosen["channel"]])
    given = [recording.analog_units[recording.channels.index(name)] for name in chosen["channel"]]
    kept = {"units": json.dumps(dict(zip(sided, given, strict=True)), ensure_ascii=False)} if all(given) else {}
    return Storage(recording.path.stem, tuple(sided), recording.analog_time, values, metadata=kept)


def _window(walk: Walk, found: pd.DataFrame, leg: str) -> tuple[float, float]:
    """What to simulate: from the first usable contact of the measured leg to its foot's next strike; NaN where none."""
    usable = found[(found["doubts"] == "") & (found["foot"] == leg if leg else True)]
    if usable.empty:
        return float("nan"), float("nan")
    first, last = walk.recording.time[[0, -1]]
    start = max(float(usable["start_s"].min()) - _BEFORE_S, float(first))
    return start, min(float(usable["next_strike_s"].max()) + _AFTER_S, float(last))
