"""Where the time of a training step goes, by parts timed one at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from bench.work import make
from nem2e_lib.training import adam as optimisers
from nem2e_lib.training.stdrnet import STDRNet

LOOPS = 12


def rows(say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return milliseconds of forward pass, backward pass and optimiser for one model alone, on one device."""
    found = []
    for attention in ("temporal", "spatial"):
        for units in (64, 700):
            parts = _parts(attention, units)
            say(f"profile {attention}, {units} units: " + ", ".join(f"{k} {v:.3f} ms" for k, v in parts.items()))
            found += [{"attention": attention, "units": units, "part": k, "ms": v} for k, v in parts.items()]
    return found


def _parts(attention: str, units: int) -> dict[str, float]:
    work = make(attention, units, LOOPS, 1)
    inputs, targets = (jnp.asarray(get(work.models[0])) for get in (work.inputs, work.targets))
    net = STDRNet(inputs.shape[-1], targets.shape[-1], work.grid.configuration, jax.random.key(0))
    graph, state = nnx.split(net)
    optimiser = optimisers.adam(1e-3)

    def loss(state: Any, i: Any) -> jax.Array:
        return jnp.mean((nnx.merge(graph, state)(inputs[i])[0] - targets[i]) ** 2)

    def both(state: Any, i: Any) -> tuple[Any, None]:
        gradient = jax.grad(loss)(state, i)
        return jax.tree.map(lambda p, g: p - 1e-9 * g, state, gradient), None

    def adam(carry: Any, i: Any) -> tuple[Any, None]:
        state, moments = carry
        changes, moments = optimiser.update(jax.tree.map(lambda p: p * 1e-3, state), moments, state)
        return (optax.apply_updates(state, changes), moments), None

    steps = jnp.arange(LOOPS)
    times = {
        "forward": _median(lambda: jax.lax.scan(lambda c, i: (c + loss(state, i), None), 0.0, steps)),
        "forward and backward": _median(lambda: jax.lax.scan(both, state, steps)),
        "Adam": _median(lambda: jax.lax.scan(adam, (state, optimiser.init(state)), steps)),
    }
    times["backward"] = times.pop("forward and backward") - times["forward"]
    return {name: times[name] for name in ("forward", "backward", "Adam")}


def _median(run: Callable[[], Any], repeats: int = 7) -> float:
    compiled = jax.jit(run)
    jax.block_until_ready(compiled())
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        jax.block_until_ready(compiled())
        times.append(time.perf_counter() - began)
    return 1e3 * float(np.median(times)) / LOOPS
