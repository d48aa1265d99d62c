"""This package's engine on the same work."""

from __future__ import annotations

import numpy as np

from bench.work import Floats, Work
from nem2e_lib.training.batching import Batching, choose
from nem2e_lib.training.engine import Layout, compiled
from nem2e_lib.training.forecast import timed


class Contender:
    """The compiled training of a work's models, batched as the engine chooses unless told otherwise."""

    def __init__(self, work: Work, batching: Batching | None = None):
        self.batching = batching or choose(work.grid)
        self._program = compiled(work.grid.shape(), Layout(self.batching.width, self.batching.count))
        tasks = work.grid.tasks(work.models)
        # One held-out cycle is looked at after the pass; the other contenders look at none.
        self._tasks = tasks._replace(
            shown=tasks.shown[:, :, : work.updates],
            real=tasks.real[:, :, : work.updates],
            held=tasks.held[:, :1],
            scored=tasks.scored[:, :1],
        )
        self._data, self._count = work.grid.data(), len(work.models) * work.updates

    def train(self) -> tuple[float, Floats]:
        """Train; return seconds per model-step and the first model's mean loss."""
        seconds, losses = timed(self._program, self._data, self._tasks)
        return seconds / self._count, np.asarray(losses[0])
