"""The grid of models of one condition — seed, channel, held-out fold, part — cut into blocks that train together."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby, product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.data.cycles.segment import recorded
from nem2e_lib.training.conditions import Examples, examples
from nem2e_lib.training.config import Configuration, last_tenth
from nem2e_lib.training.engine import ENGINE_VERSION, Data, Shape, Task
from nem2e_lib.training.folds import Folds, leave_one_out, require_units, training_order
from nem2e_lib.training.numerics import altered, pinned
from nem2e_lib.training.stdrnet import parameters
from nem2e_lib.training.store import key_of
from nem2e_lib.training.units import BLOCK


@dataclass(frozen=True)
class Model:
    """One model of the grid: seed, index of channel, index of fold, part of the cycle.

    One network for all channels (`Grid.joint`) stands under the first channel.
    """

    seed: int
    channel: int
    fold: int
    part: int


@dataclass(frozen=True)
class Grid:
    """Everything that training one condition of one study needs.

    `channel_names` are the EMG channels, `data_hash` the hash of the segmented cycles, `recorded` which channels were
    recorded in which cycles (channels, cycles), `arithmetic` what was set of JAX that changes numbers (see
    `numerics.altered`), `chosen` the epoch whose weights a model keeps where the option `weights` is `least` (see
    `train.Plan`). A channel's models neither train on a cycle nor hold one out in which it was not recorded: they are
    those of the study without that cycle.
    """

    condition: str
    configuration: Configuration
    examples: Examples
    folds: Folds
    channel_names: tuple[str, ...]
    data_hash: str
    seeds: int
    recorded: NDArray[np.bool_]
    arithmetic: str = ""
    chosen: Mapping[Model, int] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """Epochs of the channel that has most."""
        return max(self._epochs)

    @property
    def joint(self) -> bool:
        """Whether one network refines all channels."""
        return self.configuration.targets == "all"

    @property
    def networks(self) -> range:
        """Channels under which networks stand: each its own, or the first for all."""
        return range(1 if self.joint else len(self.channel_names))

    def refined_by(self, model: Model) -> range:
        """Return the channels that a model refines."""
        return range(len(self.channel_names)) if self.joint else range(model.channel, model.channel + 1)

    def there(self, channel: int) -> NDArray[np.bool_]:
        """Return the cycles that a channel's network may be shown: those in which it, or any of all, was recorded."""
        return np.asarray(self.recorded.any(axis=0) if self.joint else self.recorded[channel])

    def epochs_of(self, channel: int) -> int:
        """Epochs of a channel's models: as configured, or for as many updates as configured on its median fold."""
        return self._epochs[channel]

    @cached_property
    def _epochs(self) -> tuple[int, ...]:
        """Of each channel, found once: every model asks for it."""
        models = [
            [Model(0, channel, *pair) for pair in product(self.folds_of(channel), self.parts)]
            for channel in range(len(self.channel_names))
        ]
        counts = [[len(self.shown(model)) for model in own] for own in models]
        return tuple(self.configuration.epochs_for(int(np.median(numbers))) for numbers in counts)

    def folds_of(self, channel: int) -> list[int]:
        """Return the folds that hold a cycle of a channel out; the one fold that holds nobody out."""
        held = self.folds.of_cycle[self.there(channel)]
        return [fold for fold in range(len(self.folds.labels)) if (held == fold).any() or (held < 0).all()]

    @property
    def parts(self) -> range:
        """Models that share one cycle: four where each quarter has its own."""
        return range(int(self.examples.part.max()) + 1)

    @property
    def models(self) -> list[Model]:
        """All models, seeds outermost, parts innermost."""
        return [
            Model(seed, channel, fold, part)
            for seed, channel in product(range(self.seeds), self.networks)
            for fold, part in product(self.folds_of(channel), self.parts)
        ]

    def held_out(self, channel: str, seed: int = 0) -> tuple[Model, ...]:
        """Return the models of a channel and seed, one a held-out subject or speed (the first part of its cycles)."""
        index = 0 if self.joint else self.channel_names.index(channel)
        return tuple(Model(seed, index, fold, 0) for fold in self.folds_of(index))

    def blocks(self, size: int) -> Iterator[tuple[Model, ...]]:
        """Yield the models in blocks of at most `size` with equally many epochs, always cut in the same places."""
        for _, models in groupby(self.models, key=lambda model: self.epochs_of(model.channel)):
            yield from batched_models(list(models), size)

    @property
    def parameters(self) -> int:
        """Numbers that a model learns."""
        features, steps = self.examples.inputs.shape[-1], self.examples.targets.shape[-1]
        return parameters(features, self.configuration, self.examples.muscles, steps, self._outputs)

    @property
    def _outputs(self) -> int:
        return len(self.channel_names) if self.joint else 0

    def name_of(self, model: Model) -> str:
        """Return the name of the channel, or of all channels, that a model refines."""
        return " ".join(self.channel_names[channel] for channel in self.refined_by(model))

    @property
    def longest(self) -> int:
        """Training sequences an epoch of the largest fold."""
        return self._longest()[0]

    def shown(self, model: Model) -> NDArray[np.int32]:
        """Return the training sequences of a model."""
        return self._sequences(self.folds.shown(model.fold), model)

    def updates(self, models: Iterable[Model]) -> list[int]:
        """Return how many updates each of some models takes."""
        return [self.epochs_of(model.channel) * len(self.shown(model)) for model in models]

    def held(self, model: Model) -> NDArray[np.int32]:
        """Return the sequences that a model must never see; those it has seen where its fold holds nobody out."""
        held = self._sequences(self.folds.of_cycle == model.fold, model)
        return held if len(held) else self.shown(model)

    def _sequences(self, cycles: NDArray[np.bool_], model: Model) -> NDArray[np.int32]:
        cycles = cycles & self.there(model.channel)
        chosen = cycles[self.examples.cycle] & (self.examples.part == model.part)
        return np.nonzero(chosen)[0].astype(np.int32)

    def key(self, model: Model) -> str:
        """Return the content hash of a model's result."""
        more: dict[str, Any] = {"arithmetic": self.arithmetic} if self.arithmetic else {}
        if self.folds.only is not None or self.folds.unit == BLOCK:  # a block's name does not tell its cycles
            more["shown"] = self.shown(model).tolist()
        return key_of(
            data=self.data_hash,
            condition=self.condition,
            configuration=self.configuration.to_json(),
            epochs=self.epochs_of(model.channel),
            seed=self.configuration.seed + model.seed,
            channel=self.name_of(model),
            held_out=self.folds.labels[model.fold],
            part=model.part,
            engine=ENGINE_VERSION,
            **more,
        )

    @pinned()
    def data(self) -> Data:
        """Return the arrays that all models share."""
        return Data(jnp.asarray(self.examples.inputs), jnp.asarray(self.examples.targets))

    def shape(self) -> Shape:
        """Return what the compiled program depends on; seeds, the muscles' order and epochs kept reach it as data."""
        lengths = {len(self.shown(model)) for model in self._unlike}
        features, steps = self.examples.inputs.shape[-1], self.examples.targets.shape[-1]
        kept = "last" if self.configuration.weights == "last" else "average"
        compiled = self.configuration.with_options(seed=0, token_order="reversed", order_seed=0, weights=kept)
        if not self.examples.muscles:
            compiled = compiled.with_options(spatial="muscle_lstm")
        return Shape(features, steps, compiled, len(lengths) > 1, self.examples.muscles, self._outputs)

    @pinned()
    def tasks(self, models: tuple[Model, ...]) -> Task:
        """Stack what belongs to each model of a block."""
        longest = self._longest()
        tasks = [self._task(model, *longest) for model in models]
        stacked: tuple[Any, ...] = tuple(map(np.stack, zip(*tasks, strict=True)))
        return Task(*stacked)

    def _longest(self) -> tuple[int, int]:
        return max(len(self.shown(each)) for each in self._unlike), max(len(self.held(each)) for each in self._unlike)

    @property
    def _unlike(self) -> list[Model]:
        """One model each of those that may be shown other cycles."""
        firsts = [0] if self.joint else np.unique(self.recorded, axis=0, return_index=True)[1].tolist()
        return [Model(0, channel, *pair) for channel in firsts for pair in product(self.folds_of(channel), self.parts)]

    def _task(self, model: Model, shown_length: int, held_length: int) -> Task:
        seed, label = self.configuration.seed + model.seed, self.folds.labels[model.fold]
        shown, held = self.shown(model), self.held(model)
        order = training_order(shown, self.epochs_of(model.channel), seed, label, model.part)
        input_set = self.examples.set_of_channel[model.channel]
        shift, scale = self.scaling(model)
        leaves: tuple[Any, ...] = (
            np.asarray(jax.random.key_data(initial_key(seed, self.name_of(model), label, model.part))),
            np.int32(input_set),
            np.int32(model.channel),
            _pad(order, shown_length),
            _real(order, shown_length),
            self._keep(model),
            _pad(held, held_length),
            _real(held, held_length),
            shift,
            scale,
        )
        return Task(*leaves)  # numpy until a device takes them

    def _keep(self, model: Model) -> NDArray[np.float32]:
        """Return the share of each epoch's weights in those that a model keeps, shape (epochs,)."""
        epochs, rule = self.epochs_of(model.channel), self.configuration.weights
        share = np.zeros(epochs, np.float32)
        if rule == "average":
            share[-last_tenth(epochs) :] = 1 / last_tenth(epochs)
        else:
            share[(epochs if rule == "last" else self.chosen[model]) - 1] = 1.0
        return share

    def scaling(self, model: Model) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return shift and scale of a model's inputs, from its training sequences alone, each (tokens, features)."""
        inputs = self.examples.inputs[self.examples.set_of_channel[model.channel]]
        if self.configuration.input_scaling == "none":
            return np.zeros_like(inputs[0]), np.ones_like(inputs[0])
        shown = inputs[self.shown(model)]
        floor = np.float32(1e-3)
        return shown.mean(axis=0), np.maximum(shown.std(axis=0), floor)


