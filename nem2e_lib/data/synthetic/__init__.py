"""The synthetic studies: redundancy and delay by construction, so that what a method should find is known.

study
    Written as a study folder; one trial of a newcomer.
cycles
    The same as segmented cycles, and what is true in them.
design
    Subjects, speeds and channels; a knob for every cause of a wrong simulation.
mechanism, body
    From synergies to true, simulated and measured activity; forces, moment arms and least effort.
stranger
    The same in a laboratory's own folders and names.
"""

from nem2e_lib.data.synthetic.cycles import drive, synthetic_cycles, truth
from nem2e_lib.data.synthetic.design import Knobs
from nem2e_lib.data.synthetic.study import write_newcomer, write_study

__all__ = ["Knobs", "drive", "synthetic_cycles", "truth", "write_newcomer", "write_study"]
