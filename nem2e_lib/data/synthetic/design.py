"""The synthetic studies' design: the shape of the paper's Table 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nem2e_lib.data.muscles import RUNNING_ELECTRODES, RUNNING_EMG, WALKING_EMG
from nem2e_lib.error import Nem2eError


@dataclass(frozen=True)
class Design:
    """Subjects, speeds, cycles and channels of a study.

    Attributes
    ----------
    speeds, speeds_m_s, durations
        Label of each speed, its value in m/s and the mean duration of a gait cycle in s.
    cycles
        Complete gait cycles of a trial.
    margin
        Part of a cycle recorded before the first and after the last heel strike.
    stance
        Share of the cycle that a foot is on the ground.
    arms
        Whether the columns include the arms' actuators.
    effort
        Activation, in generator 2, of a muscle of weight 1 by a burst of amplitude 1.
    speed_effect
        Strength, in generator 2, of everything that changes from the slowest to the fastest speed.
    emg_level
        EMG of generator 2 at the peak that it is normalised to: below 1 where the maximum of more cycles was taken.
    """

    motion: str
    subjects: int
    speeds: tuple[str, ...]
    speeds_m_s: tuple[float, ...]
    durations: tuple[float, ...]
    cycles: int
    margin: float
    stance: float
    emg: Mapping[str, str]
    electrodes: Mapping[str, str]
    arms: bool
    effort: float
    speed_effect: float
    emg_level: float

    def reduced(self, subjects: int | None, speeds: int | None) -> Design:
        """Return the design with other numbers of subjects and speeds; None keeps them.

        Raises
        ------
        Nem2eError
            If no subject or no speed is left, or more speeds are wanted than there are.
        """
        if subjects is not None and subjects < 1:
            raise Nem2eError(f"synthetic {self.motion}: {subjects} subjects, expected at least 1; ask for more.")
        if speeds is not None and not 1 <= speeds <= len(self.speeds):
            raise Nem2eError(f"synthetic {self.motion}: {speeds} speeds, expected 1 to {len(self.speeds)}; change it.")
        chosen = slice(speeds)
        return replace(
            self,
            subjects=subjects or self.subjects,
            speeds=self.speeds[chosen],
            speeds_m_s=self.speeds_m_s[chosen],
            durations=self.durations[chosen],
        )


_DESIGNS = {
    "running": Design(
        "running",
        10,
        ("2 m/s", "3 m/s", "4 m/s", "5 m/s"),
        (2.0, 3.0, 4.0, 5.0),
        (0.80, 0.75, 0.70, 0.62),
        3,
        0.35,
        0.36,
        RUNNING_EMG,
        RUNNING_ELECTRODES,
        True,
        0.5,
        1.0,
        0.62,
    ),
    "walking": Design(
        "walking",
        8,
        ("xslow", "slow", "free", "fast"),
        (0.54, 0.75, 1.15, 1.56),
        (1.60, 1.35, 1.12, 0.98),
        1,
        0.30,
        0.61,
        WALKING_EMG,
        {},
        False,
        0.48,
        0.8,
        0.8,
    ),
}


def design(motion: str) -> Design:
    """Return the design of `running` or `walking`."""
    if motion not in _DESIGNS:
        raise Nem2eError(
            f"synthetic study: motion {motion!r} is unknown, expected {' or '.join(_DESIGNS)}; choose one."
        )
    return _DESIGNS[motion]
