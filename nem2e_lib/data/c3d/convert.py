"""C3D files to what OpenSim and a study take: markers (.trc), forces (.mot), EMG (.sto), and tables of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from nem2e_lib.data.c3d.axes import find_axes
from nem2e_lib.data.c3d.contacts import COLUMNS as CONTACT
from nem2e_lib.data.c3d.contacts import Walk, find_contacts
from nem2e_lib.data.c3d.feet import find_feet
from nem2e_lib.data.c3d.mapping import FOLDER, STANDS_M, Mapping, moved_m, propose, read_mapping
from nem2e_lib.data.c3d.plates import Wrench, pressing, wrenches
from nem2e_lib.data.c3d.recording import Recording, c3d_below, read_all, require_one_person
from nem2e_lib.data.c3d.tables import CUTOFF_HZ, channel_table, force_table, in_volts, marker_table
from nem2e_lib.data.files import whole_folder
from nem2e_lib.data.markers.trc import write_markers
from nem2e_lib.data.storage.storage import write_storage
from nem2e_lib.data.tables import near
from nem2e_lib.data.told import together
from nem2e_lib.error import Nem2eError

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
    _require_own(out)
    paths, to_do = _paths(source), list[str]()
    if (out / FOLDER).is_dir():
        mapping = read_mapping(out)
        files, to_do = _as_mapped(out, mapping, source, paths)
        ready, refused = _ready(files)
        if refused:
            where = out / FOLDER / "recordings.csv"
            raise Nem2eError(f"{' '.join(refused.values())} Or write leave as their kind in {where}.")
    else:
        files = read_all(paths)
        ready, refused = _ready(files)
        if not ready:
            raise Nem2eError(" ".join(refused.values()))
        mapping, to_do = propose(source, files, refused)
    with whole_folder(out) as partial:
        made = _convert(source, ready, mapping, partial)
        made.to_do += to_do
        mapping.save(partial)
    return made


def _paths(source: Path) -> list[Path]:
    if not source.is_dir():
        raise Nem2eError(f"{source}: no such folder; name the one that holds the C3D files.")
    return c3d_below(source)


def _require_own(out: Path) -> None:
    if out.exists() and not (out.is_dir() and ((out / FOLDER).is_dir() or not any(out.iterdir()))):
        raise Nem2eError(f"{out}: is there already and was not made from C3D files; name a new folder.")


def _as_mapped(
    out: Path, mapping: Mapping, source: Path, paths: Iterable[Path]
) -> tuple[dict[Path, Recording], list[str]]:
    """The files that a mapping does not leave alone, and those that it does not name, to be told.

    Raises
    ------
    Nem2eError
        With everything that the mapping says and the files do not have.
    """
    there = {path.relative_to(source).as_posix(): path for path in paths}
    where = out / FOLDER / "recordings.csv"
    missing = [file for file in mapping.recordings["file"] if file not in there]
    if missing:
        raise Nem2eError(
            f"{where}: {missing[0]!r} is not below {source} ({len(missing)} such); take the row out, or name the "
            "folder that has it."
        )
    rows = mapping.recordings[mapping.recordings["kind"] != "leave"]
    named = [str(file) for file in rows["file"]]
    files = read_all([there[file] for file in named])
    problems = list(_contradictions(out / FOLDER, mapping, {file: files[there[file]] for file in named}))
    if problems:
        raise Nem2eError(" ".join(problems))
    new = [file for file in there if file not in set(mapping.recordings["file"])]
    told = (
        f"{where}: {', '.join(new[:3])}{', …' * (len(new) > 3)} ({len(new)} files) has no row and is left out; add one."
    )
    return files, [told] if new else []


def _contradictions(folder: Path, mapping: Mapping, files: dict[str, Recording]) -> Iterator[str]:
    for line, row in zip(mapping.recordings.index, mapping.recordings.to_dict("records"), strict=True):
        where = f"{folder / 'recordings.csv'}: line {line}: {row['file']!r} has kind {row['kind']}"
        if row["kind"] != "leave" and not files[row["file"]].markers:
            yield f"{where}, but holds no markers; write leave."
        elif row["kind"] == "static" and (moved := moved_m(files[row["file"]])) >= STANDS_M:
            yield f"{where}, but its markers move by {moved:.2f} m; a static pose stands still, write walk or leave."
    there = dict.fromkeys(name for recording in files.values() for name in recording.channels)
    for line, row in zip(mapping.channels.index, mapping.channels.to_dict("records"), strict=True):
        if row["emg"] and row["channel"] not in there:
            hint = near(row["channel"], there) or f"; they have {', '.join(list(there)[:8])}, …."
            yield f"{folder / 'channels.csv'}: line {line}: no file has an analogue channel {row['channel']!r}{hint}"


def _convert(source: Path, files: dict[Path, _Ready], mapping: Mapping, out: Path) -> Made:
    made = Made(pd.DataFrame(columns=list(TRIALS)), pd.DataFrame(columns=["trial", *CONTACT]))
    people = mapping.subjects.set_index("subject")
    trials, contacts, said = [], [], list[tuple[str, str]]()
    for row in mapping.recordings.to_dict("records"):
        if row["kind"] == "leave":
            continue
        ready, who = files[source / row["file"]], people.loc[row["subject"]]
        recording, plates = ready.walk.recording, ready.plates
        place = Path(row["subject"] or "nobody") / row["trial"]
        (out / place).parent.mkdir(parents=True, exist_ok=True)
        walk = replace(ready.walk, mass_kg=float(who["mass_kg"] or "nan"))
        lines = [walk.axes.told, *walk.axes.notes, *recording.notes, *(f"Left out: {each}." for each in ready.left_out)]
        lines += [note for plate in walk.forces for note in plate.notes]
        markers, odd = marker_table(recording, walk.axes, centres=row["kind"] == "static")
        write_markers(out / f"{place}.trc", markers)
        lines += odd
        said += [(line, row["file"]) for line in lines]
        if row["kind"] == "static":
            continue
        found = find_contacts(walk)
        contacts.append(found.assign(trial=row["trial"]))
        written = {"markers": f"{place}.trc", "grf": "", "emg": ""}
        if walk.forces:
            written["grf"] = f"{place}_grf.mot"
            forces = [pressing(plate, CUTOFF_HZ) for plate in plates]
            write_storage(out / written["grf"], force_table(recording, forces, walk.axes, f"{place.name}_grf"))
        chosen = _chosen(recording, mapping.channels_of(row["subject"]), str(who["leg"]))
        if chosen:
            written["emg"] = f"{place}_emg.sto"
            emg, odd = in_volts(recording, channel_table(recording, chosen), list(chosen))
            write_storage(out / written["emg"], emg)
            said += [(line, row["file"]) for line in odd]
        else:
            said.append(
                ("it has no EMG under the names of mapping/channels.csv; no study can be made of it.", row["file"])
            )
        if not walk.forces:
            said.append(("it has no force plates, so that no activation can be computed of it.", row["file"]))
        static = mapping.recordings.query("kind == 'static' and subject == @row['subject']")["trial"].tolist()
        if len(static) > 1:
            said.append(
                (f"of {len(static)} static poses {static[0]} is taken for scaling; leave the others.", row["file"])
            )
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
    made.told = together(said)
    made.trials = pd.DataFrame(trials, columns=list(TRIALS))
    made.contacts = pd.concat([made.contacts, *contacts], ignore_index=True)[["trial", *CONTACT]]
    made.trials.to_csv(out / "trials.csv", index=False, lineterminator="\n", float_format="%.6g")
    made.contacts.to_csv(out / "contacts.csv", index=False, lineterminator="\n", float_format="%.6g")
    return made


@dataclass(frozen=True, eq=False)
class _Ready:
    """A recording that can be converted: turned to OpenSim's axes, its plates, and why others of them are left out."""

    walk: Walk
    plates: Sequence[Wrench]
    left_out: Sequence[str]


