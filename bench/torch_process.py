"""PyTorch as a contender, in a process of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bench.work import Floats, Work
from nem2e_lib.training import devices


class Contender:
    """Trains the first models of a work by the fastest of eager or fused Adam and, on a processor, one thread or all.

    Use as a context: the process ends with it.
    """

    def __init__(self, work: Work, models: int, updates: int, device: str):
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / "work.npz"
        np.savez(path, **_arrays(work, models))
        command = [sys.executable, "-m", "bench.torch_loop", str(path)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._options: dict[str, Any] = {"device": device, "models": models, "updates": min(3, updates)}
        self._options |= self._fastest(device) | {"updates": updates}

    def __enter__(self) -> Contender:
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._folder.cleanup()

    def __str__(self) -> str:
        """Describe how it trains."""
        where = f"{self._options['threads']} thread(s)" if self._options["device"] == "cpu" else "cuDNN"
        return f"one after another, {'fused' if self._options['fused'] else 'eager'} Adam, {where}"

    def train(self) -> tuple[float, Floats]:
        """Train; return seconds per model-step and the first model's losses."""
        return self._ask(self._options)

    def _fastest(self, device: str) -> dict[str, Any]:
        tried = {}
        for fused in (False, True):
            for threads in sorted({1, devices.cores()}) if device == "cpu" else [1]:
                some = {"fused": fused, "threads": threads}
                asked = self._options | some
                tried[min(self._ask(asked)[0] for _ in range(2))] = some
        return tried[min(tried)]

    def _ask(self, options: dict[str, Any]) -> tuple[float, Floats]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # told below
            print(json.dumps(options), file=self._process.stdin, flush=True)
        if not (line := self._process.stdout.readline()):
            raise RuntimeError("PyTorch's process ended: its message is above")
        seconds, losses = json.loads(line)
        return seconds, np.array(losses, np.float32)


def _arrays(work: Work, models: int) -> dict[str, Floats]:
    found = {}
    for number, model in enumerate(work.models[:models]):
        found |= {f"{number:03d}/inputs": work.inputs(model), f"{number:03d}/targets": work.targets(model)}
        found |= {f"{number:03d}/{name}": value for name, value in work.weights(model).items()}
    return found
