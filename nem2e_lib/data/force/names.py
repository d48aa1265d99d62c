"""What labels of a force file say: which plate a column is of, what it is, and which foot the name tells."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

AXES = "xyz"

_WORD = re.compile(
    r"(?P<before>.*?)[_.]?(?:ground_?)?(?:reaction_?)?(?P<what>force|grf|torque|moment|cop)(?P<within>.*?)[_.]?"
    r"(?P<kind>[vpmf]?)_?(?P<axis>[xyz])(?P<number>\d*)(?:_(?P<after>\w+))?",
    re.IGNORECASE,
)
"""ground_force_vy, 1_ground_force_vy, ground_force1_vy, ground_force_calcn_r_vy, ground_force_vy_r, FP1.ForceFy, …"""
_DEVICE = re.compile(
    r"(?P<before>.*?(?:treadmill|belt|plate|fp_?\d|amti|kistler|bertec).*?)[_.]?(?P<kind>[vpmf]?)(?P<axis>[xyz])",
    re.IGNORECASE,
)
"""Treadmill_R_vy, FP1_vy, FP1_px."""
_SHORT = re.compile(
    r"(?:(?P<before>r|l|right|left)_?)?(?P<kind>[fm])(?P<axis>[xyz])_?(?P<after>\d+|r|l|right|left)?", re.IGNORECASE
)
"""Fz1, R_Fz: with a number or a side, for FX alone is a residual actuator."""
_C3D = re.compile(r"(?P<kind>[fpm])(?P<within>\d+)_(?P<axis>[123xyz])", re.IGNORECASE)
"""f1_1, p1_1, m1_1, as OpenSim's reader of C3D files calls them."""
_PARTS = re.compile(r"(?i:right|left)|[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SIDES = {"r": "right", "right": "right", "l": "left", "left": "left"}


def components(labels: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return plate to component to label: components are ``vx`` … ``vz`` (force), ``px`` … (point), ``mx`` … (moment).

    A plate's name is what its labels have in common beside these: ``1``, ``calcn_r``, ``Treadmill_R``, or nothing.
    Where two labels claim one component, the first has it.
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for label in labels:
        for plate, component in _readings(label):
            found[plate].setdefault(component, label)
            break
    return dict(found)


def _readings(label: str) -> Iterator[tuple[str, str]]:
    """What a label may say, the likeliest first."""
    if c3d := _C3D.fullmatch(label):
        axis = c3d["axis"].lower()
        yield c3d["within"], _kind("", c3d["kind"]) + (AXES[int(axis) - 1] if axis.isdigit() else axis)
    if plain := _WORD.fullmatch(label):
        parts = (plain[part] or "" for part in ("before", "within", "number", "after"))
        yield _joined(parts), _kind(plain["what"], plain["kind"]) + plain["axis"].lower()
    if device := _DEVICE.fullmatch(label):
        yield _joined([device["before"]]), _kind("", device["kind"] or "p") + device["axis"].lower()
    short = _SHORT.fullmatch(label)
    if short and (short["before"] or short["after"]):
        ends = [short["before"] or "", short["after"] or ""]
        yield _joined(ends), _kind("", short["kind"]) + short["axis"].lower()


def _joined(parts: Iterable[str]) -> str:
    return "_".join(filter(None, (part.strip("_.") for part in parts)))


def _kind(what: str, kind: str) -> str:
    if what.lower() in ("torque", "moment"):
        return "m"
    if what.lower() == "cop":
        return "p"
    return {"f": "v", "": "v"}.get(kind.lower(), kind.lower())


def told_side(name: str) -> str:
    """Return ``right`` or ``left`` where a plate's name tells it (``calcn_r``, ``Treadmill_R``), else nothing."""
    told = [_SIDES[part.lower()] for part in _PARTS.findall(name) if part.lower() in _SIDES]
    return told[-1] if told else ""
