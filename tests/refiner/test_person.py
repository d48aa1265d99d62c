"""A refiner adapted to a person: what it says, keeps and refuses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr

from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner import Refiner
from nem2e_lib.refiner.adapting import Seen, fit
from nem2e_lib.refiner.archive import save
from nem2e_lib.refiner.fitting import fit as fitted
from nem2e_lib.rivals import rival
from tests.support.small import make_cycles
from tests.support.small_refiner import recording, write_force

OFFSET = 0.15


def differing(cycles: xr.Dataset, offsets) -> xr.Dataset:
    """People whose EMG lies higher by so much, the whole cycle."""
    names = np.unique(cycles.subject.values)
    more = xr.DataArray([offsets[list(names).index(name)] for name in cycles.subject.values], dims="cycle")
    return cycles.assign(emg=cycles.emg + more, emg_waveform=cycles.emg_waveform + more)


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    return fitted(differing(make_cycles((4, 4, 4, 4)), (-0.1, 0.1, -0.05, 0.05)), rival("mean_curve"))


@pytest.fixture
def person() -> xr.Dataset:
    cycles = differing(make_cycles((4,), seed=5), (OFFSET,))
    return cycles.assign_attrs(study="ward").assign_coords(subject=("cycle", ["anna"] * 4))


def test_adapting_is_what_own_cycles_say(refiner, person):
    made, before = refiner.adapt(person), refiner.predict(person).values[0]
    lasts = np.ones(4)
    for channel, (out, told) in enumerate(zip(made.manifest.outputs, refiner.manifest.outputs, strict=True)):
        measured = person.emg.values[..., channel]
        seen = Seen(
            before[channel], measured, lasts, person.subject.values.astype(str), person.speed.values.astype(str)
        )
        expected = fit(seen, told.own)
        assert out.adapted.change == expected
        np.testing.assert_allclose(made.predict(person).values[0, channel], expected.apply(before[channel], lasts))
        own_error = [
            np.sqrt(
                ((fit(seen.take(np.arange(4) != c), told.own).apply(before[channel], lasts) - measured)[c] ** 2).mean()
            )
            for c in range(4)
        ]
        assert out.adapted.rmse_left_out == pytest.approx(np.mean(own_error))
        assert out.adapted.rmse_before == pytest.approx(np.sqrt(((before[channel] - measured) ** 2).mean(-1)).mean())
        assert out.held_out == told.held_out
    off = person.emg.transpose("channel", "cycle", "sample").values
    assert np.abs(made.predict(person).values[0] - off).mean() < 0.8 * np.abs(before - off).mean()


def test_saved_and_loaded_it_gives_the_same_numbers_and_says_whose_it_is(refiner, person, tmp_path):
    made = refiner.adapt(person, 3)
    loaded = Refiner.load(made.save(tmp_path / "anna.refiner"))
    assert loaded.manifest.outputs == made.manifest.outputs
    np.testing.assert_array_equal(loaded.predict(person).values, made.predict(person).values)
    assert "adapted to SYNTHETIC anna of ward with 3 own cycles" in str(loaded)
    storage = recording(labels=loaded.manifest.muscles)
    refined = loaded.refine(storage, grf=write_force(tmp_path / "grf.mot"))
    assert "ADAPTED TO SYNTHETIC anna of ward with 3 own cycles: the held-out error" in refined.notes[0]
    assert "own cycles left out one by one RMSE is" in refined.notes[0]
    assert refined.storage().metadata["nem2e_refiner"].endswith("adapted to SYNTHETIC anna of ward with 3 own cycles")
    assert loaded.only(["tib"]).manifest.person == made.manifest.person


def test_with_fewer_than_three_cycles_its_own_error_is_not_known(refiner, person):
    made = refiner.adapt(person, 2)
    assert all(out.adapted.rmse_left_out is None for out in made.manifest.outputs)
    assert "its own error is not known" in made.manifest.warning


def test_a_muscle_that_was_not_measured_stays_as_it_was_and_is_told(refiner, person):
    lost = person.assign(emg=person.emg.where(person.channel != "tib"))
    made = refiner.adapt(lost)
    assert "Not adapted, since the person's EMG was not measured: tib." in made.manifest.warning
    np.testing.assert_array_equal(
        made.predict(person).sel(channel="tib").values, refiner.predict(person).sel(channel="tib").values
    )


def test_real_and_synthetic_do_not_mix_quietly(refiner, person):
    made = refiner.adapt(person.assign_attrs(synthetic=0))
    assert "The refiner is SYNTHETIC, but the person's recording real" in made.manifest.warning
    origin = dataclasses.replace(refiner.manifest.origin, synthetic=False)
    real = dataclasses.replace(refiner, manifest=dataclasses.replace(refiner.manifest, origin=origin, warning=""))
    assert not real.manifest.synthetic
    assert real.adapt(person).manifest.synthetic
    own = person.assign_attrs(study="tiny").assign_coords(subject=("cycle", ["s1"] * 4))
    assert "s1 is among those whom it was trained on" in refiner.adapt(own).manifest.warning


def test_for_one_speed_alone_own_cycles_are_believed_further_and_it_says_so(refiner, person):
    slow = person.isel(cycle=person.speed.values == "slow")
    anywhere, there = refiner.adapt(slow), refiner.adapt(slow, same=True)
    assert "with 2 own cycles (for slow alone): the held-out error" in there.manifest.warning
    assert "alone" not in str(anywhere)
    curves, two = refiner.predict(slow).values[0], np.array(["slow"] * 2)
    for channel, (out, told) in enumerate(zip(there.manifest.outputs, refiner.manifest.outputs, strict=True)):
        seen = Seen(curves[channel], slow.emg.values[..., channel], np.ones(2), two, two)
        assert out.adapted.change == fit(seen, told.own, same=True)
        assert told.own.shape.share(two, same=True) >= told.own.shape.share(two)
    with pytest.raises(Nem2eError, match=r"of 2 speeds or conditions .slow; fast., but --same-speed"):
        refiner.adapt(person, same=True)


def test_a_person_of_a_refiner_of_one_is_told_not_to_be_known(person):
    one = fitted(differing(make_cycles((8,), speeds=("slow", "free", "fast")), (0.0,)), rival("mean_curve"))
    assert "own cycles are believed as speeds of one person differ" in one.adapt(person).manifest.warning


def test_what_cannot_be_is_refused_in_one_sentence(refiner, person):
    two = person.assign_coords(subject=("cycle", ["anna", "anna", "ben", "ben"]))
    with pytest.raises(Nem2eError, match=r"study ward: has cycles of 2 people .anna, ben.* adapted to one"):
        refiner.adapt(two)
    with pytest.raises(Nem2eError, match="no EMG is of what is refined: it has a of soleus_r, b of tib_ant_r, the ref"):
        refiner.adapt(person.assign_coords(channel=["a", "b"]))
    other = person.assign_coords(target=("channel", ["soleus_l", "ercspn_l"]))
    with pytest.raises(Nem2eError, match="it has soleus of soleus_l"):
        refiner.adapt(other)
    with pytest.raises(Nem2eError, match="its cycles run right-left"):
        refiner.adapt(person.assign_attrs(cycle_definition="right-left"))
    many = xr.concat([person] * 3, "cycle", data_vars="minimal")
    with pytest.raises(Nem2eError, match=r"has 12 cycles, but a refiner is adapted by at most 10; .* --cycles 10"):
        refiner.adapt(many)
    assert refiner.adapt(many, 10).manifest.person.cycles == 10
    for count, said in ((0, "1 to 10 are expected"), (11, "1 to 10 are expected"), (5, "it has 4; ask for fewer")):
        with pytest.raises(Nem2eError, match=said):
            refiner.adapt(person, count)
    with pytest.raises(Nem2eError, match="is adapted to SYNTHETIC anna of ward with 4 own cycles already"):
        refiner.adapt(person).adapt(person)


def test_a_refiner_that_knows_nothing_of_people_is_refused(refiner, person):
    outputs = tuple(dataclasses.replace(out, own=None) for out in refiner.manifest.outputs)
    old = Refiner(dataclasses.replace(refiner.manifest, outputs=outputs), refiner.weights)
    with pytest.raises(Nem2eError, match=r"does not know how people differ .* earlier nem2e; train it anew"):
        old.adapt(person)
    single = fitted(make_cycles((1, 1, 1)), rival("mean_curve"))
    with pytest.raises(Nem2eError, match="nobody left out had more than one cycle"):
        single.adapt(person)


@pytest.mark.parametrize("shape", [(0.1,) * 19, (*(0.1,) * 19, np.nan)])
def test_a_file_whose_curve_is_none_is_refused(refiner, person, tmp_path, shape):
    made = refiner.adapt(person)
    first = made.manifest.outputs[0]
    adapted = dataclasses.replace(first.adapted, change=dataclasses.replace(first.adapted.change, shape=shape))
    bad = dataclasses.replace(
        made.manifest, outputs=(dataclasses.replace(first, adapted=adapted), *made.manifest.outputs[1:])
    )
    if np.isfinite(shape).all():
        save(tmp_path / "bad.refiner", bad, made.weights)
        with pytest.raises(Nem2eError, match="is no curve of 20 finite numbers"):
            Refiner.load(tmp_path / "bad.refiner")
    with pytest.raises(Nem2eError, match="is no curve of 20 finite numbers"):
        Refiner(bad, made.weights)
