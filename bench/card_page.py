"""The measurements on a graphics card as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.page import made_with, markdown, table
from nem2e_lib.training.forecast import duration

Facts = dict[str, Any]


def write(facts: Facts, path: Path) -> None:
    """Write the page."""
    path.write_text("\n\n".join([_head(facts), _comparison(facts), _widths(facts), _paper(facts)]) + "\n", "utf-8")


def _head(facts: Facts) -> str:
    return (
        "# Training on a graphics card\n\nWritten by `make bench-card` on a machine that has one; every number is "
        f"measured, on the SYNTHETIC running study unless said.\n{facts['card']}, {facts['date']}; "
        f"{made_with(facts)} The same code as on a processor: `pip install '.[cuda]'` is all "
        "that differs. What it costs without one is in [benchmarks.md](benchmarks.md)."
    )


def _comparison(facts: Facts) -> str:
    rows = facts["rows"]
    floors = ", ".join(
        f"{row['floor_ms']:.3f} ms ({row['attention']}, {row['units']} units)" for row in rows if row["name"] == "nem2e"
    )
    return (
        "## Against PyTorch and plain Flax on the same card\n\nOne model-step is one update of one model, batch size "
        "1, in float32 throughout (no TF32). All three start from the same weights and see the same cycles in the "
        f"same order; their mean losses agree within {max(row['largest_loss_gap'] for row in rows):.1e}. PyTorch is a "
        "leave-one-subject-out loop over `nn.LSTM` (cuDNN) and `nn.LSTMCell`: at batch size 1 it waits for the start "
        "of its many small kernels. This engine and plain Flax train models side by side.\n\n"
        f"{table(rows)}\n\nThe floor is the traffic of [benchmarks.md](benchmarks.md) at the rate at which the card "
        f"reads and writes its own memory, {rows[0]['gb_per_s']:.0f} GB/s: {floors}. Where matrices stay in the "
        "card's cache, a step can be faster than that."
    )


def _widths(facts: Facts) -> str:
    lines = [[row["units"], row["width"], f"{row['ms_per_model_step']:.4f}"] for row in facts["widths"]]
    return (
        "## How many models side by side\n\nTemporal attention, the least of the repeats. The engine takes as many as "
        "there are, up to a fixed share of the card's memory: what the comparison above used stands in its table.\n\n"
        + markdown(["units", "models side by side", "ms a model-step"], lines)
    )


def _paper(facts: Facts) -> str:
    rows = facts["paper"]
    lines = [
        [
            row["motion"],
            row["condition"],
            row["models"],
            row["batching"],
            row["updates"],
            f"{row['epoch_s']:.2f}",
            duration(_seconds(row)),
        ]
        for row in rows
    ]
    return (
        "## The paper's profile\n\n700 units, 700 epochs, both SYNTHETIC studies of the paper's sizes, all three "
        "conditions. Measured: one whole epoch of one block of each condition, its updates and the look at the "
        "held-out cycles, after compilation. Reckoned from it: that epoch times epochs and blocks. Not counted: "
        "compilation and the last look at attention and input gradients.\n\n"
        + markdown(["study", "condition", "models", "batching", "updates an epoch", "s an epoch", "in all"], lines)
        + f"\n\nAll together: {duration(sum(_seconds(row) for row in rows))} on this card."
    )


def _seconds(row: Facts) -> float:
    return float(row["epoch_s"] * row["epochs"] * row["blocks"])
