"""What can be chosen about a simulation, with the defaults of walking, and what it is called on the command line."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from nem2e_lib.data.columns import muscle_columns
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.error import Nem2eError

BY_MASS = "mass"
"""Strength by mass: to the power of 2/3, for force goes with a muscle's cross-section and mass with its volume."""

STEPS = ("scale", "ik", "rra", "cmc", "so", "id")
"""Steps in the order in which they run; ``so`` is static optimisation, the fast alternative to ``cmc``; ``id``, net
joint moments, is for those who want no muscles: it runs beside them anyway."""
NAMES = {
    "scale": "scaling",
    "ik": "inverse kinematics",
    "rra": "residual reduction",
    "cmc": "computed muscle control",
    "so": "static optimisation",
    "id": "inverse dynamics",
}
LEAD_S = 0.03
"""Computed muscle control starts this much late: it finds initial states over that time first."""
MARGINS_S = {"cmc": (0.04, 0.03), "so": (0.0, 0.02)}
"""Simulated before and after what was asked for: the lead of computed muscle control and its last windows, or the last
row of static optimisation, which may fall short of the end."""


@dataclass(frozen=True)
class Flag:
    """What a field of `Options` or of a trial is called on the command line; `nem2e_lib.cli.flags` reads it.

    A mapping's flag is given as NAME=VALUE, and it and a sequence's as often as wanted.

    Attributes
    ----------
    name : str
        With ``_`` for what is typed as ``-``.
    help : str
    panel : str
        Heading in the help under which it stands.
    plain : str
        Field that a value without NAME= sets (of a mapping).
    read : callable, optional
        What is typed is a file, and this reads the field out of it.
    parse : callable, optional
        What is typed is a word or a number, and this makes the field of it.
    """

    name: str
    help: str
    panel: str = "Settings"
    plain: str = ""
    read: Callable[[Path], Any] | None = None
    parse: Callable[[str], Any] | None = None


def muscles_in(path: Path) -> tuple[str, ...]:
    """Names of the muscles in an activation file."""
    return tuple(muscle_name(label) for label in muscle_columns(read_storage(path).labels))


def strength_of(text: str) -> float | str:
    """Return the strength that a text states: a number, or `BY_MASS`.

    Raises
    ------
    Nem2eError
        If it is neither.
    """
    try:
        return BY_MASS if text.strip().lower() == BY_MASS else float(text)
    except ValueError:
        raise Nem2eError(f"Strength is {text!r}, but a number above 0 or {BY_MASS!r} is expected.") from None


