# mypy: allow-untyped-calls
"""What a rival is: something fitted to the training cycles of a fold that refines cycles it has not seen.

Training cycles come as `Simulated` and the EMG measured with them; what is held out comes as `Simulated` alone::

    fitted = rival.fit(simulated.take(training), measured[training])
    refined = fitted.predict(simulated.take(held_out))  # (cycles, samples, channels)

Whatever a method must choose, it chooses on the `inner_folds` of its training cycles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.data.cycles.segment import BESIDE, CONDITION
from nem2e_lib.data.muscles import same_leg
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.conditions import examples, own_muscle
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.folds import Folds, leave_one_out

Array = NDArray[np.float64]
KNOWS_SPEED = "knows_speed"
"""The fact of a state that says so where a method reads the speed of locomotion."""
KEEPS_TRAINING = "keeps_training"
"""The fact of a state that holds the simulation of the training cycles themselves."""
INNER_FOLDS = 5
"""Inner folds at most; with fewer training units each is left out alone."""


OF_ALL = ("own", "leg", "names", "activates", "labels")
"""What of `Simulated` is the same for all cycles."""


@dataclass(frozen=True)
class Labels:
    """What the places of arrays are called; empty where it is not known.

    Attributes
    ----------
    samples
        Per cent of the gait cycle, 0 to 100, shape (samples,).
    muscles, channels
        Names of muscles and of EMG channels.
    """

    samples: tuple[float, ...] = ()
    muscles: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Simulated:
    """All that a rival may see of a cycle to be refined: simulation and circumstances, never EMG.

    Attributes
    ----------
    activation
        Simulated activation, shape (cycles, samples, muscles).
    speed_m_s, duration_s, condition
        Speed of locomotion, duration and condition (straight, turn; empty where there is none) of each cycle, shape
        (cycles,).
    subject, unit
        Subject, and what the folds hold out (subject, speed or block of cycles), shape (cycles,).
    own
        Index of each channel's own muscle, shape (channels,).
    leg
        Which muscles are of the leg that a channel is measured on, shape (channels, muscles); see `same_leg`.
    told
        What a method is told of a cycle beside its simulation, shape (cycles, numbers): nothing, which is the rule of
        the leaderboard, or what `inputs.Inputs` scales of speed, duration and condition.
    beside, names
        Waveforms beside activation, shape (cycles, samples, names), and what they are (``moment:knee_angle_r``); none
        is the rule.
    activates
        Whether `inputs` has activation.
    labels
        Names of samples, muscles and channels.
    """

    activation: Array
    speed_m_s: Array
    duration_s: Array
    subject: NDArray[np.str_]
    unit: NDArray[np.str_]
    own: NDArray[np.intp]
    condition: NDArray[np.str_]
    leg: NDArray[np.bool_]
    told: Array
    beside: Array
    names: tuple[str, ...] = ()
    activates: bool = True
    labels: Labels = Labels()

    def __len__(self) -> int:
        """Return the number of cycles."""
        return len(self.activation)

    @property
    def own_muscle(self) -> Array:
        """Simulated activation of each channel's own muscle, shape (cycles, samples, channels)."""
        return self.activation[..., self.own]

    @property
    def inputs(self) -> Array:
        """Activation of all muscles, waveforms beside it, and what is told as curves that are constant over the cycle.

        Shape (cycles, samples, muscles + names + numbers told), without the muscles where activation is left out.
        """
        return self.with_told(self.waveforms())

    def waveforms(self, muscles: NDArray[np.bool_] | None = None) -> Array:
        """Return activation of some muscles (default: all), unless it is left out, and what there is beside it."""
        activation = self.activation if muscles is None else self.activation[..., muscles]
        return np.concatenate([activation, self.beside], axis=-1) if self.activates else self.beside

    def with_told(self, waveforms: Array) -> Array:
        """Return waveforms of these cycles with what is told of them as further ones, constant over the cycle."""
        constant = np.repeat(self.told[:, None], waveforms.shape[1], axis=1)
        return np.concatenate([waveforms, constant], axis=-1)

    @property
    def pace(self) -> Array:
        """Speed in m/s; where a speed is not known, cycles a second for all; shape (cycles,)."""
        return self.speed_m_s if self.knows_speed else 1.0 / self.duration_s

    @property
    def knows_speed(self) -> bool:
        """Whether the speed of every cycle is known."""
        return bool(np.isfinite(self.speed_m_s).all())

    def take(self, chosen: NDArray[Any]) -> Simulated:
        """Return the cycles of a mask or of indices."""
        per_cycle = {f.name: getattr(self, f.name)[chosen] for f in fields(self) if f.name not in OF_ALL}
        return replace(self, **per_cycle)


Predict = Callable[[Simulated], Array]
"""From simulated cycles to refined activation of shape (cycles, samples, channels)."""


