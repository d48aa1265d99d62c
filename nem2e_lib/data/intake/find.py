"""Files that may belong to a study, told apart by names and columns; C3D files are told apart by what they hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from nem2e_lib.data.c3d.recording import Recording, read_many
from nem2e_lib.data.c3d.tables import channel_table, emg_channels, forces_of
from nem2e_lib.data.columns import sort_columns
from nem2e_lib.data.exports.channels import may_be_emg, units
from nem2e_lib.data.exports.formats import SUFFIXES, TABLES, UNREAD, read_recording
from nem2e_lib.data.files import files_below
from nem2e_lib.data.force.feet import known_columns
from nem2e_lib.data.intake.names import Key, keys, subject, words
from nem2e_lib.data.intake.simulated import Simulated, simulated
from nem2e_lib.data.labels import is_state
from nem2e_lib.data.limits import no_activation
from nem2e_lib.data.model import Model
from nem2e_lib.data.muscles import is_muscle
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.signals import is_raw
from nem2e_lib.data.told import together
from nem2e_lib.error import Nem2eError

KINDS = ("activation", "emg", "grf")
_RECTIFIED = 0.3  # mean over mean absolute value; near 0 where a signal swings about zero
_VERTICAL = re.compile(r"(?:v|f|force_?)[yz]\d*$|_[yz]$", re.IGNORECASE)
_PLATE = re.compile(r"f(?:p?\d+)?_?z\d*$", re.IGNORECASE)
_PLATES_CHANNEL = re.compile(r"(?:.*[\W_])?[fm](?:p?\d+)?_?[xyz]\d*", re.IGNORECASE)
_NO_FORCE = re.compile(r"torque|moment|cop|_[mp][yz]|_p[yz]$", re.IGNORECASE)
_OTHER = re.compile(
    r"force|power|length|speed$|veloc|moment|pennation|stiffness|strain|kinematics|residual|perr|controls_?constraints",
    re.IGNORECASE,
)
"""In a name of what OpenSim writes beside activations, of the same muscles."""
_RESULT = re.compile(
    r"actuation_(?:force|power|speed)|(?:static)?optimi[sz]ation_force|body_?kinematics|kinematics_(?:q|u|dudt)|perr$|"
    r"_pseudo$|joint_?reaction|inverse_?dynamics|muscle_?analysis|probe_?reporter|force_?reporter|states_degrees",
    re.IGNORECASE,
)
"""In a name of what OpenSim's tools write that is neither activation nor was measured."""
C3D = ".c3d"
_TABLES = ("cycles.csv", "references.csv", "Thumbs.db")
"""A study's own tables, and what Windows leaves."""
_FEW = 5
_HELD = {"emg": "channels that may be EMG were", "grf": "force plates were"}


@dataclass(frozen=True, eq=False)
class Found:
    """A file of a known kind; `inside` is its path in the study folder, `words` those that may name the trial.

    `who` moved, by the path or the C3D file, else by the folder that was named or the one above it; `by` what computed
    an activation, where that is known.

    `odd` is what reading changed or left out; `first_s` when the first frame is on the clock of the capture, where that
    is not the file's.
    """

    path: Path
    inside: Path
    kind: str
    storage: Storage
    words: tuple[str, ...]
    key: Key
    odd: tuple[str, ...] = ()
    first_s: float = 0.0
    who: str = ""
    by: str = ""


@dataclass
class Search:
    """What was found, and files that were left out with the reason."""

    files: list[Found] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)
    results: list[Simulated] = field(default_factory=list)

    def of(self, kind: str) -> list[Found]:
        """Files of one kind, in the order of their paths."""
        return [file for file in self.files if file.kind == kind]

    @property
    def told(self) -> list[str]:
        """The files that were left out, many of one reason in one sentence."""
        return [*(line for each in self.results for line in each.told()), *together(self.left, few=_FEW)]

    def leave(self, path: Path, why: str) -> None:
        """Leave a file out."""
        self.left.append((why.removeprefix(f"{path}: "), str(path)))


