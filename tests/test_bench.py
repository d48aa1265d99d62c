"""The benchmark: its contenders do the same work, and its pages can be written from what they measured."""

import json
import sys
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.training import devices

devices.configure()

from bench import (  # noqa: E402
    before,
    card,
    card_page,
    compare,
    engine,
    memory,
    paper,
    plain_flax,
    quick,
    scaling,
    step,
    torch_process,
)
from bench.work import make  # noqa: E402
from nem2e_lib.data.synthetic import synthetic_cycles  # noqa: E402
from nem2e_lib.training.grid import Model  # noqa: E402

SIZE = {"updates": 6, "models": 3, "flax": 2, "torch": 1}


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["temporal", "spatial"])
def test_plain_flax_starts_from_the_same_weights_and_learns_the_same(attention):
    work = make(attention, 8, SIZE["updates"], SIZE["models"])
    ours, flax = engine.Contender(work).train()[1], plain_flax.Contender(work, 2, SIZE["updates"]).train()[1]
    assert compare.agree({"nem2e": ours, "flax": flax}) < compare.TOLERANCE
    with pytest.raises(RuntimeError, match="do not do the same work"):
        compare.agree({"nem2e": ours, "flax": flax * 1.1})


def test_pytorch_does_the_same_work_in_a_process_of_its_own():
    if find_spec("torch") is None:
        pytest.skip("PyTorch is not installed: make bench adds it")
    (row, _, torch) = compare.compare("temporal", 8, SIZE, 2, print, "cpu")
    assert torch["name"] == "torch"
    assert torch["largest_loss_gap"] < compare.TOLERANCE
    assert row["speedup_vs_torch"] == pytest.approx(torch["ms_per_model_step"] / row["ms_per_model_step"])
    assert "torch" not in sys.modules


def test_a_process_without_pytorch_is_told(monkeypatch):
    monkeypatch.setattr(torch_process.sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match="process ended"):
        torch_process.Contender(make("temporal", 8, 3, 1), 1, 3, "cpu")


def test_the_floor_follows_from_the_rates():
    found = memory.floors(64, 1, 20, 20, "cpu")
    assert all(value > 0 for value in found.values())
    moved = memory.traffic(64, 1, 20, 20)
    least = sum(moved[part] / found[f"{part}_gb_per_s"] for part in moved) / 1e6
    np.testing.assert_allclose(found["floor_ms"], least)


def test_the_card_s_page_reckons_the_paper_s_profile(tmp_path):
    row = {"name": "nem2e", "attention": "temporal", "units": 8, "ms_per_model_step": 1.0, "speedup_vs_torch": 2.0}
    row |= {"speedup_vs_flax": 3.0, "fraction_of_floor": 0.5, "floor_ms": 0.5, "gb_per_s": 100.0, "batching": "b"}
    paper = {"motion": "walking", "condition": "one_entire", "models": 40, "batching": "b", "updates": 28}
    facts = {
        "card": "a card",
        "date": "2026-01-01",
        "versions": {"jax": "1"},
        "repeats": 1,
        "rows": [row | {"largest_loss_gap": 0.0}],
        "widths": [{"units": 8, "width": 2, "ms_per_model_step": 1.0}],
        "paper": [paper | {"epoch_s": 2.0, "epochs": 700, "blocks": 3}],
    }
    card_page.write(json.loads(json.dumps(facts)), tmp_path / "page.md")
    assert "All together: 70 minutes on this card." in (tmp_path / "page.md").read_text()


def test_without_a_card_its_bench_says_so_in_one_sentence():
    if card.jax.default_backend() != "cpu":
        pytest.skip("JAX finds a graphics card")
    with pytest.raises(SystemExit, match=r"finds no graphics card; install '.\[cuda\]'"):
        card.about(1)


def test_what_moved_by_more_than_noise_is_told():
    def ratios(*rows):
        return pd.DataFrame(rows, columns=["what", "ratio", "low", "high"])

    before = ratios(("a", 1.0, 0.9, 1.1), ("b", 1.0, 0.9, 1.1), ("c", 1.0, 0.9, 1.1), ("d", 1.0, 0.99, 1.01))
    now = ratios(
        ("a", 1.3, 1.2, 1.4), ("b", 1.3, 1.0, 1.4), ("c", 0.7, 0.6, 0.8), ("d", 1.05, 1.04, 1.06), ("e", 2, 2, 2)
    )
    told = quick.against(now, before)
    assert list(told["verdict"]) == ["slower", "within noise", "faster", "within noise", "new"]
    assert quick.said(told).splitlines()[0] == "2 of 5 moved by more than noise and 10%."
    assert "slower       a: 1.30, kept 1.00 (+30%)" in quick.said(told)


def test_ratios_are_of_turns_and_the_first_does_not_count():
    own, other = iter([9.0, 2.0, 3.0, 4.0]), iter([1.0, 1.0, 1.0, 2.0])
    found = quick.ratios({"a": (lambda: next(own), "b", lambda: next(other))}, 3).iloc[0]
    assert (found["ratio"], found["low"], found["high"], found["seconds"]) == (2.0, 2.0, 3.0, 3.0)


