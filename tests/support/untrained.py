"""Models with random weights in a store, and the result that they would have left: nothing is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nem2e_lib.data.cycles.segment import data_hash
from nem2e_lib.training.batching import Batching
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.engine import Outcome, weight_shapes
from nem2e_lib.training.grid import Grid, grid
from nem2e_lib.training.results import assemble, load_networks
from nem2e_lib.training.store import Store


def keep(folder: Path, cycles: xr.Dataset, condition: str = "one_entire", **options: Any) -> tuple[xr.Dataset, Grid]:
    """Keep a model of random weights for every channel and fold; return the trained condition and its grid.

    Outputs are those of the models; losses are zero, attention and gradients random.
    """
    rng = np.random.default_rng(0)
    work = grid(cycles, condition, Configuration(units=5, epochs=2, **options), data_hash(cycles))
    steps, tokens = work.examples.targets.shape[-1], len(work.examples.tokens)
    outcomes, store = {}, Store(folder)
    for model in work.models:
        weights = {
            name: rng.normal(0, 0.6, shape).astype(np.float32) for name, shape in weight_shapes(work.shape()).items()
        }
        count, loss = len(work.held(model)), np.zeros(2, np.float32)
        attention = rng.dirichlet(np.ones(tokens), (count, steps)).astype(np.float32)
        gradient = rng.uniform(size=(steps, tokens)).astype(np.float32)
        outcomes[model] = Outcome(loss, loss, np.zeros((count, steps), np.float32), attention, gradient, weights)
        store.save(work.key(model), outcomes[model])
    for channel, name in enumerate(work.channel_names):
        networks = load_networks(folder, work, name)
        inputs = work.examples.inputs[work.examples.set_of_channel[channel]]
        for model in (one for one in work.models if one.channel == channel):
            refined = np.asarray(networks[work.folds.labels[model.fold]](inputs[work.held(model)]))
            outcomes[model] = outcomes[model]._replace(refined=refined)
    return assemble(cycles, work, outcomes, Batching(1, 1, 1), 0.0, "test"), work
