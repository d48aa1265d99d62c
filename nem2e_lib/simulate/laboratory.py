"""What was simulated against what the laboratory's own model left in the same C3D file: angles and moments of a leg.

Plug-in Gait writes joint angles (deg) and net joint moments per body mass (N·mm/kg) among the points of a C3D file. It
has other axes and filters and another foot, so that curves agree in shape and size but for an offset of angles. As
its joint centres come from the same markers, agreement shows that sizes, forces and times were taken over rightly; it
says nothing of what either makes of the bones underneath.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.c3d.recording import Recording
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

COLUMNS = (
    *("foot", "quantity", "joint", "unit", "start_s", "end_s", "r", "rms", "offset"),
    *("peak_simulated", "peak_laboratory"),
)
POINTS = 80
"""Moments of a cycle, or of a contact, that are compared."""
_EDGE_S = 0.02
"""Left out at either end of a contact, where a plate's force is small and its centre of pressure is anywhere."""
_PER_KG = 5.0
"""No ankle has a net moment over 5 N·m per kg of body mass, and no walk one under 5 N·m."""


@dataclass(frozen=True)
class _Joint:
    """A joint in the names of both, and the signs by which the laboratory's angle and moment are OpenSim's."""

    name: str
    coordinate: str
    point: str
    angle: float = 1.0
    moment: float = 1.0


_JOINTS = (
    _Joint("hip", "hip_flexion", "Hip", moment=-1.0),
    _Joint("knee", "knee_angle", "Knee", angle=-1.0),
    _Joint("ankle", "ankle_angle", "Ankle", moment=-1.0),
)
"""In Plug-in Gait flexion is positive, and so are moments of extensors and plantar flexors. The knee of gait2392 has
extension positive; that of Rajagopal's model has flexion, told by the angles."""


def curves(folder: Path, recording: Recording, contacts: pd.DataFrame, mass_kg: float) -> pd.DataFrame:
    """Return angles and moments of a simulated walk beside the laboratory's own, in OpenSim's signs.

    Parameters
    ----------
    folder
        Of a simulated trial, with ``ik/motion.mot`` and, for moments, ``id/joint_moments.sto``.
    recording
        The C3D file of the same walk.
    contacts
        Rows of ``contacts.csv`` of that walk: foot, start_s, off_s, next_strike_s, doubts. Angles are compared from a
        contact to the next strike of its foot, moments while it lasts; contacts in doubt are left out.
    mass_kg
        Of the person.

    Returns
    -------
    DataFrame
        A row a point in time: foot, quantity (``angle`` in deg, ``moment`` in N·m/kg), joint, start_s, end_s (of the
        contact or the cycle), time_s, simulated, laboratory. Empty where the file has no such points.

    Raises
    ------
    Nem2eError
        If the folder holds no angles, or the walk has no contact of use.
    """
    motion, moments = _read(folder / "ik" / "motion.mot"), folder / "id" / "joint_moments.sto"
    usable = contacts[contacts["doubts"].fillna("").astype(str) == ""]
    if usable.empty:
        raise Nem2eError(f"{folder}: no contact with a plate is of use, so that nothing can be compared.")
    net = read_storage(moments) if moments.is_file() else None
    rows = [
        piece
        for contact in usable.to_dict("records")
        for piece in _pieces(motion, net, recording, {str(key): value for key, value in contact.items()}, mass_kg)
    ]
    columns = ["foot", "quantity", "joint", "start_s", "end_s", "time_s", "simulated", "laboratory"]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)


def agreement(folder: Path, recording: Recording, contacts: pd.DataFrame, mass_kg: float) -> pd.DataFrame:
    """Return how far a simulated walk agrees with the laboratory's own outcome: `agreement_of` its `curves`."""
    return agreement_of(curves(folder, recording, contacts, mass_kg))


