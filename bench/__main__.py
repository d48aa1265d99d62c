"""``python -m bench [OUT] [--quick]``: measure, print, and write bench.json and the pages made from it."""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path
from typing import Any

import jax

from nem2e_lib.training import devices

devices.configure()

from bench import compare, footprint, growth, page, profile, read_storage  # noqa: E402


def main() -> None:
    """Measure everything; the order of the parts keeps memory-hungry ones last."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("out", nargs="?", default="build", type=Path, help="folder of bench.json (default: build)")
    parser.add_argument("--repeats", type=int, default=7, help="interleaved repeats whose median is taken (default: 7)")
    parser.add_argument("--page", type=Path, help="write the page from the measurements to this file, too")
    options = parser.parse_args()
    facts = measure(options.repeats)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "bench.json"
    path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(page.table(facts["rows"]))
    for target in filter(None, [options.out / "bench.md", options.page]):
        page.write(facts, target)
    print(f"{path} and {options.out / 'bench.md'}")


def measure(repeats: int) -> dict[str, Any]:
    """Return all measurements with what they were made on."""

    def say(text: str) -> None:
        print(text, flush=True)

    facts = {
        **page.made(repeats),
        "machine": f"{platform.machine()}, {devices.cores()} cores",
        "device": str(jax.devices()[0].device_kind),
        "rows": list(compare.rows(repeats, say)),
        "growth": growth.rows(say),
        "profile": profile.rows(say),
        "reading": read_storage.rows(),
    }
    return facts | {"demo": footprint.demo(say)}


if __name__ == "__main__":
    main()
