"""The front page's answers, from made-up runs whose answers are known."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib.analysis.claims import summarise
from nem2e_lib.figures.style import label_of
from nem2e_lib.paper.answers import Site, answers
from nem2e_lib.paper.guide import all_against_own, done, guide
from nem2e_lib.paper.shared_tables import LEADERBOARD
from nem2e_lib.site.saving import write_csv
from tests.support.judged import LEVELS, er, site

CLAIMS = pd.DataFrame({"id": ["C05", "C07", "C16"], "verdict": ["holds", "not shown", "holds"]})
PAGES = ("touch_leaderboard.csv", "all_against_own.csv", "touch_waveforms.csv.zip", "claims.html", "10_audit.html")
BEATS, GAIN, NEARER = (
    "What beats the mean EMG curve?",
    "Which muscles gain when the network reads all muscles?",
    "Is the refined activity nearer to EMG than the simulated one?",
)


def errors(gains: dict[str, float], units: int) -> pd.DataFrame:
    """Er of One-Entire and of All-Entire, which gains so much in each muscle, in every unit."""
    noise = np.random.default_rng(3).normal(0, 0.01, (2, len(gains), units))
    return pd.DataFrame(
        [
            {"study": "s", "muscle": muscle, "electrode": muscle, "condition": name, "label": f"u{unit}", "er": value}
            for row, (muscle, gain) in enumerate(gains.items())
            for unit in range(units)
            for name, value in (
                ("one_entire", -0.4 + noise[0, row, unit]),
                ("all_entire", -0.4 - gain + noise[1, row, unit]),
            )
        ]
    )


def asked(folder: Path, gains: dict[str, float], units: int = 8, unit: str = "subject") -> dict[str, str]:
    """Answers of a run by question."""
    made: Site = site(folder, er(LEVELS, units=units, unit=unit))
    board = pd.DataFrame({"study": "s", "rank": 1, "method": list(LEVELS), "er_mean": list(LEVELS.values())})
    write_csv(folder / LEADERBOARD.file, board)
    for page in PAGES:
        (folder / page).touch()
    found: Any = SimpleNamespace(
        run=SimpleNamespace(site=folder), cycles={"s": None}, errors=errors(gains, units), units={"s": unit}
    )
    told = guide(found, made, answers(made, ["s"]), CLAIMS)
    return {one.question: one.answer for one in told}


def test_every_answer_comes_out_where_it_is_planted(tmp_path: Path) -> None:
    found = asked(tmp_path, {"tib": 0.2, "rect": 0.0, "soleus": -0.2})
    best = label_of("delayed_kernel_ridge")
    assert found[BEATS].startswith("S: One-Entire")
    assert "All-Entire" not in found[BEATS].partition(". Lowest")[0]
    assert f"Lowest Er: {best} −0.80; mean EMG curve of other subjects −0.30." in found[BEATS]
    assert found[GAIN].startswith("S: shown of tib; worse is shown of soleus; Er is lower in ")
    assert "tib −0.19 [−0.21, −0.17]" in found[GAIN]
    assert "One-Entire −0.50, shown" in found[NEARER]
    assert "All-Entire +0.20, shown otherwise" in found[NEARER]
    assert summarise(CLAIMS).said in found.values()


def test_one_persons_speeds_show_nothing(tmp_path: Path) -> None:
    found = asked(tmp_path, {"tib": 0.2, "soleus": -0.2}, units=4, unit="speed")
    assert found[BEATS].startswith("S: nothing can be shown from 4 speeds. Lowest Er: ")
    assert found[GAIN].startswith("S: nothing can be shown from 4 speeds; Er is lower in 1 of 2 muscles: ")


def test_many_muscles_are_counted_and_not_listed(tmp_path: Path) -> None:
    found = asked(tmp_path, {f"m{number}": 0.2 for number in range(9)})
    assert found[GAIN].endswith("Er is lower in 9 of 9 muscles.")


def test_a_question_whose_page_a_run_lacks_is_not_asked(tmp_path: Path) -> None:
    found = asked(tmp_path, {"tib": 0.2})
    assert {BEATS, GAIN, NEARER} <= set(found)
    assert "Does refined activity begin and peak at the right time?" not in found
    (tmp_path / "18_timing.html").touch()
    assert "Does refined activity begin and peak at the right time?" in asked(tmp_path, {"tib": 0.2})


def test_the_gain_of_all_muscles_is_all_entire_minus_one_entire() -> None:
    table = all_against_own(errors({"tib": 0.2, "soleus": -0.1}, 8)).set_index("muscle")["difference"]
    assert table["tib"] == pytest.approx(-0.2, abs=0.02)
    assert table["soleus"] == pytest.approx(0.1, abs=0.02)


def test_what_was_done_counts_cycles_conditions_and_methods() -> None:
    cycles = xr.Dataset(coords={"cycle": range(30)})
    found: Any = SimpleNamespace(
        cycles={"s": cycles, "t": cycles},
        units={"s": "subject", "t": "speed"},
        any_synthetic=True,
        trained={"s": {"one_entire": 0, "all_entire": 0}, "t": {"one_entire": 0}},
    )
    said = done(found, 17)
    assert "60 gait cycles" in said
    assert "2 conditions and by 15 other methods" in said
    assert "each judged on subjects or speeds" in said
    assert "against SYNTHETIC EMG" in said
