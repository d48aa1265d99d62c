"""What a person says of a laboratory's C3D files: which channel measures which muscle, who is who, which file is what.

Three tables beside what is converted, written from what the files tell and read again once a person has edited them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nem2e_lib.data.c3d.electrodes import live_share
from nem2e_lib.data.c3d.feet import SIDES
from nem2e_lib.data.c3d.recording import Recording
from nem2e_lib.data.c3d.tables import emg_channels
from nem2e_lib.data.families import is_known
from nem2e_lib.data.files import write_text
from nem2e_lib.data.intake.names import subject as subject_of
from nem2e_lib.data.intake.names import words
from nem2e_lib.data.muscles import LEG, TRUNK, meaning
from nem2e_lib.data.tables import near, read_table
from nem2e_lib.error import Nem2eError

FOLDER = "mapping"
KINDS = ("static", "walk", "leave")
"""What a file is: a static pose, a walk, or one to leave alone."""
COLUMNS = {
    "recordings": ("file", "trial", "subject", "kind", "condition"),
    "subjects": ("subject", "mass_kg", "leg"),
    "channels": ("channel", "emg", "side", "muscle", "subject"),
}
"""Tables of the mapping and their columns."""
_MASS = (("PROCESSING", "BODYMASS"), ("SUBJECT", "MASS"), ("SUBJECTS", "MASS"), ("PROCESSING", "MASS"))
_TWICE = 2.0
"""So many times as many channels as on the other leg must be live on the one that was measured."""
_ALIVE = 0.1
"""A leg is not measured if its channels vary by less than this share of the other leg's."""
STANDS_M = 0.3
"""Whoever stands moves by less."""
_STILL = re.compile(r"(?i)(?<![a-z])(static|cal|calib[a-z]*|pose|[tna]-?pose|neutral)(?![a-z])")
"""What files of a pose are called."""
_NAME = re.compile(r"[\w][\w .+-]*")
"""What a trial and a person may be called, since folders and files are called so."""


@dataclass(frozen=True, eq=False)
class Mapping:
    """The three tables: `recordings`, `subjects` and `channels`, with `COLUMNS` as texts."""

    recordings: pd.DataFrame
    subjects: pd.DataFrame
    channels: pd.DataFrame

    def channels_of(self, subject: str) -> pd.DataFrame:
        """Return a person's channels: rows of the person's own stand for those of everybody with the same channel."""
        everybody, own = (self.channels[self.channels["subject"] == who] for who in ("", subject))
        rest = everybody[~everybody["channel"].isin(own["channel"])]
        chosen = pd.concat([rest, own]) if subject else everybody
        return chosen[chosen["emg"] != ""].sort_index()

    def save(self, folder: Path) -> None:
        """Write the tables below a folder, under `FOLDER`."""
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        for name in COLUMNS:
            table: pd.DataFrame = getattr(self, name)
            write_text(folder / FOLDER / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))


def propose(
    root: Path, files: dict[Path, Recording], refused: Table[Path, str] | None = None
) -> tuple[Mapping, list[str]]:
    """Return the mapping that C3D files tell by themselves, and what a person has to fill in, one sentence each.

    Parameters
    ----------
    root : Path
        The folder that the files are named from.
    files : dict
        Path and content.
    refused : dict
        Those that cannot be converted, and why; they are left alone.
    """
    refused = refused or {}
    rows = [_recording(root, path, each, path in refused) for path, each in files.items()]
    recordings = _of_one_name(pd.DataFrame(rows, columns=list(COLUMNS["recordings"])))
    channels = _channels(list(files.values()))
    whose = {path: row["subject"] for path, (_, row) in zip(files, recordings.iterrows(), strict=True)}
    own = {who: [files[path] for path in files if whose[path] == who] for who in _each(whose)}
    kinds = dict(zip(files, recordings["kind"], strict=True))
    walks = {who: [files[path] for path in files if (whose[path], kinds[path]) == (who, "walk")] for who in own}
    shares = {who: live_shares(walks[who], channels) for who in own}
    subjects = pd.DataFrame(
        [_subject(who, own[who], walks[who], channels, shares[who]) for who in own], columns=list(COLUMNS["subjects"])
    )
    to_do = [
        f"{FOLDER}/recordings.csv: {path.relative_to(root).as_posix()} is of kind leave: it "
        f"{why.removeprefix(f'{path}: ')} See 'nem2e c3d'."
        for path, why in refused.items()
    ]
    to_do += [
        f"{FOLDER}/recordings.csv: {row['file']} is called static, but its markers move by "
        f"{moved_m(files[path]):.2g} m; it is of kind leave."
        for path, row in zip(files, rows, strict=True)
        if row["kind"] == "leave" and path not in refused
    ]
    to_do += [*_to_do(recordings, subjects, channels), *_no_emg(walks, channels, shares)]
    return Mapping(recordings, subjects, channels), to_do


def _each(whose: dict[Path, str]) -> list[str]:
    return list(dict.fromkeys(whose.values()))


