"""Where blocks of models train other than in this process."""

from __future__ import annotations

import os
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context


def processes(count: int) -> Executor:
    """Return an executor of so many processes with one device each.

    They are started afresh: a forked copy of a process in which JAX has run would lock up. Any other
    `concurrent.futures.Executor` serves as well, such as `dask.distributed.Client.get_executor()`.
    """
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_one_device)


def _one_device() -> None:
    os.environ["NEM2E_DEVICES"] = "1"
