"""Simulation with OpenSim, an optional extra: scale, inverse kinematics, residual reduction, muscle control."""

from nem2e_lib.simulate.batch import simulate
from nem2e_lib.simulate.options import STEPS, Options
from nem2e_lib.simulate.quality import quality
from nem2e_lib.simulate.trial import SimulatedTrial, read_trials

__all__ = ["STEPS", "Options", "SimulatedTrial", "quality", "read_trials", "simulate"]
