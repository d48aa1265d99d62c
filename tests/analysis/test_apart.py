"""A person and a speed left out at once: what each cycle's model has seen, and what leaving out costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib.analysis import apart
from nem2e_lib.analysis.statistics import one_sample
from nem2e_lib.error import Nem2eError
from nem2e_lib.rivals import Fitted, MeanCurve, RidgeOwn, Simulated, evaluate
from nem2e_lib.rivals.protocol import Array


def study(people: int = 4, speeds: tuple[str, ...] = ("slow", "fast"), *, condition: bool = False) -> xr.Dataset:
    """Two cycles a person and speed; EMG is the simulated activation twice over, and more at the last speed."""
    random = np.random.default_rng(0)
    rows = [(f"P{p}", speed, k) for p in range(people) for speed in speeds for k in range(2)]
    activation = random.random((len(rows), 20, 2))
    more = np.array([0.3 * (speed == speeds[-1]) for _, speed, _ in rows])
    emg = 2 * activation + more[:, None, None]
    subject, named, _ = (np.array(column) for column in zip(*rows, strict=True))
    trial = np.array([f"{p}_{speed}" for p, speed, _ in rows])
    told = {"condition": ("cycle", named)} if condition else {}
    coords = {
        "cycle": np.arange(len(rows), dtype=np.int32),
        "sample": np.linspace(0, 100, 20),
        "muscle": ["tib_ant_r", "soleus_r"],
        "channel": ["tib", "soleus"],
        "target": ("channel", ["tib_ant_r", "soleus_r"]),
        "electrode": ("channel", ["tib", "soleus"]),
        "subject": ("cycle", subject),
        "speed": ("cycle", np.full(len(rows), "1") if condition else named),
        "speed_m_s": ("cycle", np.where(named == speeds[0], 1.0, 2.0)),
        "trial": ("cycle", trial),
        "number": ("cycle", np.array([k for *_, k in rows], np.int32)),
        "start_s": ("cycle", np.zeros(len(rows))),
        "end_s": ("cycle", np.ones(len(rows))),
        **told,
    }
    dims = ("cycle", "sample")
    arrays = {"activation": ((*dims, "muscle"), activation), "emg": ((*dims, "channel"), emg)}
    names = ("study", "motion", "simulated_by", "cycle_definition", "citation", "licence")
    return xr.Dataset(arrays, coords, dict.fromkeys(names, "planted") | {"synthetic": 1})


@dataclass(frozen=True)
class Spy:
    """Tells of what it was fitted to: predicts the number of training cycles, and remembers who they were of."""

    seen: tuple[list, ...]
    name: str = "spy"

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        who = set(zip(simulated.subject.tolist(), simulated.pace.tolist(), strict=True))

        def predict(held: Simulated) -> Array:
            asked = set(zip(held.subject.tolist(), held.pace.tolist(), strict=True))
            self.seen[0].append((who, asked))
            return np.full((len(held), *measured.shape[1:]), float(len(measured)))

        return Fitted(predict, 0)


def test_no_model_has_seen_the_person_or_the_speed() -> None:
    seen: tuple[list, ...] = ([],)
    found = apart.rivals_apart(study(), Spy(seen))
    assert (found.refined == 6).all()  # 3 other people x 2 cycles at the other speed
    assert found.sizes["cycle"] == 16
    kept = {"slow": 2.0, "fast": 1.0}  # the speed that training has, by the one that is left out
    assert all({p for p, _ in who}.isdisjoint({p for p, _ in asked}) for who, asked in seen[0])
    assert {pace for who, _ in seen[0] for _, pace in who} == set(kept.values())
    assert all(len({pace for _, pace in who}) == 1 for who, _ in seen[0])


def test_the_mean_curve_of_the_results_is_that_of_the_rival() -> None:
    found = apart.rivals_apart(study(), MeanCurve())
    assert np.allclose(found.refined.isel(seed=0), found.mean_curve)
    assert not np.allclose(found.mean_curve, evaluate(study(), MeanCurve()).mean_curve)


def test_a_channel_that_somebody_lacks_is_refined_for_the_others() -> None:
    cycles = study()
    cycles.emg[:4, :, 1] = np.nan
    found = apart.rivals_apart(cycles, RidgeOwn())
    assert list(found.channel.values) == ["tib", "soleus"]
    assert np.isfinite(found.refined.sel(channel="tib")).all()
    assert np.isnan(found.refined.sel(channel="soleus").isel(cycle=slice(0, 4))).all()
    assert np.isfinite(found.refined.sel(channel="soleus").isel(cycle=slice(4, None))).all()


def test_conditions_take_the_place_of_one_speed() -> None:
    cycles, which = apart.by_circumstance(study(condition=True))
    assert which == "condition"
    assert set(cycles.speed.values) == {"slow", "fast"}
    assert apart.by_circumstance(study())[1] == "speed"
    assert (apart.rivals_apart(study(condition=True), Spy(([],))).refined == 6).all()


def test_what_cannot_be_left_out_is_said() -> None:
    assert apart.cannot(study()) == ""
    assert apart.cannot(study(people=1)) == (
        "planted: a person and a speed cannot be left out at once; it has 1 person at 2 speeds (fast, slow), expected "
        "two of each."
    )
    with pytest.raises(Nem2eError, match="cannot be left out"):
        apart.rivals_apart(study(speeds=("slow",)), MeanCurve())


def test_losses_are_paired_over_people() -> None:
    cycles = study()
    units = apart.unit_errors(
        {"ridge_own": apart.rivals_apart(cycles, RidgeOwn())}, {"ridge_own": evaluate(cycles, RidgeOwn())}
    )
    table = apart.losses(units).set_index("method")
    wide = units[units["method"].eq("ridge_own")].pivot_table(index="label", columns="left_out", values="er")
    test = one_sample(wide[apart.AND_SPEED] - wide[apart.PERSON])
    row = table.loc["ridge_own"]
    assert (row["rise"], row["ci_low"], row["ci_high"]) == pytest.approx((test.mean, test.ci_low, test.ci_high))
    assert row["rise"] > 0  # EMG of the other speed lies higher than any it was fitted to
    assert table.loc["mean_curve", "rise"] > 0
    assert pd.isna(table.loc["mean_curve", "against_curve"])
    assert row["n"] == 4
