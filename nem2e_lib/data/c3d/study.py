"""A study folder of what was converted from C3D files and then simulated: one leg a trial, cycles from its plates.

Two plates carry one foot each, and the rest of the time a foot is on bare floor. So only muscles of the leg that treads
on its plate are valid, and each trial of the study is one leg; left legs are mirrored to the right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nem2e_lib.data.c3d.converted import read_converted
from nem2e_lib.data.c3d.feet import SIDES
from nem2e_lib.data.c3d.mapping import Mapping as Said
from nem2e_lib.data.columns import muscle_columns
from nem2e_lib.data.files import whole_folder
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.muscles import TRUNK, base, side
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.data.study.settings import Line, Section, settings_text
from nem2e_lib.error import Nem2eError


@dataclass
class Built:
    """A study that was made: its trials, how many cycles, and what is to be told."""

    trials: pd.DataFrame
    cycles: int
    told: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Leg:
    """One leg of a walk: its activation under right-hand names, its EMG, and its cycles (start, end, speed)."""

    trial: str
    subject: str
    condition: str
    side: str
    activation: Storage
    emg: Storage
    cycles: tuple[tuple[float, float, float], ...]


def study_of(
    converted: Path, simulated: Path, out: Path, name: str = "", said: Mapping[str, str] | None = None
) -> Built:
    """Write a study folder.

    Parameters
    ----------
    converted
        What `from_c3d` wrote: its trials, contacts and mapping.
    simulated
        What `nem2e simulate run` wrote for its ``trials.csv``: a folder a trial with ``activation.sto``.
    out
        Study folder to write; must not exist.
    name
        Of the study; default: the folder's.
    said
        ``simulated_by``, ``citation`` and ``licence`` of ``study.toml``, as far as they are known.

    Raises
    ------
    Nem2eError
        If a folder is not what it should be, `out` exists, or nothing can be used.
    """
    if out.exists():
        raise Nem2eError(f"{out}: is there already; name a new study folder.")
    if not simulated.is_dir():
        raise Nem2eError(f"{simulated}: no such folder; name the one that 'nem2e simulate run' wrote.")
    known, told = read_converted(converted), list[str]()
    trials, contacts = known.trials, known.contacts
    legs = [
        leg
        for row in trials.to_dict("records")
        for leg in _legs(row, contacts, known.mapping, converted, simulated, told)
    ]
    legs, channels = _common(legs, told)
    if not legs:
        why = f" {told[0]}" if told else ""
        raise Nem2eError(f"{simulated}: no walk has activation, EMG and a usable step of one leg.{why}")
    mapping = known.named(channels, legs[0].activation.labels)
    with whole_folder(out) as partial:
        table = _write(legs, partial, channels)
        (partial / "study.toml").write_text(
            _settings(name or out.name, mapping, channels, said or {}), encoding="utf-8"
        )
    mirrored = sum(leg.side == "left" for leg in legs)
    if mirrored:
        told.append(f"{mirrored} of {len(legs)} trials are left legs, mirrored: their muscles are called _r.")
    return Built(table, sum(len(leg.cycles) for leg in legs), told)


def _legs(
    row: Mapping[Any, str], contacts: pd.DataFrame, mapping: Said, converted: Path, simulated: Path, told: list[str]
) -> Iterator[_Leg]:
    name, path = row["trial"], simulated / row["trial"] / "activation.sto"
    if not path.is_file():
        told.append(f"{name}: left out, there is no {path}.")
        return
    if not row["emg"]:
        told.append(f"{name}: left out, it has no EMG.")
        return
    activation, emg = read_storage(path), read_storage(converted / row["emg"])
    for leg in (row["leg"],) if row["leg"] else SIDES:
        own = contacts[(contacts["trial"] == name) & (contacts["foot"] == leg)]
        usable = own[(own["doubts"] == "") & (own["next_strike_s"] != "")]
        spans = [
            (float(each["start_s"]), float(each["next_strike_s"]), float(each["speed_m_s"] or "nan"))
            for each in usable.to_dict("records")
        ]
        inside = tuple(span for span in spans if activation.time[0] <= span[0] and span[1] <= activation.time[-1])
        for start, end, _ in set(spans) - set(inside):
            told.append(f"{name}: cycle from {start:.3f} to {end:.3f} s left out, its activation does not cover it.")
        measured = _measured(emg, leg, sided=not row["leg"])
        if not inside or measured is None:
            why = "; ".join(filter(None, own["doubts"])) or "it treads on no plate"
            told.append(f"{name}, {leg} leg: left out, {why if not inside else 'it has no EMG'}.")
            continue
        yield _Leg(name, row["subject"], row["condition"], leg, _of_leg(activation, leg), measured, inside)


def _measured(emg: Storage, leg: str, *, sided: bool) -> Storage | None:
    """The EMG of one leg, its channels without the side."""
    if not sided:
        return emg
    end = f"_{leg[0]}"
    labels = [label for label in emg.labels if label.endswith(end)]
    if not labels:
        return None
    values = emg.values[:, [emg.labels.index(label) for label in labels]]
    return replace(emg, labels=tuple(label.removesuffix(end) for label in labels), values=values)


def _of_leg(activation: Storage, leg: str) -> Storage:
    """The muscles of one leg under right-hand names; the trunk's are no leg's."""
    chosen = [
        label
        for label in muscle_columns(activation.labels)
        if side(muscle_name(label)) == leg and base(muscle_name(label)) not in TRUNK
    ]
    values = activation.values[:, [activation.labels.index(label) for label in chosen]]
    labels = tuple(base(muscle_name(label)) + "_r" for label in chosen)
    return replace(activation, labels=labels, values=np.ascontiguousarray(values), metadata={}, warnings=())


def _common(legs: Sequence[_Leg], told: list[str]) -> tuple[list[_Leg], list[str]]:
    """The legs that can stand in one study, and the channels that one of them has at least."""
    if not legs:
        return [], []
    same = [leg for leg in legs if leg.activation.labels == legs[0].activation.labels]
    told += [f"{leg.trial}: left out, it has other muscles than {legs[0].trial}." for leg in legs if leg not in same]
    channels = list(dict.fromkeys(label for leg in same for label in leg.emg.labels))
    for leg in same:
        if lost := [label for label in channels if label not in leg.emg.labels]:
            told.append(f"{leg.trial}: without EMG {', '.join(lost)}, which is learnt and judged on the others alone.")
    return same, channels


def _write(legs: Sequence[_Leg], folder: Path, channels: Sequence[str]) -> pd.DataFrame:
    both = {leg.trial for leg in legs if sum(other.trial == leg.trial for other in legs) > 1}
    trials, cycles = [], []
    for leg in legs:
        name = f"{leg.trial}_{leg.side}" if leg.trial in both else leg.trial
        place = Path(leg.subject or "nobody") / name
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        write_storage(folder / f"{place}_activation.sto", leg.activation)
        write_storage(folder / f"{place}_emg.sto", replace(leg.emg, metadata={}))
        speed = np.mean([cycle[2] for cycle in leg.cycles])
        trials.append(
            {
                "trial": name,
                "subject": leg.subject,
                "condition": leg.condition or "walk",
                "speed_m_s": f"{speed:.2f}" if np.isfinite(speed) else "",
                "activation": f"{place}_activation.sto",
                "emg": f"{place}_emg.sto",
                "without": "; ".join(label for label in channels if label not in leg.emg.labels),
                "leg": leg.side,
            }
        )
        cycles += [
            {"trial": name, "cycle": number, "start_s": f"{start:.4f}", "end_s": f"{end:.4f}"}
            for number, (start, end, _) in enumerate(leg.cycles)
        ]
    table = pd.DataFrame(trials)
    table.to_csv(folder / "trials.csv", index=False, lineterminator="\n")
    pd.DataFrame(cycles).to_csv(folder / "cycles.csv", index=False, lineterminator="\n")
    return table


def _settings(name: str, mapping: Said, channels: Sequence[str], said: Mapping[str, str]) -> str:
    muscle = dict(zip(mapping.channels["emg"], mapping.channels["muscle"], strict=True))
    top = [
        Line("name", "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name)),
        Line("motion", "walking"),
        Line("simulated_by", said.get("simulated_by", "static optimisation (OpenSim)"), "by nem2e simulate run"),
        Line("cycle", "right-right", "left legs are mirrored to the right"),
        Line("synthetic", False),
        Line("citation", said.get("citation", "")),
        Line("licence", said.get("licence", "")),
    ]
    emg = [Line(channel, f"{muscle[channel]}_r") for channel in channels]
    steps = [Line("recipe", "general"), Line("normalise", "subject_max")]
    sections = [Section("", top), Section("emg", emg), Section("emg_processing", steps, "the EMG is raw")]
    return settings_text(sections)
