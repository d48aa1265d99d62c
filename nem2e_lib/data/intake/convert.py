"""A study folder made of what a layout found; whole or not at all."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.columns import muscle_columns
from nem2e_lib.data.files import read_text
from nem2e_lib.data.force.events import find_events
from nem2e_lib.data.force.feet import known_columns, read_feet
from nem2e_lib.data.gait import Limits
from nem2e_lib.data.intake.layout import Layout
from nem2e_lib.data.intake.match import Matched, Row
from nem2e_lib.data.intake.source import Entry
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.limits import band, beside
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.error import Nem2eError

Span = tuple[float, float]

_FORCE = ("ground_force_vy", "l_ground_force_vy")
"""Columns of vertical force in N, right and left, in the force files of a study that is made."""
_BY_LAYOUT = "name them in [columns] right and left of the layout"
_SNAP_S = 0.01
"""A cycle that ends up to this long outside its activation file is cut at the file's end, and told: at 120 Hz force
knows a heel strike to 8 ms."""
_NUMBER = r"\s*([-+]?[0-9.]+(?:[eE][-+]?\d+)?)\s*"


@dataclass
class Made:
    """What a study folder is written from: rows of its tables, columns of its muscles, and what is to be told."""

    trials: list[dict[str, object]] = field(default_factory=list)
    cycles: list[dict[str, object]] = field(default_factory=list)
    muscles: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    told: list[str] = field(default_factory=list)
    grf: dict[str, str] = field(default_factory=dict)


def convert(layout: Layout, found: Matched, folder: Path) -> tuple[Made, EmgFiles]:
    """Write the signals of every trial below `folder` and return what its tables are to say.

    Activation files hold the muscles alone; coordinates, speeds and fibre lengths are left behind.

    Raises
    ------
    Nem2eError
        If a file is unreadable or not what the layout says.
    """
    made, emg = Made(), EmgFiles(layout, folder)
    made.extra = _extra(layout, found, made)
    lowest, highest, outside = 0.0, 1.0, 0
    for row in found.rows:
        if row.doubts:
            raise Nem2eError(f"{row.name}: {row.doubts[0]}.")
        if "emg" not in row.files:
            made.told.append(f"{row.name}: left out, there is no EMG file.")
            continue
        activation = _activation(layout, row, made)
        if found_outside := beside(activation, band(activation.labels, 0.0), ()):
            outside += 1
            values = [one.value for one in found_outside]
            lowest, highest = min(lowest, *values), max(highest, *values)
        path = f"activation/{row.name}.sto"
        _save(folder / path, activation)
        grf = _force_file(layout, row, folder, made) if "grf" in row.files else ""
        _trial(layout, row, made, path, emg.add(row), grf)
        _cycles(layout, row, activation, folder / grf if grf else None, made)
    if outside:
        made.told.append(
            f"{outside} of {len(made.trials)} activation files leave the range from 0 to 1 (from {lowest:.3g} to "
            f"{highest:.3g}); values are kept as they are, and what lies in a cycle is judged when it is cut."
        )
    if not made.trials:
        raise Nem2eError(
            f"{layout.path}: none of {len(found.rows)} activation files has an EMG file; see `--show`, and correct "
            "[files] emg in a copy of the layout."
        )
    if not made.cycles:
        why = made.told[-1] if made.told else ""
        raise Nem2eError(f"{layout.path}: no trial has a cycle to use; {why} See [cycles] from in docs/archives.md.")
    return made, emg


def _trial(layout: Layout, row: Row, made: Made, activation: str, emg: str, grf: str) -> None:
    speed = layout.table("speeds").get(row.speed, {})
    made.trials.append(
        {
            "trial": row.name,
            "subject": row.subject,
            "speed": speed.get("label", row.speed),
            "speed_m_s": speed.get("m_s", ""),
            "activation": activation,
            "emg": emg,
            "grf": grf,
        }
    )


def _save(path: Path, storage: Storage) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_storage(path, storage)


def _activation(layout: Layout, row: Row, made: Made) -> Storage:
    entry = row.files["activation"]
    storage = _read_entry(layout, entry)
    patterns = layout.table("columns").get("activation", ["*"])
    fit = [label for label in storage.labels if any(fnmatchcase(label, each) for each in patterns)]
    labels = muscle_columns(fit, told=map(muscle_name, patterns))
    if fit and not labels:
        raise Nem2eError(
            f"{entry.path}: none of the columns like {' or '.join(patterns)} is of a muscle under a known name; found "
            f"{', '.join(fit[:6])}, …; name the muscles one by one in [columns] activation of the layout."
        )
    if not labels:
        raise Nem2eError(
            f"{entry.path}: no column is like {' or '.join(patterns)}; found {', '.join(storage.labels[:6])}, …; "
            "leave this file out (leave) or correct [columns] activation in the layout."
        )
    names = tuple(muscle_name(label) for label in labels)
    values = storage.values[:, [storage.labels.index(label) for label in labels]] * layout.unit("activation")
    if not made.muscles and len(labels) < len(fit):
        left = [label for label in fit if label not in labels]
        more = f" and {len(left) - 6} more" if len(left) > 6 else ""
        made.told.append(f"{entry.path}: columns not taken for muscles ({len(left)}): {', '.join(left[:6])}{more}.")
    made.muscles = made.muscles or names
    if set(names) != set(made.muscles):
        odd = sorted(set(names) ^ set(made.muscles))
        raise Nem2eError(
            f"{entry.path}: {len(names)} muscles, {len(made.muscles)} in the first file; {odd[0]!r} is not in both; "
            "correct [columns] activation in the layout, or leave this file out (leave)."
        )
    plain = replace(storage, labels=names, values=values, name=row.name, in_degrees=False, metadata={}, warnings=())
    return _with_extra(layout, row, plain, made.extra)


def _extra(layout: Layout, found: Matched, made: Made) -> tuple[str, ...]:
    """Columns of the controls files that every trial has."""
    wanted = tuple(layout.table("columns").get("extra", ()))
    if not wanted:
        return ()
    lack = [row for row in found.rows if "controls" not in row.files]
    if lack:
        if len(lack) < len(found.rows):
            made.told.append(f"{len(lack)} trials have no controls file, so {', '.join(wanted)} are not added.")
        return ()
    for row in found.rows:
        labels = _read_entry(layout, row.files["controls"]).labels
        missing = [name for name in wanted if name not in labels]
        if missing:
            made.told.append(
                f"{row.files['controls'].path}: no column {', '.join(missing)}, so [columns] extra is not added; "
                f"its columns that are no muscles may be named there."
            )
            return ()
    return wanted


def _with_extra(layout: Layout, row: Row, activation: Storage, extra: tuple[str, ...]) -> Storage:
    if not extra:
        return activation
    controls = _read_entry(layout, row.files["controls"])
    columns = [np.interp(activation.time, controls.time, controls.column(name)) for name in extra]
    return replace(
        activation, labels=(*activation.labels, *extra), values=np.column_stack([activation.values, *columns])
    )


def _read_entry(layout: Layout, entry: Entry) -> Storage:
    """A storage file with its time in s."""
    with _unpacked(entry) as path:
        storage = read_storage(path)
    return replace(storage, time=storage.time * layout.unit("time"))


@contextmanager
def _unpacked(entry: Entry) -> Iterator[Path]:
    """The file in a temporary folder; refusals name it by its place in the archive."""
    with tempfile.TemporaryDirectory(prefix="nem2e-") as spare:
        path = Path(spare) / ("file" + Path(entry.path).suffix)
        entry.save(path)
        try:
            yield path
        except Nem2eError as error:
            told = str(error).replace(str(path), entry.path).rstrip(".")
            raise Nem2eError(f"{told} (to go on without this file, name it under leave in the layout).") from None


class EmgFiles:
    """EMG files of a study: each written once, its channels under the layout's names."""

    def __init__(self, layout: Layout, folder: Path) -> None:
        self.layout, self.folder = layout, folder
        self.written: dict[str, str] = {}
        self.channels: dict[str, int] = {}
        self.subjects: dict[str, list[str]] = {}
        self.copies: dict[tuple[str, str], int] = {}

    def add(self, row: Row) -> str:
        """Write the EMG of a trial; returns its path in the study."""
        entry = row.files["emg"]
        if entry.path not in self.written:
            storage = _read_entry(self.layout, entry)
            path = _free("emg", row, entry.path, ".sto", self.written)
            (self.folder / "emg").mkdir(exist_ok=True)
            renamed = self._renamed(storage, row)
            write_storage(self.folder / path, renamed)
            self.written[entry.path] = path
            self._count(renamed)
            for label in renamed.labels:
                who = self.subjects.setdefault(label, [])
                who += [] if row.subject in who else [row.subject]
        return self.written[entry.path]

    def _renamed(self, storage: Storage, row: Row) -> Storage:
        of = self.layout.table("emg_of").get(row.subject, {})
        names = {**self.layout.table("emg"), **of}
        labels = tuple(str(names.get(label, label)) for label in storage.labels)
        twice = [label for label in labels if labels.count(label) > 1]
        if twice:
            raise Nem2eError(
                f"{row.files['emg'].path}: two channels become {twice[0]!r} by [emg] of the layout; name one otherwise."
            )
        return replace(storage, labels=labels, metadata={}, warnings=())

    def _count(self, storage: Storage) -> None:
        for index, label in enumerate(storage.labels):
            self.channels[label] = self.channels.get(label, 0) + 1
            for other_index, other in enumerate(storage.labels[:index]):
                if np.array_equal(storage.values[:, index], storage.values[:, other_index], equal_nan=True):
                    self.copies[label, other] = self.copies.get((label, other), 0) + 1

    def targets(self) -> dict[str, str]:
        """Channels whose muscle the layout knows, those of `[emg_muscles]` first in its order."""
        known = self.layout.table("emg_muscles")
        return {name: str(muscle) for name, muscle in known.items() if name in self.channels}

    def unknown(self) -> list[str]:
        """Channels whose muscle is to be given."""
        return [name for name in self.channels if name not in self.layout.table("emg_muscles")]

    def electrodes(self) -> dict[str, str]:
        """Channels that are copies of an earlier one in every file that has both."""
        found: dict[str, str] = {}
        for (label, other), times in self.copies.items():
            both = min(self.channels[label], self.channels[other])
            if times == both and label not in found:
                found[label] = found.get(other, other)
        return found