def test_what_make_paper_costs_is_summed_by_what_programs_do():
    rows = [
        ("imports", 7.0, 0.0),
        ("nem2e_lib.paper.notebooks notebooks/03_train.ipynb", 1.0, 0.0),
        ("nem2e_lib.paper.finish publish", 2.0, 0.0),
        ("03_train_walking_one_entire kernel", 30.0, 10.0),
        ("03_train_running_one_entire kernel", 50.0, 10.0),
        ("08_rivals kernel", 25.0, 5.0),
    ]
    costs = pd.DataFrame(rows, columns=["program", "processor_s", "compiled_s"]).assign(wall_s=1.0, peak_mb=500.0)
    table = paper.groups(costs).set_index("what")["processor_s"]
    assert dict(table) == {
        "training": 60.0,
        "compiling": 25.0,
        "08_rivals": 20.0,
        "imports": 7.0,
        "rendering pages, indexes and the site": 3.0,
    }
    assert list(table) == sorted(table, reverse=True)
    cells = pd.DataFrame({"notebook": ["08_rivals"], "cell": [7], "seconds": [99.0], "line": ["wanted = 1"]})
    told = paper.page("demo", 400.0, {"the code of a figure": 50.0}, costs, cells)
    assert "- From nothing: 400 s (360 s were asked for: missed), 115 s of processor time" in told
    assert "- After a change in the code of a figure: 50 s (60 s were asked for: reached)." in told
    assert "asked for" not in paper.page("long", 400.0, {"the code of a figure": 50.0}, costs, cells)
    assert "| training | 60 | 52% |" in told


def test_efficiency_counts_no_more_workers_than_cores():
    rows = [("a", 1, 8, 40.0, 100), ("a", 2, 8, 25.0, 100), ("a", 4, 8, 20.0, 100), ("b", 1, 4, 9.0, 4)]
    table = scaling.compared(pd.DataFrame(rows, columns=scaling.COLUMNS), 2)
    assert list(table["speed_up"]) == [1.0, 1.6, 2.0, 1.0]
    assert list(table["efficiency"]) == [1.0, 0.8, 1.0, 1.0]
    assert list(scaling.compared(pd.DataFrame(rows, columns=scaling.COLUMNS), 8)["efficiency"]) == [1.0, 0.8, 0.5, 1.0]


def test_a_larger_grid_is_reckoned_from_a_smaller_one_and_a_thousand_subjects_from_that():
    small, big = (scaling.large(size, "one_entire") for size in scaling.SIZES)
    rows = [(small, 1, 4, 10.0, 1000), (big, 1, 4, 50.0, 4000), (big, 2, 4, 30.0, 4000)]
    table = scaling.compared(pd.DataFrame(rows, columns=scaling.COLUMNS), 2)
    assert scaling.foretold(table, "one_entire") == (40.0, 50.0)
    # A pass shows each of ten folds of 16 muscles nine tenths of 12,000 cycles: 1,728,000 updates, 80 of them a second.
    assert scaling.whole(table, "one_entire") == pytest.approx(6.0)


def test_a_tenth_of_the_subjects_is_held_out_at_a_time():
    folds = scaling.tenths(synthetic_cycles("running", subjects=12, speeds=1))
    assert np.unique(folds.of_cycle).tolist() == list(range(10))
    assert all(folds.shown(fold).sum() >= 10 * 3 for fold in range(10))


def test_operations_are_shared_out_by_kind():
    names = ["dot.12", "ynn_fusion.3", "wrapped_tanh", "bitcast_dynamic-update-slice_fusion.1", "copy.93"]
    table = pd.DataFrame({"name": names, "size": [60, 60, 120, 60, 60], "sum": [3.0, 1.0, 2.0, 1.0, 1.0]})
    shares = step.shares(table).set_index("kind")
    assert list(shares["share"]) == [0.5, 0.25, 0.25]
    assert list(shares["an_update"]) == [2.0, 2.0, 2.0]


@pytest.mark.slow
def test_the_products_alone_are_those_of_an_update():
    sizes = step.sizes_of("spatial", 2)
    assert sizes == {"models": 2, "tokens": 102, "features": 20, "steps": 20}
    weights, _ = step.alone(**{**sizes, "tokens": 7})()
    of = {name: value.shape for name, value in make("spatial", step.UNITS, 2, 1).weights(Model(0, 0, 0, 0)).items()}
    assert weights["recurrent"].shape == (2, *of["encoder.recurrent"])
    assert weights["inputs"].shape == (2, *of["encoder.inputs"])
    assert weights["keys"].shape == (2, *of["score.keys"])
    learnt = sum(value[0].size for value in weights.values())
    assert sum(int(np.prod(shape)) for shape in of.values()) - learnt == 2 * 4 * step.UNITS + 4 * step.UNITS + 1
    assert all(np.isfinite(value).all() for value in weights.values())


def test_the_page_beside_an_older_state_tells_what_was_reached_and_whether_both_give_the_same():
    rows = [
        ("nem2e --help", 0.7, 0.2, 0.29),
        ("nem2e inspect, 25 MB", 0.8, 0.6, 0.75),
        ("something else", 2.0, 1.0, 0.5),
    ]
    table = pd.DataFrame(rows, columns=["what", "before", "after", "ratio"]).assign(low=0.25, high=0.8)
    told = before.page(table, "abc123", same=True)
    assert "| nem2e --help | 0.70 | 0.20 | 0.29 (0.25 to 0.80) | 0.3 | reached |" in told
    assert "| nem2e inspect, 25 MB | 0.80 | 0.60 | 0.75 (0.25 to 0.80) | 0.5 | missed |" in told
    assert "| something else | 2.00 | 1.00 | 0.50 (0.25 to 0.80) |  |  |" in told
    assert "BEFORE=abc123" in told
    assert "is the same, byte for byte." in told
    assert "is not the same." in before.page(table, "abc123", same=False)


def test_every_wait_that_something_was_asked_for_is_measured(tmp_path):
    assert set(before.ASKED) <= set(before.Waits(tmp_path, tmp_path).all)
