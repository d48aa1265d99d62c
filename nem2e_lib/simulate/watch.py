"""How far a trial has come, read from its log while its process runs."""

from __future__ import annotations

import re
from pathlib import Path

_STEP = re.compile(r"^nem2e: (?P<step>.+?) of .*, (?P<start>-?[\d.]+) to (?P<end>-?[\d.]+) s$")
_TIME = re.compile(r"(?:computeControls, t|^time) = (?P<time>-?[\d.]+(?:e-?\d+)?)")
_SCARCE = "scaling", "inverse kinematics", "inverse dynamics"
"""Steps that tell no time, and are done in seconds."""


def reached(log: Path) -> str:
    """Step and share of its window that a trial has come to: ``computed muscle control 45 %``; empty if unknown.

    Reads what `nem2e_lib.simulate.steps.run_tool` and OpenSim write into the log, wherever the process runs that shares
    the folder.
    """
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    step, window, time = "", (0.0, 0.0), None
    for line in lines:
        if begun := _STEP.match(line):
            step, window, time = begun["step"], (float(begun["start"]), float(begun["end"])), None
        elif told := _TIME.search(line):
            time = float(told["time"])
    if not step or time is None or step in _SCARCE:
        return step
    share = (time - window[0]) / max(window[1] - window[0], 1e-9)
    return f"{step} {100 * min(max(share, 0.0), 1.0):.0f} %"
