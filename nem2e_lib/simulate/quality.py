"""Whether a simulation can be believed: measures out of OpenSim's files against published rules of thumb.

Where a foot stands on floor without a plate, or one leg was measured, each leg is judged by itself, while its foot is
not on bare floor; residuals are expected where a foot is, and count against no leg.

While OpenSim is at hand, `write_measures` leaves in the trial's folder what only it knows (``facts.json``); all else is
read from the results, so that `judge` needs no OpenSim.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.files import read_text, write_text
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.actuators import residual_names
from nem2e_lib.simulate.floor import Span, around, bare_floor, spans_told
from nem2e_lib.simulate.legs import find_legs
from nem2e_lib.simulate.motion import DISTANCES
from nem2e_lib.simulate.options import LEAD_S
from nem2e_lib.simulate.posture import Posture
from nem2e_lib.simulate.prepare import Workplace

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

FACTS = "facts.json"
VERDICTS = ("good", "acceptable", "poor", "not judged")
HICKS = "Hicks et al. 2015, doi:10.1115/1.4029304"
OPENSIM = "OpenSim documentation, Simulation with OpenSim: Best Practices (checklist)"
RRA_PAGE = "OpenSim documentation, Getting Started with RRA (evaluation of results)"
OWN = "no published limit; a limit of this project's"
FLOOR = "floor"
"""What stands for a step where the feet are judged."""


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
_INSTANT_S = 1e-6
_LOOKS = 25
"""Moments, at most, at which the mass centre and the constraints are looked at."""
SATURATED, SHARE_OF_TIME = 0.99, 0.05
"""A muscle is saturated if its activation exceeds the first for more than the second of the time."""
_VIOLATION = re.compile(r"time = (\S+) .*Constraint violation = (\S+)")
_FORCES = {
    "rra": "rra/results/rra_Actuation_force.sto",
    "cmc": "cmc/results/cmc_Actuation_force.sto",
    "so": "so/results/so_StaticOptimization_force.sto",
}


@dataclass(frozen=True)
class Measured:
    """Value of a measure (a key of `RULES`), where it is worst, and of which leg it is (empty: the whole body)."""

    measure: str
    value: float
    where: str = ""
    leg: str = ""


@dataclass(frozen=True)
class _Part:
    """What is measured together: the whole body, or a leg; its coordinates and muscles, and when it is left out."""

    leg: str
    coordinates: tuple[str, ...]
    turning: frozenset[str]
    muscles: frozenset[str] | None
    without: tuple[Span, ...]

    def keep(self, time: Array) -> Flags:
        """Return the rows at which it is measured."""
        keep = np.ones(len(time), bool)
        for start, end in self.without:
            keep &= (time <= start) | (time >= end)
        return keep


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
    return legs if _bare(facts) else ()


def _bare(facts: Mapping[str, Any]) -> list[Span]:
    """When any foot stands on bare floor."""
    return [(start, end) for ground in facts.get("floor", {}).values() for start, end in ground["bare"]]


def _row(trial: str, step: str, measured: Measured, facts: Mapping[str, Any]) -> dict[str, object]:
    rule, apart = RULES[measured.measure], judged_legs(facts)
    expected = bool(_bare(facts)) and measured.measure.startswith("residual_") and "on_plates" not in measured.measure
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
    ruled = table[table["measure"].map(lambda measure: RULES[measure].counts)]
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


def measure_step(folder: Path, step: str, facts: Mapping[str, Any]) -> Iterator[Measured]:
    """Yield what can be measured of a step from its files; of `FLOOR`, how long each foot is on bare floor."""
    span = span_of(step, facts)
    if step in _FORCES:
        forces = within(read_storage(folder / _FORCES[step]), span)
        external = external_peak(folder / "inputs" / "grf.mot", facts)
        yield from residuals(forces, facts, external)
        yield from residuals_on_plates(forces, facts, external)
    if step in ("cmc", "so"):
        moments = within(read_storage(folder / "id" / "joint_moments.sto"), span)
        activation = within(read_storage(folder / step / "activation.sto"), span)
        for part in _parts(facts):
            yield from reserves(forces, moments, part)
            yield from saturated_of(activation, part)
    if step in ("rra", "cmc"):
        errors = within(read_storage(folder / step / "results" / f"{step}_pErr.sto"), span)
        for part in _parts(facts):
            yield from tracking(errors, part)
    if step == "so":
        yield from violation(folder / "so" / "violation.txt", span)
    if step == "ik":
        yield from marker_errors(folder / "ik", span)
    if step in _FORCES and facts.get("constraints"):
        yield Measured("constraint_violation", float(facts["constraint_violation"]), ", ".join(facts["constraints"]))
    if step == FLOOR:
        for leg, ground in facts["floor"].items():
            yield Measured("bare_floor", float(ground["share"]), spans_told(ground["bare"]), leg)


def _parts(facts: Mapping[str, Any]) -> Iterator[_Part]:
    """The whole body, and each leg, without the time around which its foot is on bare floor."""
    turning = frozenset(facts["rotational"])
    yield _Part("", tuple(facts["muscled"]), turning, None, ())
    for leg, own in facts.get("legs", {}).items():
        bare = facts.get("floor", {}).get(leg, {}).get("bare", [])
        coordinates = tuple(own["coordinates"])
        yield _Part(leg, coordinates, turning & set(coordinates), frozenset(own["muscles"]), tuple(around(bare)))


def span_of(step: str, facts: Mapping[str, Any]) -> tuple[float, float]:
    """Return the first and last time in s that count: what was asked for, not what is simulated around it.

    Computed muscle control settles first; where the recording has nothing before what was asked for, that is left out.
    """
    start, end = facts.get("asked") or facts["window"]
    start, end = float("-inf") if start is None else start, float("inf") if end is None else end
    return (max(start, facts["window"][0] + LEAD_S) if step == "cmc" else start), end


def within(storage: Storage, span: tuple[float, float]) -> Storage:
    """Return the rows of a span; the whole where it holds none."""
    rows = (storage.time >= span[0] - _INSTANT_S) & (storage.time <= span[1] + _INSTANT_S)
    if not rows.any():
        return storage
    return replace(storage, time=storage.time[rows], values=storage.values[rows])


def external_peak(path: Path, facts: Mapping[str, Any]) -> float:
    """Peak of the net ground reaction force in what was asked for, N; NaN where there is none."""
    if not path.is_file():
        return float("nan")
    storage = within(read_storage(path), facts.get("asked") or facts["window"])
    parts = [[storage.column(label) for label in storage.labels if label.endswith(f"_v{axis}")] for axis in "xyz"]
    net = np.array([np.sum(part, axis=0) for part in parts])
    return float(np.linalg.norm(net, axis=0).max(initial=0.0)) or float("nan")


def residuals(forces: Storage, facts: Mapping[str, Any], external_n: float) -> Iterator[Measured]:
    """Yield residual forces and moments: the largest component's peak and root mean square, and shares."""
    height = float(facts.get("mass_centre_height_m", float("nan")))
    for kind, scale in (("force", external_n), ("moment", external_n * height)):
        names = [name for name in facts[f"residual_{kind}s"] if name in forces.labels]
        if names:
            values = np.column_stack([forces.column(name) for name in names])
            peak, where = _peak(forces.time, names, values)
            yield Measured(f"residual_{kind}_peak", peak, where)
            root = _rms(forces.time, values)
            yield Measured(f"residual_{kind}_rms", float(root.max()), names[int(root.argmax())])
            size = np.linalg.norm(values, axis=1)
            when = f"at {forces.time[int(size.argmax())]:.4g} s"
            yield Measured(f"residual_{kind}_share", float(size.max() / scale), when)


