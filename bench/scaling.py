"""``python -m bench.scaling OUT [--page FILE]``: training over the workers of a dask cluster, and OpenSim through them.

All workers are on this machine, one device each: more of them than there are cores can win nothing, so that efficiency
counts as many workers as there are cores at most.
"""

from __future__ import annotations

import argparse
import os
import pickle
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from bench.page import CYCLES, MUSCLES, SUBJECTS, markdown
from nem2e_lib.data.cycles.segment import recorded
from nem2e_lib.data.synthetic import synthetic_cycles
from nem2e_lib.paper.run import OPEN, Run
from nem2e_lib.simulate import SimulatedTrial, simulate
from nem2e_lib.training.batching import Batching
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.devices import cores
from nem2e_lib.training.engine import Layout
from nem2e_lib.training.folds import Folds
from nem2e_lib.training.sending import sent
from nem2e_lib.training.store import Store
from nem2e_lib.training.train import Plan, plan, run_sent

if TYPE_CHECKING:
    from distributed import Client

WORKERS = (1, 2, 4)
BLOCK = 5
"""Models a task."""
UNITS = 64
SIZES, SPEEDS, FOLDS, SOME = (50, 200), 4, 10, ("soleus", "bi")
PASSES = 1
"""Of the SYNTHETIC grid: subjects, speeds, folds and channels of each size, and passes over the training cycles."""
UPDATES = 1000
"""Of each of the children's models."""
TRIALS, START, SECONDS = 4, 0.6, 0.1
"""Simulations, where the first begins, and how much of a recording each is of, s."""
CONDITIONS = ("one_entire", "all_entire")
COLUMNS = ["grid", "workers", "tasks", "seconds", "done"]


def main() -> None:
    """Measure every grid over so many workers, print the table, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__)
    parser.add_argument("out", type=Path, help="folder of what is built")
    parser.add_argument("--page", type=Path, help="write what was measured to this file, too")
    options = parser.parse_args()
    folder = (options.out / "bench-scaling").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    grids = dict(planned(folder))
    rows, kept = [], dict[str, float]()
    for workers in WORKERS:
        with cluster(workers) as client:
            for name, work in grids.items():
                seconds, loss = trained(work, client)
                if not np.isclose(loss, kept.setdefault(name, loss), rtol=1e-4):
                    raise RuntimeError(f"{name}: mean loss {loss} on {workers} workers, {kept[name]} on one")
                updates = sum(work.grid.updates(work.grid.models))
                rows.append((name, workers, len(list(work.grid.blocks(BLOCK))), seconds, updates))
                print(f"{name}, {workers} workers: {seconds:.1f} s", flush=True)
            for name, seconds in simulated(folder / f"simulated{workers}", client):
                rows.append((name, workers, TRIALS, seconds, TRIALS))
                print(f"{name}, {workers} workers: {seconds:.1f} s", flush=True)
    table = compared(pd.DataFrame(rows, columns=COLUMNS), cores())
    text = page(table, grids)
    print(text)
    if options.page:
        options.page.write_text(text, encoding="utf-8")


@contextmanager
def cluster(workers: int) -> Iterator[Client]:
    """Give a client of so many workers of this machine, each with one device of JAX."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=None, env={"NEM2E_DEVICES": "1"}
        ) as started,
        Client(started) as client,
    ):
        yield client


# --- what is trained ---


def planned(folder: Path) -> Iterator[tuple[str, Plan]]:
    """Yield the grids by name: the children where recordings are at hand, and SYNTHETIC running of two sizes."""
    if os.environ.get("NEM2E_REALDATA"):
        run = Run.begin(str(folder / "open"), "demo", data=OPEN)
        name = next(study for study in run.studies if "children" in study)
        cycles, _ = run.segment(name)
        whole = cycles.channel.values[recorded(cycles.emg).all(axis=1)].tolist()  # of everybody: blocks are even
        for condition in CONDITIONS:
            configuration = Configuration(units=UNITS, epochs=None, updates=UPDATES)
            yield (
                f"{name}, {condition}",
                plan(
                    cycles,
                    condition,
                    configuration,
                    channels=whole,
                    store=folder / "children",
                    batching=Batching(BLOCK, BLOCK),
                ),
            )
    for subjects in SIZES:
        cycles = synthetic_cycles("running", subjects=subjects, speeds=SPEEDS)
        for condition in CONDITIONS:
            yield (
                large(subjects, condition),
                plan(
                    cycles,
                    condition,
                    Configuration(units=UNITS, epochs=PASSES),
                    channels=SOME,
                    folds=tenths(cycles),
                    store=folder / f"subjects{subjects}",
                    batching=Batching(BLOCK, BLOCK),
                ),
            )


def large(subjects: int, condition: str) -> str:
    """Name the SYNTHETIC grid of so many subjects."""
    return f"SYNTHETIC, {subjects} subjects, {condition}"


def tenths(cycles: xr.Dataset) -> Folds:
    """Return folds that hold out a tenth of the subjects each."""
    _, subject = np.unique(cycles["subject"].values.astype(str), return_inverse=True)
    labels = tuple(f"tenth {fold + 1}" for fold in range(FOLDS))
    return Folds("subject", labels, (subject % FOLDS).astype(np.int32))


