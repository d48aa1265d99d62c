"""What training will cost, told before it begins."""

from __future__ import annotations

import time
from dataclasses import dataclass

import jax

from nem2e_lib.training.batching import Batching, encoder_states
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.engine import Data, Layout, Program, Task, compiled
from nem2e_lib.training.grid import Grid, Model
from nem2e_lib.training.numerics import pinned
from nem2e_lib.training.stdrnet import parameters

ADAM_BYTES = 28
"""Bytes that Adam moves per parameter in float32: reads four numbers and writes three."""
REREAD, STREAM = 80e9, 30e9
"""Bytes a second that two cores reread from cache and stream from memory; a probe corrects it for long runs."""
TOGETHER = 5
"""States of `per_muscle`'s encoder, computed for all muscles at once, that take as long as one read of its matrix."""
PROBE_ABOVE = 600.0
"""Estimated seconds above which this machine's speed is measured before the estimate is told."""
PROCESS = 0.6e9
"""Bytes of a process that has JAX and the libraries loaded."""


@dataclass(frozen=True)
class Cost:
    """What remains to be trained: models, updates in all, seconds on this machine and bytes of memory."""

    models: int
    updates: int
    seconds: float
    memory: float
    measured: bool

    def __add__(self, other: Cost) -> Cost:
        """Both, one after the other."""
        return Cost(
            self.models + other.models,
            self.updates + other.updates,
            self.seconds + other.seconds,
            max(self.memory, other.memory),
            self.measured and other.measured,
        )

    def __str__(self) -> str:
        """One line for people."""
        how = "measured on this machine" if self.measured else "estimated"
        return (
            f"{self.models} models, {self.updates:,} updates in all: about {duration(self.seconds)} ({how}) and "
            f"{self.memory / 1e9:.1f} GB of memory"
        )


def traffic(units: int, features: int, tokens: int, steps: int, layers: int = 1) -> dict[str, float]:
    """Return the bytes that one update of one model must move, by part.

    Forward and backward, each step of the encoder reads its recurrent matrix, each step of the decoder its recurrent
    matrix, the half of the combining one that takes its own state and, for attention, the encoder's keys and combined
    states; Adam passes over every parameter once. A layer above the first reads a matrix for its input, too.
    """
    matrix, above = 4.0 * units * units, 8 * (layers - 1)
    return {
        "encoder": 2 * tokens * (4 + above) * matrix,
        "decoder": 2 * steps * ((5 + above) * matrix + 2 * 4 * tokens * units),
        "adam": ADAM_BYTES * parameters(features, Configuration(units=units, layers=layers)),
    }


def forecast(work: Grid, plan: Batching, unfinished: list[Model]) -> Cost:
    """Return what training some of a grid's models will cost; long runs are probed with a second of real work."""
    updates = work.updates(unfinished)
    looked = [work.epochs_of(model.channel) * len(work.held(model)) / 3 for model in unfinished]
    tokens, features = work.examples.inputs.shape[-2:]
    reads = max(tokens, round(encoder_states(work) / TOGETHER))
    steps = 1 if work.configuration.output == "at_once" else work.examples.targets.shape[-1]
    moved = traffic(work.configuration.units, features, reads, steps, work.configuration.layers)
    step = (moved["encoder"] + moved["decoder"]) / REREAD + moved["adam"] / STREAM
    seconds, measured = step * (sum(updates) + sum(looked)), False
    if seconds > PROBE_ABOVE:
        seconds, measured = probe(work, plan, step) * (sum(updates) + sum(looked)), True
    return Cost(len(unfinished), sum(updates), seconds, _memory(work, plan), measured)


@pinned()
def probe(work: Grid, plan: Batching, guess: float) -> float:
    """Return the measured seconds of one update of one model, from a second or so of training that is thrown away."""
    count = plan.count * plan.width
    models = next(work.blocks(count))
    tasks = work.tasks(tuple(models))
    few = max(1, min(tasks.shown.shape[-1], round(1.0 / (guess * len(models)))))
    tasks = tasks._replace(
        shown=tasks.shown[:, :1, :few],
        real=tasks.real[:, :1, :few],
        keep=tasks.keep[:, :1],
        held=tasks.held[:, :1],
        scored=tasks.scored[:, :1],
    )
    program = compiled(work.shape(), Layout(plan.width, plan.count))
    timed(program, work.data(), tasks)  # compiles
    return timed(program, work.data(), tasks)[0] / (len(models) * few)


@pinned()
def timed(program: Program, data: Data, tasks: Task) -> tuple[float, jax.Array]:
    """Train new models for the epochs of their tasks; return the seconds of that alone and the training losses."""
    carry = program.place(program.start(tasks))
    placed = program.place(tasks)
    jax.block_until_ready((carry, placed))
    began = time.perf_counter()
    *_, (losses, _) = jax.block_until_ready(program.run(data, placed, *carry))
    return time.perf_counter() - began, losses


def duration(seconds: float) -> str:
    """Return a time span in words, as coarse as it is known."""
    if seconds < 90:
        size, unit = 1, "second"
    elif seconds < 5400:
        size, unit = 60, "minute"
    elif seconds < 2 * 86400:
        size, unit = 3600, "hour"
    else:
        size, unit = 86400, "day"
    count = max(1, round(seconds / size))
    return f"{count} {unit}{'s'[: count != 1]}"


def _memory(work: Grid, plan: Batching) -> float:
    """Weights and Adam's moments of a block, twice where they are handed over, and what models in work add."""
    weights = 4.0 * work.parameters
    states = 96.0 * (encoder_states(work) + work.examples.targets.shape[-1]) * work.configuration.units
    return PROCESS + 6 * weights * plan.block + (3 * weights + states) * plan.width * plan.count
