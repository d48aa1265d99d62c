"""Sentences of 18_timing: each number from its table, one person worded as one person."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

from nem2e_lib.paper import timing as told
from nem2e_lib.training.units import CAVEAT

UNIT = {"study": "planted", "unit": "subject", "synthetic": False}


def row(**what: Any) -> dict[str, Any]:
    usual = {
        "muscle": "tib",
        "ci_low": 0.0,
        "ci_high": 1.0,
        "n": 9,
        "of_units": 9,
        "cycles": 9,
        "of_cycles": 9,
        "reason": "",
    }
    return {**UNIT, **usual, **what}


def test_one_person_is_not_people() -> None:
    people = pd.DataFrame([row(), row(study="one", unit="speed", of_units=4), row(study="made", synthetic=True)])
    assert told.who(people) == [
        "planted: intervals are over 9 held-out subjects.",
        "one: intervals are over 4 held-out speeds of one person: they say nothing of other people, and 4 are few.",
        "made: SYNTHETIC data; intervals are over 9 held-out subjects.",
    ]
    (blocks,) = told.who(pd.DataFrame([row(unit="block", of_units=5)]))
    assert "5 held-out blocks of cycles of one person" in blocks
    assert blocks.endswith(CAVEAT)


def test_what_is_sure_is_said_and_what_is_not_is_counted() -> None:
    means = pd.DataFrame(
        [
            row(method=method, measure=measure, mean=mean)
            for method, mean in {"opensim": 9.0, "mean_curve": 4.0, "one_entire": 3.0}.items()
            for measure in ("onset_off", "offset_off", "peak_off")
        ]
    )
    some = {"muscle": "all muscles", "method": "one_entire", "ci_low": -0.2, "ci_high": -0.1}
    against = pd.DataFrame(
        [
            row(**some, measure="onset_off", against="mean_curve", difference=-0.15, p_holm=0.01),
            row(**some, measure="correlation", against="mean_curve", difference=-0.15, p_holm=0.04),
            row(**some, measure="peak_off", against="mean_curve", difference=-0.15, p_holm=0.06),
            row(**some, measure="peak_off", against="opensim", difference=-0.15, p_holm=0.5),
        ]
    )
    (said,) = told.off_told(means, against)
    assert "onset is off by 9.0 % (OpenSim), 4.0 % (training-mean curve), 3.0 % (One-Entire)" in said
    assert (
        "One-Entire: onset −0.15 (−0.20 to −0.10, better), Fisher's z of the correlation −0.15 (−0.20 to −0.10, worse)"
        in said
    )
    assert "1 of 3 differences between networks and the mean curve are not sure" in said
    assert said.endswith("1 of 1 differences between networks and OpenSim are not sure after Holm's correction.")
    (few,) = told.off_told(means, against.assign(n=4))
    assert "better" not in few
    assert few.endswith("From 4 held-out units no difference from OpenSim is shown: it takes 6.")


def test_the_nearest_to_emg_is_named() -> None:
    means = {"measured": 0.5, "opensim": 0.2, "one_entire": 0.6, "mean_curve": 0.45}
    rows = pd.DataFrame([row(method=name, measure="overlap", mean=mean) for name, mean in means.items()])
    (said,) = told.together_told({"planted": rows})
    assert "over 1 pair of antagonists (tib) the common area is 0.50 in EMG" in said
    assert said.endswith("By these means training-mean curve is nearest to EMG.")


def test_a_model_that_warned_or_failed_is_told() -> None:
    base = row(
        scope="these muscles",
        a="one_entire",
        b="mean_curve",
        difference=-0.1,
        p_value=0.02,
        converged=True,
        warned="",
        n_units=9,
    )
    (fine,) = told.mixed_told(pd.DataFrame([base]))
    assert fine.endswith(
        "for other people and these muscles: One-Entire − training-mean curve −0.10 (+0.00 to +1.00, p 0.020)."
    )
    (bad,) = told.mixed_told(pd.DataFrame([base | {"warned": "boundary", "converged": False, "unit": "speed"}]))
    assert "for other speeds of this one person" in bad
    assert "p 0.020" in bad
    (few,) = told.mixed_told(pd.DataFrame([base | {"n_units": 4, "unit": "speed"}]))
    assert few.endswith("−0.10 (+0.00 to +1.00). No p from fewer than 6 of them.")
    assert "The fit warned" in bad
    assert "did not converge" in bad
    (none,) = told.mixed_told(pd.DataFrame([base | {"reason": "1 muscle: it needs two."}]))
    assert none == "planted: no model can be fitted. 1 muscle: it needs two."


def test_an_order_that_moves_is_told() -> None:
    rows = [
        {"scale": "as given", "best": "ridge_all", "spearman": 1.0, "er_from": -0.4},
        {"scale": "mean of the person", "best": "mean_curve", "spearman": 0.5, "er_from": -0.6},
    ]
    (said,) = told.orders_told(pd.DataFrame([row(**one, n_methods=3) for one in rows]))
    assert "runs from −0.60 to −0.40 over 2 normalisations" in said
    assert "ridge, all muscles is first as given, but training-mean curve under mean of the person" in said
    assert said.endswith("at a rank correlation of 0.50 or more.")


def test_cycles_without_a_burst_are_told() -> None:
    cycles = pd.DataFrame([row(method=name, reason=why) for name in ("measured", "opensim") for why in ("", "silent")])
    some = pd.DataFrame([row(method="measured", reason="silent", cycles=1, of_cycles=2)])
    assert told.bursts_told(some, cycles) == ["planted: no burst in measured EMG 1 of 2 curves."]
    none = some.iloc[:0]
    assert told.bursts_told(none, cycles) == ["planted: every curve, measured and estimated, has a burst."]


def test_what_is_not_compared_is_told() -> None:
    rows = [
        row(method=method, measure="onset_off", label=label, value=value)
        for method, values in {"opensim": (1.0, 2.0), "one_quarter": (float("nan"), 3.0)}.items()
        for label, value in zip("AB", values, strict=True)
    ]
    (said,) = told.incomplete_told(pd.DataFrame(rows))
    assert said.startswith(
        "planted: in 1 of 2 muscles of held-out subjects some method has no burst, most often One-Quarter"
    )
    assert told.incomplete_told(pd.DataFrame(rows[:2])) == []


def test_values_show_mean_interval_and_how_many() -> None:
    rows = [
        row(method="opensim", measure="onset_error", mean=5.2, ci_low=1.0, ci_high=9.4),
        row(method="opensim", measure="rmse", mean=0.123, ci_low=float("nan"), ci_high=float("nan"), cycles=7),
    ]
    shown = told.values(pd.DataFrame(rows)).iloc[0]
    assert shown["onset_error"] == "5 (1 to 9)"
    assert shown["rmse"] == "0.12 in 7 of 9"


def test_losses_say_both_errors_and_the_rise() -> None:
    rows = pd.DataFrame([row(method="ridge_own", er_person=-0.5, er_apart=-0.4, rise=0.1, ci_low=0.05, ci_high=0.15)])
    (said,) = told.losses_told({"planted": rows})
    assert said == "planted: ridge, own muscle −0.50 → −0.40 (rise +0.10, +0.05 to +0.15)."
    assert re.search(r"[-]\d", said) is None


@pytest.mark.parametrize("table", ["apart", "normalising"])
def test_kept_tables_are_of_open_recordings(table: str) -> None:
    rows = told.outside.read(table)
    if rows.empty:
        pytest.skip("make study-outside has not been run")
    assert set(rows["study"]) <= {"children", "runner"}
    assert "one_entire" in set(rows["method"])
    assert told.outside.where(rows).startswith("Trained by make study-outside")
