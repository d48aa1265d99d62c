"""Charts whose values readers read off: against the numbers that they are made of, before and after a touch."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import nem2e_lib as nem2e
from nem2e_lib import charts
from nem2e_lib.analysis.learning import CYCLES, SUBJECTS
from nem2e_lib.charts.chart import Chart
from tests.support.touch import calculated, params, picture, touched

SECONDS = 1.2
"""Of every cycle."""


@pytest.fixture(scope="module")
def studies(walking: dict[str, xr.Dataset], running: dict[str, xr.Dataset]) -> dict[str, dict[str, xr.Dataset]]:
    """Two muscles of walking, with durations, and two of running, under one condition and without."""
    few = {name: results.isel(channel=[0, 3]) for name, results in walking.items()}
    zero = np.zeros(next(iter(few.values())).sizes["cycle"])
    ends = {"start_s": ("cycle", zero), "end_s": ("cycle", zero + SECONDS)}
    other = {"one_entire": running["one_entire"].isel(channel=[0, 3])}
    return {"walking": {name: one.assign_coords(ends) for name, one in few.items()}, "running": other}


@pytest.fixture(scope="module")
def waveforms(studies: dict[str, dict[str, xr.Dataset]]) -> Chart:
    return charts.waveforms.waveforms(studies)


def boxes(chart: Chart) -> list[str]:
    """Names of what readers choose, as they stand on the page: Vega puts the last one first."""
    return [param["bind"]["name"].strip() for param in params(chart.spec) if "bind" in param][::-1]


def read(said: list[str], series: str) -> list[float]:
    """Return mean, lowest and highest value that are written out: two decimals of values in steps of 0.001."""
    (text,) = [text for text in said if text.startswith(f"{series} ")]
    return [float(number) for number in re.findall(r"-?\d\.\d\d", text)]


def test_waveforms_say_the_values_of_a_moment(waveforms: Chart, studies: dict[str, dict[str, xr.Dataset]]) -> None:
    of = {"simulated": "one_quarter", "refined": "all_entire", "measured": "one_quarter"}  # made-up conditions differ
    own = {name: one.isel(cycle=one.fold_of_cycle.values == 2, sample=5) for name, one in studies["walking"].items()}
    chosen = {"muscle": "walking: tib", "condition": "all_entire", "person": "subject03"}
    said = touched(waveforms, at=[{"k": 5}], **{name: [{"chosen": value}] for name, value in chosen.items()})
    assert "walking: tib, All-Entire" in said
    assert f"subject03, mean of {own['all_entire'].sizes['cycle']} cycles, band: lowest to highest" in said
    assert "26 % of the cycle, 316 of 1200 ms" in said  # 5 of 19 steps
    for name, condition in of.items():
        values = own[condition][name].sel(channel="tib").values.ravel()
        assert read(said, name) == pytest.approx([values.mean(), values.min(), values.max()], abs=0.0056)


def test_waveforms_of_everybody_are_the_mean_of_means(
    waveforms: Chart, studies: dict[str, dict[str, xr.Dataset]]
) -> None:
    results = studies["walking"]["one_quarter"]  # the first one, whose measured activity stands for all
    measured = results.measured.sel(channel="tib").isel(sample=10).values
    own = [measured[results.fold_of_cycle.values == fold].mean() for fold in range(results.sizes["fold"])]
    mean, sd = np.mean(own), np.std(own, ddof=1)
    said = touched(waveforms)
    assert "walking: tib, One-Entire" in said
    assert f"mean of {len(own)} subjects, band: ± 1 SD" in said
    assert read(said, "measured") == pytest.approx([mean, mean - sd, mean + sd], abs=0.0056)


def test_what_is_drawn_goes_to_csv_with_its_samples_side_by_side(
    waveforms: Chart, studies: dict[str, dict[str, xr.Dataset]]
) -> None:
    results = studies["walking"]["one_entire"]
    fold = results["fold"].values.tolist().index("subject02")
    rows = waveforms.data.query("study == 'walking' and muscle == 'tib' and label == 'subject02' and curve == 'mean'")
    refined = rows[rows["condition"] == "one_entire"].iloc[0]
    mean = results.refined.sel(channel="tib").isel(seed=0, cycle=results.fold_of_cycle.values == fold).mean("cycle")
    numbers = [name for name in waveforms.data if str(name).replace(".", "").isdigit()]
    assert len(numbers) == mean.size == 20
    assert refined[numbers].to_numpy(float) == pytest.approx(mean.values, abs=0.00051)


def test_what_a_study_lacks_is_replaced_and_said(waveforms: Chart) -> None:
    chosen = {"muscle": "running: tib", "condition": "all_entire", "person": "subject09"}
    said = touched(waveforms, **{name: [{"chosen": value}] for name, value in chosen.items()})
    assert "running: tib, One-Entire" in said  # the only condition of running
    assert any(text.startswith("subject09, mean of") for text in said)
    assert "53 % of the cycle" in said  # nothing tells how long these cycles took
    other = touched(waveforms, muscle=[{"chosen": "walking: tib"}], person=[{"chosen": "subject09"}])
    assert "mean of 8 subjects, band: ± 1 SD" in other  # walking has eight
    assert boxes(waveforms) == ["Muscle", "Condition", "Person", "Moment"]


def test_simulated_and_measured_are_listed_once(waveforms: Chart) -> None:
    rows = waveforms.data[(waveforms.data["study"] == "walking") & (waveforms.data["label"] == "subject01")]
    counted = rows.groupby(["series", "condition"]).size().to_dict()
    each = 2 * 3  # muscles; mean, low and high
    names = ("one_quarter", "one_entire", "all_entire")
    assert counted == {
        ("measured", ""): each,
        ("simulated", ""): each,
        **{("refined", name): each for name in names},
    }


@pytest.fixture(scope="module")
def losses(studies: dict[str, dict[str, xr.Dataset]]) -> Chart:
    return charts.losses.losses(studies)


def test_losses_of_an_epoch_are_means_over_models(losses: Chart, studies: dict[str, dict[str, xr.Dataset]]) -> None:
    said = touched(losses, muscle=[{"chosen": "walking: tib"}], at=[{"k": 7}])
    assert "walking: tib, 8 models each" in said
    assert "epoch 8" in said
    for results in studies["walking"].values():
        for loss in ("training_loss", "validation_loss"):
            mean = float(results[loss].sel(channel="tib", epoch=8).mean())
            assert any(text.isascii() and abs(float(text) / mean - 1) < 0.006 for text in said if text[:2] == "0.")
    assert boxes(losses) == ["Muscle", "Condition", "Axis", "Moment"]


def test_losses_are_drawn_on_either_axis_and_one_condition_with_a_band(losses: Chart) -> None:
    linear = [float(text) for text in touched(losses, axis=[{"chosen": "linear"}]) if text.replace(".", "").isdigit()]
    assert 0.0 in linear
    assert picture(losses).count('opacity="0.13"') == 0
    assert picture(losses, condition=[{"chosen": "one_entire"}]).count('opacity="0.13"') == 2
    assert "SYNTHETIC" in losses.title
    assert losses.alt.count(" / ") == 1 + 4  # three conditions of walking, one of running


@pytest.fixture(scope="module")
def errors(studies: dict[str, dict[str, xr.Dataset]]) -> pd.DataFrame:
    return pd.concat([nem2e.errors(one) for own in studies.values() for one in own.values()], ignore_index=True)


def test_er_of_a_unit_stands_in_a_column_and_on_a_line(errors: pd.DataFrame) -> None:
    summary = nem2e.summary(errors)
    printed = summary[summary["study"] == "walking"].rename(columns={"study": "dataset"}).assign(er_mean=-0.77)
    chart = charts.errors.errors(errors, summary, published=printed, synthetic=True)
    walking = errors[errors["study"] == "walking"]
    least = walking.groupby("label")["er"].mean().idxmax()
    assert least in touched(chart)  # whom refining helps least is followed at first
    said = touched(chart, who=[{"label": "subject02"}])
    own = walking.loc[walking["label"] == "subject02", "er"]
    assert {f"{er:+.2f}".replace("-", "−") for er in own} <= set(said)
    assert {"subject02", "mean"} <= set(said)
    assert "subject02" not in touched(chart, who=[{"label": "nobody"}])
    assert boxes(chart)[:2] == ["Study", "Follow"]
    (paper,) = [param for param in params(chart.spec) if param["name"] == "printed"]
    assert paper["value"] is False  # on SYNTHETIC data only when asked for
    assert "as context" in chart.caption
    shares = chart.data.groupby("part").size().to_dict()
    assert shares == {
        "held-out unit": len(errors),
        "mean": len(summary),
        "mean curve": len(summary),
        "printed in the paper": 6,
    }


def test_er_on_real_data_shows_printed_er_at_once_and_does_without(errors: pd.DataFrame) -> None:
    summary = nem2e.summary(errors)
    printed = summary[summary["study"] == "walking"].rename(columns={"study": "dataset"})
    real = charts.errors.errors(errors, summary, published=printed, synthetic=False)
    (paper,) = [param for param in params(real.spec) if param["name"] == "printed"]
    assert paper["value"] is True
    without = charts.errors.errors(errors, summary, synthetic=False)
    assert "printed" not in {param["name"] for param in params(without.spec)}
    assert "paper" not in without.caption


def test_learning_curves_are_read_with_so_many_cycles() -> None:
    rows = [
        ("walking", SUBJECTS, "one_entire", 4, "all cycles of 1 subject", -0.20, -0.25),
        ("walking", SUBJECTS, "one_entire", 28, "all cycles of 7 subjects", -0.45, -0.40),
        ("walking", CYCLES, "one_entire", 4, "4 cycles of all subjects", -0.30, -0.35),
        ("walking", CYCLES, "one_entire", 28, "28 cycles of all subjects", -0.45, -0.40),
    ]
    names = ["study", "experiment", "condition", "n_training", "trained_on", "er_mean", "er_mean_curve"]
    table = pd.DataFrame(rows, columns=names).assign(n=8, unit="subject")
    table = table.assign(ci_low=table["er_mean"] - 0.05, ci_high=table["er_mean"] + 0.05)
    chart = charts.learning.learning(table, where="Small networks.", synthetic=True)
    last, first = touched(chart), touched(chart, at=[{"k": 0}])
    assert "walking: 28 training cycles" in last
    assert last.count("−0.45 [−0.50, −0.40]") == 2
    assert {"−0.20 [−0.25, −0.15]", "−0.30 [−0.35, −0.25]", "−0.25", "−0.35"} <= set(first)
    assert (
        "walking, One-Entire: Er −0.20 with all cycles of 1 subject, −0.45 with all cycles of 7 subjects." in chart.alt
    )
    assert chart.caption.endswith("Small networks.")
    assert boxes(chart) == ["Moment"]  # one study is no choice


def test_no_expression_writes_a_column_that_it_reads(waveforms: Chart, losses: Chart, errors: pd.DataFrame) -> None:
    """Vega computes columns anew in place when a choice changes: what reads itself would drift with every touch."""
    for chart in (waveforms, losses, charts.errors.errors(errors, nem2e.summary(errors), synthetic=True)):
        written = calculated(chart.spec)
        assert written
        assert [name for name, expression in written if re.search(rf"\bdatum\.{name}\b", expression)] == []


@pytest.mark.slow
def test_scripts_of_a_whole_study_stay_small(running: dict[str, xr.Dataset]) -> None:
    for chart in (charts.losses.losses({"running": running}), charts.waveforms.waveforms({"running": running})):
        assert len(chart.script("it").encode()) < 250_000
