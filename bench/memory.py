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


def streaming(megabytes: int = 512, repeats: int = 7) -> float:
    """Return bytes a second that all cores read and write together in place, in arrays far larger than any cache."""
    parts = [np.ones(megabytes * 2**20 // 4 // cores(), np.float32) for _ in range(cores())]
    return _rate(lambda part: np.multiply(part, np.float32(1.0000001), out=part), parts, 2, repeats)


def rereading(bytes_: float, repeats: int = 9, rounds: int = 60) -> float:
    """Return bytes a second that all cores read together, over and over, from matrices of so many bytes in all.

    Read as the recurrence reads them: a matrix times a vector. Small ones lie in the cores' caches, larger ones in the
    cache they share, still larger ones in memory.
    """
    columns = 700
    rows = max(1, int(bytes_ / 4 / columns / cores()))
    parts = [np.full((rows, columns), 0.001, np.float32) for _ in range(cores())]
    vector = np.ones(columns, np.float32)

    def read(part: np.ndarray) -> None:
        out = np.empty(len(part), np.float32)
        for _ in range(rounds):
            np.dot(part, vector, out=out)

    return _rate(read, parts, rounds, repeats)


def _rate(work: object, parts: list[np.ndarray], passes: int, repeats: int) -> float:
    total, times = sum(part.nbytes for part in parts) * passes, []
    with threadpool_limits(1), ThreadPoolExecutor(len(parts)) as pool:
        for _ in range(repeats + 1):
            began = time.perf_counter()
            list(pool.map(work, parts))  # type: ignore[arg-type]
            times.append(time.perf_counter() - began)
    return total / float(np.median(times[1:]))


def floor(units: int, features: int, tokens: int, steps: int) -> tuple[float, dict[str, float]]:
    """Return the least seconds of a model-step here, and the measured rates (bytes/s) it follows from."""
    moved = traffic(units, features, tokens, steps)
    matrix = 4.0 * units * units
    rates = {
        "encoder": rereading(4 * matrix),
        "decoder": rereading(5 * matrix + 8 * tokens * units),
    }
    resident = 4 * 4 * parameters(features, Configuration(units=units))
    rates["adam"] = rereading(resident) if resident < 1e6 * cores() else streaming()
    return sum(moved[part] / rates[part] for part in moved), rates
