"""What a column of a simulation is that is no muscle, as far as its name tells: for the words of a note, mostly.

Names decide here only in a table without a single muscle of a known family (`columns.sort_columns`).
"""

from __future__ import annotations

import re
from functools import lru_cache

from nem2e_lib.data.labels import Label, word_set

STATES = {
    "value": "coordinate",
    "speed": "coordinate speed",
    "fiber_length": "fibre length",
    "normalized_tendon_force": "tendon force",
}
"""Quantities of a component, other than its activation, and what they are."""
CONTROLS = ("excitation", "control")
"""Quantities that are a component's control, as its bare name is; the first says so in words."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_CONSTRAINT = re.compile(r"lambda_|gamma_|slack|multiplier", re.IGNORECASE)
_WORDS = (
    ("reserve", word_set("reserve reserves res")),
    ("residual", word_set("residual residuals")),
    ("external load", word_set("grf grm grfs ground cop plate load loads")),
    ("contact force", word_set("contact hunt crossley sphere halfspace")),
    ("ligament", word_set("acl pcl mcl lcl mpfl lpfl pfl lig ligament ligaments aponeurosis tendon capsule itb")),
    ("passive force", word_set("limit limits spring springs damper dampers bushing passive stop stiffness damping")),
    (
        "exoskeleton",
        word_set(
            "exo exos exosuit exoskeleton afo kafo orthosis prosthesis prosthetic assist assistive assistance device"
        )
        | word_set("suit motor clutch"),
    ),
    ("torque actuator", word_set("tau torque torques actuator act moment corrector generator trq")),
)
"""Kind, and words in a name that tell it; the first that fits."""
_ANYWHERE = (
    ("reserve", "reserve"),
    ("residual", "residual"),
    ("torque actuator", "torque"),
    ("external load", "externalforce"),
    ("ligament", "plantarfascia"),
)
"""Kind, and what tells it wherever it stands in a name, in lower case and without strokes."""
_RESIDUAL = re.compile(r"[FM][XYZ]")
_LOAD = re.compile(r"_[FTMp][xyz]$")
"""End of the name of an external load's column: force, moment, point."""
_DRIVEN = re.compile(
    r"lumbar_(?:ext|bend|rot)|(?:arm|shoulder)_(?:flex|add|abd|rot|elv|elev)|elbow_flex(?:ion)?|pro_sup|wrist_(?:flex|dev)"
)
"""Torque actuators of Hamner's and Rajagopal's models, which are called like the coordinates they drive."""
_JOINTS = word_set(
    "pelvis hip knee ankle subtalar mtp lumbar arm shoulder elbow wrist neck back torso trunk thorax pat tib spine"
)
_MOTIONS = word_set("""
    tilt list rotation rot tx ty tz flexion flex extension ext adduction add abduction abd angle bending bend elevation
    elv elev dev deviation beta
    """)
SPEED, _FORCE = "_u", "_force"
"""Ends of names: of a coordinate's speed among states of OpenSim 3, of its generalised force."""


@lru_cache(maxsize=65536)
def kind(label: Label, whole: str) -> str:
    """Return what a column is that is no muscle, by its name alone; empty where that tells nothing.

    Parameters
    ----------
    label : Label
        The column's label, taken apart.
    whole : str
        The same label as it is written.
    """
    if label.quantity.startswith("implicit") or whole.startswith("implicit"):
        return "derivative"
    if label.quantity not in ("", "activation", *CONTROLS):
        return STATES.get(label.quantity, label.quantity.replace("_", " "))
    if label.place == "jointset":
        return "coordinate"
    if _CONSTRAINT.search(whole):
        return "constraint multiplier"
    return _kind_of(label.name)


def _kind_of(name: str) -> str:
    """Kind of a component by its name."""
    if _RESIDUAL.fullmatch(name):
        return "residual"
    if _LOAD.search(name):
        return "external load"
    lower = name.lower()
    words = [word.lower() for word in _WORD.findall(name)]
    found = next((told for told, some in _WORDS if some & set(words)), "")
    found = found or next((told for told, part in _ANYWHERE if part in lower.replace("_", "")), "")
    if found:
        return found
    base = re.sub(r"^[rl]_|_[rl](?=_|$)", "", lower)
    if base.endswith(SPEED) and _kind_of(base.removesuffix(SPEED)):
        return "coordinate speed"
    if base.endswith(_FORCE) and _kind_of(base.removesuffix(_FORCE)):
        return "torque actuator"
    if _DRIVEN.fullmatch(base):
        return "torque actuator"
    own = [word for word in words if word not in ("r", "l", "right", "left")]
    told = set(own)
    return "coordinate" if told & _JOINTS and told & _MOTIONS and told <= _JOINTS | _MOTIONS else ""
