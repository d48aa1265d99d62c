"""The measurements as a page: tables, a figure of how cost grows, and what it means for larger studies."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from bench import figure, goals
from nem2e_lib.training.forecast import duration

Facts = dict[str, Any]
EPOCHS = 700
SUBJECTS, MUSCLES, CYCLES, PASSES, NODES = 1000, 16, 12, 10, 100


def table(rows: list[Facts]) -> str:
    """Return the comparison as a Markdown table."""
    head = ["attention", "units", "who", "ms a model-step", "x PyTorch", "x Flax", "of the floor", "batching"]
    lines = [
        [
            row["attention"],
            row["units"],
            row["name"],
            f"{row['ms_per_model_step']:.3f}",
            f"{row['speedup_vs_torch']:.1f}",
            f"{row['speedup_vs_flax']:.2f}",
            f"{row['fraction_of_floor']:.2f}",
            row["batching"],
        ]
        for row in rows
    ]
    return markdown(head, lines)


def markdown(head: list[str], lines: list[list[Any]]) -> str:
    """Return a Markdown table."""
    rows = [head, ["---"] * len(head), *([str(cell) for cell in line] for line in lines)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def write(facts: Facts, path: Path) -> None:
    """Write the page, and its figure beside it."""
    picture = path.with_name(f"{path.stem}_growth.svg")
    picture.write_text(figure.growth(facts["growth"]), encoding="utf-8")
    parts = [_head(facts), _comparison(facts), _goals(facts), _profile(facts), _demo(facts)]
    parts += [_growth(facts, picture.name), _extrapolated(facts), _reading(facts)]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def made(repeats: int) -> Facts:
    """Return when and with what measurements are made."""
    versions = {name: version(name) for name in ("jax", "flax", "optax", "torch", "numpy")}
    return {"date": datetime.now(UTC).date().isoformat(), "versions": versions, "repeats": repeats}


def made_with(facts: Facts) -> str:
    """Word the versions and the number of repeats."""
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    return f"{versions}; medians of {facts['repeats']} interleaved repeats."


def _head(facts: Facts) -> str:
    return (
        "# Training: what it costs\n\nWritten by `make bench` from one run; every number is measured, on the SYNTHETIC "
        f"running study.\n{facts['date']}, {facts['machine']} ({facts['device']}); {made_with(facts)}"
    )


def _comparison(facts: Facts) -> str:
    rows = facts["rows"]
    large = {row["attention"]: row for row in rows if row["units"] == 700}
    rates = large["temporal"]
    gap = max(row["largest_loss_gap"] for row in rows)
    return (
        "## Against PyTorch and plain Flax\n\nOne model-step is one update of one model, batch size 1. All three start "
        "from the same weights and see the same cycles in the same order; their mean losses agree within "
        f"{gap:.1e}.\nPyTorch is a leave-one-subject-out loop over `nn.LSTM` and `nn.LSTMCell`, plain Flax is "
        "`nnx.RNN` and a decoder cell under `jax.vmap`.\n\n" + table(rows) + "\n\n"
        "**The floor** is the memory traffic that a step cannot avoid in float32, at the rates measured in the same "
        "run with all cores busy at once, each on a model of its own, as in training: each step of a recurrence reads "
        "its matrices, forward and backward, and Adam moves 28 bytes a parameter (it reads weight, both moments and "
        "gradient, and writes the first three). Arithmetic and the making of the gradient count "
        "nothing. At 700 units the encoder's matrices were reread at "
        f"{rates['encoder_gb_per_s']:.0f} GB/s, the decoder's at {rates['decoder_gb_per_s']:.0f} GB/s, and weights and "
        f"moments were passed over at {rates['adam_gb_per_s']:.0f} GB/s. "
        + " ".join(
            f"{name.capitalize()}: {row['floor_ms']:.1f} ms a model-step, {row['shared_floor_ms']:.1f} ms if one model "
            "were shared out over the cores, whose parts lie nearer to them."
            for name, row in large.items()
        )
        + " At 64 units all weights lie in the cache; arithmetic and the start of small operations set the pace "
        "there, not traffic, and the fraction says little."
    )


def _goals(facts: Facts) -> str:
    return (
        "## Asked and reached\n\n"
        + markdown(["asked for, on two cores", "measured", ""], list(goals.rows(facts)))
        + "\n\nWhat keeps large models from the floor: the gradient is written to memory before Adam reads it (Adam "
        "itself passes over gradient, weights and moments once), the two halves of the combining matrix and their "
        "gradient are copied, and each pass of Adam empties the cores' own caches before the next recurrence. Tried "
        "and not faster: gradient and Adam together in blocks of rows that stay in the cache (what XLA copies for that "
        "costs as much as it saves); copies of the matrices in bfloat16 or float16 (XLA turns them back into float32 "
        "once before the loop; in forms where it cannot, converting them costs as much as reading them); wider vector "
        "instructions; large pages of memory; one thread a device."
    )


def _profile(facts: Facts) -> str:
    lines = [[r["attention"], r["units"], r["part"], f"{r['ms']:.3f}"] for r in facts["profile"]]
    return "## Where the time goes\n\nOne model alone on one device, each part in a loop of its own.\n\n" + markdown(
        ["attention", "units", "part", "ms a step"], lines
    )


def _demo(facts: Facts) -> str:
    rows = facts["demo"]
    lines = [
        [
            r["motion"],
            r["condition"],
            r["models"],
            r["updates"],
            f"{r['seconds']:.0f}",
            f"{r['peak_gb']:.2f}",
            r["batching"],
        ]
        for r in rows
    ]
    total, models = sum(r["seconds"] for r in rows), sum(r["models"] for r in rows)
    return (
        f"## The demo grid\n\n{models} models train in {total:.0f} s with compilation; the most memory that a process "
        f"held was {max(r['peak_gb'] for r in rows):.2f} GB. On a second run, with the programs compiled, the first "
        f"epochs are done {max(r['first_s'] for r in rows):.0f} s after the start of the process, at most.\n\n"
        + markdown(["study", "condition", "models", "updates", "s", "peak GB", "batching"], lines)
    )


def _growth(facts: Facts, picture: str) -> str:
    slopes = {axis: slope(facts["growth"], axis) for axis in ("units", "tokens", "samples")}
    return (
        f"## How cost grows\n\n![Time of a model-step over models, units, tokens, samples and cores]({picture})\n\n"
        "One axis at a time around 64 units, 40 models and temporal attention (tokens: spatial attention). Between the "
        "two largest values of an axis, time grows with the power "
        + ", ".join(f"{value:.1f} of {axis}" for axis, value in slopes.items())
        + "."
    )


def slope(rows: list[Facts], axis: str) -> float:
    """Return the power with which time grows between the two largest values of an axis."""
    (a, b), (s, t) = zip(*[(r["value"], r["ms_per_model_step"]) for r in rows if r["axis"] == axis][-2:], strict=True)
    return float(np.log(t / s) / np.log(b / a))


def _extrapolated(facts: Facts) -> str:
    """What the paper's profile and a study of 1,000 subjects would take, from this run's time of a step."""
    step = {(r["attention"], r["units"]): r["ms_per_model_step"] / 1e3 for r in facts["rows"] if r["name"] == "nem2e"}
    paper = {m: _grid(*size, step, 700, EPOCHS) for m, size in {"walking": (8, 5, 4), "running": (10, 16, 12)}.items()}
    large = {
        "every subject left out, 64 units": _large(step, 1000, 64),
        "ten folds, 64 units": _large(step, 10, 64),
        "ten folds, 700 units": _large(step, 10, 700),
    }
    lines = [[name, duration(seconds), duration(seconds / NODES)] for name, seconds in large.items()]
    return (
        "## Larger studies\n\nAn extrapolation, not a measurement. It assumes that models are independent, that a step "
        "costs what it costs above however many there are, that looking at a held-out cycle costs a third of a step, "
        "and that a cluster's node is as fast as this machine and loses nothing to the network (a block's result is a "
        "few MB).\n\n"
        f"The `paper` profile ({EPOCHS} epochs of 700 units for both studies, all three conditions) would take "
        f"{duration(sum(paper.values()))} on this machine: `make paper PROFILE=paper` asks for `CONFIRM=1`.\n\n"
        f"A study of {SUBJECTS:,} subjects, {MUSCLES} muscles, {CYCLES} cycles each, One-Entire and All-Entire, "
        f"{PASSES} passes over the training cycles:\n\n"
        + markdown(["grid", "here", f"on {NODES} such nodes"], lines)
        + "\n\nLeaving each subject out of so many buys little over ten folds. A cluster is started as "
        "[cluster.md](cluster.md) tells."
    )


def _grid(
    subjects: int, muscles: int, cycles: int, step: dict[tuple[str, int], float], units: int, epochs: int
) -> float:
    """Seconds of a study's three conditions; One-Quarter's four short sequences cost about one long one."""
    updates = epochs * cycles * (subjects - 1)
    validation = epochs * cycles / 3
    per_model = (updates + validation) * (2 * step["temporal", units] + step["spatial", units])
    return subjects * muscles * per_model


def _large(step: dict[tuple[str, int], float], folds: int, units: int) -> float:
    shown = SUBJECTS * (folds - 1) / folds + SUBJECTS / folds / 3
    return folds * MUSCLES * PASSES * CYCLES * shown * (step["temporal", units] + step["spatial", units])


def _reading(facts: Facts) -> str:
    rows = facts["reading"]
    lines = [[row["name"], f"{row['ms']:.0f}", f"{row['speedup']:.2f}"] for row in rows]
    return "## Reading files\n\nThe same states file, interleaved, medians.\n\n" + markdown(
        ["reader", "ms", "x this reader"], lines
    )
