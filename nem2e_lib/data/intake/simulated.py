"""What ``nem2e simulate run`` left among a stranger's files: one activation a trial, and how good it was judged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

TABLE, ACTIVATION = "simulations.csv", "activation.sto"
"""Its table of trials, and the file of each trial that a study takes."""
_COLUMNS = frozenset({"trial", "status", "verdict", "reason", "why"})
_BY = {"cmc": "computed muscle control (OpenSim)", "so": "static optimisation (OpenSim)"}


@dataclass(frozen=True, eq=False)
class Simulated:
    """Results of one call: their folder, and of each trial in it the row of the table."""

    folder: Path
    trials: dict[str, dict[str, str]]

    def holds(self, path: Path) -> bool:
        """Whether a file is one of the results."""
        return path.parent == self.folder or self._trial(path) in self.trials

    def is_activation(self, path: Path) -> bool:
        """Whether a file is the activation of a trial that was finished."""
        name = self._trial(path)
        own = path == self.folder / name / ACTIVATION
        return own and self.trials.get(name, {}).get("status") in ("done", "skipped")

    def by(self, path: Path) -> str:
        """Return what computed an activation, as ``simulated_by`` says it; empty where that is not known."""
        try:
            asked = json.loads((path.parent / "manifest.json").read_text(encoding="utf-8"))["asked"]
        except (OSError, ValueError, KeyError, TypeError):
            return ""
        return next((_BY[step] for step in reversed(asked) if step in _BY), "")

    def told(self) -> Iterator[str]:
        """Yield what is to be known of the trials, one sentence each."""
        done = [name for name, row in self.trials.items() if row["status"] in ("done", "skipped")]
        yield f"{self.folder}: results of 'nem2e simulate run', of which {ACTIVATION} of {len(done)} trials is taken."
        for name, row in self.trials.items():
            if name not in done:
                yield f"{self.folder / name}: left out, its simulation {row['status']}: {row['reason'].rstrip('.')}."
            elif row["verdict"] == "poor":
                yield f"{self.folder / name}: its simulation was judged poor: {row['why'][:200].rstrip('.')}."

    def _trial(self, path: Path) -> str:
        """The first folder below the results that a path goes through."""
        inside = path.relative_to(self.folder).parts if path.is_relative_to(self.folder) else ()
        return inside[0] if len(inside) > 1 else ""


def simulated(paths: Iterable[Path]) -> list[Simulated]:
    """Return the results that lie among files."""
    found = []
    for path in paths:
        if path.name != TABLE:
            continue
        try:
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
        except (OSError, ValueError):
            continue
        if set(table.columns) >= _COLUMNS:
            found.append(
                Simulated(
                    path.parent,
                    {
                        str(row["trial"]): {str(key): str(value) for key, value in row.items()}
                        for row in table.to_dict("records")
                    },
                )
            )
    return found