def agreement_of(drawn: pd.DataFrame) -> pd.DataFrame:
    """Return how far simulated angles and moments agree with the laboratory's own, from what `curves` returned.

    Returns
    -------
    DataFrame
        A row a contact, quantity and joint: foot, quantity, joint, unit, start_s, end_s, r (Pearson's), rms (of the
        difference; of angles after their offset is taken off), offset (mean of simulated minus laboratory's),
        peak_simulated, peak_laboratory (largest size).
    """
    keys = ["foot", "quantity", "joint", "start_s", "end_s"]
    rows = [{**part.iloc[0][keys].to_dict(), **_measures(part)} for _, part in drawn.groupby(keys, sort=False)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _measures(part: pd.DataFrame) -> dict[str, object]:
    own, theirs = part["simulated"].to_numpy(np.float64), part["laboratory"].to_numpy(np.float64)
    apart, angle = own - theirs, part["quantity"].iloc[0] == "angle"
    return {
        "unit": "deg" if angle else "N·m/kg",
        "r": np.corrcoef(own, theirs)[0, 1],
        "rms": apart.std() if angle else np.sqrt(np.mean(apart**2)),
        "offset": apart.mean(),
        "peak_simulated": np.abs(own).max(),
        "peak_laboratory": np.abs(theirs).max(),
    }


def _read(path: Path) -> Storage:
    if not path.is_file():
        raise Nem2eError(f"{path}: no such file; simulate the trial with the steps ik and id first.")
    return read_storage(path)


def _pieces(
    motion: Storage, net: Storage | None, recording: Recording, contact: dict[str, object], mass_kg: float
) -> Iterator[pd.DataFrame]:
    foot = str(contact["foot"])
    start, off, strike = (float(str(contact[name] or "nan")) for name in ("start_s", "off_s", "next_strike_s"))
    knee = f"knee_angle_{foot[0]}"
    flexes = knee in motion.labels and np.mean(motion.column(knee)) > 0
    for joint in _JOINTS:
        coordinate, point = f"{joint.coordinate}_{foot[0]}", f"{foot[0].upper()}{joint.point}"
        sign = -1.0 if flexes and joint.name == "knee" else 1.0
        span = _inside((start, strike), motion)
        theirs = _sagittal(recording, f"{point}Angles", span)
        if theirs is not None and coordinate in motion.labels:
            own = np.interp(span, motion.time, motion.column(coordinate))
            yield _piece(foot, "angle", joint.name, span, own, sign * joint.angle * theirs)
        label = f"{coordinate}_moment"
        if net is None or label not in net.labels:
            continue
        span = _inside((start + _EDGE_S, off - _EDGE_S), net)
        theirs = _sagittal(recording, f"{point}Moment", span)
        if theirs is not None:
            own = np.interp(span, net.time, net.column(label)) / mass_kg
            yield _piece(
                foot, "moment", joint.name, span, own, sign * joint.moment * theirs / _per_kg(recording, mass_kg)
            )


def _inside(span: tuple[float, float], storage: Storage) -> Array:
    """Times of a span, as far as results cover it."""
    return np.linspace(max(span[0], storage.time[0]), min(span[1], storage.time[-1]), POINTS)


def _sagittal(recording: Recording, name: str, times: Array) -> Array | None:
    """The first component of a point at some times; None where the file has none, or not throughout."""
    if name not in recording.labels:
        return None
    values = recording.points[:, recording.labels.index(name), 0]
    seen = np.isfinite(values)
    if not seen.any():
        return None
    whole = np.interp(times, recording.time, seen.astype(float)) > 1 - 1e-9
    return np.interp(times, recording.time[seen], values[seen]) if whole.all() else None


def _per_kg(recording: Recording, mass_kg: float) -> float:
    """What moments are divided by for N·m/kg: told by their size, for files say N·mm of what is per kg of body mass."""
    ankles = [
        recording.points[:, recording.labels.index(f"{side}AnkleMoment"), 0]
        for side in "RL"
        if f"{side}AnkleMoment" in recording.labels
    ]
    largest = max((float(np.nanmax(np.abs(each), initial=0.0)) for each in ankles), default=0.0) / 1000
    return 1000.0 * (mass_kg if largest > _PER_KG else 1.0)


def _piece(foot: str, quantity: str, joint: str, time: Array, own: Array, theirs: Array) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "foot": foot,
            "quantity": quantity,
            "joint": joint,
            "start_s": time[0],
            "end_s": time[-1],
            "time_s": time,
            "simulated": own,
            "laboratory": theirs,
        }
    )
