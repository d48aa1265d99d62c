"""A recording that does not fit is refused in one sentence that names the muscle or the setting that differs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.recording import require_cycles, segmented
from nem2e_lib.refiner.spans import Span
from tests.support.small_refiner import (
    constant,
    make_manifest,
    random_refiner,
    recording,
    with_column,
    write_cycles,
    write_force,
)

LEVELS = np.array([[0.2, 0.5]])
SPANS = [Span(0, 0.5, 1.5)]


def refuse(storage: Storage, message: str, condition: str = "one_entire", **given: object) -> None:
    with pytest.raises(Nem2eError, match=message) as caught:
        constant(LEVELS, condition).refine(storage, **(given or {"cycles": SPANS}))
    assert "\n" not in str(caught.value)


def renamed(label: str, to: str) -> Storage:
    plain = recording()
    return dataclasses.replace(plain, labels=tuple(to if each == label else each for each in plain.labels))


@pytest.mark.parametrize(
    ("storage", "condition", "message"),
    [
        (renamed("tib_ant_r", "tibant"), "one_entire", "no muscle 'tib_ant_r': 1 of the 2 .* did you mean 'tibant'"),
        (renamed("tib_ant_r", "x"), "one_entire", "refine those it has with --muscles sol"),
        (renamed("tib_ant_r", "tib_ant_l"), "one_entire", "found soleus_r, tib_ant_l, rect_fem_r; refine those it has"),
        (renamed("rect_fem_r", "x"), "all_entire", "no muscle 'rect_fem_r': 1 of the 3 .* reads all of them"),
        (renamed("rect_fem_r", "/forceset/soleus_r"), "one_entire", "'soleus_r' has more than one column"),
        (with_column(recording(), "soleus_r", np.nan), "one_entire", "column 'soleus_r' is nan at 0 s .301 such"),
        (
            with_column(recording(), "soleus_r", 1.2),
            "one_entire",
            "cycle 0, .* outside 0 to 1 .* .soleus_r 1.2 at 0.5 s.: simulate",
        ),
        (
            with_column(recording(), "soleus_r", -0.1),
            "one_entire",
            "none of 1 cycles can be refined; .*soleus_r -0.1 at",
        ),
        (with_column(recording(), "soleus_r", 80.0), "one_entire", "per cent: divide by 100"),
        (with_column(recording(), "soleus_r", 900.0), "one_entire", "file of forces"),
        (Storage("x", ("hip_flexion_r",), np.arange(3.0), np.zeros((3, 1))), "one_entire", "no muscle 'soleus_r'"),
        (Storage("x", ("soleus_r",), np.zeros(0), np.zeros((0, 1))), "one_entire", "found 0 rows"),
    ],
)
def test_activation_that_does_not_fit(storage, condition, message):
    refuse(storage, message, condition)


def test_activation_a_little_off_is_taken():
    constant(LEVELS).refine(with_column(recording(), "soleus_r", 1.0000001), cycles=SPANS)
    constant(LEVELS).refine(with_column(recording(), "soleus_r", -1e-9), cycles=SPANS)
    constant(LEVELS).refine(with_column(recording(), "rect_fem_r", np.nan), cycles=SPANS)  # not read


def test_cycles_by_another_definition(tmp_path):
    force = write_force(tmp_path / "grf.mot")
    refuse(
        recording(), "run left-left, but the refiner was trained on right-right", cycles=SPANS, definition="left-left"
    )
    refuse(recording(), "'heel' is unknown", cycles=SPANS, definition="heel")
    refuse(recording(), "Cycle 0 starts at 0.6 s, where the left foot strikes", cycles=[Span(0, 0.6, 1.6)], grf=force)
    refuse(recording(), "Cycle 3 ends at 1.6 s, where the left foot strikes", cycles=[Span(3, 1.1, 1.6)], grf=force)
    refuse(recording(), "ends at 1.4 s, where no foot strikes", cycles=[Span(0, 0.1, 1.4)], grf=force)
    assert len(constant(LEVELS).refine(recording(), cycles=[Span(0, 0.1, 1.1)], grf=force).refined) == 1


def test_force_that_does_not_help(tmp_path):
    force = tmp_path / "grf.mot"
    refuse(recording(), "without heel strikes there are no cycles", cycles=None)
    refuse(
        recording(), "runs from 10 to 13 s, but .* from 0 to 3 s: they do not overlap", grf=write_force(force, shift=10)
    )
    write_force(force, ("Fz_1", "Fz_2"))
    refuse(recording(), "name the right and the left one with --grf-columns", grf=force)
    refuse(recording(), "no force column 'Fz_3'", grf=force, columns=("Fz_3", "Fz_2"))
    assert len(constant(LEVELS).refine(recording(), grf=force, columns=("Fz_1", "Fz_2")).refined) == 2
    assert len(constant(LEVELS).refine(recording(), grf=force, columns=("Fz_1+Fz_1", "Fz_2")).refined) == 2
    refuse(recording(), "no force column 'Fz_9'", grf=force, columns=("Fz_1+Fz_9", "Fz_2"))
    weights = Storage("f", ("ground_force_vy", "l_ground_force_vy"), np.arange(0, 3, 0.01), np.full((300, 2), 1.1))
    write_storage(force, weights)
    refuse(recording(), "no complete right-right cycle: .* body weights", grf=force)
    refuse(recording(), "force threshold is -1", grf=write_force(force), threshold_n=-1)
    refuse(recording(), "no complete right-right cycle", grf=write_force(force), threshold_n=5000.0)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(0, 1.5, 0.5)], "cycle 0 ends at 0.5 s, not after its start"),
        ([(0, 0.5, 1.5), (1, 1.0, 2.0)], "cycle 1 starts at 1.0 s, before cycle 0 ends"),
        ([(0, 0.5, 1.5), (0, 1.5, 2.0)], "cycle 0 has more than one row"),
        ([(0, 5.0, 6.0)], "none of 1 cycles can be refined; cycle 0, 5 to 6 s: incomplete"),
    ],
)
def test_tables_of_cycles_that_cannot_be(tmp_path, rows, message):
    refuse(recording(), message, cycles=write_cycles(tmp_path / "c.csv", rows))


def test_a_recording_with_a_pause_in_a_cycle():
    plain = recording()
    keep = (plain.time < 0.8) | (plain.time > 1.2)
    paused = dataclasses.replace(plain, time=plain.time[keep], values=plain.values[keep])
    refuse(paused, "no sample for 0.42 s, more than 10% of the cycle")


def test_segmented_cycles_cut_in_another_way():
    manifest = make_manifest("all_entire")
    cut = segmented(
        manifest,
        dataclasses.replace(
            recording(), labels=("soleus_r", "tib_ant_r", "rect_fem_r"), values=recording().values[:, :3]
        ),
        SPANS,
        "walk",
    )
    require_cycles(manifest, cut)
    for changed, message in [
        (cut.assign_attrs(cycle_definition="left-left"), "run left-left, but the refiner was trained on right-right"),
        (cut.assign_attrs(resampling="mean"), "resampled with 'mean', but the refiner was trained with 'linear'"),
        (cut.isel(sample=slice(0, 10)), "has 10 samples, but the refiner was trained on 20"),
        (cut.isel(muscle=[0, 2]), "no muscle 'tib_ant_r'"),
    ]:
        with pytest.raises(Nem2eError, match=message):
            random_refiner("all_entire").predict(changed)


def test_activation_outside_0_to_1_costs_the_cycle_that_has_it_and_no_other():
    thirds = [Span(0, 0.5, 1.0), Span(1, 1.0, 1.5), Span(2, 1.5, 2.0)]
    sound = constant(LEVELS).refine(recording(), cycles=thirds)
    start = recording()
    start.values[:4, 0] = -0.3
    settled = constant(LEVELS).refine(start, cycles=thirds)
    np.testing.assert_array_equal(settled.mean, sound.mean)
    (told,) = [note for note in settled.notes if "outside 0 to 1" in note]
    assert "where no cycle is, which does not matter: soleus_r -0.3 at 0 s" in told
    broken = recording()
    broken.values[120:130, 1] = 1.3
    refined = constant(LEVELS).refine(broken, cycles=thirds)
    assert [span.number for span in refined.refined] == [0, 2]
    assert "tib_ant_r 1.3 at 1.2 s): simulate it anew there" in refined.spans[1].reason
    assert any(note.startswith("Cycle 1, 1 to 1.5 s, was not refined: activation is outside") for note in refined.notes)
    rows = (broken.time > 1) & (broken.time < 1.5)
    np.testing.assert_array_equal(refined.storage().column("tib_ant_r")[rows], broken.values[rows, 1])
    assert not refined.storage().column("refined")[rows].any()


def test_activation_as_far_out_as_in_training_is_taken():
    plain = constant(LEVELS)
    wide = dataclasses.replace(plain.manifest.inputs[0], low=-0.2, high=1.3)
    manifest = dataclasses.replace(plain.manifest, inputs=(wide, plain.manifest.inputs[1]))
    refined = dataclasses.replace(plain, manifest=manifest).refine(
        with_column(recording(), "soleus_r", 1.34), cycles=SPANS
    )
    assert len(refined.refined) == 1
