"""What `convert` wrote, read again after a person may have edited it: every problem at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from nem2e_lib.data.c3d.contacts import COLUMNS as CONTACT
from nem2e_lib.data.c3d.convert import TRIALS
from nem2e_lib.data.c3d.feet import SIDES
from nem2e_lib.data.c3d.mapping import FOLDER, Mapping, read_mapping
from nem2e_lib.data.families import counterpart
from nem2e_lib.data.muscles import base
from nem2e_lib.data.tables import near, number_problems, read_table
from nem2e_lib.error import Nem2eError

_AGAIN = "run 'nem2e study from-c3d' again"


@dataclass(frozen=True, eq=False)
class Converted:
    """Tables of a folder that `from_c3d` wrote: `trials`, `contacts` (texts, by line) and the mapping."""

    folder: Path
    trials: pd.DataFrame
    contacts: pd.DataFrame
    mapping: Mapping

    def named(self, channels: Sequence[str], muscles: Sequence[str]) -> Mapping:
        """Return the mapping with muscles called as the activations call them, of any family of models.

        Parameters
        ----------
        channels : sequence of str
            Of the EMG files.
        muscles : sequence of str
            Of the activation files, under right-hand names.

        Raises
        ------
        Nem2eError
            If it does not name a channel any more, or no activation has a muscle.
        """
        where, rows = self.folder / FOLDER / "channels.csv", self.mapping.channels
        problems = [
            f"{where}: names no EMG {channel!r} any more, but the converted files have it; {_AGAIN}."
            for channel in channels
            if channel not in set(rows["emg"])
        ]
        names = {muscle: self._name(f"{muscle}_r", muscles) for muscle in rows["muscle"].unique()}
        used = rows[rows["emg"].isin(channels)].drop_duplicates(["emg", "muscle"])
        problems += [
            f"{where}: line {line}: muscle of {row['emg']!r} is {row['muscle']!r}, but the activations have no "
            f"{row['muscle']}_r{near(row['muscle'] + '_r', muscles) or '.'}"
            for line, row in zip(used.index, used.to_dict("records"), strict=True)
            if not names[row["muscle"]]
        ]
        if problems:
            raise Nem2eError(" ".join(problems))
        there = rows["muscle"].map(lambda muscle: base(names[muscle]) or muscle)
        return replace(self.mapping, channels=rows.assign(muscle=there))

    @staticmethod
    def _name(muscle: str, muscles: Sequence[str]) -> str:
        return muscle if muscle in muscles else counterpart(muscle, muscles)


def read_converted(folder: Path) -> Converted:
    """Read a folder that `from_c3d` wrote.

    Raises
    ------
    Nem2eError
        If it is none, or with every problem of its tables.
    """
    if not (folder / FOLDER).is_dir():
        raise Nem2eError(f"{folder}: has no folder {FOLDER}; name the one that 'nem2e study from-c3d' wrote.")
    trials = read_table(folder / "trials.csv", TRIALS)
    contacts = read_table(folder / "contacts.csv", ("trial", *CONTACT))
    mapping = read_mapping(folder)
    problems = [*_of_trials(folder, trials, mapping), *_of_contacts(folder / "contacts.csv", contacts, mapping)]
    if problems:
        raise Nem2eError(" ".join(problems))
    return Converted(folder, trials, contacts, mapping)


def _of_trials(folder: Path, table: pd.DataFrame, mapping: Mapping) -> Iterator[str]:
    known = mapping.recordings["trial"].tolist()
    for line, row in zip(table.index, table.to_dict("records"), strict=True):
        where = f"{folder / 'trials.csv'}: line {line}"
        if row["trial"] not in known:
            yield f"{where}: trial {row['trial']!r} is not in {FOLDER}/recordings.csv{near(row['trial'], known) or '.'}"
        if row["leg"] not in ("", *SIDES):
            yield f"{where}: leg is {row['leg']!r}, but right, left or nothing is expected."
        if row["emg"] and not (folder / row["emg"]).is_file():
            yield f"{where}: there is no file {folder / row['emg']}; {_AGAIN}."
    for name in table.loc[table["trial"].duplicated(), "trial"].unique():
        yield f"{folder / 'trials.csv'}: trial {name!r} has two rows; take one out."


def _of_contacts(path: Path, table: pd.DataFrame, mapping: Mapping) -> Iterator[str]:
    for column in ("start_s", "off_s"):
        yield from number_problems(path, table, column)
    for column in ("next_strike_s", "speed_m_s"):
        yield from number_problems(path, table[table[column] != ""], column)
    known = mapping.recordings["trial"].tolist()
    for line, row in zip(table.index, table.to_dict("records"), strict=True):
        if row["foot"] not in ("", *SIDES):
            yield f"{path}: line {line}: foot is {row['foot']!r}, but right, left or nothing is expected."
        if row["trial"] not in known:
            yield f"{path}: line {line}: trial {row['trial']!r} is not in {FOLDER}/recordings.csv; {_AGAIN}."
