"""The run at the published length: what is committed is whole, and verdicts are laid beside each other by id."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib.analysis import published
from nem2e_lib.paper.studies import long
from nem2e_lib.training.conditions import CONDITIONS
from nem2e_lib.training.config import profile


def test_the_committed_run_is_whole_and_of_the_profile() -> None:
    claims, errors, losses = long.claims(), pd.read_csv(long.ERRORS), pd.read_csv(long.LOSSES)
    assert set(claims["id"]) == set(published.claims()["id"])
    assert claims["synthetic"].all()
    assert set(zip(claims["units"], claims["epochs"], strict=True)) == {(profile("long").units, profile("long").epochs)}
    for table in (errors, losses):
        assert set(table["condition"]) == set(CONDITIONS)
        assert table.groupby("study")["muscle"].nunique().to_dict() == {"running": 16, "walking": 5}
    assert errors.groupby("study")["label"].nunique().to_dict() == {"running": 10, "walking": 8}
    assert losses["epoch"].max() == profile("long").epochs


def test_verdicts_stand_beside_each_other_by_id() -> None:
    checked = pd.DataFrame({"id": ["C1", "C2"], "claim": ["a", "b"], "verdict": ["holds", "holds"], "value": "1"})
    facts = {"units": 64, "epochs": 700, "batching": "vmap", "commit": "c0ffee", "value": "2"}
    trained = pd.DataFrame({"id": ["C2", "C1"], "verdict": ["holds in part", "holds"]}).assign(**facts)
    compared = long.against(checked, trained)
    assert compared.set_index("id")["changes"].to_dict() == {"C1": False, "C2": True}
    assert long.said(compared, trained).startswith(
        "1 of 2 verdicts change: C2. Trained on SYNTHETIC data with 64 units"
    )
    assert long.said(compared.iloc[:1], trained).startswith("0 of 1 verdicts change. ")
    with pytest.raises(pd.errors.MergeError):
        long.against(checked, pd.concat([trained, trained]))


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
