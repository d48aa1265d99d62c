"""``python -m bench.card [OUT]``: the comparison on a graphics card, and what the paper's profile would take there."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax

from nem2e_lib.training import devices

devices.configure()
jax.config.update("jax_default_matmul_precision", "highest")  # for every side of the comparison, as nem2e trains

from bench import card_page, compare, engine, page  # noqa: E402
from bench.compare import Say  # noqa: E402
from bench.footprint import CONDITIONS, MOTIONS  # noqa: E402
from bench.work import make  # noqa: E402
from nem2e_lib.data.synthetic import synthetic_cycles  # noqa: E402
from nem2e_lib.training.batching import Batching, choose  # noqa: E402
from nem2e_lib.training.config import profile  # noqa: E402
from nem2e_lib.training.engine import Layout, compiled  # noqa: E402
from nem2e_lib.training.forecast import timed  # noqa: E402
from nem2e_lib.training.grid import grid  # noqa: E402

SIZES = {
    700: {"updates": 36, "models": 160, "flax": 10, "torch": 1},
    64: {"updates": 60, "models": 160, "flax": 10, "torch": 1},
}
WIDTHS = {700: (10, 40, 160), 64: (10, 40)}


def main() -> None:
    """Measure what --parts names and add it to card.json; write the page where all is there."""
    parser = argparse.ArgumentParser(prog="python -m bench.card", description=__doc__)
    parser.add_argument("out", nargs="?", default="build", type=Path, help="folder of card.json (default: build)")
    parser.add_argument("--parts", nargs="*", default=list(PARTS), choices=PARTS, help="what to measure (default: all)")
    parser.add_argument("--repeats", type=int, default=5, help="interleaved repeats whose median is taken (default: 5)")
    parser.add_argument("--page", type=Path, help="write the page from the measurements to this file, too")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "card.json"
    facts = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if options.parts:
        facts |= about(options.repeats)
    for part in options.parts:
        facts[part] = list(PARTS[part](options.repeats, lambda text: print(text, flush=True)))
        path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    if options.page:
        card_page.write(facts, options.page)


def about(repeats: int) -> dict[str, Any]:
    """Return what the measurements are made on; raises SystemExit without a graphics card."""
    if jax.default_backend() == "cpu":
        raise SystemExit("bench.card: JAX finds no graphics card; install '.[cuda]' on a machine that has one.")
    return {"card": str(jax.devices()[0].device_kind), **page.made(repeats)}


def rows(repeats: int, say: Say) -> Iterator[dict[str, Any]]:
    """Measure the contenders beside each other."""
    yield from compare.rows(repeats, say, SIZES, "cuda")


def widths(repeats: int, say: Say) -> Iterator[dict[str, Any]]:
    """Measure the engine with few and many models side by side."""
    for units, counts in WIDTHS.items():
        for width in counts:
            updates = SIZES[units]["updates"]
            contender = engine.Contender(make("temporal", units, updates, width), Batching(width, width))
            contender.train()
            ms = 1e3 * min(contender.train()[0] for _ in range(repeats))
            say(f"{units} units, {width} models side by side: {ms:.4f} ms a model-step")
            yield {"units": units, "width": width, "ms_per_model_step": ms}


def paper(repeats: int, say: Say) -> Iterator[dict[str, Any]]:
    """Time an epoch of a block of each condition in the paper's profile: all updates, and the held-out cycles."""
    for motion in MOTIONS:
        cycles = synthetic_cycles(motion)
        for condition in CONDITIONS:
            work = grid(cycles, condition, replace(profile("paper"), epochs=1), "bench")
            plan = choose(work)
            tasks, data = work.tasks(next(work.blocks(plan.block))), work.data()
            program = compiled(work.shape(), Layout(plan.width, plan.count))
            timed(program, data, tasks)  # compiles
            seconds = timed(program, data, tasks)[0]
            row = {
                "motion": motion,
                "condition": condition,
                "models": len(work.models),
                "batching": str(plan),
                "blocks": -(-len(work.models) // plan.block),
                "updates": work.longest,
                "epoch_s": seconds,
                "epochs": profile("paper").epochs,
            }
            say(f"paper profile, {motion}, {condition}: an epoch of {plan.block} models takes {seconds:.2f} s")
            yield row


PARTS: dict[str, Callable[[int, Say], Iterator[dict[str, Any]]]] = {"rows": rows, "widths": widths, "paper": paper}

if __name__ == "__main__":
    main()
