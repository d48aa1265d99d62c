"""How many models train at once, and how a device works through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import jax

from nem2e_lib.refine.grid import Grid

Mode = Literal["vmap", "map"]


@dataclass(frozen=True)
class Batching:
    """Models a block, and whether a device computes them side by side (`vmap`) or one after another (`map`)."""

    block: int
    mode: Mode

    def __str__(self) -> str:
        """Describe the batching with the devices it ran on."""
        backend, count = jax.default_backend(), len(jax.devices())
        return f"{self.mode}, blocks of {self.block} models, {count} {backend} device{'s'[: count > 1]}"


def choose(work: Grid) -> Batching:
    """Choose a batching by size and backend.

    Small models train side by side: their weights stay in the cache. On a processor, the weights of models of more
    than some 256 units do not, and one model after another reads them fewer times from memory; a graphics card always
    takes them side by side. A block holds whole channels, so that its models share the held-out subjects.
    """
    folds = len(work.folds.labels) * len(work.parts)
    on_processor = jax.default_backend() == "cpu"
    large = work.configuration.units > 256
    if on_processor and large:
        return Batching(max(1, len(jax.devices())), "map")
    channels = max(1, round((40 if on_processor else 256) / folds))
    return Batching(min(channels * folds, len(work.models)), "vmap")