@dataclass(frozen=True)
class Options:
    """Settings of the generated set-ups.

    Attributes
    ----------
    cutoff_hz : float
        Low-pass of measured joint angles (6 Hz is common for walking, 15 Hz for running).
    strength : float or "mass"
        Factor on every maximum isometric force; `BY_MASS` makes it of the person's mass and the model's.
    max_velocity : float, optional
        Maximum contraction velocity of every muscle, in optimal fibre lengths per second.
    reserve : float
        Optimal force of the reserve at a coordinate that muscles cross, N·m.
    reserves : mapping
        Pattern of coordinates to optimal force, before `reserve`; see `actuators.reserve_actuators`.
    residual : float, optional
        Optimal force of every residual beside muscles; see `actuators.RESIDUAL_COST`.
    exponent : int
        Of activation in the cost of static optimisation.
    fast_target : bool
        Whether computed muscle control tracks accelerations exactly, by constraints.
    adjusted_body : str, optional
        Body whose mass centre residual reduction may move; ``torso`` where there is one.
    weights : mapping
        Tracking weight of coordinates in residual reduction and computed muscle control.
    marker_set : str or path
        Of `marker_set.shipped`, or a file, in place of the model's own markers; empty for these.
    marker_weights : mapping
        Weight of markers in scaling and inverse kinematics, before those of the marker set.
    feet : mapping
        Plate to body, where neither name nor place of a plate tells the foot.
    setups : mapping
        Step to a set-up file of your own.
    lock : sequence of str
        Patterns of coordinates to lock at their default, such as toes that the motion does not have.
    without_contacts : bool
        Whether contact forces between the model and the ground are switched off, so that measured forces can be given.
    muscles : sequence of str
        Names that the model's muscles must include, such as those of a study; empty for any.
    geometry : Path, optional
        Folder of the meshes of bones.
    time_limit_s : float, optional
        Of one trial.
    """

    cutoff_hz: Annotated[float, Flag("cutoff", "Low-pass of joint angles, Hz.")] = 6.0
    strength: Annotated[
        float | str,
        Flag(
            "strength", "Factor on maximum isometric force, or 'mass': (mass / model's mass) to 2/3.", parse=strength_of
        ),
    ] = 1.0
    max_velocity: Annotated[float | None, Flag("max_velocity", "Fastest contraction, 1/s.")] = None
    reserve: float = 2.0
    reserves: Annotated[
        Mapping[str, float],
        Flag("reserve", "N·m, or COORDINATES=N·m, e.g. 'lumbar_*=20'; may be given again.", plain="reserve"),
    ] = field(default_factory=dict)
    residual: float | None = None
    exponent: int = 2
    fast_target: bool = True
    adjusted_body: str | None = None
    weights: Annotated[Mapping[str, float], Flag("weight", "COORDINATE=WEIGHT of tracking; may be given again.")] = (
        field(default_factory=dict)
    )
    marker_set: Annotated[
        str, Flag("marker_set", "Markers in place of the model's: a name of `nem2e simulate marker-sets`, or a file.")
    ] = ""
    marker_weights: Annotated[
        Mapping[str, float], Flag("marker_weight", "MARKER=WEIGHT of scaling and inverse kinematics; again.")
    ] = field(default_factory=dict)
    feet: Annotated[
        Mapping[str, str], Flag("foot", "PLATE=BODY, where names and places do not tell; may be given again.")
    ] = field(default_factory=dict)
    setups: Annotated[Mapping[str, str], Flag("setup", "STEP=FILE, a set-up of your own (.xml); again.")] = field(
        default_factory=dict
    )
    lock: Annotated[Sequence[str], Flag("lock", "COORDINATES to lock at their default, e.g. 'mtp_*'; again.")] = ()
    without_contacts: Annotated[
        bool, Flag("without_contacts", "Switch off the model's own contact forces with the ground.")
    ] = False
    muscles: Annotated[
        Sequence[str],
        Flag("muscles_of", "Activation file whose muscles the model must have.", read=muscles_in),
    ] = ()
    geometry: Annotated[Path | None, Flag("geometry", "Folder of the bones' meshes.")] = None
    time_limit_s: Annotated[float | None, Flag("time_limit", "Of one trial, s.", panel="How to run")] = None

    def __post_init__(self) -> None:
        strength = 1.0 if self.strength == BY_MASS else self.strength
        if not isinstance(strength, int | float) or not 0 < strength < math.inf:
            raise Nem2eError(f"Option strength is {strength!r}, but a number above 0 or {BY_MASS!r} is expected.")
        for name in ("cutoff_hz", "max_velocity", "reserve", "residual", "time_limit_s", "exponent"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise Nem2eError(f"Option {name} is {value}, but a number above 0 is expected.")
        for name, value in self.reserves.items():
            if not 0 < value < math.inf:
                raise Nem2eError(f"Reserve of {name!r} is {value}, but a number above 0 is expected, in N·m or N.")
        for name, value in [*self.weights.items(), *self.marker_weights.items()]:
            if not 0 <= value < math.inf:
                raise Nem2eError(f"Weight of {name!r} is {value}, but 0 or a number above is expected.")
        unknown = set(self.setups) - set(STEPS)
        if unknown:
            raise Nem2eError(f"There is no step {sorted(unknown)[0]!r}; steps are {', '.join(STEPS)}.")

    def content(self) -> dict[str, Any]:
        """Everything that changes results, ready for JSON."""
        beside = {"geometry", "time_limit_s", "setups", "muscles", "marker_set"}
        content = asdict(
            replace(
                self,
                reserves=dict(self.reserves),
                weights=dict(self.weights),
                marker_weights=dict(self.marker_weights),
                feet=dict(self.feet),
                lock=list(self.lock),
            )
        )
        return {key: value for key, value in content.items() if key not in beside}


def check_steps(steps: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Return the steps in their order; Nem2eError for an unknown one or none."""
    unknown = [step for step in steps if step not in STEPS]
    if unknown or not steps:
        found = repr(unknown[0]) if unknown else "no step"
        raise Nem2eError(f"Steps: {found} was given, but one or more of {', '.join(STEPS)} are expected.")
    return tuple(step for step in STEPS if step in steps)
