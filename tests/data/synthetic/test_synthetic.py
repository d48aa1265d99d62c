"""The synthetic studies: what each knob does is checked against what is known to be true."""

import hashlib
from dataclasses import asdict, replace

import numpy as np
import pytest
from scipy.optimize import minimize

from nem2e_lib.data.check import check_study
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.muscles import ARM_ACTUATORS, GAIT2392
from nem2e_lib.data.study.load import load_study
from nem2e_lib.data.synthetic import Knobs, Knobs1, drive, synthetic_cycles, truth, write_newcomer, write_study
from nem2e_lib.data.synthetic.body import leg_strength, minimum_activation, synergies, trunk_strength
from nem2e_lib.data.synthetic.cast import takes
from nem2e_lib.data.synthetic.design import design
from nem2e_lib.data.synthetic.mechanism import channel_columns, least_effort, torques
from nem2e_lib.data.synthetic.second import common_synergies, excitation
from nem2e_lib.error import Nem2eError

NOTHING = Knobs().only()
BOTH = pytest.mark.parametrize("kind", [Knobs1, Knobs])
TIME = np.linspace(0.3, 1.5, 40)


def first_trial(knobs, motion="running"):
    return next(takes(design(motion), knobs, 0)).trial


@pytest.mark.parametrize("frame", range(3))
def test_least_effort_is_the_optimum_that_scipy_finds(frame):
    strength = leg_strength()
    true = np.clip(np.random.default_rng(frame).gamma(0.5, 0.3, strength.shape[1]), 0, 1)
    ours = minimum_activation(strength, (strength @ true)[None])[0]
    constraint = {"type": "eq", "fun": lambda a: (strength @ (a - true)) / 100, "jac": lambda a: strength / 100}
    theirs = minimize(
        lambda a: a @ a,
        true,
        jac=lambda a: 2 * a,
        bounds=[(0, 1)] * 43,
        constraints=constraint,
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    )
    assert ours @ ours == pytest.approx(theirs.fun, rel=1e-5)
    np.testing.assert_allclose(ours, theirs.x, atol=2e-3)


def test_torques_out_of_reach_are_refused():
    with pytest.raises(Nem2eError, match="cannot be met"):
        minimum_activation(trunk_strength(), np.array([[1e6, 0.0, 0.0]]))


@BOTH
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_redundancy_leaves_the_torques_alone(share, kind):
    trial = first_trial(replace(kind().only(), redundancy=share))
    true, simulated = trial.true(TIME), trial.simulated(TIME)
    np.testing.assert_allclose(torques(simulated), torques(true), atol=1e-4)
    if share:
        assert (simulated**2).sum() < (true**2).sum()
        np.testing.assert_allclose(simulated, true + share * (least_effort(true) - true), atol=1e-9)


@BOTH
def test_delay_alone_is_the_true_activation_later(kind):
    trial = first_trial(kind().only())
    late = first_trial(kind(delay_ms=60.0).only("delay_ms"))
    np.testing.assert_allclose(late.simulated(TIME), trial.true(TIME - 0.060), atol=1e-12)


@BOTH
def test_without_cause_and_noise_simulated_is_measured(tmp_path, kind):
    quiet = replace(kind().only(), emg_noise=0.0)
    for cycles in (synthetic_cycles("running", quiet, subjects=2, speeds=1), _through_files(tmp_path, quiet)):
        own = cycles.activation.sel(muscle=cycles.target).values
        np.testing.assert_array_equal(own, cycles.emg.values)


def _through_files(folder, knobs):
    return segment(load_study(write_study("running", folder, knobs, subjects=2, speeds=1)))[0]


def test_noise_of_generator_1_has_its_size_and_never_goes_below_zero():
    noise = 0.02
    trial = first_trial(replace(Knobs1().only(), emg_noise=noise))
    time, columns = np.linspace(0, trial.end, 2000), [GAIT2392.index("soleus_r")]
    true, measured = trial.true(time)[:, columns], trial.measured(time, columns)
    assert measured.min() >= 0
    high = true > 4 * noise
    assert (measured - true)[high].std() == pytest.approx(noise, rel=0.35)


