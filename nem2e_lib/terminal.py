"""Programs on a terminal: characters that it cannot show, readers that go away, a user who stops them or errs."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from nem2e_lib.error import Nem2eError

MISTAKE, STOPPED, CLOSED = 2, 130, 141
"""Exit codes: a user's mistake; Ctrl-C and a reader that went away as shells count them (128 + signal)."""

_PLAIN = {
    "…": "...",
    "–": "-",
    "—": "-",
    "−": "-",
    "±": "+-",
    "→": "->",
    "·": "*",
    "×": "x",
    "≥": ">=",
    "≤": "<=",
    "²": "2",
    "µ": "u",
    "μ": "u",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
}


@contextmanager
def program() -> Iterator[None]:
    """Run a program: what goes wrong for its user is a line on stderr and an exit code, never a traceback."""
    show_what_can_be_shown()
    try:
        yield
        sys.stdout.flush()
    except Nem2eError as mistake:
        leave(str(mistake), MISTAKE)
    except KeyboardInterrupt:
        leave("stopped.", STOPPED)
    except BrokenPipeError:
        _silence()
        sys.exit(CLOSED)


def leave(line: str, code: int) -> None:
    """Leave with a line on stderr."""
    print(f"nem2e: {line}", file=sys.stderr)
    sys.exit(code)


def show_what_can_be_shown() -> None:
    """Let stdout and stderr replace the characters that their encoding lacks: ``...`` for ``…``, else ``\\u…``."""
    codecs.register_error("nem2e", _replaced)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="nem2e")


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(each) or ascii(each)[1:-1] for each in lacking), error.end


def _silence() -> None:
    """Let what is still to be flushed go nowhere: Python would complain of the closed pipe once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
