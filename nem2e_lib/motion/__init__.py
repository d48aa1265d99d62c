"""From motion to refined activity: OpenSim's steps, then a refiner that was kept.

chain
    From a motion or markers to refined activity in one go: `run`.
sides
    Which columns of force are of which foot.
walkthrough
    The same way step by step, for 12_motion_to_emg.
c3d_files
    Somebody's C3D files, opened and looked at, for 16_c3d_to_emg.
c3d_outcome
    What OpenSim and a refiner make of them.
beside
    Angles and moments beside those of the laboratory's own model, to be drawn.
"""

from __future__ import annotations

from nem2e_lib.motion.chain import Plan, angles_or_markers, needed_steps, plan, refine_motion, run, simulated

__all__ = ["Plan", "angles_or_markers", "needed_steps", "plan", "refine_motion", "run", "simulated"]