def test_noise_of_generator_2_grows_with_the_signal():
    trial = first_trial(replace(NOTHING, emg_noise=0.2))
    time, columns = np.linspace(0, trial.end, 4000), list(range(43))
    true, measured = trial.true(time)[:, columns], trial.measured(time, columns)
    log = np.log(measured / true)
    assert log.std() == pytest.approx(0.2, rel=0.05)
    strong = true > np.median(true)
    assert log[strong].std() == pytest.approx(log[~strong].std(), rel=0.1)
    assert (measured / true).mean() == pytest.approx(1.0, abs=0.02)


def test_emg_of_generator_2_is_a_curve_of_activation_normalised_to_ones_own_peak():
    trial = first_trial(replace(Knobs().only("electrode"), emg_noise=0.0, emg_gain=0.0))
    columns = channel_columns(design("running"))
    time = np.linspace(0, trial.end, 400)
    true, measured = trial.true(time)[:, columns], trial.measured(time, columns)
    order = true.argsort(axis=0)
    ratio = np.take_along_axis(measured, order, 0) / np.take_along_axis(true, order, 0)
    assert (np.diff(ratio, axis=0) >= -1e-12).all(), "the share of EMG does not grow with activation"
    assert 0.2 < np.median(measured.max(axis=0)) < 1.2
    curve = np.array([0.7, 2.0])
    shown = excitation(np.array([[0.3, 0.6]]), curve)
    np.testing.assert_allclose(np.expm1(-curve * shown) / np.expm1(-curve), [[0.3, 0.6]])
    np.testing.assert_allclose(excitation(np.array([[0.3]]), np.zeros(1)), [[0.3]])


def test_what_is_wrong_in_generator_2_stays_from_cycle_to_cycle():
    still = {name: 0.0 for name in asdict(Knobs()) if name.startswith("cycle_") or name.endswith(("_cycle", "noise"))}
    trial = first_trial(replace(Knobs(delay_ms=0.0), **still))
    edges = trial.strikes
    first, second = (
        start + (end - start) * np.linspace(0.1, 0.9, 20) for start, end in ((edges[0], edges[1]), (edges[1], edges[2]))
    )
    wrong = [trial.simulated(time) - trial.true(time) for time in (first, second)]
    np.testing.assert_allclose(*wrong, atol=1e-6)
    assert np.abs(wrong[0]).max() > 0.05


@pytest.mark.parametrize(("kind", "knob"), [(kind, name) for kind in (Knobs1, Knobs) for name in asdict(kind())])
def test_every_knob_turns_something(kind, knob):
    base, turned = (
        synthetic_cycles("running", k, subjects=1, speeds=2) for k in (kind(), replace(kind(), **{knob: 0.0}))
    )
    measures = knob.startswith("emg_")
    assert np.allclose(base.emg, turned.emg) != (measures or not knob.startswith(("delay", "redund", "simulation")))
    assert np.allclose(base.activation, turned.activation) == measures


@pytest.mark.parametrize(
    ("motion", "seed", "digest"),
    [("walking", 0, "497a8dcb12dff392"), ("walking", 1, "5e07b166d13174e4"), ("running", 0, "e5d74e1c5c1c4bc0")],
)
def test_generator_1_gives_what_it_always_gave(motion, seed, digest):
    cycles = synthetic_cycles(motion, seed=seed, generator=1, subjects=2)
    found = hashlib.sha256()
    for name in ("activation", "emg", "activation_waveform", "emg_waveform", "start_s", "end_s"):
        found.update(np.ascontiguousarray(cycles[name].values.round(6) + 0.0).tobytes())
    assert found.hexdigest()[:16] == digest
    assert cycles.attrs["study"] == f"{motion}-synthetic"
    assert cycles.identical(synthetic_cycles(motion, Knobs1(), seed, subjects=2))