def _force_file(layout: Layout, row: Row, folder: Path, made: Made) -> str:
    """Write the vertical forces of a trial in N under names in common use; returns its path in the study.

    `made.grf` knows which files of the archive were written, and where.
    """
    entry = row.files["grf"]
    if entry.path in made.grf:
        return made.grf[entry.path]
    path = _free("grf", row, entry.path, ".mot", made.grf)
    with _unpacked(entry) as file:
        feet = read_feet(file, *_force_columns(layout, read_storage(file)), how=_BY_LAYOUT)
        made.told += [str(note).replace(str(file), entry.path) for note in feet.notes]
    force = feet.force
    (folder / "grf").mkdir(exist_ok=True)
    plain = replace(
        force, labels=_FORCE, time=force.time * layout.unit("time"), values=force.values * layout.unit("force")
    )
    write_storage(folder / path, replace(plain, metadata={}, warnings=(), in_degrees=False))
    made.grf[entry.path] = path
    return path


def _force_columns(layout: Layout, storage: Storage) -> tuple[list[str] | None, list[str] | None]:
    """Columns of vertical force that the layout names, right and left, where the file does not tell them; else None."""
    named = (layout.table("columns").get(side, []) for side in ("right", "left"))
    right, left = ([name for name in names if name in storage.labels][:1] for names in named)
    asked = known_columns(storage) is None and right and left and right != left
    return (right, left) if asked else (None, None)