def residuals_on_plates(forces: Storage, facts: Mapping[str, Any], external_n: float) -> Iterator[Measured]:
    """Yield the shares of residuals while no foot is on bare floor, where one is at other times."""
    bare = _bare(facts)
    rows = _Part("", (), frozenset(), None, tuple(around(bare))).keep(forces.time)
    if bare and rows.any():
        on_plates = replace(forces, time=forces.time[rows], values=forces.values[rows])
        for found in residuals(on_plates, facts, external_n):
            if found.measure.endswith("share"):
                yield replace(found, measure=f"{found.measure}_on_plates")


def reserves(forces: Storage, moments: Storage, part: _Part) -> Iterator[Measured]:
    """Yield reserve torques at coordinates that muscles cross, and their share of the peak net joint moment."""
    names = [name for name in part.coordinates if f"{name}_reserve" in forces.labels]
    keep = part.keep(forces.time)
    if not names or not keep.any():
        return
    values = np.column_stack([forces.column(f"{name}_reserve") for name in names])[keep]
    peak, where = _peak(forces.time[keep], names, values)
    yield Measured("reserve_peak", peak, where, part.leg)
    net = np.array([_moment_peak(moments, name, part.keep(moments.time)) for name in names])
    share = np.abs(values).max(axis=0) / net
    if np.isfinite(share).any():
        yield Measured("reserve_share", float(np.nanmax(share)), names[int(np.nanargmax(share))], part.leg)


