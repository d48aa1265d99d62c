"""Modules that are run as scripts: a user's mistake is one sentence, as on the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable

from nem2e_lib.error import Nem2eError


def script(main: Callable[..., None]) -> None:
    """Call `main` with the arguments of the command line; tell a mistake on stderr and leave with 2."""
    try:
        main(*sys.argv[1:])
    except Nem2eError as mistake:
        print(f"nem2e: {mistake}", file=sys.stderr)
        sys.exit(2)
