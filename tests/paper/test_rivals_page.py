"""08_rivals, on a small study: ranks of methods that are told nothing, and what being told adds."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from nem2e_lib.paper.shared_tables import LEADERBOARD
from nem2e_lib.paper.studies import circumstances, tried
from nem2e_lib.rivals import evaluate, rival
from nem2e_lib.site.saving import save
from tests.support.cells import run_sections
from tests.support.small import make_cycles

RIVALS = ("identity", "mean_curve", "speed_curve", "ridge_all", "delayed_ridge")


def page(site: Path) -> dict[str, Any]:
    cycles = make_cycles((4, 4, 4)).assign_coords(speed_m_s=("cycle", np.tile([1.0, 1.2, 1.4, 1.6], 3)))
    run: Any = SimpleNamespace(
        site=site,
        cycles=lambda study: cycles,
        of=lambda study, file: site / study / file,
        show=lambda shown, name: save(shown, name, site),
    )
    stand_in = evaluate(cycles, rival("mean_curve")).assign_attrs(condition="one_entire")
    sections = ("Every rival, every fold", "Leaderboard", "Speed and duration: told to none, or to all")
    return run_sections(
        "08_rivals", *sections, run=run, trained={"tiny": {"one_entire": stand_in}}, rivals=" ".join(RIVALS)
    )


def test_ranks_are_of_methods_that_are_told_nothing_and_what_being_told_adds_stands_beside_them(tmp_path: Path) -> None:
    page(tmp_path)
    board, told = LEADERBOARD.read(tmp_path), pd.read_csv(tmp_path / "told.csv").set_index("method")
    assert board is not None
    assert set(board["method"]) == {*RIVALS, "one_entire"}
    assert (board["rank_low"] <= board["rank"]).all()
    assert (board["rank"] <= board["rank_high"]).all()
    numbers = board.set_index("method")["er_told"]
    assert set(numbers.dropna().index) == {"ridge_all", "delayed_ridge"}
    np.testing.assert_allclose(numbers[["ridge_all"]], told.loc[["ridge_all"], "er_told"])
    assert told.loc["speed_curve", "reason"] == "has speed by nature"
    assert told.loc["one_entire", "reason"] == circumstances.NOT_MEASURED
    assert told.loc["ridge_all", "n"] == 3
    again = evaluate(make_cycles((4, 4, 4)), rival("ridge_all")).refined  # of other speeds, which nobody is told
    kept = evaluate(page(tmp_path)["run"].cycles("tiny"), rival("ridge_all")).refined
    np.testing.assert_array_equal(again, kept)


def test_the_number_of_designs_stands_on_the_page_of_the_leaderboard(tmp_path: Path, capsys: Any) -> None:
    page(tmp_path)
    rows = tried.rows()
    assert f"in {len(rows)} evaluations" in capsys.readouterr().out
    counted = pd.read_csv(tmp_path / "designs_tried.csv")
    assert counted["variants"].sum() == tried.counted(rows)["variants"].sum()
    shown = (tmp_path / "leaderboard_table.html").read_text()
    assert "training folds, nested: penalty" in shown
    assert "Er, told speed and duration" in shown
