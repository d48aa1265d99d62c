"""How long a file of states takes to read: beside OpenSim's own reader and pandas' C parser, which checks nothing."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage

BYTES = 25e6
COLUMNS = 230
REPEATS = 9


def rows(repeats: int = REPEATS) -> list[dict[str, Any]]:
    """Return one row a reader and style of numbers: name, ms (median), speedup (of ours over it; ours: 1).

    The readers take turns, so that what else the machine does meets all of them. OpenSim is left out where it is not
    installed. Raises RuntimeError where the readers do not read the same numbers.
    """
    with tempfile.TemporaryDirectory() as folder:
        return [
            row
            for style, write in (("as OpenSim prints", _as_opensim), ("shortest", write_storage))
            for row in _compare(style, file(Path(folder) / "states.sto", write), repeats)
        ]


def _compare(style: str, path: Path, repeats: int) -> list[dict[str, Any]]:
    found = readers(path)
    for name, read in found.items():  # once unmeasured: imports, caches
        _agree(name, read(), path)
    taken: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(repeats):
        for name, read in found.items():
            start = time.perf_counter()
            read()
            taken[name].append(time.perf_counter() - start)
    ms = {name: 1e3 * float(np.median(seconds)) for name, seconds in taken.items()}
    size = path.stat().st_size / 1e6
    return [
        {"name": f"{name}, {size:.0f} MB, numbers {style}", "ms": value, "speedup": value / ms["nem2e"]}
        for name, value in ms.items()
    ]


def readers(path: Path) -> dict[str, Callable[[], Any]]:
    """Return what reads a file of states, by name: ours, pandas, and OpenSim where it is installed."""
    skip = path.read_bytes().split(b"\ntime", 1)[0].count(b"\n") + 1
    readers: dict[str, Callable[[], Any]] = {
        "nem2e": lambda: read_storage(path),
        "pandas": lambda: pd.read_csv(path, sep="\t", skiprows=skip, engine="c"),
    }
    if util.find_spec("opensim"):
        import opensim

        readers["OpenSim"] = lambda: opensim.TimeSeriesTable(str(path))
    return readers


def _agree(name: str, table: Any, path: Path) -> None:
    ours = read_storage(path).values
    if isinstance(table, Storage):
        theirs = table.values
    elif isinstance(table, pd.DataFrame):
        theirs = table.to_numpy()[:, 1:]
    else:
        theirs = table.getMatrix().to_numpy()
    if not np.allclose(ours, theirs, rtol=1e-12, atol=0):
        raise RuntimeError(f"{name} reads other numbers from {path.name} than nem2e")


def file(path: Path, write: Callable[[Path, Storage], None]) -> Path:
    """A SYNTHETIC file of states of about 25 MB: smooth curves with noise, between -1 and 1."""
    count = int(BYTES / (COLUMNS + 1) / (29 if write is _as_opensim else 20))
    seconds = np.arange(count) * 1e-3
    noise = np.random.default_rng(0).standard_normal((count, COLUMNS))
    values = 0.9 * np.sin(2 * np.pi * seconds[:, None] * np.linspace(0.5, 3, COLUMNS)) + 0.01 * noise
    labels = tuple(f"/forceset/muscle_{number}/activation" for number in range(COLUMNS))
    write(path, Storage("SYNTHETIC states", labels, seconds, values))
    return path


def _as_opensim(path: Path, table: Storage) -> None:
    """Write 20 digits after the point in 28 places, as OpenSim 4 prints its results."""
    head = ["time", *table.labels]
    lines = [table.name, "version=1", f"nRows={len(table.time)}", f"nColumns={len(head)}", "inDegrees=no", "endheader"]
    with path.open("w", encoding="utf-8") as file:
        file.write("\n".join([*lines, "\t".join(head)]) + "\n")
        for row in np.column_stack([table.time, table.values]).tolist():
            file.write("\t".join(f"{number:28.20f}" for number in row) + "\n")


if __name__ == "__main__":
    for line in rows():
        print(f"{line['ms']:8.1f} ms  {line['speedup']:6.2f} times nem2e's  {line['name']}")
