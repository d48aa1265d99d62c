"""What was tried on the way to kernel ridge with a learned delay: docs/tried.csv, a row a variant and study."""

from __future__ import annotations

import pandas as pd

from nem2e_lib.error import Nem2eError
from nem2e_lib.project import ROOT

STUDY = ROOT / "docs" / "tried.csv"


def rows() -> pd.DataFrame:
    """Return every variant that was tried, in the order of trying: step, variant, study, er_mean, synthetic, method."""
    return pd.read_csv(STUDY, dtype={"study": str})


def ridge_of(tried: pd.DataFrame) -> dict[str, float]:
    """Return the Er of ridge regression on all muscles in each study of what was tried: the bar to be cleared.

    Raises
    ------
    Nem2eError
        If a study has none, or several.
    """
    ridge = tried[tried["method"] == "ridge_all"]
    count = ridge["study"].value_counts()
    odd = [study for study in dict.fromkeys(tried["study"]) if count.get(study, 0) != 1]
    if odd:
        raise Nem2eError(
            f"{STUDY}: study {odd[0]} has {count.get(odd[0], 0)} rows whose method is ridge_all, expected one: its Er "
            "is what every variant is measured against."
        )
    return dict(zip(ridge["study"], ridge["er_mean"].astype(float), strict=True))
