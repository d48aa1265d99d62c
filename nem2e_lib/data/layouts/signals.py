"""EMG and force files of an archive, renamed as a study needs them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from nem2e_lib.data.layouts.layout import Layout
from nem2e_lib.data.layouts.match import Row
from nem2e_lib.data.layouts.times import FORCE, force_columns
from nem2e_lib.data.storage import Storage, write_storage
from nem2e_lib.errors import Nem2eError


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
        from nem2e_lib.data.layouts.convert import read_entry

        entry = row.files["emg"]
        if entry.path not in self.written:
            storage = read_entry(self.layout, entry)
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


def force_file(layout: Layout, row: Row, folder: Path, written: dict[str, str]) -> str:
    """Write the vertical forces of a trial in N under names in common use; returns its path in the study.

    `written` knows which files of the archive were written, and where.
    """
    from nem2e_lib.data.layouts.convert import read_entry

    entry, columns = row.files["grf"], layout.table("columns")
    if entry.path in written:
        return written[entry.path]
    path = _free("grf", row, entry.path, ".mot", written)
    storage = read_entry(layout, entry)
    pair = force_columns(storage.labels, columns.get("right", []), columns.get("left", []))
    if pair is None:
        raise Nem2eError(
            f"{entry.path}: no columns of vertical force of both feet; found {', '.join(storage.labels[:12])}, …; name "
            "them in [columns] right and left of the layout."
        )
    values = np.column_stack([storage.column(label) for label in pair]) * layout.unit("force")
    (folder / "grf").mkdir(exist_ok=True)
    plain = replace(storage, labels=FORCE, values=values, metadata={}, warnings=())
    write_storage(folder / path, replace(plain, in_degrees=False))
    written[entry.path] = path
    return path


def _free(folder: str, row: Row, source: str, suffix: str, written: dict[str, str]) -> str:
    """A path that no other file has: by the name in the archive, else by the trial's."""
    path = f"{folder}/{_safe(row.subject)}_{_safe(Path(source).stem)}{suffix}"
    return f"{folder}/{_safe(row.name)}{suffix}" if path in written.values() else path


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text)