def _free(folder: str, row: Row, source: str, suffix: str, written: dict[str, str]) -> str:
    """A path that no other file has: by the name in the archive, else by the trial's."""
    path = f"{folder}/{_safe(row.subject)}_{_safe(Path(source).stem)}{suffix}"
    return f"{folder}/{_safe(row.name)}{suffix}" if path in written.values() else path


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text)


def _cycles(layout: Layout, row: Row, activation: Storage, grf: Path | None, made: Made) -> None:
    spans, how = _spans(layout, row, activation, grf)
    kept = inside(spans, activation.time)
    if not kept:
        first, last = activation.time[[0, -1]]
        what = f"{how} gives {', '.join(f'{s:g} to {e:g} s' for s, e in spans)}" if spans else "no cycle is known"
        made.told.append(f"{row.name}: {what}, its activation covers {first:g} to {last:g} s: no cycle to use.")
    if kept != spans and kept:
        made.told.append(f"{row.name}: cycle cut at the ends of its activation, by less than {1e3 * _SNAP_S:g} ms.")
    number = row.parts.get("cycle", "")
    for index, (start, end) in enumerate(kept):
        own = int(number) if number.isdigit() and len(kept) == 1 else index
        made.cycles.append({"trial": row.name, "cycle": own, "start_s": start, "end_s": end})


