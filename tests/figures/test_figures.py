"""Every figure: readable, described, marked, the same bytes twice, and its table is what is drawn."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.collections import PathCollection

from nem2e_lib import figures
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures import schematics
from nem2e_lib.figures.cycles import MOST, cycle_timeline
from nem2e_lib.figures.errors import per_unit, share_out
from nem2e_lib.figures.panels import columns_for, plural, spread_labels
from nem2e_lib.figures.style import Drawn, svg
from nem2e_lib.training.config import PUBLISHED_EPOCHS
from tests.support import look, made_up

Grid = dict[str, xr.Dataset]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def trials() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = [
        {"draw": d, "label": f"s{i // 4}", "trial": i, "method": m, "reference": r, "er": rng.normal(mean, 0.2)}
        for i in range(32)
        for d in range(5)
        for m, mean in (("model", 0.5), ("mean_curve", -0.2))
        for r in ("original input", "changed input")
    ]
    return pd.DataFrame(rows).assign(er_unchanged=-0.3)


@pytest.fixture(scope="module")
def draw(
    running: Grid, walking: Grid, errors: pd.DataFrame, tukey: pd.DataFrame, trials: pd.DataFrame
) -> dict[str, Callable[[], Drawn]]:
    return {
        "1": schematics.framework,
        "2": schematics.network,
        "3a": lambda: figures.refined_curves(walking["one_entire"], errors, letter="a"),
        "3b": lambda: figures.refined_curves(running["all_entire"], errors, letter="b"),
        "4abc": lambda: figures.error_boxes(errors, tukey, study="running", synthetic=True),
        "4d": lambda: figures.error_boxes(errors, tukey, study="walking", letters="d", synthetic=True),
        "5": lambda: figures.loss_curves({"running": running, "walking": walking}),
        "6": lambda: figures.temporal_attention(running["one_entire"]),
        "7": lambda: figures.spatial_attention(running["all_entire"], muscle="tib"),
        "7w": lambda: figures.spatial_attention(walking["all_entire"], muscle="tib"),
        "ranking": lambda: figures.ranking(errors, synthetic=True),
        "shortcut": lambda: figures.shortcut(trials, what="walking, soleus, One-Entire", synthetic=True),
    }


NAMES = ("1", "2", "3a", "3b", "4abc", "4d", "5", "6", "7", "7w", "ranking", "shortcut")


@pytest.mark.parametrize("name", NAMES)
def test_figure_is_readable_and_described(name: str, draw: dict[str, Callable[[], Drawn]]) -> None:
    drawn = draw[name]()
    assert look.clipped(drawn.figure) == []
    assert look.overlaps(drawn.figure) == []
    assert look.small_type(drawn.figure) == []
    assert look.cut_lines(drawn.figure) == []
    assert len(drawn.data) > 0
    assert drawn.title.startswith("SYNTHETIC") == (name not in ("1", "2"))
    assert len(drawn.alt) > 40


@pytest.mark.parametrize("name", NAMES)
def test_svg_is_accessible_and_the_same_bytes_twice(name: str, draw: dict[str, Callable[[], Drawn]]) -> None:
    first, second = draw[name](), draw[name]()
    text = svg(first.figure, first.title, first.alt)
    assert text == svg(second.figure, second.title, second.alt)
    root = ET.fromstring(text)
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == first.title
    assert root.find(f"{SVG}desc").text == first.alt
    assert not re.search(r'(href|src)="https?:', text)
    assert "DOCTYPE" not in text


def test_layout_check_sees_bad_text() -> None:
    drawn = schematics.framework()
    drawn.figure.text(0.999, 0.5, "leaves the canvas", fontsize=6)
    drawn.figure.text(0.2, 0.85, "first", fontsize=9)
    drawn.figure.text(0.2, 0.85, "second", fontsize=9)
    assert "leaves the canvas" in look.clipped(drawn.figure)
    assert ("first", "second") in look.overlaps(drawn.figure)
    assert ("leaves the canvas", 6.0) in look.small_type(drawn.figure)


def test_curves_are_those_of_the_unit_with_the_median_er(walking: Grid, errors: pd.DataFrame) -> None:
    results = walking["one_entire"]
    drawn = figures.refined_curves(results, errors, letter="a")
    mine = errors.query("study == 'walking' and condition == 'one_entire'").groupby("label")["er"].mean()
    label = mine.sort_values().index[3]
    assert set(drawn.data["label"]) == {label}
    fold = list(results["fold"].to_numpy()).index(label)
    here = results.isel(cycle=np.flatnonzero(results["fold_of_cycle"].to_numpy() == fold))
    rows = drawn.data.query("muscle == 'tib' and series == 'refined'")
    expected = here["refined"].sel(channel="tib").isel(seed=0).mean("cycle")
    np.testing.assert_allclose(rows["mean"], expected)
    axis = next(a for a in drawn.figure.axes if a.get_title(loc="left") == "tib")
    colours = {line.get_color(): line.get_ydata() for line in axis.lines}
    np.testing.assert_allclose(colours["#D55E00"], expected)
    np.testing.assert_allclose(colours["#000000"], here["measured"].sel(channel="tib").mean("cycle"))
    np.testing.assert_allclose(colours["#0072B2"], here["simulated"].sel(channel="tib").mean("cycle"))


@pytest.mark.parametrize("muscles", [1, 2, 3, 7, 16])
def test_figures_take_any_study(muscles: int) -> None:
    emg = dict(list(made_up.RUNNING.items())[:muscles])
    grid = made_up.make_grid(
        "running",
        subjects=1,
        numbers=2,
        emg=emg,
        tokens=[*made_up.MUSCLES[:5], "my_muscle_r"],
        unit="speed",
        synthetic=False,
    )
    grid = {c: r.assign_attrs(study="my lab") for c, r in grid.items()}
    errors = pd.concat([made_up.make_errors(r) for r in grid.values()], ignore_index=True)
    tukey = made_up.make_tukey(errors)
    drawn = [
        figures.refined_curves(grid["all_entire"], errors),
        figures.error_boxes(errors, tukey, study="my lab", letters="", synthetic=False),
        figures.loss_curves({"my lab": grid}),
        figures.temporal_attention(grid["one_entire"]),
        figures.spatial_attention(grid["all_entire"], muscle="soleus"),
        figures.ranking(errors, synthetic=False),
    ]
    for one in drawn:
        assert "SYNTHETIC" not in one.title
        assert look.clipped(one.figure) == []
        assert look.overlaps(one.figure) == []
    assert "held-out speed" in drawn[0].caption


def test_boxes_hold_every_unit(errors: pd.DataFrame, tukey: pd.DataFrame) -> None:
    drawn = figures.error_boxes(errors, tukey, study="walking", letters="d", synthetic=True)
    mine = errors[errors["study"] == "walking"]
    assert sorted(drawn.data["er"]) == sorted(mine["er"])
    strips = [c for c in drawn.figure.axes[0].collections if isinstance(c, PathCollection)]
    points = np.concatenate([c.get_offsets()[:, 1] for c in strips])
    np.testing.assert_allclose(np.sort(points), np.sort(mine["er"]))
    drawn_stars = sum(set(t.get_text()) == {"*"} for t in drawn.figure.axes[0].texts)
    assert drawn_stars == int((tukey[tukey["study"] == "walking"]["p_value"] < 0.05).sum())


def test_boxes_refuse_undefined_er(errors: pd.DataFrame, tukey: pd.DataFrame) -> None:
    with pytest.raises(Nem2eError, match="no defined Er for study 'walking'"):
        figures.error_boxes(errors.assign(er=np.nan), tukey, study="walking", synthetic=True)


def test_muscles_are_shared_out_evenly() -> None:
    assert [len(r) for r in share_out([str(i) for i in range(16)], "abc")] == [6, 5, 5]
    assert share_out(["a", "b"], "d") == [["a", "b"]]


def test_models_that_diverged_are_counted_drawn_and_in_the_mean(running: Grid) -> None:
    results = running["one_entire"].copy(deep=True)
    half = results.sizes["epoch"] // 2
    results["training_loss"][0, 2, 3, half:] = 50.0
    drawn = figures.loss_curves({"running": {"one_entire": results}})
    assert set(drawn.data["diverged"]) == {1}
    assert any("1 diverged" in t.get_text() for t in drawn.figure.axes[0].texts)
    training = drawn.data.query("loss == 'training'")
    np.testing.assert_allclose(training["mean"], results["training_loss"].mean(["seed", "channel", "fold"]))
    np.testing.assert_allclose(training["diverged_1"], results["training_loss"][0, 2, 3])
    assert "1 model diverged and counts like any other." in drawn.caption


def test_losses_say_how_long_training_was_and_what_it_cannot_tell(running: Grid) -> None:
    results = running["one_entire"]
    short = figures.loss_curves({"running": {"one_entire": results}})
    count = results.sizes["epoch"]
    assert f"Epochs of training: running {count}; in the paper {PUBLISHED_EPOCHS}." in short.caption
    assert "C12, C13) cannot be tested below the published length" in short.caption
    many = results.isel(epoch=np.arange(PUBLISHED_EPOCHS) % count).assign_coords(epoch=1 + np.arange(PUBLISHED_EPOCHS))
    assert "cannot be tested" not in figures.loss_curves({"running": {"one_entire": many}}).caption


def test_ranking_interval_by_hand() -> None:
    units = pd.DataFrame({"label": ["p0", "p1", "p2"], "er": [-0.5, -0.4, -0.3]})
    errors = units.merge(pd.DataFrame({"muscle": ["a", "b"]}), how="cross")
    errors = errors.assign(study="s", unit="subject", condition="one_entire", er_mean_curve=0.1)
    table = per_unit(errors).query("method == 'one_entire'")
    assert table["mean"].iloc[0] == pytest.approx(-0.4)
    assert table["ci_high"].iloc[0] == pytest.approx(-0.4 + 4.302653 * 0.1 / np.sqrt(3), abs=1e-6)


def test_shortcut_names_a_missing_column(trials: pd.DataFrame) -> None:
    with pytest.raises(Nem2eError, match="lacks the column 'reference'"):
        figures.shortcut(trials.drop(columns="reference"), what="x", synthetic=True)


def test_uniform_attention_is_called_so(running: Grid) -> None:
    flat = running["one_entire"].copy(deep=True)
    flat["attention"][:] = 1 / 20
    drawn = figures.temporal_attention(flat)
    assert "attention is nearly uniform" in drawn.caption
    assert "entropy 1.00 of its maximum" in drawn.caption
    sharp = figures.temporal_attention(running["one_entire"])
    assert "nearly uniform" not in sharp.caption


def test_examples_have_the_lowest_entropy(running: Grid) -> None:
    results = running["one_entire"].copy(deep=True)
    results["attention"][:] = 1 / 20
    results["attention"][0, 4, 7, :10] = np.eye(20)[10]
    results["attention"][0, 9, 3, 10:] = np.eye(20)[0]
    data = figures.temporal_attention(results).data
    names = results["channel"].to_numpy()
    assert set(data.query("example == 'I'")["channel"]) == {names[4]}
    assert set(data.query("example == 'II'")["channel"]) == {names[9]}
    block = data.query("example == 'I' and what == 'attention'")["value"].to_numpy().reshape(20, 20)
    np.testing.assert_allclose(block, results["attention"].to_numpy()[0, 4, 7])


def test_spatial_table_ranks_the_drawn_weights(walking: Grid) -> None:
    results = walking["all_entire"].copy(deep=True)
    results["attention"][:] = 0.001
    results["attention"].loc[{"token": "soleus_l"}] = 0.9
    data = figures.spatial_attention(results, muscle="tib").data
    assert len(data) == 92 * 20
    first = data[data["rank_at_50"] == 1]
    assert set(first["column"]) == {"soleus_l"}
    np.testing.assert_allclose(first["weight"], 0.9)
    assert data.drop_duplicates("column")["rank_at_0"].notna().sum() == 10


def test_spatial_refuses_an_unknown_muscle(walking: Grid) -> None:
    with pytest.raises(Nem2eError, match="no muscle 'deltoid'; expected one of soleus"):
        figures.spatial_attention(walking["all_entire"], muscle="deltoid")


def test_spatial_says_that_time_tokens_have_no_map_of_muscles(walking: Grid) -> None:
    over_time = walking["all_entire"].isel(token=slice(20)).assign_coords(token=walking["all_entire"].output.values)
    with pytest.raises(Nem2eError, match="spatial=time_tokens, whose attention is over time"):
        figures.spatial_attention(over_time, muscle="tib")
    assert "All-Entire: temporal attention" in figures.temporal_attention(over_time).title


def test_spread_labels_keeps_order_gap_and_bounds() -> None:
    rng = np.random.default_rng(1)
    for n in range(1, 11):
        wanted = rng.uniform(0, 1, n)
        places = spread_labels(wanted, gap=0.09, low=0.0, high=1.0)
        assert (np.argsort(places, kind="stable") == np.argsort(wanted, kind="stable")).all()
        assert (np.diff(np.sort(places)) >= 0.09 - 1e-9).all()
        assert places.min() >= -1e-9
        assert places.max() <= 1 + 1e-9
    np.testing.assert_allclose(spread_labels(np.array([0.2, 0.8]), 0.1, 0, 1), [0.2, 0.8])


@pytest.mark.parametrize(("panels", "columns"), [(1, 1), (3, 3), (5, 3), (8, 4), (16, 4)])
def test_panel_columns(panels: int, columns: int) -> None:
    assert columns_for(panels) == columns


def segments(trials: int) -> pd.DataFrame:
    rows = [
        {
            "study": "made-up",
            "trial": f"s{i:02d}_fast",
            "number": k,
            "start_s": k,
            "end_s": k + 0.9,
            "kept": (i, k) not in {(3, 1), (50, 0)},
            "reason": "" if k != 1 else "incomplete: EMG ends",
        }
        for i in range(trials)
        for k in range(3)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("trials", [1, 4, 60])
def test_the_timeline_shows_skipped_cycles_first_and_counts_all(trials: int) -> None:
    report = segments(trials)
    drawn = cycle_timeline(report, synthetic=False)
    assert look.clipped(drawn.figure) == []
    assert look.overlaps(drawn.figure) == []
    shown = set(drawn.data["trial"])
    assert len(shown) == min(trials, MOST)
    assert set(report.loc[~report["kept"], "trial"]) <= shown
    kept = int(report["kept"].sum())
    assert f"{kept} cycles of {plural(trials, 'trial')} kept, {3 * trials - kept} skipped" in drawn.caption
    assert ("Shown: 40 of 60" in drawn.caption) == (trials == 60)