def _moment_peak(moments: Storage, coordinate: str, keep: Flags) -> float:
    labels = [f"{coordinate}_{kind}" for kind in ("moment", "force") if f"{coordinate}_{kind}" in moments.labels]
    return float(np.abs(moments.column(labels[0])[keep]).max()) if labels and keep.any() else float("nan")


def saturated_of(activation: Storage, part: _Part) -> Iterator[Measured]:
    """Yield how many muscles of a part of the body are saturated, and which."""
    keep = part.keep(activation.time)
    own = [part.muscles is None or muscle_name(label) in part.muscles for label in activation.labels]
    if any(own) and keep.any():
        labels = tuple(label for label, mine in zip(activation.labels, own, strict=True) if mine)
        found = saturated(replace(activation, labels=labels, values=activation.values[:, own]), keep)
        yield replace(found, leg=part.leg)


def saturated(activation: Storage, keep: Flags | None = None) -> Measured:
    """Return how many muscles are saturated, and which; `keep` are the rows that count."""
    width = np.gradient(activation.time) if len(activation.time) > 1 else np.ones(1)
    width = width if keep is None else np.where(keep, width, 0.0)
    share = ((activation.values > SATURATED) * width[:, None]).sum(axis=0) / width.sum()
    names = [name for name, part in zip(activation.labels, share, strict=True) if part > SHARE_OF_TIME]
    return Measured("saturated_muscles", float(len(names)), ", ".join(names))


def tracking(errors: Storage, part: _Part) -> Iterator[Measured]:
    """Yield tracking errors of angles in degrees and, of the whole body, translations in cm; files are in rad and m."""
    keep = part.keep(errors.time)
    kinds = {"angle": ([name for name in errors.labels if name in part.turning], float(np.rad2deg(1.0)))}
    if not part.leg:
        kinds["translation"] = ([name for name in errors.labels if name not in part.turning], 100.0)
    for kind, (names, scale) in kinds.items():
        if names and keep.any():
            values = scale * np.column_stack([errors.column(name) for name in names])
            root = _rms(errors.time, values, keep)
            yield Measured(f"tracking_{kind}_rms", float(root.max()), names[int(root.argmax())], part.leg)
            yield Measured(f"tracking_{kind}_peak", *_peak(errors.time[keep], names, values[keep]), part.leg)


def violation(source: Path, span: tuple[float, float]) -> Iterator[Measured]:
    """Yield the largest violation of accelerations that static optimisation told."""
    if source.is_file():
        told = _VIOLATION.findall(source.read_text(encoding="utf-8", errors="replace"))
        found = [(float(time), float(value)) for time, value in told]
        inside = [each for each in found if span[0] - _INSTANT_S <= each[0] <= span[1] + _INSTANT_S]
        if found:
            time, value = max(inside or found, key=lambda each: each[1])
            yield Measured("acceleration_violation", value, f"at {time:.4g} s")


def marker_errors(folder: Path, span: tuple[float, float]) -> Iterator[Measured]:
    """Yield marker errors of inverse kinematics in cm, and where: the worst frame, and the marker furthest off."""
    path = folder / DISTANCES
    if not path.is_file():
        return
    storage = within(read_storage(path), span)
    seen = np.isfinite(storage.values)
    distance = 100 * np.where(seen, storage.values, 0.0)
    root = np.sqrt((distance**2).sum(axis=1) / np.maximum(seen.sum(axis=1), 1))
    row = int(root.argmax())
    yield Measured("marker_rms", float(root[row]), f"at {storage.time[row]:.4g} s")
    yield Measured("marker_peak", *_peak(storage.time, storage.labels, distance))


def _rms(time: Array, values: Array, keep: Flags | None = None) -> Array:
    """Root mean square over time, whose steps may differ, shape (columns,); `keep` are the rows that count."""
    if len(time) < 2:
        return np.abs(values[0])
    width = np.gradient(time)
    width[[0, -1]] /= 2  # so that this is the trapezoidal rule
    width = width if keep is None else np.where(keep, width, 0.0)
    return np.asarray(np.sqrt((values**2 * width[:, None]).sum(axis=0) / width.sum()))


def _peak(time: Array, names: Sequence[str], values: Array) -> tuple[float, str]:
    row, column = divmod(int(np.abs(values).argmax()), values.shape[1])
    return float(abs(values[row, column])), f"{names[column]} at {time[row]:.4g} s"


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
