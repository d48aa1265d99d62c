"""``python -m bench.before COMMIT [--page FILE]``: what people wait for at the command line, beside an older state.

Both states run in the same Python with the same packages, by turns, on the same files; seconds are those of the clock,
so nothing else should run. What both write is compared byte for byte.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench import read_storage
from bench.quick import REPEATS, nem2e, run, timed
from nem2e_lib.data.storage.storage import write_storage
from nem2e_lib.project import ROOT
from nem2e_lib.training import devices

SUBJECTS = 3
ASKED = {
    "import nem2e_lib": 0.2,
    "nem2e --help": 0.3,
    "nem2e inspect, 25 MB": 0.5,
    "nem2e refine, programs kept": 2.5,
    "nem2e train --profile smoke, no programs kept": 20.0,
    "nem2e train --profile smoke, programs kept": 6.0,
}
"""Seconds that were asked for, by what people wait for."""


@dataclass(frozen=True)
class State:
    """A state of the library: its name, where it lies, and a folder of its own for what it writes."""

    name: str
    library: Path
    folder: Path

    def run(self, command: list[str]) -> float:
        """Run a command with this state of the library and return the seconds it took."""
        around = {"PYTHONPATH": str(self.library), "NEM2E_CACHE": str(self.folder / "cache")}
        return timed(lambda: run(command, self.folder, **around))()

    def nem2e(self, *words: str | Path) -> float:
        """Run the command line."""
        return self.run(nem2e(*words))


@dataclass(frozen=True)
class Waits:
    """What is measured, of files that both states read."""

    study: Path
    large: Path

    @property
    def all(self) -> Mapping[str, Callable[[State], float]]:
        """The seconds of each, by what people wait for, in an order in which each finds what it needs."""
        return {
            "import nem2e_lib": lambda state: state.run([sys.executable, "-c", "import nem2e_lib"]),
            "nem2e --help": lambda state: state.nem2e("--help"),
            "nem2e inspect, 25 MB": lambda state: state.nem2e("inspect", self.large),
            f"nem2e study check, {SUBJECTS} subjects": lambda state: state.nem2e("study", "check", self.study),
            "nem2e train --profile smoke, no programs kept": self._train_anew,
            "nem2e train --profile smoke, programs kept": self._train,
            "nem2e refine, programs kept": self._refine,
        }

    def _train(self, state: State) -> float:
        words = ["train", self.study, "--method", "one_entire", "--profile", "smoke", "--out", "made.refiner"]
        return state.nem2e(*words)

    def _train_anew(self, state: State) -> float:
        shutil.rmtree(state.folder / "cache", ignore_errors=True)
        return self._train(state)

    def _refine(self, state: State) -> float:
        activation = min(self.study.rglob("*activation.sto"))
        force = min(self.study.rglob("*grf.mot"))
        return state.nem2e("refine", "made.refiner", activation, "--grf", force, "--out", "refined.sto")


@contextmanager
def states(commit: str) -> Iterator[tuple[State, State]]:
    """Yield an older state of the project and this one, the older one checked out until the end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        old = folder / "old"
        subprocess.run(["git", "worktree", "add", "--detach", "-q", old, commit], cwd=ROOT, check=True)
        try:
            both = State(commit, old, folder / "before"), State("now", ROOT, folder / "after")
            for state in both:
                state.folder.mkdir()
            yield both
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", old], cwd=ROOT, check=True)


def measured(waits: Waits, before: State, after: State, repeats: int = REPEATS) -> pd.DataFrame:
    """Measure both states by turns.

    Returns
    -------
    pandas.DataFrame
        One row a thing: before, after (medians over turns, s), ratio (median over turns of after over before), low and
        high (least and greatest of it).
    """
    rows = []
    for what, work in waits.all.items():
        turns = [(work(before), work(after)) for _ in range(repeats + 1)][1:]  # the first finds files in no memory
        taken = pd.DataFrame(turns, columns=["before", "after"])
        ratio = taken["after"] / taken["before"]
        rows.append({"what": what, **taken.median(), "ratio": ratio.median(), "low": ratio.min(), "high": ratio.max()})
        print(f"  {what}: {rows[-1]['before']:.2f} s before, {rows[-1]['after']:.2f} s now", flush=True)
    return pd.DataFrame(rows)


def page(table: pd.DataFrame, before: str, same: bool) -> str:
    """Write down what was measured, in Markdown."""
    lines = [
        "# What people wait for at the command line, before and now",
        "",
        f"Written by `make bench-before BEFORE={before}`: that state of the project and this one in the same Python "
        f"with the same packages, by turns on {devices.cores()} cores, medians of {REPEATS}; seconds of the clock. The "
        f"study is SYNTHETIC walking of {SUBJECTS} subjects. Programs: compiled ones, which are kept between runs.",
        "",
        "| what | before, s | now, s | now / before (least to greatest) | asked, s | |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in table.to_dict("records"):
        asked = ASKED.get(row["what"])
        reached = "" if asked is None else "reached" if row["after"] <= asked else "missed"
        ratio = f"{row['ratio']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
        told = "" if asked is None else f"{asked:g}"
        lines.append(f"| {row['what']} | {row['before']:.2f} | {row['after']:.2f} | {ratio} | {told} | {reached} |")
    said = "the same, byte for byte" if same else "not the same"
    return "\n".join(
        [*lines, "", f"The recording that each state refines with the refiner it has trained is {said}.", ""]
    )


def main() -> None:
    """Measure both states and write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.before", description=__doc__)
    parser.add_argument("commit", help="of the older state")
    parser.add_argument("--page", type=Path, help="write what was measured to this file, too")
    options = parser.parse_args()
    with states(options.commit) as (before, after):
        study = after.folder.parent / "study"
        after.nem2e("synthesize", "walking", "--out", study, "--subjects", str(SUBJECTS))
        waits = Waits(study, read_storage.file(after.folder.parent / "states.sto", write_storage))
        table = measured(waits, before, after)
        same = (before.folder / "refined.sto").read_bytes() == (after.folder / "refined.sto").read_bytes()
    text = page(table, options.commit, same)
    print(text)
    if options.page:
        options.page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
