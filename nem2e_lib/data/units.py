"""Units by the names that laboratories give them: of length, force, moment and voltage.

One table for every kind of file. What no name here means is not known, and whoever asks has to say so: a unit is never
guessed.
"""

from __future__ import annotations

from collections.abc import Mapping

LENGTHS = {
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1e-3),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 1e-2),
    **dict.fromkeys(("dm", "decimeter", "decimetre"), 1e-1),
    **dict.fromkeys(("m", "meter", "metre"), 1.0),
    **dict.fromkeys(("in", "inch", "inche"), 0.0254),
    **dict.fromkeys(("ft", "foot", "feet"), 0.3048),
}
"""In m, by name in lower case and without a plural's s."""
FORCES = {
    **dict.fromkeys(("n", "nt", "newton"), 1.0),
    **dict.fromkeys(("kn", "kilonewton"), 1e3),
    **dict.fromkeys(("lbf", "lb", "pound"), 4.4482216152605),
    **dict.fromkeys(("kgf", "kp"), 9.80665),
}
"""In N."""
VOLTAGES = {
    **dict.fromkeys(("v", "volt"), 1.0),
    **dict.fromkeys(("mv", "millivolt"), 1e-3),
    **dict.fromkeys(("uv", "\u00b5v", "\u03bcv", "microvolt"), 1e-6),
    **dict.fromkeys(("nv", "nanovolt"), 1e-9),
}
"""In V."""
_CUT = 4
"""Old files keep four letters of a unit: so many may stand for the only name that begins with them."""


def metres(unit: str) -> float | None:
    """Return what one of a unit of length is in m: ``mm``, ``Meters``, ``mete`` (cut short); None if it is none."""
    return _of(unit, LENGTHS)


def newtons(unit: str) -> float | None:
    """Return what one of a unit of force is in N: ``N``, ``nt``, ``Newtons``, ``kN``; None if it is none."""
    return _of(unit, FORCES)


def volts(unit: str) -> float | None:
    """Return what one of a unit of voltage is in V: ``V``, ``mV``, ``µV``, ``Microvolts``; None if it is none."""
    return _of(unit, VOLTAGES)


def newton_metres(unit: str) -> float | None:
    """Return what one of a unit of moment is in N·m: ``Nm``, ``N-mm``, ``ntmm``, ``Newton*Meters``; None if none."""
    plain = _plain(unit)
    for cut in range(1, len(plain)):
        force, length = _of(plain[:cut], FORCES), _of(plain[cut:], LENGTHS)
        if force is not None and length is not None:
            return force * length
    return None


def _plain(unit: str) -> str:
    if any(sign in unit for sign in "/^\u00b2"):  # a speed or a stiffness
        return ""
    return "".join(letter for letter in unit.lower() if letter.isalpha())


def _of(unit: str, table: Mapping[str, float]) -> float | None:
    name = _plain(unit)
    for known in (name, name.removesuffix("s")):
        if known in table:
            return table[known]
    begun = {factor for known, factor in table.items() if known.startswith(name)} if len(name) >= _CUT else set()
    return begun.pop() if len(begun) == 1 else None
