"""A start at which fibre and tendon of every muscle balance: OpenSim needs one, and tries one posture only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.motion import read_motion
from nem2e_lib.simulate.posture import Posture
from nem2e_lib.simulate.prepare import Workplace

LATER_S = (0.0, 0.01, 0.02, 0.05)
"""How much later to try."""
ACTIVATIONS = (None, 0.2, 0.5)
"""Default activations to try at each of these; None leaves the model's, OpenSim's being 0.05."""


@dataclass(frozen=True)
class Start:
    """Where to start again.

    Attributes
    ----------
    model : Path
        Copy of the model whose default posture is that of the start.
    window : (start, end) in s
    note : str
        What the user should know.
    """

    model: Path
    window: tuple[float, float]
    note: str


class Balance:
    """Whether muscles are to blame for a failure of a step, and where it could start instead.

    Parameters
    ----------
    shortest_s : float
        How long the window must remain.
    failed : str
        The step, in words.
    """

    def __init__(self, place: Workplace, shortest_s: float, failed: str) -> None:
        self._place, self._failed = place, failed
        self._motion = read_motion(place.needs_motion(), place.facts).storage
        self._posture = Posture(place.model, self._motion)
        first, end = place.window
        self._at_rest = self._posture.unbalanced()
        self._at_start = self._posture.unbalanced(self._row(first))
        self._times = [first + later for later in LATER_S if end - first - later >= shortest_s] or [first]

    @property
    def lost(self) -> bool:
        """Whether a muscle has no equilibrium in the model's default posture or at the start."""
        return bool(self._at_rest or self._at_start)

    def starts(self, target: Path) -> Iterator[Start]:
        """Write the model with another start, for each of `LATER_S` at which every muscle balances."""
        for time in self._times:
            row = self._row(time)
            for activation in ACTIVATIONS:
                if not self._posture.unbalanced(row, activation):
                    self._posture.save_start(row, target, activation)
                    yield Start(target, (round(time, 6), self._place.window[1]), self._note(time, activation))
                    break

    def refusal(self) -> Nem2eError:
        """Name the muscle that has no equilibrium, and what its length is made of."""
        culprit, name = (self._at_start or self._at_rest)[0], self._place.trial.trial
        self._posture.unbalanced(self._row(self._times[0]))
        tried = ", ".join(f"{time:.6g}" for time in self._times)
        return Nem2eError(
            f"Trial {name!r}: {self._failed} failed, for fibre and tendon of muscle {culprit!r} have no equilibrium in "
            f"model {self._place.facts.name!r} at {tried} s, whatever the activation "
            f"({self._posture.measures(culprit)}); correct its optimal_fiber_length and tendon_slack_length, or start "
            "elsewhere (--start)."
        )

    def _note(self, time: float, activation: float | None) -> str:
        first = self._place.window[0]
        where = f"at {first:.6g} s" if self._at_start else "in the model's default posture"
        how = f" with default activation {activation:g}" if activation else ""
        return (
            f"Fibre and tendon of {', '.join((self._at_start or self._at_rest)[:4])} have no equilibrium {where}; "
            f"{self._failed} was started again from the posture at {time:.6g} s{how}."
        )

    def _row(self, time: float) -> int:
        return int(np.abs(self._motion.time - time).argmin())