def trained(work: Plan, client: Client) -> tuple[float, float]:
    """Return the seconds that training takes where programs are loaded, and the mean training loss."""
    store = work.store
    assert store is not None
    named = list(client.scheduler_info(n_workers=-1)["workers"])
    first = next(iter(work.grid.blocks(BLOCK)))
    with sent(work.grid, store.folder) as told:
        own = [Store(store.folder / f"warm{number}") for number in range(len(named))]
        load = partial(client.submit, run_sent, told, first, Layout(BLOCK, 0), pure=False)
        client.gather([load(one, True, workers=[worker]) for one, worker in zip(own, named, strict=True)])
    began = time.monotonic()
    outcomes = work.train(executor=client.get_executor(), progress=False)
    seconds = time.monotonic() - began
    shutil.rmtree(store.folder)
    return seconds, float(np.mean([outcome.training_loss for outcome in outcomes.values()]))


# --- what is simulated ---


def simulated(folder: Path, client: Client) -> Iterator[tuple[str, float]]:
    """Yield a name and the seconds of some static optimisations, where recordings are at hand."""
    if not (recordings := os.environ.get("NEM2E_REALDATA")):
        return
    data = Path(recordings) / "hamner_subject01"
    trials = [
        SimulatedTrial(
            f"from{number}",
            motion=data / "ik" / "Run_20002_IK.mot",
            grf=data / "grf" / "Run_20002_GRF_newCOP3_v24.mot",
            start_s=START + number * SECONDS,
            end_s=START + (number + 1) * SECONDS,
        )
        for number in range(TRIALS)
    ]
    began = time.monotonic()
    table = simulate(
        trials,
        data / "model" / "Hamner2010_v4_subject01.osim",
        folder,
        steps=("so",),
        executor=client.get_executor(),
        progress=False,
    )
    if set(table["status"]) != {"done"}:
        raise RuntimeError(f"simulations: {table[['trial', 'status', 'reason']].to_dict('records')}")
    yield f"OpenSim, static optimisation, {TRIALS} x {SECONDS:g} s of running", time.monotonic() - began


# --- what is told ---


def compared(rows: pd.DataFrame, available: int) -> pd.DataFrame:
    """Add to what was measured how much faster several workers are.

    Parameters
    ----------
    rows
        `COLUMNS`; of each grid a row with one worker.
    available
        Cores.

    Returns
    -------
    pandas.DataFrame
        The same with columns speed_up (over one worker) and efficiency (that, a worker, or a core where there are
        fewer).
    """
    alone = rows[rows["workers"] == 1].set_index("grid")["seconds"]
    speed_up = rows["grid"].map(alone) / rows["seconds"]
    return rows.assign(speed_up=speed_up, efficiency=speed_up / rows["workers"].clip(upper=available))


def foretold(table: pd.DataFrame, condition: str) -> tuple[float, float]:
    """Return the seconds of the larger SYNTHETIC grid on one worker: reckoned from the smaller one, and measured."""
    small, big = (table[(table["grid"] == large(size, condition)) & (table["workers"] == 1)].iloc[0] for size in SIZES)
    return float(small["seconds"] / small["done"] * big["done"]), float(big["seconds"])


def whole(table: pd.DataFrame, condition: str) -> float:
    """Hours of the grid of `bench.page.SUBJECTS` on one worker for a pass, reckoned from the larger one measured."""
    big = table[(table["grid"] == large(SIZES[-1], condition)) & (table["workers"] == 1)].iloc[0]
    updates = FOLDS * MUSCLES * CYCLES * SUBJECTS * (FOLDS - 1) / FOLDS
    return float(big["seconds"] / big["done"] * updates / 3600)


def carried(work: Plan) -> tuple[float, float]:
    """Return the megabytes of the file that all tasks share, and the kilobytes that a task carries beside it."""
    block = next(iter(work.grid.blocks(BLOCK)))
    return len(pickle.dumps(work.grid)) / 1e6, len(pickle.dumps((block, Layout(BLOCK, 0), work.store))) / 1e3


def page(table: pd.DataFrame, grids: dict[str, Plan]) -> str:
    """Write down what was measured, in Markdown."""
    lines = [
        [
            row["grid"],
            row["workers"],
            row["tasks"],
            f"{row['seconds']:.1f}",
            f"{row['speed_up']:.2f}",
            f"{row['efficiency']:.0%}",
        ]
        for row in table.sort_values(["grid", "workers"]).to_dict("records")
    ]
    sizes = [[name, *(f"{value:.1f}" for value in carried(work))] for name, work in grids.items()]
    told = [
        [condition, *(f"{value:.1f}" for value in (*pair, whole(table, condition))), f"{pair[0] / pair[1] - 1:+.0%}"]
        for condition in CONDITIONS
        for pair in [foretold(table, condition)]
    ]
    return (
        "\n\n".join(
            [
                "# Training and simulation over workers",
                f"Written by `make bench-scaling` on {cores()} cores: dask's workers on this machine, one device each, "
                f"{UNITS} units, {BLOCK} models a task, every worker's programs loaded beforehand. Efficiency is what "
                "so many workers win over one, a worker, or a core where there are fewer of them. "
                "[cluster.md](cluster.md) tells how to use more machines.",
                markdown(["grid", "workers", "tasks", "s", "speed-up", "efficiency"], lines),
                "What all tasks of a grid share is sent once, as a file beside the models; a task carries the rest.",
                markdown(["grid", "shared, MB", "a task, kB"], sizes),
                f"## {SUBJECTS:,} subjects\n\nA SYNTHETIC study in ten folds ({CYCLES} cycles a subject, of "
                f"{len(SOME)} muscles) at {SIZES[0]} and {SIZES[1]} subjects; what the larger takes on one worker is "
                f"reckoned from the smaller, and measured. From the larger follow the hours of {SUBJECTS:,} subjects "
                f"and {MUSCLES} muscles on one worker, for each pass over the training cycles.",
                markdown(
                    ["condition", "reckoned, s", "measured, s", f"{SUBJECTS:,} subjects, h a pass", "off by"], told
                ),
            ]
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
