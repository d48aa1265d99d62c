"""Write docs/checks.md from the checks themselves: ``python tools/checks_page.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nem2e_lib.data.checks import CHECKS, OF

PAGE = Path(__file__).parents[1] / "docs" / "checks.md"
HEAD = """\
# What nem2e checks

What cannot be right is refused ([study.md](study.md), [storage.md](storage.md)). What is doubtful is told, or a cycle
is skipped for it; a biomechanist decides. Every note of `nem2e study check` ends in the name of its check in brackets,
and `study.toml` can have one ignored, which is then said in the last note:

```toml
[checks]
hum = "ignore"
```

This page is written from `nem2e_lib/data/checks.py`.
"""
TITLES = {
    "trials": "Files and tables",
    "activation": "Simulated activation",
    "emg": "EMG",
    "force": "Ground reaction force",
    "cycles": "Gait cycles",
    "scaling": "Scaling (told by `nem2e simulate`)",
}


def lines() -> Iterator[str]:
    """Yield the page."""
    yield HEAD
    for of in OF:
        yield f"## {TITLES[of]}\n"
        yield "| check | what is found | what follows | threshold after |"
        yield "|---|---|---|---|"
        for check in (each for each in CHECKS.values() if each.of == of):
            follows = "the cycle is skipped" if check.skips else "a note"
            yield f"| `{check.name}` | {check.said} | {follows} | {check.source} |"
        yield ""


def page() -> str:
    """Return the text of docs/checks.md."""
    return "\n".join(lines()).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
