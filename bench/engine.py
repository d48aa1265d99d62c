"""This package's engine on the same work."""

from __future__ import annotations

import time

import jax
import numpy as np

from bench.work import Floats, Work
from nem2e_lib.refine.batching import Batching, choose
from nem2e_lib.refine.engine import Layout, compiled


class Contender:
    """The compiled training of a work's models, batched as the engine chooses unless told otherwise."""

    def __init__(self, work: Work, batching: Batching | None = None):
        self.batching = batching or choose(work.grid)
        self._program = compiled(work.grid.shape(), Layout(self.batching.width, self.batching.count))
        tasks = work.grid.tasks(work.models)
        # One held-out cycle is looked at after the pass; the other contenders look at none.
        self._tasks = tasks._replace(
            shown=tasks.shown[:, :, : work.updates], real=tasks.real[:, :, : work.updates],
            held=tasks.held[:, :1], scored=tasks.scored[:, :1],
        )  # fmt: skip
        self._data, self._count = work.grid.data(), len(work.models) * work.updates

    def train(self) -> tuple[float, Floats]:
        """Train; return seconds per model-step and the first model's mean loss."""
        state, moments = self._program.place(self._program.start(self._tasks))
        placed = self._program.place(self._tasks)
        jax.block_until_ready((state, moments, placed))
        began = time.perf_counter()
        _, _, (losses, _) = jax.block_until_ready(self._program.run(self._data, placed, state, moments))
        return (time.perf_counter() - began) / self._count, np.asarray(losses[0])
