"""The contenders on the same work, interleaved, medians: rows of build/bench.json."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bench import engine, memory, plain_flax, torch_process
from bench.work import Floats, make

Run = Callable[[], tuple[float, Floats]]
Say = Callable[[str], None]
SIZES = {
    700: {"updates": 72, "models": 4, "flax": 2, "torch": 1},
    64: {"updates": 60, "models": 40, "flax": 10, "torch": 1},
}
"""Updates of each model, and how many models each contender trains, by units."""
TOLERANCE = 2e-3


def rows(
    repeats: int, say: Say, sizes: dict[int, dict[str, int]] = SIZES, device: str = "cpu"
) -> Iterator[dict[str, Any]]:
    """Measure temporal and spatial attention, by default at 700 and 64 units."""
    for attention in ("temporal", "spatial"):
        for units, size in sizes.items():
            yield from compare(attention, units, size, repeats, say, device)


def compare(
    attention: str, units: int, size: dict[str, int], repeats: int, say: Say, device: str
) -> list[dict[str, Any]]:
    """Return a row a contender; raises RuntimeError where their losses disagree."""
    work = make(attention, units, size["updates"], size["models"])
    ours = engine.Contender(work)
    flax = plain_flax.Contender(work, size["flax"], size["updates"])
    with torch_process.Contender(work, size["torch"], size["updates"], device) as torch:
        runs: dict[str, Run] = {"nem2e": ours.train, "flax": flax.train, "torch": torch.train}
        gap = agree({name: run()[1] for name, run in runs.items()})  # compiles, too
        tokens, features = work.inputs(work.models[0]).shape[1:]
        shape = (units, features, tokens, work.targets(work.models[0]).shape[1])
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        floors = []
        for _ in range(repeats):
            floors.append(memory.floors(*shape, device))
            for name, run in runs.items():
                seconds[name].append(run()[0])
    middle = {name: float(np.median(values)) for name, values in seconds.items()}
    say(f"{attention}, {units} units: " + ", ".join(f"{n} {1e3 * s:.3f} ms" for n, s in middle.items()))
    batching = {"nem2e": str(ours.batching), "flax": f"vmap of {size['flax']}", "torch": str(torch)}
    floor = {name: float(np.median([one[name] for one in floors])) for name in floors[0]}
    return [
        {
            "name": name,
            "attention": attention,
            "units": units,
            "ms_per_model_step": 1e3 * value,
            "speedup_vs_torch": middle["torch"] / value,
            "speedup_vs_flax": middle["flax"] / value,
            "fraction_of_floor": floor["floor_ms"] / (1e3 * value),
            "batching": batching[name],
            "quartiles_ms": [1e3 * float(q) for q in np.quantile(seconds[name], [0.25, 0.75])],
            "largest_loss_gap": gap,
            **floor,
        }
        for name, value in middle.items()
    ]


def agree(losses: dict[str, Floats]) -> float:
    """Return the greatest relative difference of the mean losses from ours; raises RuntimeError where it is large."""
    reference = float(losses["nem2e"].mean())
    gap = max(abs(float(values.mean()) - reference) / reference for values in losses.values())
    if not gap < TOLERANCE:
        raise RuntimeError(f"the contenders' losses differ by {gap:.1%}: they do not do the same work")
    return gap
