"""Make, called by a test that an outer make may have called."""

from __future__ import annotations

import os
import subprocess

from nem2e_lib.project import ROOT


def make(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run make in the project, with these variables in its environment and none of an outer make's."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=inherited | variables, capture_output=True, text=True, check=False
    )
