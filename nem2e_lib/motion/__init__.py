"""From motion to refined activity: OpenSim's steps, then a refiner that was kept."""

from __future__ import annotations

from nem2e_lib.motion.chain import Plan, angles_or_markers, needed_steps, plan, refine_motion, run, simulated

__all__ = ["Plan", "angles_or_markers", "needed_steps", "plan", "refine_motion", "run", "simulated"]
