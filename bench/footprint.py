"""The demo grid as `make paper` trains it: how long, and how much memory, in a process of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONDITIONS = ("one_quarter", "one_entire", "all_entire")
MOTIONS = ("walking", "running")


def demo(say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Train the demo grid of both SYNTHETIC studies; return seconds, models and peak memory of each condition."""
    found = []
    for motion in MOTIONS:
        for condition in CONDITIONS:
            found.append(_in_a_process("_train", motion, condition))
            again = time.time()
            found[-1]["first_s"] = _in_a_process("_begin", motion, condition)["at"] - again
            say(f"demo {motion}, {condition}: {found[-1]['seconds']:.0f} s, {found[-1]['peak_gb']:.2f} GB")
    return found


def _in_a_process(what: str, motion: str, condition: str) -> dict[str, Any]:
    code = f"import json; from bench import footprint; print(json.dumps(footprint.{what}({motion!r}, {condition!r})))"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return dict(json.loads(ran.stdout.splitlines()[-1]))


class _Begun(Exception):
    """The first epochs are done."""


def _begin(motion: str, condition: str) -> dict[str, Any]:
    """Start training, with the compiled programs of an earlier run; return the time at which the first epochs end."""
    from nem2e_lib.data.synthetic import synthetic_cycles
    from nem2e_lib.training import devices
    from nem2e_lib.training.batching import choose
    from nem2e_lib.training.config import profile
    from nem2e_lib.training.engine import Layout
    from nem2e_lib.training.grid import grid
    from nem2e_lib.training.train import Job, run_job

    def stop(epochs: int, loss: float) -> None:
        raise _Begun

    devices.configure()
    work = grid(synthetic_cycles(motion), condition, profile("demo"), "bench")
    plan = choose(work)
    with contextlib.suppress(_Begun):
        run_job(Job(work, next(work.blocks(plan.block)), Layout(plan.width, plan.count), None), stop)
    return {"at": time.time()}


def _train(motion: str, condition: str) -> dict[str, Any]:
    from nem2e_lib.data.synthetic import synthetic_cycles
    from nem2e_lib.training.config import profile
    from nem2e_lib.training.train import train_condition

    cycles = synthetic_cycles(motion)
    began = time.perf_counter()
    results = train_condition(cycles, condition, profile("demo"), progress=False)
    seconds = time.perf_counter() - began
    peak = _peak_bytes() / 1e9
    kept = {name: results.attrs[name] for name in ("models", "updates", "batching")}
    return {"motion": motion, "condition": condition, "seconds": seconds, "peak_gb": peak, **kept}


def _peak_bytes() -> int:
    """Return the most memory this process has held (Linux; `ru_maxrss` would count the parent's, too)."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024
