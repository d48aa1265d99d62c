"""What training runs on: cores as JAX devices, compiled programs kept between runs, and processes beside this one.

A module of its own: it is asked before JAX is first used.
"""

from __future__ import annotations

import logging
import os
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import jax

from nem2e_lib.error import Nem2eError
from nem2e_lib.training import numerics

_log = logging.getLogger(__name__)

KEPT_S = 0.1
"""Seconds of compilation from which a program is kept: small ones are many, and loading one takes a hundredth."""


def configure() -> None:
    """Let JAX use every core as a device of its own and keep what it compiles.

    Models are independent, so one device a core trains them without locks. Must come before the first computation of
    the process; later it changes nothing and says so in the log. `NEM2E_CACHE` names the folder of compiled programs
    (default `~/.cache/nem2e`), `NEM2E_DEVICES` sets another number of devices than there are cores.

    Raises
    ------
    Nem2eError
        If `NEM2E_DEVICES` is no number of devices, or JAX is asked for a device that is not there.
    """
    if "xla_backend_extra_options" not in (flags := os.environ.get("XLA_FLAGS", "")):
        os.environ["XLA_FLAGS"] = f"{flags} {numerics.OWN_FLAGS}".strip()
    keep_compiled()
    try:
        jax.config.update("jax_num_cpu_devices", _wanted())
    except RuntimeError:
        _log.info("JAX was in use before nem2e: it keeps its %d devices", len(jax.devices()))
    numerics.backend()


def keep_compiled() -> None:
    """Let JAX keep what it compiles between processes, in `NEM2E_CACHE`; see `configure`."""
    cache = Path(os.environ.get("NEM2E_CACHE", Path.home() / ".cache" / "nem2e"))
    jax.config.update("jax_compilation_cache_dir", str(cache / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", KEPT_S)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _wanted() -> int:
    asked = os.environ.get("NEM2E_DEVICES", str(cores()))
    if not (asked.isdecimal() and int(asked) > 0):
        raise Nem2eError(f"NEM2E_DEVICES={asked}: a number of devices is expected, 1 or more; mend or unset it.")
    return int(asked)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processes(count: int) -> Executor:
    """Return an executor of so many processes with one device each.

    They are started afresh: a forked copy of a process in which JAX has run would lock up. Any other
    `concurrent.futures.Executor` serves as well, such as `dask.distributed.Client.get_executor()`.
    """
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_one_device)


def _one_device() -> None:
    os.environ["NEM2E_DEVICES"] = "1"
