"""How many models train at once, and how the devices work through them."""

from __future__ import annotations

from dataclasses import dataclass

import jax

from nem2e_lib.training.grid import Grid

CACHE = 5e6
"""Bytes of models that a core trains fastest side by side, measured: few enough to stay in its cache."""
CARD = 12e9
"""Bytes of a graphics card's memory that weights, moments and gradients of a block may take."""
MOST = 256
"""Models side by side on a graphics card at most."""
ROUNDS = 5
"""Groups that a device works through in one block: what is lost when a run is killed."""


@dataclass(frozen=True)
class Batching:
    """Models a block, and how many of them a device computes side by side (`jax.vmap`).

    Attributes
    ----------
    block
        Models that are dispatched, and saved, together.
    width
        Models side by side on a device: 1 is one after another, `block` is all in one `jax.vmap`.
    devices
        Devices that share a block; 0 for all. A single CPU device uses every core for each product.
    """

    block: int
    width: int
    devices: int = 0

    @property
    def count(self) -> int:
        """Devices used."""
        return self.devices or len(jax.devices())

    def __str__(self) -> str:
        """Describe the batching with the devices it ran on."""
        how = "one after another" if self.width == 1 else f"vmap of {min(self.width, -(-self.block // self.count))}"
        plural = "s" if self.count > 1 else ""
        return f"{how} on {self.count} {jax.default_backend()} device{plural}, blocks of {self.block} models"


def encoder_states(work: Grid) -> int:
    """Return how many states the encoder goes through: with `per_muscle`, one for each sample of each muscle."""
    tokens, features = work.examples.inputs.shape[-2:]
    alone = work.examples.muscles and work.configuration.spatial == "per_muscle"
    return int(tokens * features if alone else tokens)


def choose(work: Grid) -> Batching:
    """Choose a batching by size and backend; `make bench` measures what it is chosen from.

    A graphics card takes many models side by side. On a processor, a core takes as many as its cache holds; where one
    model is too large for that, models train one after another.
    """
    weights = 4.0 * work.parameters
    states = 96.0 * encoder_states(work) * work.configuration.units
    if jax.default_backend() != "cpu":
        most = max(1, min(MOST, int(CARD / (6 * weights + states))))
        block = -(-len(work.models) // -(-len(work.models) // most))
        return Batching(block, block)
    width = max(1, round(CACHE / (4 * weights + states)))
    devices = len(jax.devices())
    return even_blocks(len(work.models), min(width, -(-len(work.models) // devices)), devices)


def even_blocks(models: int, width: int, devices: int) -> Batching:
    """Return blocks of one size where there are such: a last block of another size would be compiled once more.

    A width beside the wanted one is as fast, where it divides the models better.
    """
    if width == 1:
        return Batching(min(devices, models), 1)
    for near in (width, width + 1, max(2, width - 1)):
        for rounds in range(ROUNDS, 0, -1):
            block = rounds * near * devices
            if block <= models and models % block == 0:
                return Batching(block, near)
    return Batching(min(ROUNDS * width * devices, models), width)
