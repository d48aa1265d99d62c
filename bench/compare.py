"""The contenders on the same work, interleaved, medians: rows of build/bench.json."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bench import engine, memory, plain_flax, torch_loop
from bench.work import Floats, Work, make
from nem2e_lib.refine import devices

Run = Callable[[], tuple[float, Floats]]
SIZES = {
    700: {"updates": 72, "models": 4, "flax": 2, "torch": 1},
    64: {"updates": 60, "models": 40, "flax": 10, "torch": 1},
}
TOLERANCE = 2e-3


def rows(repeats: int, say: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """Measure temporal and spatial attention at 700 and 64 units."""
    for attention in ("temporal", "spatial"):
        for units in SIZES:
            yield from compare(attention, units, repeats, say)


def compare(attention: str, units: int, repeats: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return a row a contender; raises RuntimeError where their losses disagree."""
    size = SIZES[units]
    work = make(attention, units, size["updates"], size["models"])
    ours = engine.Contender(work)
    flax = plain_flax.Contender(work, size["flax"], size["updates"])
    options, torch = _torch(work, size)
    runs: dict[str, Run] = {"nem2e": ours.train, "flax": flax.train, "torch": torch}
    losses = {name: run()[1] for name, run in runs.items()}  # compiles, too
    gap = agree(losses)
    tokens, features = work.inputs(work.models[0]).shape[1:]
    shape = (units, features, tokens, work.targets(work.models[0]).shape[1])
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    floors, shared = [], []
    for _ in range(repeats):
        floors.append(memory.floor(*shape))
        shared.append(memory.floor(*shape, shared=True)[0])
        for name, run in runs.items():
            seconds[name].append(run()[0])
    least = float(np.median([value for value, _ in floors]))
    rates = {part: float(np.median([found[part] for _, found in floors])) for part in floors[0][1]}
    middle = {name: float(np.median(values)) for name, values in seconds.items()}
    batching = {"nem2e": str(ours.batching), "flax": f"vmap of {size['flax']}", "torch": options}
    say(f"{attention}, {units} units: " + ", ".join(f"{n} {1e3 * s:.3f} ms" for n, s in middle.items()))
    return [
        {
            "name": name, "attention": attention, "units": units, "ms_per_model_step": 1e3 * value,
            "speedup_vs_torch": middle["torch"] / value, "speedup_vs_flax": middle["flax"] / value,
            "fraction_of_floor": least / value, "floor_ms": 1e3 * least,
            "shared_floor_ms": 1e3 * float(np.median(shared)), "batching": batching[name],
            "quartiles_ms": [1e3 * float(q) for q in np.quantile(seconds[name], [0.25, 0.75])],
            "gb_per_s": {part: rate / 1e9 for part, rate in rates.items()}, "largest_loss_gap": gap,
        }
        for name, value in middle.items()
    ]  # fmt: skip


def agree(losses: dict[str, Floats]) -> float:
    """Return the greatest relative difference of the mean losses from ours; raises RuntimeError where it is large."""
    reference = float(losses["nem2e"].mean())
    gap = max(abs(float(values.mean()) - reference) / reference for values in losses.values())
    if not gap < TOLERANCE:
        raise RuntimeError(f"the contenders' losses differ by {gap:.1%}: they do not do the same work")
    return gap


def _torch(work: Work, size: dict[str, int]) -> tuple[str, Run]:
    """Choose PyTorch's fastest of eager or fused Adam and of one thread or all."""
    few = min(3, size["updates"])
    tried = {
        (fused, threads): min(
            torch_loop.train(work, updates=few, models=1, fused=fused, threads=threads)[0] for _ in range(2)
        )
        for fused in (False, True)
        for threads in sorted({1, devices.cores()})
    }
    fused, threads = min(tried, key=lambda key: tried[key])
    chosen = {"updates": size["updates"], "models": size["torch"], "fused": fused, "threads": threads}
    return f"one after another, {'fused' if fused else 'eager'} Adam, {threads} thread(s)", (
        lambda: torch_loop.train(work, **chosen)
    )
