"""The committed study of attention, and what 14_attention_tests shows of it, from planted tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.analysis.attention_verdicts import encoder_summary, order_summary
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures import attention_tests as figures
from nem2e_lib.paper.run import Run
from nem2e_lib.paper.studies import NOT_SHOWN
from nem2e_lib.paper.studies import attention as module
from nem2e_lib.paper.studies.attention import (
    FOLDER,
    LONG,
    NAMES,
    PIECES,
    KnownTruth,
    beside_long,
    long,
    long_rows,
    make,
)
from nem2e_lib.training.results import save_results
from tests.support.cells import run_sections
from tests.support.small import make_cycles
from tests.support.untrained import keep

ABOUT = {
    "score": "general",
    "decoder_state": "encoder",
    "muscle": "tib",
    "study": "running",
    "subjects": 4,
    "units": 32,
    "updates": 800,
    "synthetic": True,
    "commit": "0123456789ab",
}
ENCODERS = ("muscle_lstm", "per_muscle", "input_attention")


def study():
    rows = {name: [] for name in NAMES}
    for place, spatial in enumerate(ENCODERS):
        about = {**ABOUT, "spatial": spatial}
        rows["encoders"] += [
            {
                **about,
                "seed": 0,
                "label": f"s{i}",
                "er": -0.5 - 0.01 * i * place,
                "er_mean_curve": -0.4,
                "entropy": 0.9,
                "uniform_change": 0.01,
            }
            for i in range(4)
        ]
        rows["seeds"].append({**about, "a": "0", "b": "1", "spearman": 0.2, "jaccard": 0.1})
        rows["agreement"].append({**about, "a": "attention", "b": "occlusion", "spearman": 0.1})
        rows["order"] += [
            {
                **about,
                "a": a,
                "b": b,
                "phase": 50.0,
                "by_muscle": 0.1 * place,
                "by_position": 0.5,
                "neighbours": 4.0,
                "tokens": 102,
                "entropy": 0.9,
            }
            for a, b in (("file", "reversed"), ("file", "shuffled 0"), ("reversed", "shuffled 0"))
        ]
        for truth in ("planted", "truth"):
            rows[truth] += [
                {
                    **about,
                    "truth": "planted" if truth == "planted" else "synergists",
                    "tokens": 102,
                    "chance": 10 / 102,
                    "er": -0.5,
                    "er_mean_curve": -0.4,
                    "measure": measure,
                    "precision": 0.2,
                }
                for measure in figures.MEASURES
            ]
    rows["delay"] = [
        {
            **ABOUT,
            "causes": "all",
            "delay_ms": true,
            "seed": seed,
            "entropy": 0.9,
            "er": -0.5,
            "er_mean_curve": -0.4,
            "attention_centre_ms": 0.01 * seed * true,
            "attention_peak_ms": 50.0 + seed,
            "attention_edge": False,
            "gradient_ms": true + 0.01 * seed * true,
            "gradient_edge": False,
        }
        for true in (0.0, 60.0, 120.0)
        for seed in range(2)
    ]
    return {name: pd.DataFrame(table) for name, table in rows.items()}


SECTIONS = (
    "The muscle or its place in the order",
    "Lag and delay",
    "Muscles that truly carry the information",
    "Which encoder, which score",
)


@pytest.fixture
def tested(tmp_path: Path) -> KnownTruth:
    for name, table in study().items():
        table.to_csv(tmp_path / f"attention_{name}.csv", index=False)
    return KnownTruth(tmp_path)


def run(folder: Path, own: bool = False) -> Run:
    made = folder if own else folder / "studies"
    return Run(folder, "smoke", 0, {"running": made / "running"}, "14_attention_tests")


def test_everything_is_saved_and_says_synthetic(tested: KnownTruth, tmp_path: Path) -> None:
    names = run_sections("14_attention_tests", *SECTIONS, run=run(tmp_path), KnownTruth=lambda: tested)
    assert len(names["shown"]) == 9
    site = tmp_path / "site"
    for name in ("order", "lag", "truth", "encoders", "readings"):
        assert len(pd.read_csv(site / f"attention_{name}.csv")) >= 3
        assert "SYNTHETIC" in (site / f"attention_{name}.html").read_text()
    for path in site.glob("*.svg"):
        assert "SYNTHETIC" in path.read_text()


def test_the_verdict_is_computed_and_tells_its_origin(tested: KnownTruth) -> None:
    words = tested.verdict
    assert words.startswith("No spatial attention map passes every test")
    assert "attention: no, it moves 0.01 ms a ms of delay" in words
    assert "input gradient: yes, it moves 1.0" in words
    assert "SYNTHETIC running of generator 1, 4 subjects" in words
    assert "code 0123456789" in words


def test_measured_studies_get_the_verdict_alone(tested: KnownTruth, tmp_path: Path) -> None:
    sections = [*SECTIONS, "Verdict"]
    names = run_sections("14_attention_tests", *sections, run=run(tmp_path, own=True), KnownTruth=lambda: tested)
    assert names["shown"] == [NOT_SHOWN] * 9
    assert not (tmp_path / "site").exists()


def test_without_a_study_it_says_how_to_make_it(tested: KnownTruth, tmp_path: Path) -> None:
    (tmp_path / "attention_order.csv").unlink()
    assert "make study-attention makes it" in KnownTruth(tmp_path).verdict
    with pytest.raises(
        Nem2eError, match=r"attention_order\.csv: there is no such table; make study-attention makes it"
    ):
        _ = KnownTruth(tmp_path).tables


def test_what_is_drawn_is_what_the_tables_hold() -> None:
    tables = study()
    drawn = figures.order_overlap(tables["order"], order_summary(tables["order"]))
    assert "muscle_lstm, tib: 0.00 by muscle, 0.50 by place, 4.0 pairs of neighbours, entropy 0.90." in drawn.caption
    assert len(drawn.data) == 9
    points = figures.error_and_entropy(encoder_summary(tables["encoders"])).figure.axes[0].lines
    assert sorted(float(np.asarray(line.get_ydata())[0]) for line in points[1:]) == pytest.approx([-0.53, -0.515, -0.5])


def test_lags_without_a_peak_are_points_but_not_in_the_mean() -> None:
    delay = study()["delay"]
    delay.loc[(delay["delay_ms"] == 60) & (delay["seed"] == 1), ["gradient_ms", "gradient_edge"]] = [-227.0, True]
    lines = figures.lag_against_delay(delay).figure.axes[0].lines
    points, mean = (np.asarray(line.get_ydata(), float) for line in lines[-2:])
    assert -227.0 in points
    np.testing.assert_allclose(mean, [0.0, 60.0, 120.6])


def test_an_unknown_piece_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"there is no piece 'orders'; choose of {', '.join(PIECES)}"):
        make(tmp_path, ["orders"])


@pytest.mark.skipif(not all((FOLDER / f"attention_{name}.csv").exists() for name in NAMES), reason="not yet made")
def test_the_committed_study_is_read() -> None:
    found = KnownTruth()
    assert "Lag read as the delay" in found.verdict
    assert set(found.readings["readable"]) <= {"yes", "no", "cannot be told"}


def test_results_without_weights_are_measured_by_their_maps_and_replaced_when_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONG", tmp_path / "attention_long.csv")
    results, _ = keep(tmp_path / "models", make_cycles((2, 2, 2)))
    save_results(results, tmp_path / "results" / "one.nc")
    assert long_rows() is None
    for _ in range(2):
        long(tmp_path / "results")
        rows = long_rows()
        assert rows is not None
        assert list(rows["measure"]) == ["entropy", "later", "lag_ms", "late", "between_folds", "slope"]
    assert (rows["epochs"].iloc[0], rows["units"].iloc[0], rows["muscles"].iloc[0]) == (2, 5, "soleus tib")
    assert rows["source"].eq("one.nc").all()
    measured = rows[["study", "condition", "measure", "value", "ci_low", "ci_high", "p_value"]]
    measured = measured.assign(epochs=71, data_hash=results.attrs["data_hash"])
    both = beside_long(measured, rows, synthetic=True)
    assert len(both) == 6
    assert both["same_data"].all()
    np.testing.assert_array_equal(both["value"], both["value_long"])
    assert list(both[["epochs", "epochs_long"]].iloc[0]) == [71, 2]
    assert beside_long(measured, rows, synthetic=False).empty
    assert beside_long(measured, None, synthetic=True).empty


def test_a_folder_without_results_is_told(tmp_path: Path) -> None:
    with pytest.raises(Nem2eError, match=r"holds neither run\.json nor a trained result"):
        long(tmp_path)


def test_the_committed_long_training_names_its_code_and_its_data() -> None:
    rows = pd.read_csv(LONG)
    assert not rows.duplicated([*module.TRAINING, "measure"]).any()
    assert rows[["commit", "source", "data_hash", "units", "epochs"]].notna().all(axis=None)
    assert (rows["ci_low"].isna() | (rows["ci_low"] <= rows["value"])).all()
