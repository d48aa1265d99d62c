"""The arms' actuators: a smooth swing against the legs, so that running has its 102 columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.muscles import ARM_ACTUATORS, side
from nem2e_lib.data.synthetic.mechanism import Trial

_LEVEL, _SWING = 0.12, 0.08


def arm_activation(trial: Trial, time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Magnitude of each arm actuator's control, shape (times, 10): one wave a cycle, arms half a cycle apart.

    It carries the phase of the cycle and nothing of any muscle.
    """
    joints = len(ARM_ACTUATORS) // 2
    lead = np.array(
        [index % joints / joints + 0.5 * (side(name) == "left") for index, name in enumerate(ARM_ACTUATORS)]
    )
    wave: NDArray[np.float64] = _LEVEL + _SWING * np.sin(2 * np.pi * (trial.phase(time)[:, None] + lead))
    return wave
