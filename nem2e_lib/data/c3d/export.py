"""A C3D file's markers, forces, EMG and other channels as OpenSim's tables, without a word from anybody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from nem2e_lib.data.c3d.axes import find_axes
from nem2e_lib.data.c3d.feet import find_feet
from nem2e_lib.data.c3d.plates import pressing, wrenches
from nem2e_lib.data.c3d.recording import Recording, c3d_below, read_all
from nem2e_lib.data.c3d.tables import (
    CUTOFF_HZ,
    channel_table,
    emg_channels,
    forces_of,
    marker_table,
    plate_channels,
    starts_late,
)
from nem2e_lib.data.files import added_to
from nem2e_lib.data.markers.trc import write_markers
from nem2e_lib.data.storage.storage import write_storage
from nem2e_lib.data.told import together
from nem2e_lib.error import Nem2eError

COLUMNS = ("file", "markers", "forces", "emg", "channels", "events")
"""Of the table of what was written: the C3D file, and a path a kind, empty where it holds none."""


@dataclass(frozen=True, eq=False)
class Exported:
    """What was written, a row a C3D file (`COLUMNS`), and what is to be told of them."""

    files: pd.DataFrame
    told: tuple[str, ...]


def export_c3d(source: Path, out: Path, cutoff_hz: float | None = CUTOFF_HZ) -> Exported:
    """Write the tables of a C3D file, or of every one below a folder, into a folder: all or none.

    Of ``walk.c3d`` these, where it holds any: ``walk.trc`` (m, OpenSim's axes), ``walk_grf.mot`` (N, m, N·m),
    ``walk_emg.sto`` (channels that may be EMG, as recorded), ``walk_analog.sto`` (those that are neither EMG nor a
    plate's) and ``walk_events.csv``. All stand on the file's own clock.

    Parameters
    ----------
    source
        A .c3d file, or a folder of them in any arrangement, which is kept.
    out
        May exist, without files of these names.
    cutoff_hz
        Low-pass of the plates before the centre of pressure is made of them; None leaves them as recorded.

    Raises
    ------
    Nem2eError
        If there is no file, one cannot be read, or something would be written over.
    """
    recordings = read_all(_paths(source))
    root = source if source.is_dir() else source.parent
    rows, said = [], list[tuple[str, str]]()
    with added_to(out) as folder:
        for recording in recordings.values():
            place = recording.path.relative_to(root).with_suffix("")
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            written, odd = _write(recording, folder, place, cutoff_hz)
            rows.append({**dict.fromkeys(COLUMNS, ""), "file": recording.path.relative_to(root).as_posix(), **written})
            said += [(line, str(recording.path)) for line in (*recording.notes, *odd)]
        if not any(row[kind] for row in rows for kind in COLUMNS[1:]):
            raise Nem2eError(f"{' '.join(together(said))} So there is nothing to write.")
    return Exported(pd.DataFrame(rows, columns=list(COLUMNS)), tuple(together(said)))


def _paths(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise Nem2eError(f"{source}: no such file or folder; name a .c3d file, or the folder that holds some.")
    return c3d_below(source)


def _write(
    recording: Recording, folder: Path, place: Path, cutoff_hz: float | None
) -> tuple[dict[str, str], list[str]]:
    """Write what a recording holds; returns the paths by their kind, and what is to be told."""
    written, told = dict[str, str](), list[str]()

    def path(kind: str, end: str) -> Path:
        written[kind] = f"{place.as_posix()}{end}"
        return folder / written[kind]

    if recording.plates:
        try:
            forces, odd = forces_of(recording, f"{place.name}_grf", cutoff_hz)
        except Nem2eError as error:
            told.append(f"Its forces are left out: {_why(recording, error)}")
        else:
            write_storage(path("forces", "_grf.mot"), forces)
            told += odd
    if recording.markers:
        try:
            plates = [pressing(plate) for plate in wrenches(recording)[0]]
            axes = find_axes(recording, plates, find_feet(recording.markers))
            markers, odd = marker_table(recording, axes, centres=True)
        except Nem2eError as error:
            told.append(f"Its markers are left out: {_why(recording, error)}")
        else:
            write_markers(path("markers", ".trc"), markers)
            told += [*odd, *([] if "forces" in written else [axes.told, *axes.notes])]
    emg = emg_channels(recording)
    if emg:
        write_storage(path("emg", "_emg.sto"), channel_table(recording, emg))
    if rest := [name for name in recording.channels if name not in {*emg, *plate_channels(recording)}]:
        write_storage(path("channels", "_analog.sto"), channel_table(recording, rest))
    if recording.events:
        rows = [vars(event) for event in recording.events]
        pd.DataFrame(rows).to_csv(path("events", "_events.csv"), index=False, lineterminator="\n")
    return written, [*told, *_lacks(recording, written)]


def _why(recording: Recording, error: Nem2eError) -> str:
    return str(error).removeprefix(f"{recording.path}: ")


def _lacks(recording: Recording, written: dict[str, str]) -> Iterator[str]:
    there = {"markers": bool(recording.markers), "force plates": bool(recording.plates), "EMG": "emg" in written}
    lack = [word for word, has in there.items() if not has]
    if lack:
        yield f"It holds no {' and no '.join(lack)}."
    if recording.head.first_frame > 1:
        yield starts_late(recording)


def as_text(made: Exported, out: Path) -> str:
    """Return what was made, for people."""
    kinds = [kind for kind in COLUMNS[1:] if (made.files[kind] != "").any()]
    lines = [f"note: {line}" for line in made.told]
    lines += [f"{out / path}" for row in made.files.to_dict("records") for kind in kinds if (path := row[kind])]
    return "\n".join([*lines, f"{out}: tables of {len(made.files)} C3D file{'s' * (len(made.files) > 1)}."])
