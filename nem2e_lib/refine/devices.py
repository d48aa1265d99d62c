"""The processor's cores as JAX devices, and compiled programs kept between runs."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import jax

_log = logging.getLogger(__name__)


def configure() -> None:
    """Let JAX use every core as a device of its own and keep what it compiles.

    Models are independent, so one device a core trains them without locks. Must come before the first computation of
    the process; later it changes nothing and says so in the log. `NEM2E_CACHE` names the folder of compiled programs
    (default `~/.cache/nem2e`), `NEM2E_DEVICES` sets another number of devices than there are cores.
    """
    cache = Path(os.environ.get("NEM2E_CACHE", Path.home() / ".cache" / "nem2e"))
    jax.config.update("jax_compilation_cache_dir", str(cache / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    try:
        jax.config.update("jax_num_cpu_devices", int(os.environ.get("NEM2E_DEVICES", cores())))
    except RuntimeError:
        _log.info("JAX was in use before nem2e: it keeps its %d devices", len(jax.devices()))


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
