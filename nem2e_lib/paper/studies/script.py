"""Modules that are run as scripts: a user's mistake is one sentence, as on the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable

from nem2e_lib.terminal import program


def script(main: Callable[..., None]) -> None:
    """Call `main` with the arguments of the command line; tell a mistake on stderr and leave with 2."""
    with program():
        main(*sys.argv[1:])
