"""``python -m bench.paper OUT [--profile demo] [--page FILE]``: where the time of ``make paper`` goes.

A run from nothing (no compiled program, no model), another after the code of a figure has changed, and one after the
code that every figure stands on has. What each
program has cost is told by the process that forks them (`nem2e_lib.paper.warm`), what each cell by papermill.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pandas as pd

from nem2e_lib.project import ROOT
from nem2e_lib.training import devices

CHANGED = {
    "the code of a figure": ROOT / "nem2e_lib" / "figures" / "waveforms.py",
    "the code that every figure stands on": ROOT / "nem2e_lib" / "figures" / "style.py",
}
"""Files that are made to look changed, one after another."""
CELLS = 12
"""The dearest cells that are named."""
KERNEL, TRAINING = " kernel", "03_train"
ASKED = {"demo": (360, 60), "smoke": (100, None)}
"""Seconds that were asked for on two cores, by profile: from nothing, and after a change in figures' code."""


def main() -> None:
    """Run ``make paper`` thrice and write down what it has cost."""
    parser = argparse.ArgumentParser(prog="python -m bench.paper", description=__doc__)
    parser.add_argument("out", type=Path, help="folder of what is built, emptied first")
    parser.add_argument("--profile", default="demo", help="of make paper (default: demo)")
    parser.add_argument("--page", type=Path, help="write what was measured to this file, too")
    options = parser.parse_args()
    build = (options.out / "bench-paper").resolve()
    shutil.rmtree(build, ignore_errors=True)
    build.parent.mkdir(parents=True, exist_ok=True)
    first = _make(build, options.profile)
    costs, cells = pd.read_csv(build / f"{options.profile}-seed0" / "costs.csv"), dearest(build)
    again = {}
    for what, path in CHANGED.items():
        path.touch()
        again[f"{what} (`{path.relative_to(ROOT)}`)"] = _make(build, options.profile)
    text = page(options.profile, first, again, costs, cells)
    print(text)
    if options.page:
        options.page.write_text(text, encoding="utf-8")


def _make(build: Path, profile: str) -> float:
    """Run ``make paper`` in a folder of its own and return the seconds it took."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    command = ["make", "paper", f"PROFILE={profile}", f"BUILD={build}", f"OUT={build / 'figures'}"]
    began = time.monotonic()
    with (build.parent / "bench-paper.log").open("ab") as log:
        subprocess.run(
            command, cwd=ROOT, env=inherited | {"NEM2E_CACHE": str(build / "cache")}, stdout=log, stderr=log, check=True
        )
    return time.monotonic() - began


def groups(costs: pd.DataFrame) -> pd.DataFrame:
    """Sum what programs have cost by what they do.

    Parameters
    ----------
    costs
        `nem2e_lib.paper.warm.COLUMNS` of each program.

    Returns
    -------
    pandas.DataFrame
        Columns what, processor_s, share (of all); dearest first. Making programs, or loading them, is told apart from
        the notebooks that do it.
    """
    told = costs["program"]
    what = told.where(told == "imports", "rendering pages, indexes and the site")
    what = what.mask(told.str.endswith(KERNEL), told.str.removesuffix(KERNEL))
    what = what.mask(told.str.startswith(TRAINING) & told.str.endswith(KERNEL), "training")
    own = (costs["processor_s"] - costs["compiled_s"]).clip(lower=0)
    summed = pd.concat([own.groupby(what).sum(), pd.Series({"compiling": costs["compiled_s"].sum()})])
    table = summed.rename("processor_s").rename_axis("what").reset_index()
    return table.assign(share=table["processor_s"] / table["processor_s"].sum()).sort_values(
        "processor_s", ascending=False, ignore_index=True
    )


def dearest(build: Path) -> pd.DataFrame:
    """Return the cells that took longest: notebook, cell (its number), seconds, and its first line."""
    rows = []
    for path in build.glob("*/executed/*.ipynb"):
        code = [one for one in nbformat.read(path, as_version=4).cells if one.cell_type == "code"]
        for number, cell in enumerate(code, start=1):
            seconds = cell.metadata.get("papermill", {}).get("duration") or 0.0
            rows.append((path.stem, number, seconds, next(iter(cell.source.splitlines()), "")))
    table = pd.DataFrame(rows, columns=["notebook", "cell", "seconds", "line"])
    return table.sort_values("seconds", ascending=False, ignore_index=True).head(CELLS)


def page(profile: str, first: float, again: Mapping[str, float], costs: pd.DataFrame, cells: pd.DataFrame) -> str:
    """Write down what was measured, in Markdown."""
    by, asked = groups(costs), ASKED.get(profile, (None, None))
    processor = costs["processor_s"].sum()
    lines = [
        "# Where the time of `make paper` goes",
        "",
        f"Written by `make bench-paper` from one run of `make paper PROFILE={profile}` on {devices.cores()} cores, on "
        "the SYNTHETIC studies, with `.venv` there and nothing else: no compiled program, no model, no page.",
        "",
        f"- From nothing: {first:.0f} s{_beside(first, asked[0])}, {processor:.0f} s of processor time; the most "
        f"memory that a process held was {costs['peak_mb'].max() / 1000:.2f} GB.",
        *(
            f"- After a change in {what}: {seconds:.0f} s{_beside(seconds, asked[1])}."
            for what, seconds in again.items()
        ),
        "",
        "| what | processor, s | share |",
        "| --- | --- | --- |",
        *(f"| {row['what']} | {row['processor_s']:.0f} | {row['share']:.0%} |" for row in by.to_dict("records")),
        "",
        "Compiling counts wall-clock time in which JAX makes programs or loads kept ones; all else is processor time "
        "of the notebook without it.",
        "",
        "The cells that took longest, two notebooks running side by side:",
        "",
        "| notebook | code cell | s | begins |",
        "| --- | --- | --- | --- |",
        *(
            f"| {row['notebook']} | {row['cell']} | {row['seconds']:.0f} | `{row['line']}` |"
            for row in cells.to_dict("records")
        ),
        "",
    ]
    return "\n".join(lines)


def _beside(seconds: float, asked: int | None) -> str:
    """Say what was asked for, and whether that is reached."""
    return "" if asked is None else f" ({asked} s were asked for: {'reached' if seconds <= asked else 'missed'})"


if __name__ == "__main__":
    main()
