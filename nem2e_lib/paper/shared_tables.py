"""Tables that one notebook saves and another reads: file, page, columns and ids of each, in one place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from nem2e_lib.analysis import contrasts, published, review
from nem2e_lib.error import Nem2eError
from nem2e_lib.site.saving import Saved, save, saved_csv
from nem2e_lib.site.tables import Table
from nem2e_lib.training.conditions import CONDITIONS


@dataclass(frozen=True)
class SharedTable:
    """A table that its notebook saves as CSV for 07_claims, which runs in a process of its own.

    What is decided is decided before it is saved, and stands in the table as an id: numbers in a CSV are rounded, and
    no verdict may hang on their last digit.

    Attributes
    ----------
    name
        Of its file; ``{study}`` stands for a study where each has a file of its own.
    page
        Notebook that saves it.
    columns
        Columns that readers need; there may be more.
    ids
        All values that a column may hold, for columns with a closed list of them.
    complete
        Values that a column must hold in every study, each at least once.
    """

    name: str
    page: str
    columns: tuple[str, ...]
    ids: Mapping[str, Collection[object]] = field(default_factory=dict)
    complete: Mapping[str, Collection[str]] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """Name of its file."""
        return f"{self.name}.csv"

    def of(self, study: str) -> SharedTable:
        """Return the table of a study."""
        return replace(self, name=self.name.format(study=study))

    def save(self, table: Table, site: Path) -> Saved:
        """Save it; a table that its readers would not understand raises `Nem2eError`."""
        wrong = self.problem(table.data)
        if wrong:
            raise Nem2eError(f"{self.file}: {wrong}; mend the table that {self.page} saves.")
        return save(table, self.name, site, page=self.page)

    def read(self, site: Path) -> pd.DataFrame | None:
        """Read it as it was saved; None where its notebook has not run."""
        path = saved_csv(site, self.name)
        return pd.read_csv(path, dtype={"study": str}) if path else None

    def problem(self, data: pd.DataFrame) -> str:
        """Say which column is missing or which id is not known; empty where readers will understand the table."""
        lost = [name for name in self.columns if name not in data]
        if lost:
            return f"there is no column {lost[0]!r}, expected {', '.join(self.columns)}"
        for name, known in self.ids.items():
            strange = sorted(set(map(str, data[name])) - set(map(str, known)))
            if strange:
                return f"column {name!r} has {strange[0]!r}, expected one of {', '.join(map(str, known))}"
        return ""

    def lacking(self, rows: pd.DataFrame) -> str:
        """Say what the rows of a study lack; empty where nothing does."""
        if rows.empty:
            return "any row"
        lost = [(name, one) for name, every in self.complete.items() for one in every if one not in set(rows[name])]
        return f"{lost[0][0]} {lost[0][1]}" if lost else ""


DUELS = SharedTable(
    "duels_table",
    "08_rivals",
    ("study", "a", "b", "difference", "ci_low", "ci_high", "p_holm", "n", "winner"),
)
LEADERBOARD = SharedTable("leaderboard_table", "08_rivals", ("study", "rank", "method", "er_mean"))


def _contrasts(name: str, page: str, family: str) -> SharedTable:
    ids = [one.id for one in contrasts.of_family(family)]
    known = {"id": ids, "answer": contrasts.ANSWERS, "plain_answer": contrasts.ANSWERS}
    return SharedTable(name, page, contrasts.COLUMNS, known, {"id": ids})


CONTRASTS = _contrasts("contrasts_methods", "08_rivals", contrasts.METHODS)
NEEDED = _contrasts("contrasts_input", "13_controls", contrasts.INPUT)
ATTENTION = SharedTable(
    "attention_verdicts",
    "14_attention_tests",
    ("study", "condition", "entropy", "verdict", "spoken_against", "sentence", "effect", "ci_low", "ci_high"),
    {"condition": CONDITIONS, "spoken_against": (True, False), "verdict": contrasts.ANSWERS},
)
_IMPROVEMENT = (review.IMPROVES, review.NO_IMPROVEMENT, review.WORSENS, review.UNDEFINED)
IMPROVEMENT = SharedTable(
    "review_improvement",
    "10_audit",
    ("study", "muscle", "electrode", "condition", "as_published_verdict", "verdict"),
    {"condition": CONDITIONS, "as_published_verdict": _IMPROVEMENT, "verdict": _IMPROVEMENT},
    {"condition": CONDITIONS},
)
AUDIT = SharedTable(
    "audit_rows",
    "10_audit",
    ("consistent", "reading"),
    {"consistent": (True, False), "reading": published.READINGS},
)
ABLATIONS = SharedTable("ablations", "15_ablations", ("study", "condition", "option", "value", "measure"))
