"""Files of states, which OpenSim 4.6 damages when the interpreter ends."""

from __future__ import annotations

from pathlib import Path

from nem2e_lib.data.files import read_bytes, replacing
from nem2e_lib.data.storage import read_storage, write_storage
from nem2e_lib.errors import Nem2eError

KEPT = "_kept.sto"


def keep_states(path: Path) -> Path:
    """Copy a file of states while the process that made it still runs, and return the copy.

    OpenSim 4.6 writes the header of ``…_states.sto`` again when the interpreter ends, over its own first lines.
    """
    copy = path.with_name(path.stem + KEPT)
    with replacing(copy) as temporary:
        temporary.write_bytes(read_bytes(path))
    return copy


def is_damaged(path: Path) -> bool:
    """Whether a file's header was written over: more than one line of labels, or no rows stated before many."""
    head = read_bytes(path)[:200_000].decode("utf-8", "replace")
    return head.count("\ntime\t") > 1


def repair_states(path: Path, target: Path | None = None) -> Path:
    """Write a damaged file of states anew with a whole header; data are bit for bit the same.

    Raises
    ------
    Nem2eError
        If no line of labels is left in the file, or it has no rows.
    """
    storage = read_storage(path)
    if not len(storage.time):
        raise Nem2eError(f"{path}: no rows are left after the header, so that nothing can be repaired; simulate again.")
    write_storage(target or path, storage)
    return target or path
