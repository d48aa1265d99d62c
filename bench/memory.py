"""What the machine can read and write, and what a training step must: the floor under any implementation."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
from threadpoolctl import threadpool_limits

from nem2e_lib.training.config import Configuration
from nem2e_lib.training.devices import cores
from nem2e_lib.training.forecast import traffic
from nem2e_lib.training.stdrnet import parameters


def streaming(bytes_: float, repeats: int = 7) -> float:
    """Return bytes a second that all cores read and write together, each over so many bytes of its own, in place."""
    parts = [np.ones(max(1, int(bytes_ / 4)), np.float32) for _ in range(cores())]
    rounds = max(1, round(5e7 / bytes_))

    def pass_over(part: np.ndarray) -> None:
        for _ in range(rounds):
            np.multiply(part, np.float32(1.0000001), out=part)

    return _rate(pass_over, parts, 2 * rounds, repeats)


def rereading(bytes_: float, repeats: int = 9) -> float:
    """Return bytes a second that all cores read together, each over and over from so many bytes of its own.

    Read as the recurrence reads them: a matrix times a vector, along rows or along columns, whichever is faster here.
    Small matrices lie in the cores' caches, larger ones in the cache they share, still larger ones in memory.
    """
    columns = 700
    rows = max(1, int(bytes_ / 4 / columns))
    parts = [np.full((rows, columns), 0.001, np.float32) for _ in range(cores())]
    right, left = np.ones(columns, np.float32), np.ones(rows, np.float32)
    rounds = max(4, round(1e8 / bytes_))

    # One call rereads the same matrix so often: no interpreter between, which would hold the other cores up.
    def along_rows(part: np.ndarray) -> None:
        np.matmul(np.broadcast_to(part, (rounds, *part.shape)), right)

    def along_columns(part: np.ndarray) -> None:
        np.matmul(left, np.broadcast_to(part, (rounds, *part.shape)))

    return max(_rate(read, parts, rounds, repeats) for read in (along_rows, along_columns))


def _rate(work: object, parts: list[np.ndarray], passes: int, repeats: int) -> float:
    total, times = sum(part.nbytes for part in parts) * passes, []
    with threadpool_limits(1), ThreadPoolExecutor(len(parts)) as pool:
        for _ in range(repeats + 1):
            began = time.perf_counter()
            list(pool.map(work, parts))  # type: ignore[arg-type]
            times.append(time.perf_counter() - began)
    return total / float(np.median(times[1:]))


def card(bytes_: float = 2e9, repeats: int = 9) -> float:
    """Return bytes a second that a graphics card reads and writes in its own memory, in place."""
    part = jnp.ones(int(bytes_ / 4), jnp.float32)
    pass_over = jax.jit(lambda x: x * jnp.float32(1.0000001), donate_argnums=0)
    times = []
    for _ in range(repeats + 2):
        began = time.perf_counter()
        part = jax.block_until_ready(pass_over(part))
        times.append(time.perf_counter() - began)
    return 2 * part.nbytes / float(np.median(times[2:]))


def floors(units: int, features: int, tokens: int, steps: int, device: str) -> dict[str, float]:
    """Return the least milliseconds of a model-step here, `floor_ms`, and the rates (GB/s) that it follows from.

    On a processor the rates are those of all cores at once, as in training: each core has a model of its own, so its
    matrices and its weights, moments and gradients, to itself. `shared_floor_ms` is for one model shared out over the
    cores, which then hold a part of each matrix: a bound for engines that would synchronise the cores at every step.
    On a graphics card many models train at once and everything comes from the card's memory.
    """
    moved = traffic(units, features, tokens, steps)
    if device != "cpu":
        rate = card()
        return {"floor_ms": 1e3 * sum(moved.values()) / rate, "gb_per_s": rate / 1e9}
    own, shared = (_rates(units, features, tokens, among) for among in (1, cores()))
    least, together = (1e3 * sum(moved[part] / rates[part] for part in moved) for rates in (own, shared))
    return {"floor_ms": least, "shared_floor_ms": together, **{f"{k}_gb_per_s": v / 1e9 for k, v in own.items()}}


def _rates(units: int, features: int, tokens: int, among: int) -> dict[str, float]:
    matrix = 4.0 * units * units
    return {
        "encoder": rereading(4 * matrix / among),
        "decoder": rereading((5 * matrix + 8 * tokens * units) / among),
        "adam": streaming(4 * 4 * parameters(features, Configuration(units=units)) / among),
    }