def _recording(root: Path, path: Path, recording: Recording, refused: bool) -> dict[str, str]:
    inside = path.relative_to(root)
    named = next(iter(recording.head.texts("SUBJECTS", "NAMES")), "")
    who = _plain(named or subject_of(words(inside)) or (inside.parts[0] if len(inside.parts) > 1 else ""))
    condition = inside.parent.name if len(inside.parts) > 2 else ""
    kind = "leave" if refused else _kind(inside, recording)
    name = _plain("_".join(filter(None, (who, condition.lower() or inside.stem))))
    return {"file": inside.as_posix(), "trial": name, "subject": who, "kind": kind, "condition": condition.lower()}


def _plain(text: str) -> str:
    """A name that files may have; see `_NAME`."""
    return re.sub(r"[^\w.+-]+", "_", text).lstrip("_.+-")


def _kind(inside: Path, recording: Recording) -> str:
    """Static if the person stands; one who moves in a file that is called static is left alone."""
    said = recording.head.numbers("SUBJECTS", "IS_STATIC")
    called = (len(said) and said[0] == 1) or bool(_STILL.search(inside.as_posix()))
    if moved_m(recording) < STANDS_M:
        return "static"
    return "leave" if called else "walk"


def moved_m(recording: Recording) -> float:
    """Return how far the median marker goes along the axis on which it goes furthest, in m."""
    places = recording.metres[:, [recording.labels.index(name) for name in recording.markers]]
    return float(np.nanmedian((np.nanmax(places, axis=0) - np.nanmin(places, axis=0)).max(axis=1)))


def _of_one_name(recordings: pd.DataFrame) -> pd.DataFrame:
    """Trials of one name get their file's."""
    twice = recordings["trial"].duplicated(keep=False)
    stems = recordings["file"].map(lambda file: Path(file).stem)
    return recordings.assign(trial=recordings["trial"].where(~twice, recordings["trial"] + "_" + stems))


def _channels(recordings: Sequence[Recording]) -> pd.DataFrame:
    names = dict.fromkeys(name for recording in recordings for name in emg_channels(recording))
    return pd.DataFrame([_channel(name) for name in names], columns=list(COLUMNS["channels"]))


def _channel(name: str) -> dict[str, str]:
    fits, side = meaning(name)
    sided = {"r": "right", "l": "left"}.get(side, "")
    sure = len(fits) == 1 and sided
    muscle = fits[0] if sure else ""
    return {"channel": name, "emg": muscle, "side": sided, "muscle": muscle, "subject": ""}


def live_shares(walks: Sequence[Recording], channels: pd.DataFrame) -> dict[str, float]:
    """Return side to the share of its channels that are live in some walks, whatever muscle they measure."""
    return {side: live_share(walks, channels.loc[channels["side"] == side, "channel"].tolist()) for side in SIDES}


def _subject(
    who: str,
    recordings: Sequence[Recording],
    walks: Sequence[Recording],
    channels: pd.DataFrame,
    shares: Table[str, float],
) -> dict[str, str]:
    masses = [recording.head.numbers(*where) for recording in recordings for where in _MASS]
    mass = next((float(numbers[0]) for numbers in masses if len(numbers) and numbers[0] > 0), None)
    return {"subject": who, "mass_kg": "" if mass is None else f"{mass:.1f}", "leg": _leg(walks, channels, shares)}


def _leg(walks: Sequence[Recording], channels: pd.DataFrame, shares: Table[str, float]) -> str:
    """The one leg whose channels are live, twice as many as the other's at least; empty where both are, or none."""
    for side, other in (SIDES, SIDES[::-1]):
        if shares[side] >= _TWICE * shares[other] and shares[side] > 0:
            return side
    return _larger(walks, channels)


def _larger(walks: Sequence[Recording], channels: pd.DataFrame) -> str:
    """The one leg whose channels vary by much more than the other's."""
    size = {}
    for side in SIDES:
        names = channels.loc[(channels["side"] == side) & (channels["emg"] != ""), "channel"]
        spread = [np.std(each.channel(name)) for each in walks for name in names if name in each.channels]
        size[side] = float(np.median(spread)) if spread else 0.0
    right, left = size["right"], size["left"]
    if left < _ALIVE * right:
        return "right"
    return "left" if right < _ALIVE * left else ""


def _no_emg(
    walks: Table[str, Sequence[Recording]], channels: pd.DataFrame, shares: Table[str, Table[str, float]]
) -> Iterator[str]:
    """People whose walks have channels of EMG, of which none looks like EMG."""
    names = channels.loc[channels["side"] != "", "channel"].tolist()
    has = [who for who, some in walks.items() if any(name in each.channels for each in some for name in names)]
    dead = [who or "somebody" for who in has if not any(shares[who].values())]
    if dead:
        yield (
            f"{FOLDER}/recordings.csv: no channel of {', '.join(dead)} looks like EMG (noise, hum or an amplifier at "
            "its rails); write leave as the kind of these walks, or simulate them without."
        )


