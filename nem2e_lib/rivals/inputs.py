"""Which inputs a method is given: sets by name, and how each is scaled inside the training cycles of a fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.data.cycles.segment import BESIDE
from nem2e_lib.data.study.beside import SETS
from nem2e_lib.data.tables import near
from nem2e_lib.error import Nem2eError
from nem2e_lib.rivals.protocol import Array, Simulated

ACTIVATION, SPEED = "activation", "speed"
EVERY = (ACTIVATION, *SETS, SPEED)
"""Every set, in the order in which they are written: activation, what `SETS` of a study folder names, and speed, which
is speed, duration and condition of the cycle."""
DEFAULT = (ACTIVATION,)
_STILL = 1e-9
"""An input that varies by less, as a share of its size, does not vary: the rest is rounding."""


def parse_inputs(text: str) -> tuple[str, ...]:
    """Return the sets that a text names, as ``activation+moment+speed``, in the order of `EVERY`.

    Raises
    ------
    Nem2eError
        If it names none, one that there is not, or one twice.
    """
    names = [name.strip() for name in text.split("+")]
    for name in names:
        if name not in EVERY:
            hint = near(name, EVERY) or f"; choose of {', '.join(EVERY)}."
            raise Nem2eError(f"inputs {text!r}: {name!r} is no set of inputs{hint}")
        if names.count(name) > 1:
            raise Nem2eError(f"inputs {text!r}: {name!r} is named twice; name it once.")
    return tuple(name for name in EVERY if name in names)


def told(sets: Sequence[str]) -> str:
    """Return sets as they are typed: ``activation+moment``."""
    return "+".join(sets)


def sets_of(cycles: xr.Dataset) -> tuple[str, ...]:
    """Return the sets that segmented cycles have."""
    own = set(cycles.input_set.values.tolist()) if BESIDE in cycles else set[str]()
    return tuple(name for name in EVERY if name in own or name in (ACTIVATION, SPEED))


def require_sets(cycles: xr.Dataset, sets: Sequence[str]) -> None:
    """Refuse sets that a study does not have.

    Raises
    ------
    Nem2eError
        With those that it has, and what trials.csv must name for the other.
    """
    there = sets_of(cycles)
    missing = [name for name in sets if name not in there]
    if missing:
        each = SETS[missing[0]]
        raise Nem2eError(
            f"study {cycles.attrs['study']!r} has no inputs {missing[0]!r}; it has {', '.join(there)}. Name a file of "
            f"{each.what} for every trial in trials.csv, column {each.column!r}, and segment it again."
        )


@dataclass(frozen=True)
class Inputs:
    """How the inputs of a fold are scaled: learned from its training cycles, and the same for what is refined later.

    Waveforms beside activation are centred by the training mean of each, and made as large by one factor a set, so that
    what they deviate from their mean curves is as large as what the average muscle does, and a penalty bears alike on
    all. Within a set an input that varies little stays small: it is in the unit of its neighbours. Speed and the like
    are scaled one by one, having a unit each.

    Attributes
    ----------
    sets
        Of `EVERY`.
    names
        Waveforms beside activation, as ``moment:knee_angle_r``, in the order of `centre` and `factor`.
    centre, factor
        What is taken off each, and what it is multiplied by then, shape (names,).
    size
        Root mean square of the deviations of activation from its mean curves.
    told_centre, told_spread
        Mean and spread of speed (or cycles a second), duration and conditions, shape (numbers,); 0 numbers without.
    conditions, shares
        Conditions of training, and the share of cycles of each, which stands in for a condition that training lacks.
    by_speed
        Whether pace is a speed in m/s, or cycles a second.
    """

    sets: tuple[str, ...]
    names: tuple[str, ...]
    centre: Array
    factor: Array
    size: float
    told_centre: Array
    told_spread: Array
    conditions: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    by_speed: bool = True

    @classmethod
    def fit(cls, simulated: Simulated, training: NDArray[np.bool_], sets: Sequence[str] = DEFAULT) -> Inputs:
        """Learn how to scale.

        Parameters
        ----------
        simulated
            Cycles of a fold as `protocol.simulated_cycles` gives them, held-out ones too.
        training
            Which of them are to be learned from, shape (cycles,).
        sets
            Of `EVERY`; the waveforms among them are those of `simulated`.
        """
        activation = simulated.activation[training]
        size = float(np.sqrt(((activation - activation.mean(axis=0)) ** 2).mean())) or 1.0
        beside = simulated.beside[training]
        away = (beside - beside.mean(axis=0)) if len(beside) else beside
        power = (away**2).mean(axis=(0, 1))
        power[power <= (_STILL * np.abs(beside).max(axis=(0, 1), initial=0.0)) ** 2] = 0.0
        of = np.array([name.partition(":")[0] for name in simulated.names], dtype=str)
        spread = np.array([np.sqrt(power[of == one].mean()) for one in of])
        conditions = np.unique(simulated.condition[training])
        which = (simulated.condition[training, None] == conditions).astype(float)
        by_speed = bool(np.isfinite(simulated.speed_m_s).all())
        scaling = cls(
            tuple(sets),
            simulated.names,
            beside.mean(axis=(0, 1)),
            np.divide(size, spread, out=np.zeros_like(spread), where=spread > 0),
            size,
            np.empty(0),
            np.empty(0),
            tuple(conditions.tolist()),
            tuple(which.mean(axis=0).tolist()),
            by_speed,
        )
        if SPEED not in sets:
            return scaling
        numbers = scaling._numbers(simulated)[training]
        spread = numbers.std(axis=0)
        return replace(scaling, told_centre=numbers.mean(axis=0), told_spread=np.where(spread > 0, spread, 1.0))

    def apply(self, simulated: Simulated) -> Simulated:
        """Return cycles with their inputs scaled.

        Raises
        ------
        Nem2eError
            If they have other waveforms beside activation than were learned from, or lack a speed that was.
        """
        if simulated.names != self.names:
            raise Nem2eError(
                f"inputs: found {', '.join(simulated.names) or 'none'} beside activation, but "
                f"{', '.join(self.names) or 'none'} were learned from; give these."
            )
        told = np.empty((len(simulated), 0))
        if SPEED in self.sets:
            told = self.size * (self._numbers(simulated) - self.told_centre) / self.told_spread
        beside = self.factor * (simulated.beside - self.centre)
        return replace(simulated, beside=beside, told=told, activates=ACTIVATION in self.sets)

    def _numbers(self, simulated: Simulated) -> Array:
        """Pace, duration, and which condition but the first; shape (cycles, numbers)."""
        if self.by_speed and not np.isfinite(simulated.speed_m_s).all():
            raise Nem2eError("inputs: a cycle's speed in m/s is not known, but it was learned from; give it.")
        pace = simulated.speed_m_s if self.by_speed else 1.0 / simulated.duration_s
        which = (simulated.condition[:, None] == np.array(self.conditions)).astype(float)
        which[~which.any(axis=1)] = np.array(self.shares)
        return np.column_stack([pace, simulated.duration_s, which[:, 1:]])

    def content(self) -> dict[str, Any]:
        """Return it as plain JSON, which `of_content` reads."""
        arrays = ("centre", "factor", "told_centre", "told_spread")
        return {**self.__dict__, **{name: getattr(self, name).tolist() for name in arrays}}

    @classmethod
    def of_content(cls, content: dict[str, Any]) -> Inputs:
        """Return what `content` wrote."""
        arrays = ("centre", "factor", "told_centre", "told_spread")
        tuples = ("sets", "names", "conditions", "shares")
        made = {name: np.array(content[name], float) for name in arrays} | {k: tuple(content[k]) for k in tuples}
        return cls(**{**content, **made})
