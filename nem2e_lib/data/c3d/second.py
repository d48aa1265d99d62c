"""What ezc3d reads of C3D files: in a process of its own, since damaged files make it crash or never come to an end."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Reading = dict[str, NDArray[np.float64]]

_READ = """
import sys, ezc3d, numpy
folder, *paths = sys.argv[1:]
for path, name in zip(paths[::2], paths[1::2]):
    try:
        data = ezc3d.c3d(path)["data"]
        numpy.savez(f"{folder}/{name}.npz", points=data["points"], analogs=data["analogs"])
    except Exception as error:
        told = (str(error).strip().splitlines() or [type(error).__name__])[0]
        open(f"{folder}/{name}.txt", "w", encoding="utf-8", errors="replace").write(told)
"""
_WAIT_S, _A_FRAME_S = 20.0, 1e-3
"""How long is waited for: a file, and each of its frames."""


def second_readings(paths: Sequence[str | Path], frames: Sequence[int]) -> Iterator[Reading | str]:
    """Yield for each file ezc3d's points, shape (4, points, frames), and analogs, shape (1, channels, samples).

    Where it does not read one, the reason instead. All files are read by one process, and by another one after a file
    that ends it.
    """
    with tempfile.TemporaryDirectory(prefix="nem2e-c3d-") as place:
        folder, rest, told = Path(place), list(range(len(paths))), dict[int, str]()
        while rest:
            why = _run(folder, [(paths[each], each) for each in rest], sum(frames[each] for each in rest))
            undone = [each for each in rest if not _done(folder, each)]
            if undone:
                told[undone[0]] = why
            rest = undone[1:]
        for each in range(len(paths)):
            yield told[each] if each in told else _of(folder, each)


def _run(folder: Path, files: Sequence[tuple[str | Path, int]], frames: int) -> str:
    """Read files; returns what to say of the one after which nothing came."""
    named = [text for path, name in files for text in (str(path), str(name))]
    limit = _WAIT_S + _A_FRAME_S * frames + len(files)
    try:
        command = [sys.executable, "-c", _READ, str(folder), *named]
        subprocess.run(command, capture_output=True, check=False, timeout=limit)
    except subprocess.TimeoutExpired:
        return "ezc3d does not come to an end with it"
    return "ezc3d crashes on it"


def _done(folder: Path, number: int) -> bool:
    return any((folder / f"{number}{suffix}").is_file() for suffix in (".npz", ".txt"))


def _of(folder: Path, number: int) -> Reading | str:
    refusal = folder / f"{number}.txt"
    if refusal.is_file():
        return f"ezc3d refuses it ({refusal.read_text(encoding='utf-8')[:120].rstrip('.!')})"
    with np.load(folder / f"{number}.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}