@dataclass(frozen=True)
class State:
    """All that a fitted method needs in order to predict, as it is written into a file.

    Attributes
    ----------
    arrays
        Numbers by name.
    facts
        What is no array, as JSON has it.
    """

    arrays: Mapping[str, Array] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def needs_speed(self) -> bool:
        """Whether it was made of cycles of known speed, and so needs that of every other cycle."""
        return any(value for key, value in self.facts.items() if key.split("/")[-1] == KNOWS_SPEED)

    @property
    def keeps_training(self) -> bool:
        """Whether it holds the simulation of training cycles, and not only what was learned from them."""
        return any(value for key, value in self.facts.items() if key.split("/")[-1] == KEEPS_TRAINING)

    def under(self, name: str) -> State:
        """Return the part that was kept under a name (`State.of_parts`)."""
        start = f"{name}/"
        return State(
            *({key.removeprefix(start): part[key] for key in part if key.startswith(start)} for part in self._both)
        )

    @classmethod
    def of_parts(cls, parts: Mapping[str, State]) -> State:
        """Put the states of several methods into one, each under a name."""
        return cls(
            {f"{name}/{key}": one.arrays[key] for name, one in parts.items() for key in one.arrays},
            {f"{name}/{key}": one.facts[key] for name, one in parts.items() for key in one.facts},
        )

    @property
    def _both(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        return self.arrays, self.facts


@dataclass(frozen=True)
class Fitted:
    """A rival fitted to training cycles.

    Attributes
    ----------
    predict
        From simulated cycles to refined activation of shape (cycles, samples, channels).
    parameters
        How many numbers it has learned, over all channels; NaN where nobody knows.
    chosen
        Hyper-parameters chosen inside the training cycles.
    state
        What a method that can be kept (`Keepable`) predicts from; None of any other.
    """

    predict: Predict
    parameters: float
    chosen: Mapping[str, Any] = field(default_factory=dict)
    state: State | None = None

    @classmethod
    def of(cls, method: Keepable, state: State, parameters: float, chosen: Mapping[str, Any] | None = None) -> Fitted:
        """Return a method that predicts from its state, and so as it will when it was kept."""
        return cls(method.restored(state), parameters, chosen or {}, state)


class Rival(Protocol):
    """A method under test: a frozen dataclass whose fields are its settings.

    The settings are written beside its results as JSON, so that a change of one makes the method be evaluated anew. A
    class variable `tuned_on` says what of it was chosen on which data; the leaderboard shows it beside the rank.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def name(self) -> str:
        """Id in tables and files, of which there is one each; readers are shown its label."""

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Learn from the training cycles of a fold.

        Parameters
        ----------
        simulated
            All that may be seen of the cycles, see `Simulated`.
        measured
            Their EMG, shape (cycles, samples, channels).
        """


class Keepable(Rival, Protocol):
    """A rival whose fitted methods can be kept in a refiner's file, and rebuilt from it.

    A class variable `reads` says what a channel is made of where that is less than all muscles: `own`, its own muscle
    at most, or `leg`, those of its leg.
    """

    def restored(self, state: State) -> Predict:
        """Return what predicts from a state that `fit` made, of the same settings."""


def simulated_cycles(cycles: xr.Dataset, folds: Folds | None = None, sets: Sequence[str] = ()) -> Simulated:
    """Return what rivals see of segmented cycles, of which `folds`, or `leave_one_out`, hold some out.

    `sets` are those of the cycles' inputs beside activation that are seen, in the order of the cycles and not yet
    scaled (`nem2e_lib.rivals.inputs`).

    Raises
    ------
    Nem2eError
        If a channel's target muscle is missing, a value is not finite, or nothing can be left out.
    """
    own_muscle(cycles)
    examples(cycles, "all_entire", Configuration())  # both refuse what cannot be trained on
    folds = folds or leave_one_out(cycles)
    muscles = cycles.muscle.values.tolist()
    beside = _beside(cycles, sets)
    return Simulated(
        cycles.activation.transpose("cycle", "sample", "muscle").values.astype(float),
        cycles.speed_m_s.values.astype(float),
        (cycles.end_s - cycles.start_s).values.astype(float),
        cycles.subject.values.astype(str),
        np.asarray(folds.labels)[folds.of_cycle],
        np.array([muscles.index(target) for target in cycles.target.values.tolist()]),
        cycles[CONDITION].values.astype(str) if CONDITION in cycles.coords else np.full(len(folds.of_cycle), ""),
        np.stack([same_leg(target, muscles) for target in cycles.target.values.tolist()]),
        np.empty((len(folds.of_cycle), 0)),
        beside.transpose("cycle", "sample", "input").values.astype(float),
        tuple(map(str, beside.input.values.tolist())),
        labels=Labels(tuple(cycles.sample.values.tolist()), tuple(muscles), tuple(cycles.channel.values.tolist())),
    )


def _beside(cycles: xr.Dataset, sets: Sequence[str]) -> xr.DataArray:
    """Inputs of some sets beside activation; of none where the cycles have none."""
    if BESIDE in cycles:
        return cycles[BESIDE].isel(input=np.isin(cycles.input_set.values, list(sets)))
    none = np.empty((cycles.sizes["cycle"], cycles.sizes["sample"], 0))
    return xr.DataArray(none, dims=("cycle", "sample", "input"), coords={"input": np.empty(0, str)})


def groups(simulated: Simulated) -> NDArray[np.intp]:
    """Return what folds inside the training cycles keep together, shape (cycles,).

    The unit that the outer folds hold out; single cycles where the training cycles are all of one unit.

    Raises
    ------
    Nem2eError
        If there is one training cycle, so that nothing can be left out.
    """
    if len(simulated) < 2:
        raise Nem2eError(
            f"rivals: a fold leaves {len(simulated)} cycle to learn from (subject {simulated.subject[0]}), expected at "
            "least 2; add trials to trials.csv."
        )
    labels, of_cycle = np.unique(simulated.unit, return_inverse=True)
    return of_cycle if len(labels) > 1 else np.arange(len(simulated))


def inner_folds(simulated: Simulated) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield (kept, left out) cycles of the folds inside the training cycles; a unit is never on both sides."""
    from sklearn.model_selection import GroupKFold, LeaveOneGroupOut  # only what is fitted chooses

    group = groups(simulated)
    splitter = LeaveOneGroupOut() if group.max() < INNER_FOLDS else GroupKFold(INNER_FOLDS)
    yield from splitter.split(group, groups=group)