def _ready(files: AnyMapping[Path, Recording]) -> tuple[dict[Path, _Ready], dict[Path, str]]:
    """The recordings that can be converted, and why the others cannot, a sentence each."""
    ready, refused = dict[Path, _Ready](), dict[Path, str]()
    for path, recording in files.items():
        try:
            require_one_person(recording)
            plates, left_out = wrenches(recording)
            forces, feet = [pressing(plate) for plate in plates], find_feet(recording.markers)
            walk = Walk(recording, find_axes(recording, forces, feet), feet, forces, float("nan"))
            ready[path] = _Ready(walk, plates, left_out)
        except Nem2eError as error:
            refused[path] = str(error)
    return ready, refused


def _chosen(recording: Recording, channels: pd.DataFrame, leg: str) -> dict[str, str]:
    """Channels that are EMG of the measured leg, or of both, to their names by the mapping."""
    chosen = channels[channels["channel"].isin(recording.channels)]
    chosen = chosen[chosen["side"] == leg] if leg else chosen
    sided = chosen["emg"] if leg else chosen["emg"] + "_" + chosen["side"].str[0]
    return dict(zip(chosen["channel"], sided, strict=True))


def _window(walk: Walk, found: pd.DataFrame, leg: str) -> tuple[float, float]:
    """What to simulate: from the first usable contact of the measured leg to its foot's next strike; NaN where none."""
    usable = found[(found["doubts"] == "") & (found["foot"] == leg if leg else True)]
    if usable.empty:
        return float("nan"), float("nan")
    first, last = walk.recording.time[[0, -1]]
    start = max(float(usable["start_s"].min()) - _BEFORE_S, float(first))
    return start, min(float(usable["next_strike_s"].max()) + _AFTER_S, float(last))
