"""The demo grid as `make paper` trains it: how long, and how much memory, in a process of its own."""

from __future__ import annotations

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
            command = [sys.executable, "-m", "bench.footprint", motion, condition]
            ran = subprocess.run(command, check=True, capture_output=True, text=True)
            found.append(json.loads(ran.stdout.splitlines()[-1]))
            say(f"demo {motion}, {condition}: {found[-1]['seconds']:.0f} s, {found[-1]['peak_gb']:.2f} GB")
    return found


def _train(motion: str, condition: str) -> dict[str, Any]:
    from nem2e_lib.data.synthetic import synthetic_cycles
    from nem2e_lib.refine.config import profile
    from nem2e_lib.refine.training import train_condition

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


if __name__ == "__main__":
    print(json.dumps(_train(*sys.argv[1:3])))