def _to_do(recordings: pd.DataFrame, subjects: pd.DataFrame, channels: pd.DataFrame) -> Iterator[str]:
    for name in subjects.loc[subjects["mass_kg"] == "", "subject"]:
        yield f"{FOLDER}/subjects.csv: {name or 'somebody'} has no mass_kg; the files do not say it."
    still = set(recordings.loc[recordings["kind"] == "static", "subject"])
    for name in subjects["subject"]:
        if name not in still:
            yield f"{FOLDER}/recordings.csv: {name or 'somebody'} has no file of kind static, which scaling needs."
    if not (recordings["kind"] == "walk").any():
        yield f"{FOLDER}/recordings.csv: no file is of kind walk, so that there is nothing to simulate."
    unknown = channels.loc[channels["muscle"] == "", "channel"].tolist()
    if unknown:
        yield (
            f"{FOLDER}/channels.csv: which muscle is not known of {', '.join(unknown)}; name it, or leave the line "
            "empty to leave the channel out."
        )
    if channels.empty:
        yield f"{FOLDER}/channels.csv: no analogue channel looks like EMG."


def read_mapping(folder: Path) -> Mapping:
    """Read a mapping that a person may have edited.

    Raises
    ------
    Nem2eError
        With every problem of its tables.
    """
    tables = {name: read_table(folder / FOLDER / f"{name}.csv", columns) for name, columns in COLUMNS.items()}
    if "" in tables["recordings"]["subject"].values and "" not in tables["subjects"]["subject"].values:
        nobody = pd.DataFrame("", index=[0], columns=list(COLUMNS["subjects"]))  # tables pass over an empty row
        tables["subjects"] = pd.concat([tables["subjects"], nobody])
    mapping = Mapping(**tables)
    problems = list(_problems(folder / FOLDER, mapping))
    if problems:
        raise Nem2eError(" ".join(problems))
    return mapping


def _problems(folder: Path, mapping: Mapping) -> Iterator[str]:
    known = mapping.subjects["subject"].tolist()
    for line, row in zip(mapping.recordings.index, mapping.recordings.to_dict("records"), strict=True):
        where = f"{folder / 'recordings.csv'}: line {line}"
        if row["kind"] not in KINDS:
            hint = near(row["kind"], KINDS) or "."
            yield f"{where}: kind is {row['kind']!r}, but {', '.join(KINDS)} is expected{hint}"
        if row["subject"] not in known:
            yield f"{where}: subject {row['subject']!r} is not in subjects.csv{near(row['subject'], known) or '.'}"
        for column in ("trial", "subject") if row["kind"] != "leave" else ():
            if (row[column] or column == "trial") and not _NAME.fullmatch(row[column]):
                yield (
                    f"{where}: {column} is {row[column]!r}, but a name of letters, digits, '_', '-', '.' is expected, "
                    "since files are called so."
                )
    for name in mapping.recordings.loc[mapping.recordings["trial"].duplicated(), "trial"].unique():
        yield f"{folder / 'recordings.csv'}: trial {name!r} has two rows; give each its own name."
    for line, row in zip(mapping.subjects.index, mapping.subjects.to_dict("records"), strict=True):
        where = f"{folder / 'subjects.csv'}: line {line}"
        if row["mass_kg"] and not _is_mass(row["mass_kg"]):
            yield f"{where}: mass_kg is {row['mass_kg']!r}, but a number of kg above 0 is expected."
        if row["leg"] not in ("", *SIDES):
            yield f"{where}: leg is {row['leg']!r}, but right, left or nothing is expected."
    for line, row in zip(mapping.channels.index, mapping.channels.to_dict("records"), strict=True):
        where = f"{folder / 'channels.csv'}: line {line}"
        if row["emg"] and row["side"] not in SIDES:
            yield f"{where}: side of {row['channel']!r} is {row['side']!r}, but right or left is expected."
        if row["emg"] and (hint := _misspelt(row["muscle"])):
            yield f"{where}: muscle of {row['channel']!r} is {row['muscle']!r}, which no model has{hint}"
        if row["subject"] not in ("", *known):
            yield f"{where}: subject {row['subject']!r} is not in subjects.csv{near(row['subject'], known) or '.'}"
        if row["emg"] and not row["muscle"]:
            yield f"{where}: {row['channel']!r} has the EMG name {row['emg']!r}, but no muscle; name it."
    for who in known:
        chosen = mapping.channels_of(who)
        for row in chosen[chosen.duplicated(["emg", "side"])].to_dict("records"):
            told = f"two channels of {who} are {row['emg']!r} of the {row['side']} leg"
            yield f"{folder / 'channels.csv'}: {told}; leave one out."
    if len(mapping.channels) and (mapping.channels["emg"] == "").all():
        yield f"{folder / 'channels.csv'}: names no EMG at all; give at least one channel a muscle."


def _misspelt(muscle: str) -> str:
    """What was meant by a muscle that no family of models has; empty where it has, or nothing is near."""
    return "" if not muscle or is_known(muscle) or meaning(muscle)[0] else near(muscle, (*LEG, *TRUNK))


def _is_mass(text: str) -> bool:
    try:
        return 0 < float(text) < 500
    except ValueError:
        return False
