"""What all tasks of a training share, sent once: a file beside the models, in place of a copy in every task.

The grid of a large study holds a hundred megabytes, and its tasks are hundreds: with a copy in each, they would not fit
into the memory of the process that hands them out.
"""

from __future__ import annotations

import hashlib
import pickle
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from platform import node

from nem2e_lib.error import Nem2eError
from nem2e_lib.training.grid import Grid
from nem2e_lib.training.store import write


@dataclass(frozen=True)
class Sent:
    """A grid as tasks carry it: its file, which every process reads once, and the SHA-256 of that."""

    path: Path
    digest: str

    @property
    def grid(self) -> Grid:
        """The grid.

        Raises
        ------
        Nem2eError
            If a worker does not find the file as it was written: the store is not on a disk that all of them see.
        """
        return _read(self)


@contextmanager
def sent(grid: Grid, folder: Path) -> Iterator[Sent]:
    """Keep a grid in a folder that all workers see, as long as the block lasts.

    Raises
    ------
    Nem2eError
        If the file cannot be written.
    """
    content = pickle.dumps(grid, protocol=pickle.HIGHEST_PROTOCOL)
    path = folder / f"{secrets.token_hex(8)}.grid"
    write(path, content)
    try:
        yield Sent(path, hashlib.sha256(content).hexdigest())
    finally:
        path.unlink(missing_ok=True)


@lru_cache(maxsize=1)
def _read(told: Sent) -> Grid:
    where = f"{told.path}, as {node() or 'a worker'} sees it"
    try:
        content = told.path.read_bytes()
    except OSError as error:
        raise Nem2eError(
            f"{where}: cannot be read ({error.strerror}), but what is trained on is expected there; let the store lie "
            "on a disk that every worker can read and write."
        ) from error
    if hashlib.sha256(content).hexdigest() != told.digest:
        raise Nem2eError(f"{where}: is not the file that was written there; start again, finished models are kept.")
    found: Grid = pickle.loads(content)  # as safe as the task: its digest came with that
    return found
