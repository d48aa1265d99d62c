"""What the machine can read and write, and what a training step must: the floor under any implementation."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from nem2e_lib.refine.config import Configuration
from nem2e_lib.refine.devices import cores
from nem2e_lib.refine.forecast import traffic
from nem2e_lib.refine.stdrnet import parameters


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


def floor(
    units: int, features: int, tokens: int, steps: int, *, shared: bool = False
) -> tuple[float, dict[str, float]]:
    """Return the least seconds of a model-step here, and the measured rates (bytes/s) it follows from.

    The rates are those of all cores at once, as in training: each core has a model of its own, so its matrices and its
    weights, moments and gradients, to itself. With `shared`, one model is shared out over the cores, which then hold a
    part of each matrix: a bound for engines that would synchronise the cores at every step.
    """
    moved = traffic(units, features, tokens, steps)
    matrix, among = 4.0 * units * units, cores() if shared else 1
    rates = {
        "encoder": rereading(4 * matrix / among),
        "decoder": rereading((5 * matrix + 8 * tokens * units) / among),
        "adam": streaming(4 * 4 * parameters(features, Configuration(units=units)) / among),
    }
    return sum(moved[part] / rates[part] for part in moved), rates