def _spans(layout: Layout, row: Row, activation: Storage, grf: Path | None) -> tuple[list[Span], str]:
    cycles = layout.table("cycles")
    for way in cycles.get("from", ["setup", "force"]):
        if way == "setup" and "setup" in row.files:
            with _unpacked(row.files["setup"]) as path:
                start, end = setup_span(path, row.files["setup"].path)
            scale = layout.unit("time")
            return [(start * scale, end * scale)], "the set-up"
        if way == "force" and grf is not None:
            spans = _force_spans(grf, float(cycles.get("threshold_n", 20.0)))
            if usable := inside(spans, activation.time):
                return usable, "force"
        if way == "span":
            return [(float(activation.time[0]), float(activation.time[-1]))], "the file's span"
    return [], ""


def setup_span(path: Path, shown: str) -> Span:
    """Read ``initial_time`` and ``final_time`` of a set-up file, in s; a comment may stand above its first line.

    Raises
    ------
    Nem2eError
        If either is missing, there more than once with different values, or the end is not after the start.
    """
    text = re.sub(r"<!--.*?-->", "", read_text(path)[0], flags=re.DOTALL)
    start, end = (_only(text, name, shown) for name in ("initial_time", "final_time"))
    if end <= start:
        raise Nem2eError(f"{shown}: final_time {end:g} is not after initial_time {start:g}; mend it or leave it out.")
    return start, end


def _only(text: str, name: str, shown: str) -> float:
    values = {float(value) for value in re.findall(f"<{name}>{_NUMBER}</{name}>", text)}
    if len(values) != 1:
        told = "none" if not values else ", ".join(f"{value:g}" for value in sorted(values))
        raise Nem2eError(f"{shown}: one number <{name}> is expected, found {told}; is this a set-up of CMC or RRA?")
    return values.pop()


def _force_spans(grf: Path, threshold_n: float) -> list[Span]:
    """Right heel strike to right heel strike, of cycles that can be ones."""
    found = find_events(read_feet(grf), Limits(threshold_n)).cycles("right-right")
    return [(start, end) for start, end, why in found if not why]


def inside(spans: list[Span], time: NDArray[np.float64]) -> list[Span]:
    """Return those that an activation file covers, cut at its ends where they pass them by up to `_SNAP_S`."""
    first, last = float(time[0]), float(time[-1])
    return [
        (max(start, first), min(end, last))
        for start, end in spans
        if start >= first - _SNAP_S and end <= last + _SNAP_S
    ]


def tables(made: Made, folder: Path) -> None:
    """Write ``trials.csv`` and ``cycles.csv``."""
    pd.DataFrame(made.trials).to_csv(folder / "trials.csv", index=False, lineterminator="\n")
    columns = ["trial", "cycle", "start_s", "end_s"]
    pd.DataFrame(made.cycles, columns=columns).to_csv(folder / "cycles.csv", index=False, lineterminator="\n")
