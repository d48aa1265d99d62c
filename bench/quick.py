"""``python -m bench.quick OUT [--keep]``: where people wait, as ratios to yardsticks of the same run, in two minutes.

Seconds of this machine say little about another; a ratio to work that does not change says what a change of ours has
done. What is measured and its yardstick take turns; docs/bench_quick.csv holds the ratios that are compared with.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from bench import read_storage
from nem2e_lib.data.storage.storage import write_storage
from nem2e_lib.project import ROOT

KEPT = ROOT / "docs" / "bench_quick.csv"
"""Ratios as they were when somebody last kept them: one row a thing that people wait for."""
REPEATS = 5
LEAST = 0.10
"""A change below this share is no news, whatever the noise."""
IMPORTS = "import numpy, pandas"
"""The yardstick of commands: processor time of a Python that imports these."""
SIZE = {"updates": 60, "models": 40, "flax": 10}
"""Training: updates of each model, models of ours and of plain Flax's."""

APP = "from nem2e_lib.cli.main import app; app()"
"""The command line, for ``python -c``."""

Timed = Callable[[], float]
"""Does something and returns how many seconds it took."""


def ratios(waits: dict[str, tuple[Timed, str, Timed]], repeats: int = REPEATS) -> pd.DataFrame:
    """Measure each thing beside its yardstick, by turns.

    Parameters
    ----------
    waits
        By what people wait for: its work, the yardstick in words, and the yardstick's work.
    repeats
        Turns, after one that does not count.

    Returns
    -------
    pandas.DataFrame
        One row a thing: ratio (median over turns of seconds over the yardstick's seconds), low and high (least and
        greatest of them), seconds (median).
    """
    rows = []
    for what, (work, yardstick, measure) in waits.items():
        taken = [(work(), measure()) for _ in range(repeats + 1)][1:]
        found = pd.Series([own / other for own, other in taken])
        seconds = pd.Series([own for own, _ in taken]).median()
        rows.append((what, yardstick, found.median(), found.min(), found.max(), seconds, repeats))
        print(f"  {what}: {found.median():.2f} times {yardstick} ({seconds:.2f} s)", flush=True)
    return pd.DataFrame(rows, columns=["what", "yardstick", "ratio", "low", "high", "seconds", "repeats"])


def against(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Lay ratios beside those that were kept.

    Returns
    -------
    pandas.DataFrame
        One row a thing: ratio, kept, change (share; above 0 is slower), verdict: ``slower`` or ``faster`` where the
        turns of the two runs do not overlap and the change is at least `LEAST`, ``within noise``, or ``new``.
    """
    kept = before.set_index("what").reindex(now["what"]).reset_index()
    change = now["ratio"].to_numpy() / kept["ratio"] - 1
    apart = (now["low"].to_numpy() > kept["high"]) | (now["high"].to_numpy() < kept["low"])
    moved = apart & (change.abs() >= LEAST)
    verdict = change.gt(0).map({True: "slower", False: "faster"}).where(moved, "within noise")
    verdict = verdict.where(kept["ratio"].notna(), "new")
    return pd.DataFrame(
        {"what": now["what"], "ratio": now["ratio"], "kept": kept["ratio"], "change": change, "verdict": verdict}
    )


def said(compared: pd.DataFrame) -> str:
    """Say in lines what moved; first how much did."""
    moved = compared[compared["verdict"].isin(["slower", "faster"])]
    lines = [f"{len(moved)} of {len(compared)} moved by more than noise and {LEAST:.0%}."]
    for row in compared.to_dict("records"):
        kept = "" if row["verdict"] == "new" else f", kept {row['kept']:.2f} ({row['change']:+.0%})"
        lines.append(f"  {row['verdict']:12} {row['what']}: {row['ratio']:.2f}{kept}")
    return "\n".join(lines)


# --- What people wait for ---


@contextmanager
def waits() -> Iterator[dict[str, tuple[Timed, str, Timed]]]:
    """Yield what is measured, its files being there until the end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        study, refiner = folder / "study", folder / "made.refiner"
        large = read_storage.file(folder / "states.sto", write_storage)
        run(nem2e("synthesize", "walking", "--out", study, "--subjects", "4"))
        run(nem2e("train", study, "--method", "ridge_all", "--out", refiner))
        trial = sorted(study.rglob("*activation.sto"))[0]
        grf = sorted(study.rglob("*grf.mot"))[0]
        commands = {
            "import nem2e_lib": [sys.executable, "-c", "import nem2e_lib"],
            "nem2e --help": nem2e("--help"),
            "nem2e inspect, 25 MB": nem2e("inspect", large),
            "nem2e study check, 4 subjects": nem2e("study", "check", study),
            "nem2e refine, one trial": nem2e("refine", refiner, trial, "--grf", grf, "--out", folder / "refined.sto"),
        }
        yardstick: Timed = lambda: _processor([sys.executable, "-c", IMPORTS])  # noqa: E731
        told = f"`{IMPORTS}`"
        found = {what: (lambda one=one: _processor(one), told, yardstick) for what, one in commands.items()}
        readers = read_storage.readers(large)
        found["reading 25 MB of states"] = (timed(readers["nem2e"]), "pandas", timed(readers["pandas"]))
        yield found | _training()


def _training() -> dict[str, tuple[Timed, str, Timed]]:
    from bench import engine, plain_flax  # JAX is set up by then
    from bench.work import make

    found = {}
    for attention in ("temporal", "spatial"):
        work = make(attention, 64, SIZE["updates"], SIZE["models"])
        ours, flax = engine.Contender(work), plain_flax.Contender(work, SIZE["flax"], SIZE["updates"])
        found[f"training, {attention}, 64 units"] = (
            lambda ours=ours: ours.train()[0],
            "plain Flax",
            lambda flax=flax: flax.train()[0],
        )
    return found


def nem2e(*words: str | Path) -> list[str]:
    """Return the command that runs the command line."""
    return [sys.executable, "-c", APP, *map(str, words)]


def run(command: list[str], folder: Path | None = None, **around: str) -> None:
    """Run a command, in a folder and with further variables around it; RuntimeError where it fails."""
    done = subprocess.run(command, cwd=folder, env=os.environ | around, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[3:])} ended with {done.returncode}: {done.stderr.strip()}")


def _processor(command: list[str]) -> float:
    """Run a command and return its processor time in s, which other programs of the machine touch least."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def timed(work: Callable[[], object]) -> Timed:
    """Return what does some work and returns the seconds of the clock that it took."""

    def seconds() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return seconds


def main() -> None:
    """Measure, write the ratios, and say what moved."""
    parser = argparse.ArgumentParser(prog="python -m bench.quick", description=__doc__)
    parser.add_argument("out", type=Path, help="folder of bench_quick.csv")
    parser.add_argument("--keep", action="store_true", help="let these be what the next runs are compared with")
    options = parser.parse_args()
    from nem2e_lib.training import devices

    devices.configure()
    with waits() as measured:
        now = ratios(measured)
    now["machine"] = f"{os.uname().machine}, {devices.cores()} cores"
    for path in [options.out / KEPT.name, *([KEPT] if options.keep else [])]:
        path.parent.mkdir(parents=True, exist_ok=True)
        now.to_csv(path, index=False, float_format="%.4g", lineterminator="\n")
    if KEPT.exists() and not options.keep:
        print(said(against(now, pd.read_csv(KEPT))))


if __name__ == "__main__":
    main()
