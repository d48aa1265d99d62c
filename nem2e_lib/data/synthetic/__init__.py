"""The synthetic studies: redundancy and delay by construction, so that what a method should find is known.

study
    Written as a study folder; one trial of a newcomer.
cycles
    The same as segmented cycles, and what is true in them.
design, knobs
    Subjects, speeds and channels; a knob for every cause of a wrong simulation.
cast
    Who runs and walks, by either generator.
first, second
    From synergies to true, simulated and measured activity: as it was, and calibrated on recordings (the default).
mechanism, body
    Clock, torques and least effort; forces and moment arms.
stranger
    The same in a laboratory's own folders and names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nem2e_lib.lazy import on_first_use

if TYPE_CHECKING:
    from nem2e_lib.data.synthetic.cycles import drive, synthetic_cycles, truth
    from nem2e_lib.data.synthetic.knobs import Knobs, Knobs1
    from nem2e_lib.data.synthetic.study import write_newcomer, write_study

_HOMES = {
    **dict.fromkeys(("drive", "synthetic_cycles", "truth"), "cycles"),
    **dict.fromkeys(("Knobs", "Knobs1"), "knobs"),
    **dict.fromkeys(("write_newcomer", "write_study"), "study"),
}

__all__ = ["Knobs", "Knobs1", "drive", "synthetic_cycles", "truth", "write_newcomer", "write_study"]


__getattr__ = on_first_use(__name__, _HOMES)
