"""How JAX computes here, whatever a shell or a notebook has set: what changes a number is pinned, or told.

JAX reads dozens of settings from the environment and from the session that it runs in. Those that change numbers and
have a scope are set for as long as the library computes (`pinned`); the user's own JAX stays as it was. The few that
have none become part of every hash, result and refiner (`altered`), so that nothing made under them is taken for
something made without.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import jax

from nem2e_lib.error import Nem2eError

OWN_FLAGS = "--xla_backend_extra_options=xla_cpu_use_multi_output_fusion"
"""Lets XLA compute several arrays in one loop on a processor, so that the optimiser passes over the weights once."""

HARMLESS_FLAGS = ("--xla_dump_", "--xla_force_host_platform_device_count", "--xla_gpu_cuda_data_dir")
"""How flags of XLA begin that change no number."""

LEFT = {
    "jax_random_seed_offset": 0,
    "jax_disable_most_optimizations": False,
    "jax_optimization_level": "UNKNOWN",
    "jax_exec_time_optimization_effort": 0.0,
    "jax_use_direct_linearize": True,
    "jax_scan3": False,
    "jax_remat3": False,
    "jax_custom_vjp3": False,
}
"""Settings of JAX that change numbers and cannot be set for a while, with their defaults."""

_DEVICES = ("jax_platforms", "jax_platform_name")


@contextmanager
def pinned() -> Iterator[None]:
    """Let JAX compute in this thread as nem2e's numbers are made, as a context or as a decorator.

    Raises
    ------
    Nem2eError
        If JAX is asked for a device that this machine does not have.
    """
    card = backend() != "cpu"
    with ExitStack() as stack:
        for setting in (
            jax.enable_x64(False),
            jax.numpy_dtype_promotion("standard"),
            jax.numpy_rank_promotion("allow"),
            jax.default_prng_impl("threefry2x32"),
            jax.threefry_partitionable(True),
            jax.enable_custom_prng(False),
            jax.legacy_prng_key("allow"),
            jax.debug_key_reuse(False),
            jax.softmax_custom_jvp(False),
            # By default a graphics card multiplies in fewer digits than float32 has, and would train other models.
            jax.default_matmul_precision("highest" if card else None),
            jax.disable_jit(False),
            jax.debug_nans(False),
            jax.debug_infs(False),
            jax.transfer_guard("allow"),
        ):
            stack.enter_context(setting)
        yield


def backend() -> str:
    """Return the kind of device that JAX computes on; Nem2eError where the kind that it is asked for is not there."""
    try:
        return jax.default_backend()
    except (RuntimeError, AssertionError, ValueError) as error:
        asked = {name: value for name, value in _settings().items() if name in _DEVICES and value}
        if not asked:
            raise
        name, value = next(iter(asked.items()))
        reason = str(error).partition("(set JAX_PLATFORMS")[0].strip().rstrip(".").replace("\n", " ")
        raise Nem2eError(
            f"{name.upper()}={value} asks JAX for a device that it does not find"
            f"{f' ({reason[:200]})' if reason else ''}; unset {name.upper()} to compute on what there is, or install "
            "the driver and the JAX of that device (nem2e[cuda] for NVIDIA's)."
        ) from None


def altered() -> str:
    """Return what changes numbers, is not pinned, and is set otherwise than by default; empty where nothing is."""
    now = _settings()
    settings = [f"{name}={now[name]}" for name, default in LEFT.items() if now.get(name, default) != default]
    flags = [
        flag
        for flag in os.environ.get("XLA_FLAGS", "").split()
        if flag != OWN_FLAGS and not flag.startswith(HARMLESS_FLAGS)
    ]
    return " ".join([*settings, *sorted(flags)])


def _settings() -> dict[str, Any]:
    """Return JAX's settings by name, as they are in this thread."""
    return dict(jax.config.values)
