"""Whether a simulation can be believed: measures out of OpenSim's files against published rules of thumb.

Where a foot stands on floor without a plate, or one leg was measured, each leg is judged by itself, while its foot is
not on bare floor; residuals are expected where a foot is, and count against no leg.

While OpenSim is at hand, `write_measures` leaves in the trial's folder what only it knows (``facts.json``); all else is
read from the results, so that `judge` needs no OpenSim.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nem2e_lib.data.files import read_text, write_text
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.actuators import residual_names
from nem2e_lib.simulate.floor import bare_floor, spans_told
from nem2e_lib.simulate.legs import find_legs
from nem2e_lib.simulate.measures import FLOOR, Measured, bare_floor_in, measure_step
from nem2e_lib.simulate.posture import Posture
from nem2e_lib.simulate.prepare import Workplace

FACTS = "facts.json"
VERDICTS = ("good", "acceptable", "poor", "not judged")
HICKS = "Hicks et al. 2015, doi:10.1115/1.4029304"
OPENSIM = "OpenSim documentation, Simulation with OpenSim: Best Practices (checklist)"
RRA_PAGE = "OpenSim documentation, Getting Started with RRA (evaluation of results)"
OWN = "no published limit; a limit of this project's"


@dataclass(frozen=True)
class Rule:
    """Limits of one measure.

    Attributes
    ----------
    unit : str
    good, acceptable : float
        Up to `good` it is good, up to `acceptable` acceptable, beyond poor.
    source : str
    counts : bool
        Whether the rule counts in the verdict of a trial. Limits in N and N·m were made for walking; those relative
        to the external force hold at any speed.
    """

    unit: str
    good: float
    acceptable: float
    source: str
    counts: bool = True

    def judge(self, value: float) -> str:
        """Return the verdict on a value; one that is not finite, or has no limit, cannot be judged."""
        if not np.isfinite([value, self.good]).all():
            return VERDICTS[3]
        return VERDICTS[0] if value <= self.good else VERDICTS[1] if value <= self.acceptable else VERDICTS[2]


RULES = {
    "residual_force_peak": Rule("N", 10, 25, OPENSIM, counts=False),
    "residual_force_rms": Rule("N", 5, 15, OPENSIM, counts=False),
    "residual_moment_peak": Rule("N·m", 50, 75, RRA_PAGE, counts=False),
    "residual_moment_rms": Rule("N·m", 30, 50, RRA_PAGE, counts=False),
    "residual_force_share": Rule("of peak external force", 0.05, 0.10, f"{HICKS} (good); twice that acceptable"),
    "residual_moment_share": Rule(
        "of mass-centre height x peak external force", 0.01, 0.02, f"{HICKS} (good); twice that acceptable"
    ),
    "residual_force_share_on_plates": Rule(
        "of peak external force", 0.05, 0.10, f"{HICKS} (good); twice that acceptable", counts=False
    ),
    "residual_moment_share_on_plates": Rule(
        "of mass-centre height x peak external force",
        0.01,
        0.02,
        f"{HICKS} (good); twice that acceptable",
        counts=False,
    ),
    "reserve_share": Rule("of peak joint moment", 0.05, 0.10, f"{HICKS} (good), {OPENSIM} (acceptable)"),
    "reserve_peak": Rule("N·m", float("inf"), float("inf"), "told, not judged: see reserve_share", counts=False),
    "tracking_angle_rms": Rule("deg", 2, 5, OPENSIM),
    "tracking_angle_peak": Rule("deg", 2, 5, RRA_PAGE, counts=False),
    "tracking_translation_rms": Rule("cm", 2, 4, RRA_PAGE),
    "tracking_translation_peak": Rule("cm", 2, 5, RRA_PAGE, counts=False),
    "saturated_muscles": Rule("muscles", 0, 4, f"{OWN}: activation over 0.99 for over 5 % of the time"),
    "constraint_violation": Rule("rad or m", 1e-3, 1e-2, f"{OWN}: how far constraints move a coordinate"),
    "acceleration_violation": Rule("rad/s² or m/s²", 1e-4, 1e-2, f"{OWN}: what static optimisation leaves unmet"),
    "marker_rms": Rule("cm", 2, 4, f"{OPENSIM} (RMS below 2 cm)"),
    "marker_peak": Rule("cm", 4, 6, f"{OPENSIM} (maximum below 4 cm)"),
    "bare_floor": Rule("of the foot's time on the ground", 0, 0.75, f"{OWN}: then a leg's muscles are wrong"),
}
"""Measure to rule, in the order in which they are tabled."""
COLUMNS = [
    *("trial", "step", "leg", "measure", "value", "unit", "where", "good", "acceptable", "verdict"),
    *("counts", "expected", "source"),
]
OF_A_LEG = ("reserve_peak", "reserve_share", "saturated_muscles", "tracking_angle_rms", "tracking_angle_peak")
"""Measures that a leg has of its own, beside that of the whole body; the others are of the whole body alone."""
_LOOKS = 25
"""Moments, at most, at which the mass centre and the constraints are looked at."""


def judge(folder: Path) -> pd.DataFrame:
    """Judge one simulated trial from the files in its folder; OpenSim is not needed.

    Returns
    -------
    DataFrame, one row a step and measure, and leg where it has one: trial, step, leg (``right``, ``left``, or empty for
    the whole body), measure, value, unit, where (column and time of the worst), good and acceptable (limits), verdict
    (``good``, ``acceptable``, ``poor``, ``not judged``), counts (whether it counts in the trial's verdict), expected
    (whether bare floor under a foot accounts for it, so that it counts against no leg), source (of the limits).

    Raises
    ------
    Nem2eError
        If the folder holds no simulated trial.
    """
    facts = _facts(folder)
    steps = [*facts["steps"], *([FLOOR] if facts.get("floor") else [])]
    rows = [
        _row(folder.name, step, measured, facts) for step in steps for measured in measure_step(folder, step, facts)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _facts(folder: Path) -> dict[str, Any]:
    path = folder / FACTS
    if not path.is_file():
        raise Nem2eError(f"{folder}: holds no finished simulation ({FACTS} is missing); simulate the trial first.")
    return dict(json.loads(read_text(path)[0]))


def judged_legs(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the legs whose verdict is the trial's: the measured one, or both where a foot stands on bare floor.

    Empty where the whole body is judged at once.
    """
    legs = tuple(facts.get("legs", {}))
    if facts.get("leg") in legs:
        return (facts["leg"],)
    return legs if bare_floor_in(facts) else ()


def _row(trial: str, step: str, measured: Measured, facts: Mapping[str, Any]) -> dict[str, object]:
    rule, apart = RULES[measured.measure], judged_legs(facts)
    expected = (
        bool(bare_floor_in(facts)) and measured.measure.startswith("residual_") and "on_plates" not in measured.measure
    )
    if measured.measure in (*OF_A_LEG, "bare_floor"):
        mine = measured.leg in apart if apart else not measured.leg
    else:
        mine = not expected
    return {
        "trial": trial,
        "step": step,
        "leg": measured.leg,
        "measure": measured.measure,
        "value": measured.value,
        "unit": rule.unit,
        "where": measured.where,
        "good": rule.good,
        "acceptable": rule.acceptable,
        "verdict": VERDICTS[3] if expected else rule.judge(measured.value),
        "counts": rule.counts and mine,
        "expected": expected,
        "source": rule.source,
    }


def verdict(table: pd.DataFrame) -> str:
    """Return the worst verdict among the measures that count; ``not judged`` where there is none."""
    counted = table[table["counts"].astype(bool)]
    return worst(counted["verdict"]) if len(counted) else VERDICTS[-1]


def verdicts(table: pd.DataFrame) -> dict[str, str]:
    """Return the verdict on each leg of a trial, and on its residuals while every foot is on a plate.

    Parameters
    ----------
    table : DataFrame
        What `judge` returns.

    Returns
    -------
    dict
        ``right`` and ``left``, where the legs are known; ``residuals``, where a foot stands on bare floor.
    """
    ruled = table[table["measure"].map(lambda measure: RULES[measure].counts).astype(bool)]
    everybodys = ruled[(ruled["leg"] == "") & ~ruled["measure"].isin(OF_A_LEG)]
    told = {
        str(leg): worst([*everybodys["verdict"], *ruled.loc[ruled["leg"] == leg, "verdict"]])
        for leg in table["leg"].unique()
        if leg
    }
    on_plates = table[table["measure"].str.endswith("_on_plates")]
    return told | ({"residuals": worst(on_plates["verdict"])} if table["expected"].any() else {})


def summary(folder: Path) -> dict[str, Any]:
    """Verdict of a trial, why, verdict on each leg, and each measure's worst value over the steps.

    Of a leg: ``verdict_right``, ``bare_floor_right`` (when its foot stands on floor without a plate), and its measures,
    such as ``reserve_share_right``; of the residuals: ``verdict_residuals`` while every foot is on a plate.
    """
    table, facts = judge(folder), _facts(folder)
    told = verdict(table)
    guilty = table[table["counts"].astype(bool) & (table["verdict"] == told)]
    why = "; ".join(_why(row) for row in guilty.to_dict("records"))
    names = (table["measure"] + table["leg"].map(lambda leg: f"_{leg}" if leg else "")).rename("name")
    largest = table[table["measure"] != "bare_floor"].groupby(names, sort=False)["value"].max()
    return {
        "verdict": told,
        "why": "" if told == "good" else why,
        **{f"verdict_{what}": each for what, each in verdicts(table).items()},
        **{f"bare_floor_{leg}": spans_told(ground["bare"]) for leg, ground in facts.get("floor", {}).items()},
        **{str(name): value for name, value in largest.items()},
    }


def _why(row: Mapping[Any, Any]) -> str:
    leg = f"{row['leg']} leg, " if row["leg"] else ""
    where = f" ({row['where']})" if row["where"] else ""
    return f"{leg}{row['step']} {row['measure']} {row['value']:.3g} {row['unit']}{where}"


def save_quality(out: Path, folders: Sequence[Path]) -> pd.DataFrame:
    """Write ``quality.csv`` and ``quality.json`` of every finished trial, and return the table."""
    finished = [folder for folder in folders if (folder / FACTS).is_file()]
    tables = {folder: judge(folder) for folder in finished}
    table = pd.concat(tables.values(), ignore_index=True) if tables else pd.DataFrame()
    write_text(out / "quality.csv", table.to_csv(index=False))
    trials = [_trial(_facts(folder), rows) for folder, rows in tables.items() if len(rows)]
    write_text(out / "quality.json", json.dumps(trials, indent=1) + "\n")
    return table


def _trial(facts: Mapping[str, Any], rows: pd.DataFrame) -> dict[str, Any]:
    floor = {leg: ground["bare"] for leg, ground in facts.get("floor", {}).items()}
    told = {"leg": facts.get("leg", ""), "verdict": verdict(rows), "verdicts": verdicts(rows), "bare_floor_s": floor}
    return {"trial": rows["trial"].iloc[0], **told, "measures": _records(rows)}


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    text: list[dict[str, Any]] = json.loads(rows.drop(columns="trial").to_json(orient="records"))
    return text


def trial_folders(out: Path) -> list[Path]:
    """Folders of finished trials in a folder of results, or the folder itself if it is one."""
    found = [out] if (out / FACTS).is_file() else sorted(path.parent for path in out.glob(f"*/{FACTS}"))
    if not found:
        raise Nem2eError(f"{out}: holds no finished simulation; simulate first, or name the folder given as --out.")
    return found


def worst(verdicts: Iterable[str]) -> str:
    """Return the worst of verdicts; what was not judged counts only where nothing was."""
    known = [each for each in verdicts if each != VERDICTS[3]]
    return max(known, key=VERDICTS.index) if known else VERDICTS[3]


def write_measures(place: Workplace, steps: Sequence[str]) -> None:
    """Write names of muscles and residuals, mass, height of the mass centre and violation of constraints."""
    facts = place.facts
    forces, moments = residual_names(facts)
    content = {
        "steps": list(steps),
        "model": facts.name,
        "mass_kg": facts.mass_kg,
        "muscles": list(facts.muscles),
        "rotational": [each.name for each in facts.coordinates if each.rotational],
        "muscled": [each.name for each in facts.coordinates if each.muscled],
        "residual_forces": forces,
        "residual_moments": moments,
        "constraints": list(facts.constraints),
        "leg": place.trial.leg,
        "legs": {side: asdict(leg) for side, leg in find_legs(facts).items()},
        "asked": _asked(place),
        "window": place.window,
        **(_of_posture(place) if place.motion is not None else {}),
        "notes": place.notes,
    }
    write_text(place.folder / FACTS, json.dumps(content, indent=1) + "\n")


def _asked(place: Workplace) -> tuple[float | None, float | None]:
    """What results shall cover, s; where no forces and motion were read, what the trial says of it, if anything."""
    return place.asked if place.motion is not None else (place.trial.start_s, place.trial.end_s)


def _of_posture(place: Workplace) -> dict[str, Any]:
    motion = _in_degrees(read_storage(place.needs_motion()), place)
    rows = np.flatnonzero((motion.time >= place.asked[0]) & (motion.time <= place.asked[1]))
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, _LOOKS).astype(int))]
    posture = Posture(place.model, motion)
    heights = [posture.mass_centre(int(row))[1] for row in rows]
    apart = [posture.moved_by_constraints(int(row)) for row in rows] if place.facts.constraints else [0.0]
    return {
        "mass_centre_height_m": float(np.mean(heights)),
        "constraint_violation": float(np.max(apart)),
        "floor": {side: {**asdict(each), "share": each.share} for side, each in bare_floor(place, motion).items()},
    }


def _in_degrees(storage: Storage, place: Workplace) -> Storage:
    """Only coordinates, angles in degrees; results of residual reduction say so in their header."""
    names = tuple(name for name in place.facts.names if name in storage.labels)
    values = np.column_stack([storage.column(name) for name in names])
    if not storage.in_degrees:
        turning = {each.name for each in place.facts.coordinates if each.rotational}
        values = np.where([name in turning for name in names], np.rad2deg(values), values)
    return Storage(storage.name, names, storage.time, values, True)
