"""A knob for every cause of a wrong simulation: which knobs there are is what tells one generator from the other."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import ClassVar, Self

from nem2e_lib.error import Nem2eError


@dataclass(frozen=True)
class Strengths:
    """What the knobs of every generator can do.

    Attributes
    ----------
    generator
        Number of the generator that they belong to.
    causes
        Knobs of each cause of a wrong simulation, by the name that `only` takes.
    """

    generator: ClassVar[int]
    causes: ClassVar[dict[str, tuple[str, ...]]]

    delay_ms: float = 60.0
    redundancy: float = 1.0
    second_synergy: float = 0.0

    def __post_init__(self) -> None:
        """Refuse negative strengths and shares above 1."""
        for name, value in asdict(self).items():
            if not value >= 0:
                raise Nem2eError(f"knobs: {name} is {value}, expected a number of 0 or more; change it.")
        for name in ("redundancy", "second_synergy", "emg_normalised"):
            if getattr(self, name, 0.0) > 1:
                raise Nem2eError(f"knobs: {name} is {getattr(self, name)}, expected a share from 0 to 1; change it.")

    def only(self, *names: str) -> Self:
        """Return knobs whose causes of a wrong simulation are all zero but the named ones; variation stays.

        Raises
        ------
        Nem2eError
            If a name is no cause.
        """
        unknown = set(names) - set(self.causes)
        if unknown:
            raise Nem2eError(
                f"knobs: {min(unknown)!r} is no cause of a wrong simulation; choose among {', '.join(self.causes)}."
            )
        off = [knob for cause, knobs in self.causes.items() if cause not in names for knob in knobs]
        return replace(self, **dict.fromkeys(off, 0.0))


@dataclass(frozen=True)
class Knobs(Strengths):
    """Strength of every mechanism of generator 2; each can be zero.

    A *smooth* change is a factor over the gait cycle: the exponential of harmonics 1 to 3, falling as 1/h. Its log-sd
    is that at any time.

    The causes that `only` takes are `delay_ms`, `redundancy`, `simulation_error` (of muscle, speed, person, trial and
    cycle together) and `electrode` (curve, normalising and gains of the EMG).

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
    speed_pattern, subject_pattern, trial_pattern, cycle_pattern
        Log-sd of a smooth change of each muscle's true activation: from the slowest to the fastest speed, common to
        all subjects; a subject's own; a trial's; and a cycle's. Most of it leaves the torques as they are, so that the
        simulation tells little of it.
    simulation_error, simulation_error_speed, simulation_error_person, simulation_error_trial, simulation_error_cycle
        Log-sd of a smooth error of each muscle in the torques that are shared out, as of a model whose strengths and
        moment arms are wrong: the same in everybody; its change from the slowest to the fastest speed; a person's own;
        a trial's; and a cycle's.
    emg_curve
        How far EMG is from linear in activation: −A of Lloyd & Besier (2003), mean over muscles; 0 is linear.
    emg_normalised
        Share, on a log scale, of normalising each muscle's EMG to the subject's own peak at the fastest speed.
    emg_gain
        Log-sd of the gain that a subject's electrode has left after that.
    emg_noise
        Log-sd of the noise of the measured envelope, which grows with the signal.
    """

    generator: ClassVar[int] = 2
    causes: ClassVar[dict[str, tuple[str, ...]]] = {
        "delay_ms": ("delay_ms",),
        "redundancy": ("redundancy",),
        "simulation_error": (
            "simulation_error",
            "simulation_error_speed",
            "simulation_error_person",
            "simulation_error_trial",
            "simulation_error_cycle",
        ),
        "electrode": ("emg_curve", "emg_normalised", "emg_gain"),
    }

    unevenness: float = 0.35
    second_synergy: float = 0.3
    speed_sharing: float = 0.5
    subject_sharing: float = 0.1
    subject_timing: float = 1.0
    subject_amplitude: float = 0.1
    cycle_timing: float = 1.25
    cycle_amplitude: float = 0.06
    speed_pattern: float = 0.25
    subject_pattern: float = 0.2
    trial_pattern: float = 0.13
    cycle_pattern: float = 0.1
    simulation_error: float = 0.18
    simulation_error_speed: float = 0.42
    simulation_error_person: float = 0.1
    simulation_error_trial: float = 0.06
    simulation_error_cycle: float = 0.13
    emg_curve: float = 1.2
    emg_normalised: float = 1.0
    emg_gain: float = 0.08
    emg_noise: float = 0.24


@dataclass(frozen=True)
class Knobs1(Strengths):
    """Strength of every mechanism of generator 1; each can be zero.

    The causes that `only` takes are `delay_ms`, `redundancy` and `simulation_error`.

    Attributes
    ----------
    delay_ms, redundancy, unevenness, second_synergy, speed_sharing, subject_sharing
        As in `Knobs`.
    subject_timing, subject_amplitude, cycle_timing, cycle_amplitude
        As in `Knobs`.
    simulation_error
        Relative smooth error of each muscle's simulated activation, drawn anew in every cycle (harmonics 1 to 3 of the
        cycle, falling as 1/h).
    emg_noise
        Sd of the noise of the measured envelope.
    """

    generator: ClassVar[int] = 1
    causes: ClassVar[dict[str, tuple[str, ...]]] = {
        name: (name,) for name in ("delay_ms", "redundancy", "simulation_error")
    }

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


DEFAULT = 2
GENERATORS: dict[int, type[Knobs] | type[Knobs1]] = {1: Knobs1, 2: Knobs}
"""Knobs of each generator by its number."""


def knobs_of(knobs: Knobs | Knobs1 | None, generator: int | None) -> Knobs | Knobs1:
    """Return the knobs that are meant: those given, else the default ones of a generator, else of the default one.

    Raises
    ------
    Nem2eError
        If there is no such generator, or the knobs are another's.
    """
    if generator is not None and generator not in GENERATORS:
        raise Nem2eError(f"synthetic study: generator {generator} is unknown, expected 1 or 2; choose one.")
    if knobs is None:
        return GENERATORS[DEFAULT if generator is None else generator]()
    if generator is not None and generator != knobs.generator:
        raise Nem2eError(
            f"synthetic study: knobs of generator {knobs.generator} were given for generator {generator}; give "
            f"{GENERATORS[generator].__name__}, or leave generator out."
        )
    return knobs
