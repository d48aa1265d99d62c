"""OpenSim's angles and moments beside those that the laboratory's own model left in the same C3D file.

That model is Plug-in Gait: the first component of its angles is flexion in degrees, that of its moments extension by
the body's own forces, in N·mm for each kg of the body.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.motion.c3d_files import Missing, Opened, Part

JOINTS = {"hip": "hip_flexion", "knee": "knee_angle", "ankle": "ankle_angle"}
"""Joint to the coordinate of it that models of walking have."""
EDGE_S = 0.02
"""Left out at both ends of a contact, where force under the plate's threshold makes moments jump."""
SOURCES = ("OpenSim", "laboratory")
_SAID = {"Angles": ("Joint angles", "flexion (degrees)"), "Moment": ("Joint moments", "extension (N·m/kg)")}
COLUMNS = ("leg", "joint", "source", "time_s", "value")


def angles(one: Opened, folder: Path) -> Part:
    """Joint angles of the measured leg over its cycles: for `figures.laboratory.beside_laboratory`."""
    path = folder / one.trial / "ik" / "motion.mot"
    if not path.is_file():
        return Missing(f"{one.trial}: there are no joint angles to compare.")
    motion, usable = read_storage(path), one.usable
    spans = {
        leg: usable.loc[usable["foot"] == leg, ["start_s", "next_strike_s"]].to_numpy(float).tolist()
        or [[float(motion.time[0]), float(motion.time[-1])]]
        for leg in one.legs
        if len(usable) == 0 or leg in set(usable["foot"])
    }
    return _part(one, folder, motion, spans, "Angles")


def moments(one: Opened, folder: Path) -> Part:
    """Joint moments of the measured leg while it stands on its plate: for `figures.laboratory.beside_laboratory`."""
    path = folder / one.trial / "id" / "joint_moments.sto"
    if not path.is_file():
        return Missing(f"{one.trial}: there are no joint moments, for they need force plates and a usable step.")
    if not np.isfinite(one.walk.mass_kg):
        return Missing(f"{one.trial}: the mass is not known, by which the laboratory's own joint moments are divided.")
    usable = one.usable.assign(start_s=one.usable["start_s"] + EDGE_S, off_s=one.usable["off_s"] - EDGE_S)
    spans = {
        leg: usable.loc[usable["foot"] == leg, ["start_s", "off_s"]].to_numpy(float).tolist()
        for leg in one.legs
        if leg in set(usable["foot"])
    }
    return _part(one, folder, read_storage(path), spans, "Moment")


def table(part: Part) -> pd.DataFrame | None:
    """Return the agreement of a part, rounded for a reader; None where there is nothing to compare with."""
    return None if isinstance(part, Missing) else part["agreement"].set_index(["leg", "joint"]).round(3)


def _part(one: Opened, folder: Path, own: Storage, spans: dict[str, list[list[float]]], ending: str) -> Part:
    signs = {leg: _flexion(folder / one.trial / "ik" / "motion.mot", leg, ending) for leg in spans}
    rows = [row for leg, each in spans.items() for row in _curves(one, own, leg, each, ending, signs[leg])]
    quantity, unit = _SAID[ending]
    if not rows:
        file = one.walk.recording.path.name
        return Missing(
            f"{file} has no {quantity.lower()} of the laboratory's own model, Plug-in Gait, to compare with."
        )
    curves = pd.DataFrame(rows, columns=list(COLUMNS))
    return {"curves": curves, "agreement": agreement(curves), "quantity": quantity, "unit": unit}


def _flexion(motion: Path, leg: str, ending: str) -> dict[str, float]:
    """What makes flexion positive, and extension of moments: models differ in the knee, which a gait bends."""
    angles = read_storage(motion)
    name = f"{JOINTS['knee']}_{leg[0]}"
    bends = float(np.sign(np.mean(angles.column(name)))) if name in angles.labels else 1.0
    turn = -1.0 if ending == "Moment" else 1.0
    return {joint: turn * (bends if joint == "knee" else 1.0) for joint in JOINTS}


def _curves(
    one: Opened, own: Storage, leg: str, spans: list[list[float]], ending: str, sign: dict[str, float]
) -> Iterator[tuple[str, str, str, float, float]]:
    recording, moment = one.walk.recording, ending == "Moment"
    named = {label.rpartition(":")[2]: label for label in recording.labels}
    for joint, coordinate in JOINTS.items():
        label = named.get(f"{leg[0].upper()}{joint.capitalize()}{ending}")
        column = f"{coordinate}_{leg[0]}{'_moment' if moment else ''}"
        if label is None or column not in own.labels:
            continue
        theirs = recording.point(label)[:, 0] / (1e3 if moment else 1.0)
        ours = sign[joint] * own.column(column) / (one.walk.mass_kg if moment else 1.0)
        for start, end in spans:
            first, last = max(start, float(own.time[0])), min(end, float(own.time[-1]))
            rows = (recording.time >= first) & (recording.time <= last) & np.isfinite(theirs)
            time = recording.time[rows]
            for source, values in zip(SOURCES, (np.interp(time, own.time, ours), theirs[rows]), strict=True):
                yield from ((leg, joint, source, t, v) for t, v in zip(time.tolist(), values.tolist(), strict=True))


def agreement(curves: pd.DataFrame) -> pd.DataFrame:
    """Return how well two sources agree, a row a leg and joint.

    Columns leg, joint, r (Pearson), difference (mean of OpenSim less laboratory), spread (standard deviation of that
    difference), and the highest and lowest value of each source.
    """
    rows = []
    for (leg, joint), own in curves.groupby(["leg", "joint"], sort=False):
        both = {source: own.loc[own["source"] == source, "value"].to_numpy() for source in SOURCES}
        ours, theirs = both.values()
        apart = ours - theirs
        rows.append(
            {
                "leg": leg,
                "joint": joint,
                "r": float(np.corrcoef(ours, theirs)[0, 1]) if min(np.ptp(ours), np.ptp(theirs)) > 0 else np.nan,
                "difference": float(apart.mean()),
                "spread": float(apart.std()),
                **{f"highest {name}": float(values.max()) for name, values in both.items()},
                **{f"lowest {name}": float(values.min()) for name, values in both.items()},
            }
        )
    return pd.DataFrame(rows)