def search(roots: dict[str, Path], model: Model | None = None) -> Search:
    """Find every table and export below folders of known kinds, or below one of which nothing is known (kind ``""``).

    Where the folder of one kind is, or lies within, that of another, name and columns decide; else the folder does.
    What is a muscle, the model that is given decides.

    Raises
    ------
    Nem2eError
        If there is no such folder.
    """
    for kind, root in roots.items():
        if not root.is_dir():
            raise Nem2eError(f"{root}: no such folder; name the one that holds the {kind or 'study'} files.")
    found = Search()
    paths = sorted({path for root in roots.values() for path in files_below(root) if path.name not in _TABLES})
    found.results = simulated(paths)
    recordings = [path for path in paths if path.suffix.lower() == C3D]
    read = dict(zip(recordings, read_many(recordings), strict=True)) if recordings else {}
    for path in paths:
        asked = {kind: root for kind, root in roots.items() if path.is_relative_to(root)}
        suffix = path.suffix.lower()
        results = next((each for each in found.results if each.holds(path)), None)
        if results is not None and not results.is_activation(path):
            continue
        try:
            if path in read:
                _add_c3d(found, path, asked, read[path])
            elif suffix in (*TABLES, *SUFFIXES):
                _add(found, path, asked, read_recording(path), model, results.by(path) if results else "")
            elif suffix in UNREAD:
                found.leave(path, f"left out, it {UNREAD[suffix]}.")
        except Nem2eError as error:
            found.leave(path, str(error))
    return found


def _add_c3d(found: Search, path: Path, asked: dict[str, Path], recording: Recording | Nem2eError) -> None:
    """Take the EMG and the forces of a C3D file, whichever are looked for where it lies."""
    if isinstance(recording, Nem2eError):
        raise recording
    who = next(iter(recording.head.texts("SUBJECTS", "NAMES")), "").strip()
    wanted = [kind for kind in ("emg", "grf") if kind in asked or "" in asked]
    if not wanted:
        found.leave(path, "left out, a C3D file holds no activation; name its folder under --emg or --grf.")
    for kind in wanted:
        root = asked.get(kind, next(iter(asked.values())))
        relative = path.relative_to(root)
        inside = relative.with_name(f"{path.stem}_{kind}.sto")
        try:
            storage, odd = _of_c3d(recording, kind, inside.stem)
        except Nem2eError as error:
            found.leave(path, str(error))
            continue
        inside = inside if "" in asked else Path(kind) / inside
        like = inside.with_name(f"…_{kind}.sto").as_posix()
        copied = f"its {_HELD[kind]} copied as {like}."
        first = float(recording.time[0])
        _keep(found, Found(path, inside, kind, storage, words(relative), keys(relative), (copied, *odd), first, who))


def _of_c3d(recording: Recording, kind: str, name: str) -> tuple[Storage, list[str]]:
    if kind == "grf":
        storage, told = forces_of(recording, name)
        return storage, [*told, *recording.notes]
    channels = emg_channels(recording)
    if not channels:
        has = ", ".join(recording.channels[:6]) + ", …" * (len(recording.channels) > 6)
        raise Nem2eError(f"{recording.path}: no analogue channel that may be EMG; it has {has or 'none'}.")
    return channel_table(recording, channels), list(recording.notes)


def _keep(found: Search, file: Found) -> None:
    if twin := next((other for other in found.files if other.inside == file.inside), None):
        found.leave(file.path, f"left out, {twin.path} has the same name; rename one of them.")
    else:
        found.files.append(file)


def _add(
    found: Search, path: Path, asked: dict[str, Path], storage: Storage, model: Model | None, by: str = ""
) -> None:
    deepest = max(asked.values(), key=lambda root: len(root.parts))
    relative = path.relative_to(deepest)
    if len(asked) == 1 and "" not in asked:
        held, why = _kind(relative, storage, next(iter(asked)), model)
    else:
        guess = _guess(relative, storage)
        held, why = (
            _kind(relative, storage, guess, model) if guess else (None, "neither activation, EMG nor vertical force")
        )
        if held and held not in asked and "" not in asked:
            held, why = None, f"it holds {held}, which is not looked for here"
    if held is None:
        found.leave(path, f"left out, {why}.")
        return
    root = asked.get(held, deepest)
    inside = path.relative_to(root) if "" in asked else Path(held) / path.relative_to(root)
    inside = inside if path.suffix.lower() in TABLES else inside.with_suffix(".sto")
    copied = f"read as {storage.metadata.get('format', '')}, copied as {inside.as_posix()}."
    odd = (copied, *storage.warnings) if inside.suffix != path.suffix else ()
    _keep(
        found,
        Found(path, inside, held, storage, words(relative), keys(relative), odd, who=_who(relative, deepest), by=by),
    )


def _who(relative: Path, root: Path) -> str:
    return subject(words(relative)) or subject(words(Path(*root.resolve().parts[-2:])))


