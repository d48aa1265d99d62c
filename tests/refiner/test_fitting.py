"""Methods of the leaderboard as refiners: fitted to everybody, kept, loaded, and applied to cycles without EMG."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zipfile

import numpy as np
import pytest
import xarray as xr

from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner import Refiner
from nem2e_lib.refiner.archive import CHECKSUM, MANIFEST, save
from nem2e_lib.refiner.fitting import fit
from nem2e_lib.refiner.manifest import ALL, LEG, OWN, from_json
from nem2e_lib.refiner.spans import Span
from nem2e_lib.rivals import KernelRidge, Network, evaluate, every, rival, simulated_cycles
from tests.support.small import make_cycles
from tests.support.small_refiner import random_refiner

LIGHT = [one for one in every() if not isinstance(one, Network | KernelRidge)]
METHODS = [
    *LIGHT,
    Network("lstm", units=8, updates=16, checkpoints=2, batch=4),
    *(KernelRidge(heads=heads, updates=2, draws=1) for heads in (0, 3)),
]


@pytest.fixture(scope="module")
def cycles():
    return make_cycles((3, 2, 3))


@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.name)
def test_a_method_is_kept_and_gives_what_it_gives(method, cycles, tmp_path):
    made = fit(cycles, method, leave_out=False)
    loaded = Refiner.load(made.save(tmp_path / "some.refiner"))
    measured = cycles.emg.transpose("cycle", "sample", "channel").values.astype(float)
    seen = simulated_cycles(cycles)
    expected = method.fit(seen, measured).predict(seen).transpose(2, 0, 1)
    np.testing.assert_allclose(made.predict(cycles).values[0], expected, atol=2e-5)
    np.testing.assert_array_equal(loaded.predict(cycles).values, made.predict(cycles).values)
    np.testing.assert_allclose(
        [out.training_rmse for out in loaded.manifest.outputs],
        np.sqrt(((expected - measured.transpose(2, 0, 1)) ** 2).mean(axis=(1, 2))),
        atol=2e-5,
    )


def test_the_held_out_error_is_that_of_the_leaderboard(cycles):
    made, judged = fit(cycles, rival("ridge_all")), evaluate(cycles, rival("ridge_all"))
    off = ((judged.refined[0] - judged.measured) ** 2).values
    for channel, out in enumerate(made.manifest.outputs):
        units = [off[channel, judged.fold_of_cycle.values == unit].mean(axis=0) for unit in range(3)]
        np.testing.assert_allclose(out.held_out.by_phase, np.sqrt(np.mean(units, axis=0)))
    assert (made.manifest.training.held_out_by, made.manifest.training.held_out_units) == ("subject", 3)


def test_a_channel_that_somebody_lacks_comes_from_the_others_alone():
    whole = make_cycles((3, 2, 3, 2))
    emg = whole.emg.where((whole.subject != "s1") | (whole.channel != whole.channel[0]))
    made = fit(whole.assign(emg=emg), rival("ridge_all"), leave_out=False)
    there = whole.isel(cycle=whole.subject.values != "s1")
    alone = fit(there, rival("ridge_all"), leave_out=False)
    first = str(whole.channel.values[0])
    np.testing.assert_allclose(
        made.predict(whole).sel(channel=first).values, alone.predict(whole).sel(channel=first).values, atol=1e-5
    )
    assert {fit.refines for fit in made.manifest.fits} == {(first,), tuple(whole.channel.values[1:].tolist())}


def test_a_refiner_reads_what_its_method_does(cycles):
    reads = {name: fit(cycles, rival(name), leave_out=False).manifest for name in ("ridge_all", "delay_gain")}
    assert (reads["ridge_all"].training.reads, reads["delay_gain"].training.reads) == (ALL, OWN)
    assert reads["ridge_all"].muscles == tuple(cycles.muscle.values)
    assert set(reads["delay_gain"].muscles) == set(cycles.target.values)
    assert fit(cycles, rival("delayed_ridge"), leave_out=False).manifest.training.reads == LEG


def test_of_one_muscle_only_its_own_is_read(cycles):
    made = fit(cycles, rival("delay_gain"), leave_out=False)
    name, muscle = str(cycles.channel.values[0]), str(cycles.target.values[0])
    one = made.only([name])
    assert one.manifest.muscles == (muscle,)
    fewer = cycles.sel(muscle=[muscle])
    np.testing.assert_array_equal(one.predict(fewer).values[:, 0], made.predict(cycles).sel(channel=name).values)


def test_speed_is_asked_for_where_it_is_read(cycles):
    made = fit(cycles, rival("speed_curve"), leave_out=False)
    assert made.manifest.needs_speed
    unknown = cycles.assign_coords(speed_m_s=("cycle", np.full(cycles.sizes["cycle"], np.nan)))
    with pytest.raises(Nem2eError, match=r"reads the speed of locomotion, but it is not known; give it with --speed"):
        made.predict(unknown)
    by_cadence = fit(unknown, rival("speed_curve"), leave_out=False)
    assert not by_cadence.manifest.needs_speed
    assert by_cadence.predict(unknown).notnull().all()


def test_a_file_says_where_it_holds_training_itself(cycles):
    told = "holds simulated activation of those whom it was trained on"
    assert told in str(fit(cycles, KernelRidge(heads=0, updates=2, draws=1), leave_out=False))
    assert told not in str(fit(cycles, rival("ridge_all"), leave_out=False))


def test_what_cannot_be_kept_is_refused(cycles):
    @dataclasses.dataclass(frozen=True)
    class Mine:
        name: str = "mine"

    with pytest.raises(Nem2eError, match="rival mine: it cannot be kept"):
        fit(cycles, Mine())  # type: ignore[arg-type]
    with pytest.raises(Nem2eError, match="no muscle 'elbow'"):
        fit(cycles, rival("mean_curve"), muscles=["elbow"])


def test_weights_of_something_else_are_refused(cycles, tmp_path):
    made = fit(cycles, rival("ridge_all"), leave_out=False)
    wrong = {**made.weights, "0/mean": made.weights["0/mean"][:-1]}
    save(tmp_path / "wrong.refiner", made.manifest, wrong)
    with pytest.raises(Nem2eError, match="its weights are not those of ridge_all"):
        Refiner.load(tmp_path / "wrong.refiner")
    lacking = {name: values for name, values in made.weights.items() if name != "0/coefficients"}
    save(tmp_path / "lacking.refiner", made.manifest, lacking)
    with pytest.raises(Nem2eError, match="its weights are not those of ridge_all"):
        Refiner.load(tmp_path / "lacking.refiner")
    other = dataclasses.replace(made.manifest.training, method="elbow_grease")
    save(tmp_path / "other.refiner", dataclasses.replace(made.manifest, training=other), made.weights)
    with pytest.raises(Nem2eError, match="'elbow_grease' is unknown"):
        Refiner.load(tmp_path / "other.refiner")


@pytest.mark.parametrize("condition", ["one_entire", "one_quarter", "all_entire"])
def test_a_file_of_the_first_format_gives_the_same_numbers(condition, tmp_path):
    """The first format had a condition where the second has a method, and neither fits nor what is read."""
    made = random_refiner(condition)
    path = made.save(tmp_path / "new.refiner")
    old = tmp_path / "old.refiner"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(old, "w") as target:
        told = json.loads(source.read(MANIFEST))
        told["format_version"] = 1
        told["training"]["condition"] = told["training"].pop("method")
        del told["training"]["reads"], told["fits"]
        text = json.dumps(told).encode()
        target.writestr(MANIFEST, text)
        target.writestr(CHECKSUM, hashlib.sha256(text).hexdigest())
        for name in source.namelist():
            if name.startswith("weights/"):
                target.writestr(name, source.read(name))
    loaded = Refiner.load(old)
    assert from_json(loaded.manifest.to_json(), "again") == loaded.manifest
    assert loaded.manifest == Refiner.load(path).manifest
    rng = np.random.default_rng(0)
    names = {"activation": "sample", "activation_waveform": "phase"}
    cycles = xr.Dataset(
        {
            name: (("cycle", dim, "muscle"), rng.uniform(0, 1, (4, size, len(made.manifest.muscles))))
            for (name, dim), size in zip(names.items(), (20, 101), strict=True)
        },
        coords={
            "sample": np.linspace(0, 100, 20),
            "phase": np.linspace(0, 100, 101),
            "muscle": list(made.manifest.muscles),
            "cycle": np.arange(4),
            "trial": ("cycle", ["t"] * 4),
        },
    )
    np.testing.assert_array_equal(loaded.predict(cycles).values, made.predict(cycles).values)


def with_moments(cycles: xr.Dataset, unit: str = "N·m") -> xr.Dataset:
    """The cycles with two joint moments that tell EMG, and activation that does not."""
    rng, sample = np.random.default_rng(2), np.linspace(0, 2 * np.pi, 20)
    size = rng.normal(size=(cycles.sizes["cycle"], 1, 2))
    beside = np.stack([np.sin(sample), np.cos(sample)], axis=-1) * size * 40.0 + 7.0
    channels = np.resize([1.0, -2.0], (2, cycles.sizes["channel"]))
    emg = 0.5 + beside @ channels / 400
    made = cycles.assign(emg=(("cycle", "sample", "channel"), emg))
    return made.assign(beside=(("cycle", "sample", "input"), beside)).assign_coords(
        input=["moment:knee_angle_r", "moment:ankle_angle_r"],
        input_set=("input", ["moment"] * 2),
        input_unit=("input", [unit] * 2),
    )


@pytest.mark.parametrize("name", ["ridge_all", "pls", "delayed_ridge"])
def test_inputs_beside_activation_are_kept_with_their_scale(name, cycles, tmp_path):
    told = with_moments(cycles)
    made = fit(told, rival(name), inputs="activation+moment+speed")
    loaded = Refiner.load(made.save(tmp_path / "some.refiner"))
    assert loaded.manifest.beside == {"moment:knee_angle_r": "N·m", "moment:ankle_angle_r": "N·m"}
    assert loaded.manifest.needs_speed
    assert "muscles and moment and speed in" in str(loaded)
    np.testing.assert_array_equal(loaded.predict(told).values, made.predict(told).values)
    judged = evaluate(told, rival(name), inputs="activation+moment+speed")
    by_phase = np.sqrt(((judged.refined[0] - judged.measured) ** 2).mean()).item()
    assert np.sqrt(np.mean(np.square([out.held_out.by_phase for out in made.manifest.outputs]))) == pytest.approx(
        by_phase, rel=0.2
    )
    with pytest.raises(Nem2eError, match="reads 'moment:knee_angle_r' beside activation"):
        loaded.predict(told.drop_vars(["beside", "input", "input_set", "input_unit"]))


def test_methods_of_the_own_muscle_take_no_other_inputs(cycles):
    with pytest.raises(Nem2eError, match="reads its own muscle at most, so inputs 'moment' make no difference"):
        fit(with_moments(cycles), rival("delay"), inputs="moment")


def test_a_recording_brings_its_inputs(cycles, tmp_path):
    """What is read of files is what is read of a study: by kg where that of training was."""
    made = fit(with_moments(cycles, "N·m/kg"), rival("ridge_all"), inputs="activation+moment", leave_out=False)
    time = np.linspace(0.0, 2.0, 201)
    muscles = list(made.manifest.muscles)
    activation = Storage("walk", tuple(muscles), time, np.full((201, len(muscles)), 0.3))
    labels = ("hip_flexion_r_moment", "ankle_angle_r_moment", "knee_angle_r_moment", "knee_angle_l_moment")
    moments = np.column_stack([0 * time, 70.0 + 30 * time, 140.0 * np.cos(time), time])
    write_storage(tmp_path / "id.sto", Storage("id", labels, time, moments))
    spans = [Span(0, 0.2, 1.4)]
    files = {"moment": tmp_path / "id.sto"}
    refined = made.refine(activation, cycles=spans, beside=files, mass_kg=70.0)
    at = 0.2 + 1.2 * np.linspace(0, 1, 20)
    expected = np.stack([np.interp(at, time, moments[:, column]) / 70.0 for column in (2, 1)], axis=-1)
    np.testing.assert_allclose(refined.cycles.beside.values[0], expected, rtol=1e-6)
    for given, message in (
        ({"cycles": spans}, "reads net joint moments beside activation; give their file with --moments"),
        ({"cycles": spans, "beside": files}, "reads net joint moments by body mass; give it with --mass, in kg"),
        ({"cycles": spans, "beside": files | {"angle": "ik.mot"}, "mass_kg": 70.0}, "ik.mot: is of 'angle', but"),
    ):
        with pytest.raises(Nem2eError, match=message):
            made.refine(activation, **given)
    late = [Span(0, 0.2, 1.4), Span(1, 1.4, 2.0)]
    write_storage(tmp_path / "id.sto", Storage("id", labels, time[:160], moments[:160]))
    partly = made.refine(activation, cycles=late, beside=files, mass_kg=70.0)
    assert [span.reason for span in partly.spans] == ["", "incomplete: moment ends at 1.59 s, before the cycle"]
