"""A study folder made of what a layout found; whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pandas as pd

from nem2e_lib.data.columns import muscle_name
from nem2e_lib.data.layouts.layout import Layout
from nem2e_lib.data.layouts.match import Matched, Row
from nem2e_lib.data.layouts.signals import EmgFiles, force_file
from nem2e_lib.data.layouts.source import Entry
from nem2e_lib.data.layouts.times import SNAP_S, Span, force_spans, inside, setup_span
from nem2e_lib.data.storage import Storage, read_storage, write_storage
from nem2e_lib.errors import Nem2eError


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
        if np.any((activation.values < 0) | (activation.values > 1)):
            outside += 1
            lowest, highest = min(lowest, activation.values.min()), max(highest, activation.values.max())
        path = f"activation/{row.name}.sto"
        _save(folder / path, activation)
        grf = force_file(layout, row, folder, made.grf) if "grf" in row.files else ""
        _trial(layout, row, made, path, emg.add(row), grf)
        _cycles(layout, row, activation, folder / grf if grf else None, made)
    if outside:
        made.told.append(
            f"{outside} of {len(made.trials)} activation files leave the range from 0 to 1 (from {lowest:.3g} to "
            f"{highest:.3g}); values are kept as they are."
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


@contextmanager
def unpacked(entry: Entry) -> Iterator[Path]:
    """The file in a temporary folder; refusals name it by its place in the archive."""
    with tempfile.TemporaryDirectory(prefix="nem2e-") as spare:
        path = Path(spare) / ("file" + Path(entry.path).suffix)
        entry.save(path)
        try:
            yield path
        except Nem2eError as error:
            told = str(error).replace(str(path), entry.path).rstrip(".")
            raise Nem2eError(f"{told} (to go on without this file, name it under leave in the layout).") from None


def read_entry(layout: Layout, entry: Entry) -> Storage:
    """A storage file with its time in s."""
    with unpacked(entry) as path:
        storage = read_storage(path)
    return replace(storage, time=storage.time * layout.unit("time"))


def _activation(layout: Layout, row: Row, made: Made) -> Storage:
    entry = row.files["activation"]
    storage = read_entry(layout, entry)
    patterns = layout.table("columns").get("activation", ["*"])
    labels = [label for label in storage.labels if any(fnmatchcase(label, each) for each in patterns)]
    if not labels:
        raise Nem2eError(
            f"{entry.path}: no column is like {' or '.join(patterns)}; found {', '.join(storage.labels[:6])}, …; "
            "leave this file out (leave) or correct [columns] activation in the layout."
        )
    names = tuple(muscle_name(label) for label in labels)
    values = storage.values[:, [storage.labels.index(label) for label in labels]] * layout.unit("activation")
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
        labels = read_entry(layout, row.files["controls"]).labels
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
    controls = read_entry(layout, row.files["controls"])
    columns = [np.interp(activation.time, controls.time, controls.column(name)) for name in extra]
    return replace(
        activation, labels=(*activation.labels, *extra), values=np.column_stack([activation.values, *columns])
    )


def _cycles(layout: Layout, row: Row, activation: Storage, grf: Path | None, made: Made) -> None:
    spans, how = _spans(layout, row, activation, grf)
    kept = inside(spans, activation.time)
    if not kept:
        first, last = activation.time[[0, -1]]
        what = f"{how} gives {', '.join(f'{s:g} to {e:g} s' for s, e in spans)}" if spans else "no cycle is known"
        made.told.append(f"{row.name}: {what}, its activation covers {first:g} to {last:g} s: no cycle to use.")
    if kept != spans and kept:
        made.told.append(f"{row.name}: cycle cut at the ends of its activation, by less than {1e3 * SNAP_S:g} ms.")
    number = row.parts.get("cycle", "")
    for index, (start, end) in enumerate(kept):
        own = int(number) if number.isdigit() and len(kept) == 1 else index
        made.cycles.append({"trial": row.name, "cycle": own, "start_s": start, "end_s": end})


def _spans(layout: Layout, row: Row, activation: Storage, grf: Path | None) -> tuple[list[Span], str]:
    cycles = layout.table("cycles")
    for way in cycles.get("from", ["setup", "force"]):
        if way == "setup" and "setup" in row.files:
            with unpacked(row.files["setup"]) as path:
                start, end = setup_span(path, row.files["setup"].path)
            scale = layout.unit("time")
            return [(start * scale, end * scale)], "the set-up"
        if way == "force" and grf is not None:
            spans = force_spans(read_storage(grf), float(cycles.get("threshold_n", 20.0)))
            if usable := inside(spans, activation.time):
                return usable, "force"
        if way == "span":
            return [(float(activation.time[0]), float(activation.time[-1]))], "the file's span"
    return [], ""


def tables(made: Made, folder: Path) -> None:
    """Write ``trials.csv`` and ``cycles.csv``."""
    pd.DataFrame(made.trials).to_csv(folder / "trials.csv", index=False, lineterminator="\n")
    columns = ["trial", "cycle", "start_s", "end_s"]
    pd.DataFrame(made.cycles, columns=columns).to_csv(folder / "cycles.csv", index=False, lineterminator="\n")


def discard(folder: Path) -> None:
    """Remove a folder that was not finished."""
    shutil.rmtree(folder, ignore_errors=True)
