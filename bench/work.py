"""The work that every contender does: the same models, initial weights, order of cycles and updates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import jax
import numpy as np
import xarray as xr
from flax import nnx
from flax.traverse_util import flatten_dict
from numpy.typing import NDArray

from nem2e_lib.data.synthetic import synthetic_cycles
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.engine import Layout, compiled
from nem2e_lib.training.grid import Grid, Model, grid

CONDITION = {"temporal": "one_entire", "spatial": "all_entire"}
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Work:
    """Models of one condition on the SYNTHETIC running study, trained for one pass of `updates` updates each."""

    attention: str
    units: int
    updates: int
    grid: Grid
    models: tuple[Model, ...]

    def inputs(self, model: Model) -> Floats:
        """Return the sequences that a model is shown, in order, shape (updates, tokens, features)."""
        chosen = self.grid.examples
        return chosen.inputs[chosen.set_of_channel[model.channel], self.order(model)]

    def targets(self, model: Model) -> Floats:
        """Return what each should become, shape (updates, steps)."""
        return self.grid.examples.targets[model.channel, self.order(model)]

    def order(self, model: Model) -> NDArray[np.int32]:
        """Return the training sequences of a model's updates."""
        return np.asarray(self.grid.tasks((model,)).shown[0, 0, : self.updates])

    @cache  # noqa: B019
    def weights(self, model: Model) -> dict[str, Floats]:
        """Return a model's initial weights by name, such as `encoder.recurrent`."""
        state, *_ = compiled(self.grid.shape(), Layout(1, 1)).start(self.grid.tasks((model,)))
        flat = flatten_dict(nnx.to_pure_dict(jax.device_get(state)), sep=".")
        return {name: np.asarray(value[0]) for name, value in flat.items()}


@cache
def cycles() -> xr.Dataset:
    """Return the default SYNTHETIC running study, cut."""
    return synthetic_cycles("running")


def make(attention: str, units: int, updates: int, models: int, data: xr.Dataset | None = None) -> Work:
    """Return the work of the first models of a condition."""
    configuration = Configuration(units=units, epochs=1)
    made = grid(cycles() if data is None else data, CONDITION[attention], configuration, "bench")
    return Work(attention, units, min(updates, made.longest), made, tuple(made.models[:models]))
