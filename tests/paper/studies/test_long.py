"""The run at the published length: what is committed is whole, and verdicts are laid beside each other by id."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib.analysis import published
from nem2e_lib.data.synthetic.knobs import DEFAULT
from nem2e_lib.paper.run import Run
from nem2e_lib.paper.studies import long
from nem2e_lib.site.saving import save
from nem2e_lib.training.conditions import CONDITIONS
from nem2e_lib.training.config import profile


def test_the_committed_run_is_whole_and_of_the_profile() -> None:
    paths = long.Tables.of("")
    claims, errors, losses = long.claims(), pd.read_csv(paths.errors), pd.read_csv(paths.losses)
    assert set(claims["id"]) == set(published.claims()["id"])
    assert claims["synthetic"].all()
    assert set(zip(claims["units"], claims["epochs"], strict=True)) == {(profile("long").units, profile("long").epochs)}
    for table in (errors, losses):
        assert set(table["condition"]) == set(CONDITIONS)
        assert table.groupby("study")["muscle"].nunique().to_dict() == {"running": 4, "walking": 4}
    assert set(claims["left_out"]) == {
        "walking: 4 of 5 muscles (soleus, bi, tib, rect); running: 4 of 16 muscles (soleus, bi, tib, rect)"
    }
    assert errors.groupby("study")["label"].nunique().to_dict() == {"running": 10, "walking": 8}
    assert losses["epoch"].max() == profile("long").epochs
    for table in (claims, errors, losses):
        assert (table["generator"] == DEFAULT).all()


def test_the_committed_run_on_people_is_whole_and_of_nobody_made_up() -> None:
    paths = long.Tables.of("open")
    claims, errors, losses = long.claims("open"), pd.read_csv(paths.errors), pd.read_csv(paths.losses)
    assert set(claims["id"]) == set(long.claims()["id"])
    assert not long.is_synthetic(claims)
    assert set(zip(claims["units"], claims["epochs"], strict=True)) == {(profile("long").units, profile("long").epochs)}
    for table in (claims, errors, losses):
        assert table["generator"].isna().all()
    for table in (errors, losses):
        assert set(table["condition"]) == set(CONDITIONS)
        assert table.groupby("study")["muscle"].nunique().to_dict() == {"children": 4, "runner": 11}
    assert errors.groupby("study")["label"].nunique().to_dict() == {"children": 10, "runner": 4}
    assert (losses.groupby("study")["epoch"].max() == profile("long").epochs).all()


def test_verdicts_stand_beside_each_other_by_id() -> None:
    checked = pd.DataFrame({"id": ["C1", "C2"], "claim": ["a", "b"], "verdict": ["holds", "holds"], "value": "1"})
    facts = {"units": 64, "epochs": 700, "batching": "vmap", "commit": "c0ffee", "value": "2"}
    facts |= {"synthetic": True, "generator": 1}
    trained = pd.DataFrame({"id": ["C2", "C1"], "verdict": ["holds in part", "holds"]}).assign(**facts)
    compared = long.against(checked, trained)
    assert compared.set_index("id")["changes"].to_dict() == {"C1": False, "C2": True}
    assert long.said(compared, trained).startswith(
        "1 of 2 verdicts change: C2. Trained on SYNTHETIC data of generator 1 with 64 units"
    )
    people = trained.assign(synthetic=False, generator=np.nan)
    assert "Trained on recordings of people with 64 units" in long.said(compared, people)
    assert "make study-long DATA=open" in long.said(compared, people)
    assert long.said(compared.iloc[:1], trained).startswith("0 of 1 verdicts change. ")
    untold = long.against(checked.assign(verdict="cannot be tested"), trained)
    assert not untold["changes"].any()
    assert long.said(untold, trained).startswith("0 of 2 verdicts change. Told by the long run alone: C1, C2. Trained")
    with pytest.raises(pd.errors.MergeError):
        long.against(checked, pd.concat([trained, trained]))


def test_a_run_gets_the_verdicts_of_data_of_its_own_kind_and_no_others(tmp_path: Path) -> None:
    checked = published.claims()[["id", "claim"]].assign(verdict="cannot be tested", value="")

    def run(*, synthetic: bool) -> Any:
        show = lambda shown, name: save(shown, name, tmp_path)  # noqa: E731
        return SimpleNamespace(data="", is_synthetic=synthetic, show=show)

    found = long.beside(run(synthetic=True), checked)
    assert found.trained is not None
    trained = dict(zip(found.trained["id"], found.trained["verdict"], strict=True))
    beside = found.checked.dropna(subset="verdict_long")
    assert dict(zip(beside["id"], beside["verdict_long"], strict=True)) == trained
    assert set(checked["id"]) - set(trained) == {"C16", "C17"}  # of the paper alone
    assert (tmp_path / "claims_long.csv").exists()
    untold = long.beside(run(synthetic=False), checked)
    assert untold.checked is checked
    assert untold.trained is None
    assert "No run at the published length" in str(untold.shown)


def test_people_and_synthetic_studies_have_tables_of_their_own() -> None:
    people, made_up = long.Tables.of("open"), long.Tables.of("")
    assert [path.name for path in people] == [f"long_people_{what}.csv" for what in ("claims", "errors", "losses")]
    assert not set(people) & set(made_up)


def test_the_generator_is_read_from_the_data(running: dict[str, xr.Dataset]) -> None:
    results = running["one_entire"]
    for fake, simulated_by, expected in [
        (1, "synthetic", 1),
        (1, "synthetic, generator 2", 2),
        (0, "OpenSim 4.5, CMC", None),
    ]:
        named = results.assign_attrs(synthetic=fake, simulated_by=simulated_by)
        assert long.generator_of(named) == expected


@pytest.mark.slow
def test_a_run_is_recorded_with_what_it_was_trained_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long, "ROOT", tmp_path)
    run = Run.begin(str(tmp_path / "run"), "smoke")
    for name in run.studies:
        run.segment(name)
        for condition in CONDITIONS:
            run.train(name, condition)
    paths = long.record(run)
    assert [path.parent for path in paths] == [tmp_path / "docs"] * 3
    tables = [pd.read_csv(path) for path in paths]
    made = {long.generator_of(results) for study in run.all_results().values() for results in study.values()}
    assert all({int(one) for one in table["generator"]} == made for table in tables)
    assert set(tables[0]["units"]) == {run.configuration.units}
    assert long.is_synthetic(tables[0])


def test_losses_are_thinned_but_for_the_end(running: dict[str, xr.Dataset]) -> None:
    results = running["one_entire"]
    models = [results.sizes[name] for name in ("seed", "channel", "fold")]
    results = results.assign(diverged=(("seed", "channel", "fold"), np.random.default_rng(1).random(models) < 0.5))
    table = long.losses(results)
    count = results.sizes["epoch"]
    kept = [e for e in range(1, count + 1) if e % long.EVERY == 0 or e > (1 - long.LAST) * count]
    muscle = str(results.channel.values[1])
    own = table[table["muscle"] == muscle]
    assert own["epoch"].tolist() == kept
    expected = results.training_loss.sel(channel=muscle, epoch=kept).mean(["seed", "fold"])
    np.testing.assert_allclose(own["training_loss"], expected)
    assert own["diverged"].unique().tolist() == [int(results.diverged.sel(channel=muscle).sum())]