@pytest.mark.parametrize(
    ("motion", "study", "newcomer"),
    [("walking", "9961f327df12d239", "21c99c485e27cb74"), ("running", "506a24e3adbe5055", "964fcf0357c92cc0")],
)
def test_generator_1_writes_the_files_that_it_always_wrote(motion, study, newcomer, tmp_path):
    folder = write_study(motion, tmp_path / "study", seed=3, subjects=2, speeds=2, generator=1)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16] == study
    parts = sorted(write_newcomer(motion, tmp_path / "new", seed=3, generator=1).values())
    assert hashlib.sha256(b"".join(path.read_bytes() for path in parts)).hexdigest()[:16] == newcomer


def test_studies_tell_their_generator(tmp_path):
    for generator, name in ((1, "walking-synthetic"), (2, "walking-synthetic-2")):
        made = synthetic_cycles("walking", generator=generator, subjects=1, speeds=1)
        written = segment(
            load_study(write_study("walking", tmp_path / name, generator=generator, subjects=1, speeds=1))
        )
        for told in ("study", "simulated_by", "citation"):
            assert made.attrs[told] == written[0].attrs[told]
        assert made.attrs["study"] == name
    assert made.attrs["simulated_by"] == "synthetic, generator 2"
    assert synthetic_cycles("walking", subjects=1, speeds=1).identical(made)


def test_shape_is_the_papers():
    running, walking = synthetic_cycles("running"), synthetic_cycles("walking")
    assert dict(running.sizes) == {"cycle": 120, "sample": 20, "muscle": 102, "channel": 16, "phase": 101}
    assert dict(walking.sizes) == {"cycle": 32, "sample": 20, "muscle": 92, "channel": 5, "phase": 101}
    assert len(np.unique(running.electrode)) == 11
    copies = running.emg.sel(channel=["glmax1", "glmax2", "glmax3"]).values
    np.testing.assert_array_equal(copies[..., 0], copies[..., 2])
    durations = (running.end_s - running.start_s).values
    assert 0.55 < durations.min() < durations.max() < 0.9


@BOTH
def test_truth_is_what_an_exact_simulation_would_be(kind):
    cycles = synthetic_cycles("walking", kind().only())
    np.testing.assert_allclose(truth("walking", kind().only()).values, cycles.activation.values, atol=1e-12)


def test_truth_tells_the_delay_of_each_cycle():
    cycles, true = (f("running", Knobs(delay_ms=60.0), subjects=1) for f in (synthetic_cycles, truth))
    np.testing.assert_allclose(true.delay_pct, 6.0 / (cycles.end_s - cycles.start_s))
    assert true.attrs["delay_ms"] == 60.0
    assert true.delay_pct[-1] > true.delay_pct[0]
    for name in ("subject", "speed", "trial"):
        np.testing.assert_array_equal(true[name], cycles[name])


def test_drive_tells_which_synergy_drives_which_muscle():
    for kind, made in ((Knobs1, synergies("walking")), (Knobs, common_synergies("walking"))):
        plain = drive("walking", kind(unevenness=0.0, second_synergy=0.0))
        np.testing.assert_array_equal(plain, made.weights)
        assert plain.sizes["synergy"] > leg_strength().shape[0] or kind is Knobs1
    assert plain.sel(muscle="soleus").idxmax().item() == "push_off"
    shared = drive("walking")
    assert ((shared > 0) >= (plain > 0)).all()
    assert (shared > 0).sum() > (plain > 0).sum()
    assert not np.allclose(shared, drive("walking", seed=1))


def test_muscles_below_one_electrode_are_driven_alike():
    weights = drive("running")
    for alike in (["semimem", "semiten"], ["glut_max1", "glut_max2", "glut_max3"]):
        assert (weights.sel(muscle=alike) == weights.sel(muscle=alike[0])).all()


