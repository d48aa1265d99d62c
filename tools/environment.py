"""Write environment.yml, for conda users, from requirements.lock: ``python tools/environment.py LOCK YML``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

HEAD = """\
# Written by `make lock` from requirements.lock; the same versions for conda users:
#   conda env create -f environment.yml && conda activate nem2e && pip install --no-deps --editable .
name: nem2e
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def pins(lock: str) -> list[str]:
    """The ``name==version`` lines of a hash-pinned lock, in its order, each with the systems that it is for."""
    return re.findall(r"^([A-Za-z0-9._-]+==[^\s\\;]+(?: ; [^\\\n]*[^\\\s])?)", lock, flags=re.MULTILINE)


def environment(lock: str) -> str:
    """The text of environment.yml that says the same as ``lock``."""
    return HEAD + "".join(f"      - {pin}\n" for pin in pins(lock))


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(environment(Path(sys.argv[1]).read_text()))