def grid(
    cycles: xr.Dataset,
    condition: str,
    configuration: Configuration,
    data_hash: str,
    *,
    seeds: int = 1,
    folds: Folds | None = None,
    arithmetic: str | None = None,
) -> Grid:
    """Return the grid of a condition over a study's segmented cycles; it leaves one out where no folds are given.

    `arithmetic` is what was set of JAX when its models were trained; by default what is set now.

    Raises
    ------
    Nem2eError
        As `examples` and `leave_one_out`, or if a channel was recorded of one held-out unit alone.
    """
    names = tuple(str(name) for name in cycles.channel.values)
    made = examples(cycles, condition, configuration)
    told = altered() if arithmetic is None else arithmetic
    folds, there = folds or leave_one_out(cycles), recorded(cycles.emg)
    require_units(cycles, folds)
    return Grid(condition, configuration, made, folds, names, data_hash, seeds, there, told)


def batched_models(models: list[Model], size: int) -> Iterator[tuple[Model, ...]]:
    """Cut a list of models into tuples of at most `size`."""
    for first in range(0, len(models), size):
        yield tuple(models[first : first + size])


@pinned()
def initial_key(seed: int, channel: str, held_out: str, part: int) -> jax.Array:
    """Return the random key of a model's initial weights: the same whatever it is trained beside."""
    name = zlib.crc32(f"{channel}\0{held_out}\0{part}".encode())
    return jax.random.fold_in(jax.random.key(seed), name)


def _pad(indices: NDArray[np.int32], length: int) -> NDArray[np.int32]:
    """Lengthen the last axis by repeating its first entry, so that padding reads valid data and is then ignored."""
    spare = length - indices.shape[-1]
    return np.concatenate([indices, np.repeat(indices[..., :1], spare, axis=-1)], axis=-1)


def _real(indices: NDArray[np.int32], length: int) -> NDArray[np.float32]:
    real = np.zeros((*indices.shape[:-1], length), np.float32)
    real[..., : indices.shape[-1]] = 1.0
    return real