@BOTH
def test_drive_makes_the_activation_of_subjects_who_do_not_differ(kind):
    own = [name for name in asdict(kind()) if name.endswith(("_sharing", "_pattern"))]
    alike = replace(kind().only(), **dict.fromkeys(own, 0.0))
    true = truth("running", alike, subjects=1, speeds=1).values.reshape(-1, 92)[:, :43]
    if kind is Knobs1:
        unclipped = true[(true < 1.0).all(axis=1)] - 0.02
    else:
        unclipped = (true / (1 - true**4) ** 0.25 - 0.012) / design("running").effort
    weights = drive("running", alike).values[:43]
    bursts = np.linalg.lstsq(weights, unclipped.T, rcond=None)[0]
    assert len(unclipped) > len(weights.T)
    np.testing.assert_allclose(weights @ bursts, unclipped.T, atol=1e-12)


@pytest.mark.parametrize("motion", ["running", "walking"])
def test_files_are_sound_and_cut_into_the_same_cycles(motion, tmp_path):
    folder = write_study(motion, tmp_path, subjects=2, speeds=2)
    assert check_study(folder) == []
    cycles, report = segment(load_study(folder))
    expected = synthetic_cycles(motion, subjects=2, speeds=2)
    assert report["kept"].sum() == expected.sizes["cycle"] == 4 * design(motion).cycles
    assert cycles.attrs["synthetic"] == 1
    assert cycles.muscle.values.tolist() == [*GAIT2392, *(ARM_ACTUATORS if motion == "running" else ())]
    np.testing.assert_allclose(cycles.start_s, expected.start_s, atol=2e-3)
    np.testing.assert_allclose(cycles.emg, expected.emg, atol=0.05)
    assert np.abs(cycles.activation.values - expected.activation.values).mean() < 2e-3


def test_same_seed_same_bytes(tmp_path):
    digests = {seed: _digest(tmp_path / name, seed) for name, seed in (("a", 0), ("b", 1))}
    assert _digest(tmp_path / "c", 0) == digests[0] != digests[1]


def _digest(folder, seed):
    write_study("walking", folder, seed=seed, subjects=1, speeds=1)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def test_fewer_subjects_and_speeds_are_a_part_of_the_whole():
    whole, part = synthetic_cycles("walking"), synthetic_cycles("walking", subjects=2)
    np.testing.assert_array_equal(whole.activation[: part.sizes["cycle"]], part.activation)
    slow = synthetic_cycles("walking", subjects=1, speeds=2)
    np.testing.assert_array_equal(whole.activation[:2], slow.activation)


def test_bad_knobs_and_motions_are_refused():
    with pytest.raises(Nem2eError, match="delay_ms is -5"):
        Knobs(delay_ms=-5)
    with pytest.raises(Nem2eError, match="redundancy is 2"):
        Knobs(redundancy=2)
    with pytest.raises(Nem2eError, match="swimming"):
        synthetic_cycles("swimming")
    with pytest.raises(Nem2eError, match="'noise' is no cause"):
        Knobs().only("noise")
    with pytest.raises(Nem2eError, match="generator 3 is unknown, expected 1 or 2"):
        synthetic_cycles("walking", generator=3)
    with pytest.raises(Nem2eError, match="knobs of generator 2 were given for generator 1; give Knobs1"):
        synthetic_cycles("walking", Knobs(), generator=1)


@pytest.mark.parametrize(
    ("asked", "words"),
    [({"subjects": 0}, "0 subjects"), ({"speeds": 5}, "5 speeds, expected 1 to 4"), ({"seed": -1}, "the seed is -1")],
)
def test_impossible_sizes_and_seeds_are_refused(asked, words):
    with pytest.raises(Nem2eError, match=words):
        synthetic_cycles("walking", **asked)


@pytest.mark.parametrize("mine", ["study.toml", "cycles.csv"])
def test_a_study_of_ones_own_is_never_written_over(mine, tmp_path):
    (tmp_path / mine).write_text("synthetic = false\n")
    with pytest.raises(Nem2eError, match="choose another folder"):
        write_study("walking", tmp_path, subjects=1, speeds=1)
    assert [path.name for path in tmp_path.iterdir()] == [mine]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(Nem2eError, match="cannot be made"):
        write_study("walking", tmp_path / "file", subjects=1, speeds=1)
