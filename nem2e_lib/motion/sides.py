"""Which columns of vertical force are the right and the left foot's, where their names are no common ones."""

from __future__ import annotations

import tempfile
from pathlib import Path

from nem2e_lib.data.families import family, likely, pairs
from nem2e_lib.data.force.plates import Plate, read_plates
from nem2e_lib.data.force.sides import named
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner import Refiner
from nem2e_lib.refiner.spans import PLATES
from nem2e_lib.simulate.forces import whole_plates
from nem2e_lib.simulate.loads import assign, foot_bodies
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.osim import quiet
from nem2e_lib.simulate.prepare import Workplace, check_muscles, prepare_model, prepare_motion
from nem2e_lib.simulate.trial import SimulatedTrial

Columns = tuple[str, str]


def told_sides(grf: Path) -> bool:
    """Whether the names of the plates tell which foot each is under."""
    return named(read_plates(grf).plates) is not None


def sides_by_place(trial: SimulatedTrial, model: Path, options: Options) -> Columns | None:
    """Vertical columns of the plates by the foot that treads on them, as the simulation will take them.

    None where names tell the sides, or where it takes markers to know.

    Raises
    ------
    Nem2eError
        If a file cannot be read, or where the force acts does not tell a foot (`nem2e_lib.simulate.loads.assign`).
    """
    if trial.grf is None or trial.motion is None or told_sides(trial.grf):
        return None
    time, plates, _ = whole_plates(trial.grf)
    with tempfile.TemporaryDirectory() as folder, quiet():
        place = Workplace(Path(folder), trial, options, model)
        prepare_model(place)
        motion = prepare_motion(place, trial.motion)
        bodies = assign(place.facts, place.model, motion.storage, time, plates, options.feet)
    return _by_foot(foot_bodies(place.facts), bodies, trial.grf)


def _by_foot(feet: dict[str, str], bodies: dict[str, Plate], grf: Path) -> Columns:
    bare = [side for side in ("right", "left") if feet.get(side) not in bodies]
    if bare:
        raise Nem2eError(
            f"{grf}: no plate is trodden on by the {bare[0]} foot while the motion lasts; give forces under both feet, "
            f"or name the columns with --grf-columns RIGHT,LEFT ({PLATES} between several plates of a foot)."
        )
    return bodies[feet["right"]].vertical, bodies[feet["left"]].vertical


def require_muscles(trial: SimulatedTrial, model: Path, refiner: Refiner, names: str | None = None) -> tuple[str, ...]:
    """Return the muscles that a refiner reads as a model has them, asked before anything is written.

    Parameters
    ----------
    names
        Family of models by whose names the model calls its muscles, where they are not the refiner's.

    Raises
    ------
    Nem2eError
        If the model lacks one.
    """
    manifest = refiner.manifest
    with quiet():
        place = Workplace(Path(), trial, Options(), model)
        there = place.facts.muscles
    same = {} if names is None else pairs(manifest.muscles, there, family(names))
    muscles = tuple(dict.fromkeys(own for name in manifest.muscles for own in same.get(name, [name])))
    place.options = Options(muscles=muscles)
    try:
        check_muscles(place)
    except Nem2eError as error:
        found, other = likely(manifest.muscles, there)
        if names is None and all(name in other for name in manifest.muscles):
            told = str(error).partition("; give the model")[0]
            raise Nem2eError(
                f"{told}; they go by the names of the {found.name} family there: add --names {found.name}."
            ) from None
        refinable = [out.name for out in manifest.outputs if out.muscle in there]
        if not refinable or manifest.reads_all:
            raise
        told = str(error).removesuffix(".")
        raise Nem2eError(f"{told}, or refine those it has with --muscles {','.join(refinable)}.") from None
    return muscles
