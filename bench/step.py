"""``python -m bench.step [--page FILE]``: what an update of 64 units is made of, and how much faster it could be.

The operations of the compiled program are timed by JAX's profiler, which adds to each of them: shares are told, and the
time of an update is measured without it. How much faster an update could be is bounded by its products of matrices
alone, run in the same order with nothing between them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import Array

from bench.page import markdown
from bench.work import CONDITION, make
from nem2e_lib.figures.style import CONDITION_LABELS
from nem2e_lib.training import devices
from nem2e_lib.training.adam import adam
from nem2e_lib.training.batching import choose
from nem2e_lib.training.engine import Layout, compiled

UNITS, UPDATES, REPEATS = 64, 60, 5
KINDS = {
    "products of matrices": r"dot|ynn_fusion|convolution",
    "copies, slices and places in arrays": r"copy|slice|concatenate|transpose|bitcast|pad|gather|scatter",
    "all else: gates, softmax, loss, Adam": r"",
}
"""Kinds of operations, by the first pattern that their names hold."""
Call = Callable[[], Any]


def main() -> None:
    """Measure both kinds of attention, print the page and write it."""
    parser = argparse.ArgumentParser(prog="python -m bench.step", description=__doc__)
    parser.add_argument("--page", type=Path, help="write what was measured to this file, too")
    options = parser.parse_args()
    text = page([measured(attention) for attention in CONDITION])
    print(text)
    if options.page:
        options.page.write_text(text, encoding="utf-8")


def measured(attention: str) -> dict[str, Any]:
    """Return what an update of all models on one device takes, the products alone, and the shares of operations."""
    width = choose(make(attention, UNITS, UPDATES, 1).grid).width
    whole, sizes = training(attention, width), sizes_of(attention, width)
    products = alone(**sizes)
    taken = {"update": [], "products": []}  # type: dict[str, list[float]]
    for _ in range(REPEATS):
        for name, call in (("update", whole), ("products", products)):
            began = time.perf_counter()
            jax.block_until_ready(call())
            taken[name].append(1e3 * (time.perf_counter() - began) / UPDATES)
    median = {name: float(np.median(seconds)) for name, seconds in taken.items()}
    bound = [a / b for a, b in zip(taken["update"], taken["products"], strict=True)]
    return {
        "attention": attention,
        **sizes,
        **{f"{name}_ms": value for name, value in median.items()},
        "bound": float(np.median(bound)),
        "shares": shares(operations(whole)),
    }


# --- an update, and its products alone ---


def training(attention: str, width: int) -> Call:
    """Return a call that trains so many models side by side on one device for `UPDATES` updates; it is compiled."""
    work = make(attention, UNITS, UPDATES, width)
    program, tasks = compiled(work.grid.shape(), Layout(width, 1)), work.grid.tasks(work.models)
    placed = program.place(tasks._replace(shown=tasks.shown[..., :UPDATES], real=tasks.real[..., :UPDATES]))
    data, carry = work.grid.data(), program.place(program.start(tasks))

    def call() -> Any:
        nonlocal carry
        *carry, losses = program.run(data, placed, *carry)
        return losses

    jax.block_until_ready(call())
    return call


def sizes_of(attention: str, width: int) -> dict[str, int]:
    """Return models, tokens, features of a token, and samples of the output."""
    found = make(attention, UNITS, UPDATES, width)
    tokens, features = found.grid.examples.inputs.shape[-2:]
    return {"models": width, "tokens": tokens, "features": features, "steps": found.grid.examples.targets.shape[-1]}


def alone(models: int, tokens: int, features: int, steps: int) -> Call:
    """Return a call of the products of an update, and Adam, in the order of training with nothing between them.

    Forward: the encoder's inputs, its recurrence, keys and contexts of all tokens, and a decoder whose steps multiply
    with recurrence, keys, contexts, combination and readout. Backward: the same steps with the transposed matrices,
    and one product over all steps for the gradient of each matrix.
    """
    draw = partial(jax.random.normal, dtype=jnp.float32)
    shapes = {
        "inputs": (features, 4 * UNITS),
        "recurrent": (UNITS, 4 * UNITS),
        "keys": (UNITS, UNITS),
        "contexts": (UNITS, UNITS),
        "decoder": (UNITS, 4 * UNITS),
        "combine": (UNITS, UNITS),
        "readout": (UNITS, 1),
    }
    keys = jax.random.split(jax.random.key(0), len(shapes) + 1)
    weights = {
        name: 0.01 * draw(key, (models, *shape)) for key, (name, shape) in zip(keys, shapes.items(), strict=False)
    }
    x = draw(keys[-1], (models, tokens, features))
    optimiser = adam(1e-3)

    def gradient(w: Mapping[str, Array], x: Array) -> dict[str, Array]:
        blank = jnp.zeros(UNITS)
        read = _sent(w["recurrent"], x @ w["inputs"], blank)[:, :UNITS]
        at, over = (read @ w["keys"]).T, read @ w["contexts"]

        def decode(hidden: Array, _: None) -> tuple[Array, tuple[Array, ...]]:
            gates, scores = hidden @ w["decoder"], hidden @ at
            seen = (scores @ over, hidden @ w["combine"], hidden @ w["readout"])
            return gates[:UNITS] + seen[0] + seen[1], (hidden, gates, scores, seen[0], seen[2])

        _, (hidden, gates, scores, context, out) = jax.lax.scan(decode, blank, None, length=steps)

        def back(carry: Array, now: tuple[Array, ...]) -> tuple[Array, Array]:
            gates, scores, out = now
            attentional = w["readout"] @ out + carry
            of_scores = over @ attentional
            both = at @ (of_scores + scores) + w["combine"] @ attentional
            return w["decoder"] @ gates + both, attentional

        _, attentional = jax.lax.scan(back, blank, (gates, scores, out), reverse=True)
        of_keys, of_contexts = scores.T @ hidden, scores.T @ attentional
        of_read = of_keys @ w["keys"].T + of_contexts @ w["contexts"].T
        of_gates = _back(w["recurrent"], jnp.tile(of_read, 4))
        return {
            "inputs": x.T @ of_gates,
            "recurrent": read.T @ of_gates,
            "keys": read.T @ of_keys,
            "contexts": read.T @ of_contexts,
            "decoder": hidden.T @ gates,
            "combine": hidden.T @ attentional,
            "readout": context.T @ out,
        }

    def update(carry: Any, _: None) -> tuple[Any, None]:
        weights, moments = carry
        changes, moments = jax.vmap(optimiser.update)(jax.vmap(gradient)(weights, x), moments, weights)
        return (jax.tree.map(jnp.add, weights, changes), moments), None

    run = jax.jit(lambda carry: jax.lax.scan(update, carry, None, length=UPDATES)[0])
    carry = (weights, jax.vmap(optimiser.init)(weights))
    jax.block_until_ready(run(carry))
    return partial(run, carry)


def _sent(recurrent: Array, gates: Array, blank: Array) -> Array:
    """Multiply step after step with a recurrent matrix; return all products."""

    def step(hidden: Array, now: Array) -> tuple[Array, Array]:
        now = now + hidden @ recurrent
        return now[:UNITS], now

    return jax.lax.scan(step, blank, gates)[1]


def _back(recurrent: Array, gates: Array) -> Array:
    """Multiply step after step, from the last, with the transposed matrix; return what is multiplied."""

    def step(hidden: Array, now: Array) -> tuple[Array, Array]:
        now = now + jnp.tile(hidden, 4)
        return recurrent @ now, now

    return jax.lax.scan(step, jnp.zeros(UNITS), gates, reverse=True)[1]


# --- the operations of the compiled program ---


def operations(call: Call) -> pd.DataFrame:
    """Return name, number and seconds of the operations of a call, as JAX's profiler times them; loops are left out."""
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            jax.block_until_ready(call())
        (path,) = Path(folder).rglob("*.trace.json.gz")
        events = json.loads(gzip.decompress(path.read_bytes()))["traceEvents"]
    timed = [(one["name"], 1e-6 * one["dur"]) for one in events if "hlo_op" in one.get("args", {}) and "dur" in one]
    table = pd.DataFrame(timed, columns=["name", "seconds"])
    table = table[~table["name"].str.match(r"while|call|conditional")]
    return table.groupby("name")["seconds"].agg(["size", "sum"]).reset_index(names="name")