def _kind(path: Path, storage: Storage, kind: str, model: Model | None) -> tuple[str | None, str]:
    """The kind if the table can be that, else None and the reason."""
    if len(storage.time) < 2:
        return None, f"it has {len(storage.time)} rows"
    if kind == "grf":
        volts = [label for label, unit in units(storage).items() if unit.endswith("V") and _PLATE.search(label)]
        if volts:
            return None, f"{volts[0]!r} is the output of a force plate in V, and forces in N are looked for"
        known = known_columns(storage) is not None or vertical_candidates(storage)
        return ("grf", "") if known else (None, "no column of vertical force")
    if kind == "emg":
        simulated = any(is_state(label) for label in storage.labels) and "emg" not in path.stem.lower()
        if not may_be_emg(storage):
            return None, f"its columns are in {', '.join(sorted(set(units(storage).values())))}, and EMG is looked for"
        return (None, "its columns are simulated states") if simulated else ("emg", "")
    told = sort_columns(storage.labels, model)
    columns = [label for label in told.muscles if label not in told.unknown or is_muscle(label)]
    if not columns:
        return None, "no column under a known name of a muscle"
    if other := _OTHER.search(path.stem):
        return None, f"its name says {other.group().lower()!r}, and activations are looked for"
    values = np.column_stack([storage.column(label) for label in columns])
    finite = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    if np.mean(finite.mean(axis=0) < _RECTIFIED * np.abs(finite).mean(axis=0)) > 0.5:
        return None, "its values swing about zero, as raw EMG does"
    return (None, no_activation(finite).rstrip(".?")) if no_activation(finite) else ("activation", "")


def _guess(path: Path, storage: Storage) -> str | None:
    stem, name = path.stem.lower(), f"{path.stem} {path.parent.name} {storage.name}".lower()
    if _RESULT.search(stem) and "emg" not in stem:
        return None
    if any(is_state(label) for label in storage.labels) and "emg" not in stem:
        return "activation"
    if "emg" in name or "electromyo" in name:
        return "emg"
    if re.search(r"activation|states|controls", stem):
        return "activation"
    if known_columns(storage) is not None or re.search(r"grf|grd|ground", stem):
        return "grf"
    muscles = [label for label in storage.labels if is_muscle(label)]
    if not muscles:
        return "grf" if vertical_candidates(storage) and "force" in name else None
    values = np.column_stack([storage.column(label) for label in muscles])
    return "emg" if len(storage.time) > 1 and np.mean(is_raw(storage.time, values)) > 0.5 else "activation"


def plates_channels(labels: Sequence[str]) -> list[str]:
    """Return the labels that are those of a force plate: ``F1X``, ``Mz2``, ``Force.FP1_Fz``."""
    return [label for label in labels if _PLATES_CHANNEL.fullmatch(label)]


def vertical_candidates(storage: Storage) -> list[str]:
    """Return labels that may be vertical force under names that are not known, the greatest force first."""
    labels = [label for label in storage.labels if _VERTICAL.search(label) and not _NO_FORCE.search(label)]
    size = {label: float(np.nanmax(np.abs(storage.column(label)), initial=0)) for label in labels}
    return sorted(labels, key=lambda label: -size[label])


def list_files(activation: Path, emg: Path, grf: Path | None = None) -> pd.DataFrame:
    """Return what lies below the folders, a row a file: a folder named for several kinds is listed once.

    Returns
    -------
    DataFrame
        kind (or kinds), file, columns, seconds, rate_hz, labels (the first of them, or why the file cannot be read).
    """
    kinds: dict[Path, list[str]] = {}
    for kind, place in (("activation", activation), ("EMG", emg), ("force", grf)):
        if place is not None:
            kinds.setdefault(place, []).append(kind)
    return pd.DataFrame(
        {"kind": " or ".join(some), "file": path.relative_to(place).as_posix(), **_facts(path)}
        for place, some in kinds.items()
        for path in files_below(place)
        if path.suffix.lower() in (*TABLES, *SUFFIXES, *UNREAD)
    )


def _facts(path: Path) -> dict[str, object]:
    try:
        storage = read_recording(path)
    except Nem2eError as error:
        return {"labels": str(error)}
    length = float(storage.time[-1] - storage.time[0]) if len(storage.time) > 1 else 0.0
    return {
        "columns": len(storage.labels),
        "seconds": round(length, 2),
        "rate_hz": round((len(storage.time) - 1) / length) if length else 0,
        "labels": ", ".join(storage.labels[:6]) + (", …" if len(storage.labels) > 6 else ""),
    }
