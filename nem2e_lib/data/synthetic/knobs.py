"""The knobs of the synthetic studies: each cause of a wrong simulation, and each source of variation, on its own."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from nem2e_lib.errors import Nem2eError


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