def shares(table: pd.DataFrame) -> pd.DataFrame:
    """Sum operations by kind.

    Returns
    -------
    pandas.DataFrame
        One row a kind of `KINDS`: kind, an_update (operations in an update), share (of the time of all).
    """
    kind = table["name"].map(lambda name: next(kind for kind, pattern in KINDS.items() if re.search(pattern, name)))
    summed = table.groupby(kind)[["size", "sum"]].sum().reindex(list(KINDS), fill_value=0)
    return pd.DataFrame(
        {
            "kind": list(KINDS),
            "an_update": (summed["size"] / UPDATES).to_numpy(),
            "share": (summed["sum"] / summed["sum"].sum()).to_numpy(),
        }
    )


# --- what is told ---


def page(found: list[dict[str, Any]]) -> str:
    """Write down what was measured, in Markdown."""
    head = [
        "condition",
        "models side by side",
        "tokens",
        "ms an update of all",
        "products and Adam alone",
        "at most faster",
    ]
    lines = [
        [
            CONDITION_LABELS[CONDITION[one["attention"]]],
            one["models"],
            one["tokens"],
            f"{one['update_ms']:.2f}",
            f"{one['products_ms']:.2f}",
            f"{one['bound']:.2f} times",
        ]
        for one in found
    ]
    kinds = [
        [CONDITION_LABELS[CONDITION[one["attention"]]], row["kind"], f"{row['an_update']:.0f}", f"{row['share']:.0%}"]
        for one in found
        for row in one["shares"].to_dict("records")
    ]
    date = datetime.now(UTC).date().isoformat()
    return (
        "\n\n".join(
            [
                f"# What an update of {UNITS} units is made of",
                f"Written by `make bench-step` on one core, on the SYNTHETIC running study. {date}, jax "
                f"{jax.__version__}; medians of {REPEATS} interleaved repeats.",
                markdown(head, lines),
                "The products of matrices of an update and Adam, in the order of training with nothing between them, "
                "are what would be left if gates, attention, loss and all copies cost nothing. As long as the same "
                "products are formed by XLA, in float32 and at batch size 1, an update can be made as much faster as "
                "the last column says, and no more: at each token the recurrence reads the matrices of all models side "
                "by side anew.",
                "The compiled program's operations by kind. The profiler adds to each operation, so that kinds of many "
                "small ones look dearer than they are.",
                markdown(["condition", "kind", "operations an update", "share"], kinds),
            ]
        )
        + "\n"
    )


if __name__ == "__main__":
    devices.configure()
    main()
