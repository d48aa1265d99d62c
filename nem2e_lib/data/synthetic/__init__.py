"""The synthetic studies: redundancy and delay by construction, so that what a method should find is known."""

from nem2e_lib.data.synthetic.cycles import drive, synthetic_cycles, truth
from nem2e_lib.data.synthetic.design import Knobs
from nem2e_lib.data.synthetic.study import write_newcomer, write_study

__all__ = ["Knobs", "drive", "synthetic_cycles", "truth", "write_newcomer", "write_study"]
