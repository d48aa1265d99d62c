"""The synthetic studies' design: the shape of the paper's Table 1, and a knob for every cause of a wrong simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from nem2e_lib.data.muscles import RUNNING_ELECTRODES, RUNNING_EMG, WALKING_EMG
from nem2e_lib.error import Nem2eError


@dataclass(frozen=True)
class Knobs:
    """Strength of every mechanism; each can be zero.

    Attributes
    ----------
    delay_ms
        The simulated activation is late by this much, in ms, whatever the speed.
    redundancy
        Share ρ of the minimum-effort solution in the simulated activation, 0 to 1: a + ρ(a_min − a). The torques are
        the same for every ρ.
    unevenness
        Log-sd of how unevenly the true activation is shared between the muscles of a synergy, common to all subjects.
    second_synergy
        Share of the muscles that a second synergy drives too.
    speed_sharing
        Log-sd of the change of sharing from the slowest to the fastest speed, common to all subjects.
    subject_sharing
        Log-sd of a subject's own weights.
    subject_timing, subject_amplitude
        Sd of a subject's shift of each synergy in % of the cycle; log-sd of its amplitude.
    cycle_timing, cycle_amplitude
        The same from cycle to cycle.
    simulation_error
        Relative smooth error of each muscle's simulated activation (harmonics 1 to 3 of the cycle, falling as 1/h).
    emg_noise
        Sd of the noise of the measured envelope.
    """

    delay_ms: float = 60.0
    redundancy: float = 1.0
    unevenness: float = 0.8
    second_synergy: float = 0.5
    speed_sharing: float = 0.3
    subject_sharing: float = 0.05
    subject_timing: float = 2.5
    subject_amplitude: float = 0.25
    cycle_timing: float = 4.0
    cycle_amplitude: float = 0.4
    simulation_error: float = 0.3
    emg_noise: float = 0.03

    def __post_init__(self) -> None:
        """Refuse negative strengths and shares above 1."""
        for name, value in asdict(self).items():
            if not value >= 0:
                raise Nem2eError(f"knobs: {name} is {value}, expected a number of 0 or more; change it.")
        for name in ("redundancy", "second_synergy"):
            if getattr(self, name) > 1:
                raise Nem2eError(f"knobs: {name} is {getattr(self, name)}, expected a share from 0 to 1; change it.")

    def only(self, *names: str) -> Knobs:
        """Return knobs whose causes of a wrong simulation are all zero but the named ones; variation stays.

        The causes are `delay_ms`, `redundancy` and `simulation_error`.
        """
        causes = {"delay_ms", "redundancy", "simulation_error"}
        return replace(self, **dict.fromkeys(causes - set(names), 0.0))


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
    ),
}


def design(motion: str) -> Design:
    """Return the design of `running` or `walking`."""
    if motion not in _DESIGNS:
        raise Nem2eError(
            f"synthetic study: motion {motion!r} is unknown, expected {' or '.join(_DESIGNS)}; choose one."
        )
    return _DESIGNS[motion]
