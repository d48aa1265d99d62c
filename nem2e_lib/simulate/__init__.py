"""Simulation with OpenSim, an optional extra: scale, inverse kinematics, residual reduction, muscle control.

`simulate` takes trials, a model and `Options`; each trial goes through the steps in a process of its own, and comes
back as muscle activation with a verdict on whether it can be believed. A module imports only from those before it.

What is asked for
-----------------
options
    Every choice with its default and its flag on the command line; the steps, and the time that they cost at the edges.
xml
    OpenSim's documents, written and read.
marker_set
    Where markers are on bodies, how far each is trusted, which pairs scale what: sets that are shipped, and files.
trial
    A recording to simulate, and tables of them.

What OpenSim is given
---------------------
osim
    OpenSim itself, imported only where a step runs.
said
    What it says when it gives up, in one sentence.
scaling
    What a model is scaled to: mass and sizes.
facts
    A model described without OpenSim's objects: coordinates, muscles, bodies, root.
placing
    A marker set put on a model.
sizing
    Which pairs of markers scale which body, and what came of it.
motion
    Joint angles and markers, checked and in one unit.
forces
    Force plates out of a file of ground reaction forces, checked and in one frame.
posture
    A model in the postures of a motion.
loads
    Which foot a plate's force acts on.
legs
    Which bodies, coordinates and muscles are the right leg's, and which the left's.
actuators
    Residuals, reserves and ideal torques.
setups
    Set-ups of the tools, with their tasks.

A trial, step by step
---------------------
prepare
    The trial's folder, with its inputs as every step reads them.
asked
    What the options name, asked of the model.
equilibrium
    A start at which every muscle balances.
states
    Activation out of a file of states, damaged or not.
steps
    Each step: its set-up written, OpenSim's tool run, what it leaves handed on.

Around it
---------
manifest
    What is done already, by content hashes.
floor
    When a foot stands on floor without a plate.
runner
    A trial's process: started, watched, its outcome told.
measures
    What is measured from a trial's files, of the whole body and of each leg.
quality
    Measures against published rules of thumb, and a verdict.
worker
    What runs in that process: the steps in order, but for those that are done.
batch
    Many trials on any executor, one table in the end: `simulate`.
compare
    Two sets of waveforms, muscle by muscle.
laboratory
    Angles and moments against those of the laboratory's own model in the same C3D file.
hamner
    Running at four speeds, repeated from published data.
inputs
    Angles, moments and muscle lengths of a simulated trial, as a study names them beside activation.
people
    The open recordings as studies: fetched, converted, simulated where asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nem2e_lib.lazy import on_first_use

if TYPE_CHECKING:
    from nem2e_lib.simulate.batch import simulate
    from nem2e_lib.simulate.options import STEPS, Options
    from nem2e_lib.simulate.quality import judge
    from nem2e_lib.simulate.trial import SimulatedTrial, read_trials

# Loaded when they are first used, so that the command line starts fast.
_HOMES = {
    "simulate": "batch",
    "STEPS": "options",
    "Options": "options",
    "judge": "quality",
    "SimulatedTrial": "trial",
    "read_trials": "trial",
}

__all__ = ["STEPS", "Options", "SimulatedTrial", "judge", "read_trials", "simulate"]


__getattr__ = on_first_use(__name__, _HOMES)
