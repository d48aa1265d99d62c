"""Damaged exports: read, or refused in one sentence; never anything else."""

from __future__ import annotations

import random
import warnings
from pathlib import Path

import numpy as np
import pytest

from nem2e_lib.data.exports.formats import read_export
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.error import Nem2eError
from tests.support import exports as made

MARKS = [*'0123456789.,;\t"-eE xX:[]()nan=#%', "Time", "X[s]", "Frame", "", ",,,,", "\t\t"]
FILES = {
    "a.csv": made.noraxon,
    "b.txt": made.noraxon_text,
    "c.slk": lambda: made.sylk(made.noraxon_text()),
    "d.csv": made.emgworks,
    "e.csv": made.discover,
    "f.csv": lambda: made.discover(times=True),
    "g.csv": lambda: made.vicon(after=made.TRAJECTORIES),
    "h.tsv": made.qualisys,
    "i.tsv": lambda: made.qualisys("SAMPLE\tTIME\tR_SOL\tR_TA", lead=True),
    "j.anc": lambda: made.analog()[0],
    "k.forces": lambda: made.forces()[:100],
    "l.emt": made.bts,
}


def damaged(lines: list[str], luck: random.Random) -> list[str]:
    """A few changes, most of them in the header."""
    for _ in range(luck.randint(1, 4)):
        row = luck.randrange(min(len(lines), 14) if luck.random() < 0.7 else len(lines))
        line, at = lines[row], luck.randrange(len(lines[row]) + 1)
        match luck.randrange(6):
            case 0:
                lines = [*lines[:row], *lines[row + 1 :]] or ["x"]
            case 1:
                lines = lines[: row + luck.randint(1, 3)]
            case 2:
                lines = [*lines[:row], luck.choice(lines), *lines[row:]]
            case 3:
                lines[row] = line[:at] + luck.choice(MARKS) + line[at + luck.randint(0, 3) :]
            case 4:
                lines[row] = ""
            case _:
                lines[row] = line.replace(luck.choice(",;\t. "), luck.choice(",;\t. "))
    return lines


def outcome(path: Path) -> Storage | str:
    """What is read, or the sentence that refuses it; warnings are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return read_export(path)
        except Nem2eError as error:
            return str(error)


@pytest.mark.parametrize("name", FILES)
def test_damage_is_refused_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(made.burst, "__defaults__", (0, 0.2, 30.0))
    sound, luck = FILES[name](), random.Random(name)
    for _ in range(60):
        path = made.write(tmp_path / name, damaged(list(sound), luck))
        found = outcome(path)
        if isinstance(found, str):
            assert found.startswith(str(path))
            assert "\n" not in found
        else:
            assert (np.diff(found.time) >= 0).all()
            assert found.values.shape == (len(found.time), len(found.labels))
