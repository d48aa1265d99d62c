"""Methods of one's own as rivals: what they are given, that nothing leaks, and what is said where they are wrong."""

import threading

import numpy as np
import pytest
import xarray as xr
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVR

from nem2e_lib.analysis.metrics import errors
from nem2e_lib.error import Nem2eError
from nem2e_lib.rivals import RidgeAll, chosen, evaluate, rival, simulated_cycles
from nem2e_lib.rivals.own import ONE_EACH, Estimator, OfNamedDims, OfProtocol, as_rival, named
from nem2e_lib.training.results import load_results, save_results
from tests.support.small import make_cycles


@pytest.fixture(scope="module")
def cycles():
    return make_cycles().assign_coords(speed_m_s=("cycle", np.linspace(1.0, 2.0, 9)))


class Curve:
    """The mean curve, written anew."""

    def fit(self, X, y):
        self.curve = y.mean("cycle")

    def predict(self, X):
        return self.curve.expand_dims(cycle=X.sizes["cycle"])


class Faulty(Curve):
    """A mean curve with something done to what it predicts."""

    def __init__(self, change=lambda guess: guess):
        self.change = change

    def predict(self, X):
        return self.change(super().predict(X).transpose("cycle", "sample", "channel"))


def test_the_mean_curve_written_anew_is_the_one_that_is_there_bit_for_bit(cycles):
    ours, theirs = evaluate(cycles, rival("mean_curve")), evaluate(cycles, as_rival(Curve))
    np.testing.assert_array_equal(theirs.refined.values, ours.refined.values)
    assert errors(theirs)["er"].equals(errors(ours)["er"])


def test_what_a_method_is_given_has_names(cycles):
    simulated = simulated_cycles(cycles)
    x, y = named(simulated.take(np.arange(4)), cycles.emg.values[:4])
    assert x.dims == ("cycle", "sample", "input")
    assert y.dims == ("cycle", "sample", "channel")
    assert x.input.values.tolist() == cycles.muscle.values.tolist()
    assert y.channel.values.tolist() == cycles.channel.values.tolist()
    np.testing.assert_array_equal(x, cycles.activation.values[:4])
    np.testing.assert_array_equal(x.sel(input=y.target), simulated.own_muscle[:4])
    np.testing.assert_array_equal(x.sample, cycles.sample)
    for name in ("subject", "unit", "speed_m_s", "duration_s", "condition"):
        np.testing.assert_array_equal(x[name], getattr(simulated, name)[:4])
    assert named(simulated)[1] is None


def test_what_is_given_beside_activation_has_names_too(cycles):
    seen = []

    class Looks(Curve):
        def fit(self, X, y):
            seen.append(X)
            super().fit(X, y)

    beside = np.random.default_rng(0).normal(size=(9, 20, 2))
    more = cycles.assign(beside=(("cycle", "sample", "input"), beside)).assign_coords(
        input=["moment:knee", "angle:knee"],
        input_set=("input", ["moment", "angle"]),
        input_unit=("input", ["N·m", "deg"]),
    )
    evaluate(more, as_rival(Looks), inputs="activation+moment+speed")
    names = seen[0].input.values.tolist()
    assert names[:6] == [*cycles.muscle.values, "moment:knee"]
    training = beside[cycles.subject.values != "s0"][..., 0]
    given = seen[0].sel(input="moment:knee").values
    assert np.corrcoef(given.ravel(), training.ravel())[0, 1] > 1 - 1e-9
    told = seen[0].isel(input=slice(6, None))
    assert told.sizes["input"] >= 1
    assert np.ptp(told.values, axis=1).max() == 0


def test_a_method_is_never_given_emg_of_what_is_held_out(cycles):
    seen = []

    class Nosy(Curve):
        def fit(self, X, y):
            super().fit(X, y)
            seen.append((set(X.subject.values), y.values))

        def predict(self, X):
            held = set(X.subject.values)
            assert not held & seen[-1][0]
            seen[-1][1][:] = 7.0  # what it does to what it was given harms nobody else
            X.values[:] = 7.0
            return super().predict(X)

    spoiled = cycles.copy(deep=True)
    held = cycles.subject.values == "s1"
    spoiled.emg.values[held] = 123.0
    before, after = (evaluate(some, as_rival(Nosy)).refined.values[:, :, held] for some in (cycles, spoiled))
    np.testing.assert_array_equal(before, after)
    assert [len(who) for who, _ in seen] == [2] * 6


@pytest.mark.parametrize("as_class", [True, False])
def test_no_fold_knows_what_another_has_learned(cycles, as_class):
    class Hoarder(Curve):
        def __init__(self):
            self.known = []

        def fit(self, X, y):
            self.known.append(len(X))
            assert len(self.known) == 1
            super().fit(X, y)

    mine = Hoarder if as_class else Hoarder()
    evaluate(cycles, as_rival(mine))
    assert as_class or mine.known == []


@pytest.mark.parametrize("order", [("channel", "sample", "cycle"), ("sample", "cycle", "channel")])
def test_named_dims_may_come_in_any_order_and_channels_go_by_name(cycles, order):
    swapped = Faulty(lambda guess: guess.transpose(*order).isel(channel=slice(None, None, -1)))
    plain = Faulty(lambda guess: guess.values.astype("float32"))
    expected = evaluate(cycles, as_rival(Curve)).refined.values
    np.testing.assert_array_equal(evaluate(cycles, as_rival(swapped)).refined.values, expected)
    np.testing.assert_allclose(evaluate(cycles, as_rival(plain)).refined.values, expected, rtol=1e-6)


def test_an_estimator_is_ridge_regression_as_numpy_has_it(cycles):
    alpha = 0.7
    result = evaluate(cycles, as_rival(Ridge(alpha=alpha), "stiff"))
    held = cycles.subject.values == "s2"
    x, y = (cycles[name].values.reshape(9, -1) for name in ("activation", "emg"))
    usual, mean = x[~held].mean(axis=0), y[~held].mean(axis=0)
    a = x[~held] - usual
    weights = np.linalg.solve(a.T @ a + alpha * np.eye(a.shape[1]), a.T @ (y[~held] - mean))
    expected = ((x[held] - usual) @ weights + mean).reshape(3, 20, 2).transpose(2, 0, 1)
    np.testing.assert_allclose(result.refined.values[0][:, held], expected, atol=1e-9)
    assert result.attrs["condition"] == "stiff"
    assert np.isnan(result.attrs["parameters"])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimators_of_every_kind_join(cycles):
    search = GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [0.1, 10.0]}, cv=2)
    assert {type(as_rival(one)) for one in (Ridge, Ridge(), search)} == {Estimator}
    assert np.isfinite(evaluate(cycles, as_rival(search)).refined.values).all()
    small = cycles.isel(sample=[0, 10], channel=[0])
    single = evaluate(small, as_rival(LinearSVR(random_state=0, C=0.01)))
    assert [row[ONE_EACH] for row in chosen(single)] == [2, 2, 2]
    own = [LinearSVR(random_state=0, C=0.01) for _ in range(2)]
    held = cycles.subject.values == "s0"
    x, y = (small[name].values.reshape(9, -1) for name in ("activation", "emg"))
    guess = np.stack([one.fit(x[~held], y[~held, k]).predict(x[held]) for k, one in enumerate(own)])
    np.testing.assert_allclose(single.refined.values[0, 0, held].T, guess)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_estimator_without_a_random_state_gives_the_same_again(cycles):
    small = cycles.isel(sample=[0, 10, 19])
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again = (
        evaluate(small, as_rival(MLPRegressor(hidden_layer_sizes=(2,), solver="lbfgs", max_iter=5))).refined.values
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_an_object_that_is_a_rival_already_is_left_as_it_is(cycles):
    one = as_rival(RidgeAll(options=(0.7,)), "mine")
    assert isinstance(one, OfProtocol)
    ours = evaluate(cycles, RidgeAll(options=(0.7,)))
    theirs = evaluate(cycles, one)
    np.testing.assert_array_equal(theirs.refined.values, ours.refined.values)
    assert chosen(theirs) == chosen(ours)
    assert theirs.attrs["parameters"] == ours.attrs["parameters"]


def test_what_is_kept_is_never_taken_for_another_version(cycles, tmp_path):
    kept = tmp_path / "mine.nc"
    evaluate(cycles, as_rival(Curve), kept)
    again = evaluate(cycles, as_rival(Faulty(lambda guess: guess * 2), "Curve"), kept)
    np.testing.assert_allclose(again.refined.values, 2 * evaluate(cycles, rival("mean_curve")).refined.values)
    save_results(again, kept)
    assert np.isnan(load_results(kept).attrs["parameters"])


def test_channels_that_somebody_lacks_are_refined_in_groups(cycles):
    some = cycles.copy(deep=True)
    some.emg.values[:3, :, 1] = np.nan
    ours, theirs = evaluate(some, rival("mean_curve")), evaluate(some, as_rival(Curve))
    np.testing.assert_array_equal(theirs.refined.values, ours.refined.values)


class Needy:
    def __init__(self, size):
        self.size = size


class Fitless:
    def fitt(self, X, y):
        pass

    def predict(self, X):
        pass


class Locked(Curve):
    def __init__(self):
        self.lock = threading.Lock()


class Liar:
    def fit(self, simulated, measured):
        return self


class Raises(Curve):
    def __init__(self, where):
        self.where = where

    def fit(self, X, y):
        if self.where == "fit" and "s1" not in X.subject.values:
            raise RuntimeError("too\nfew")
        super().fit(X, y)

    def predict(self, X):
        if self.where == "predict":
            raise KeyError("soleus")
        if self.where == "exit":
            raise SystemExit("enough")
        return super().predict(X)


def missing(guess):
    guess = guess.copy()
    guess[1, 2, 1] = np.nan
    guess[2, 0, 0] = np.inf
    return guess


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (Needy, r"method Needy: making it without arguments raised TypeError: .*'size'; give its arguments defaults"),
        (Fitless, r"method Fitless: a Fitless has no fit \(near it: fitt\); expected fit\(X, y\) and predict\(X\)\."),
        (object(), r"method object: a object has no fit and no predict"),
        (len, r"has no fit and no predict"),
        (rival("mean_curve"), r"method mean_curve: another method has that name already; give yours one of its own"),
    ],
)
def test_what_is_no_method_is_refused_at_once(method, message):
    with pytest.raises(Nem2eError, match=message):
        as_rival(method)


def test_a_name_that_a_trained_condition_has_is_refused():
    with pytest.raises(Nem2eError, match="method one_entire: another method has that name"):
        as_rival(Curve, "one_entire")


FIRST = r"^fold 1 of 3 \(subject s0 held out\): method \w+: "


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (
            Raises("fit"),
            r"^fold 2 of 3 \(subject s1 held out\): method Raises: its fit raised RuntimeError: too few "
            r"\(test_own.py, line \d+\); mend it\.$",
        ),
        (Raises("predict"), FIRST + r"its predict raised KeyError: 'soleus' \(test_own.py, line \d+\); mend it\.$"),
        (Raises("exit"), FIRST + r"its predict raised SystemExit: enough \(test_own.py, line \d+\); mend it\.$"),
        (Locked(), FIRST + r"copying it raised TypeError: cannot pickle .*; mend it\.$"),
        (Liar(), FIRST + r"its fit gave Liar, expected nem2e_lib.rivals.Fitted; mend it, or give it a predict\.$"),
        (
            Faulty(lambda guess: guess.values[:2]),
            FIRST
            + r"its predict gave an array of shape \(2, 20, 2\), expected \(3, 20, 2\) \(cycles, samples, channels\)",
        ),
        (Faulty(lambda guess: guess[:2]), FIRST + r"its predict gave an array of shape \(2, 20, 2\)"),
        (Faulty(lambda guess: None), FIRST + r"its predict gave an array of shape \(\), expected"),
        (Faulty(lambda guess: guess.values.astype(str)), FIRST + r"its predict gave values of type .*, expected real"),
        (Faulty(lambda guess: guess.values + 0j), FIRST + r"its predict gave values of type complex128"),
        (
            Faulty(lambda guess: guess.rename(channel="muscle")),
            FIRST + r"its predict gave the dims cycle, sample, muscle",
        ),
        (
            Faulty(lambda guess: guess.assign_coords(channel=["soleus", "tibial"])),
            FIRST + r"its predict gave the channels soleus, tibial, expected soleus, tib; mend it",
        ),
        (
            Faulty(missing),
            FIRST
            + r"2 of the 120 numbers that its predict gave are not finite, the first in cycle 1, sample 2, tib; mend",
        ),
    ],
)
def test_what_a_method_does_wrong_is_told_with_the_fold(cycles, method, message):
    with pytest.raises(Nem2eError, match=message):
        evaluate(cycles, as_rival(method))


class OneNumber(BaseEstimator):
    def fit(self, X, y):
        return self

    def predict(self, X):
        return X[:, :1]


class Changes(BaseEstimator):
    def __init__(self, size=1):
        self.size = [size]

    def fit(self, X, y):
        return self

    def predict(self, X):
        return X


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (
            OneNumber(),
            r"its predict gave an array of shape \(3, 1\), expected \(3, 40\) \(cycles, samples x channels\)",
        ),
        (Changes(), "cloning it raised RuntimeError: .*"),
        (Ridge(alpha=-1.0), "its fit raised InvalidParameterError: .*alpha.*"),
        (HistGradientBoostingRegressor(max_iter=-1), "its fit raised InvalidParameterError: .*max_iter.*"),
    ],
)
def test_what_an_estimator_does_wrong_is_told_with_the_fold(cycles, method, message):
    with pytest.raises(Nem2eError, match=FIRST + message):
        evaluate(cycles, as_rival(method))


def test_kinds_are_told_apart():
    assert type(as_rival(Curve)) is OfNamedDims
    assert type(as_rival(RidgeAll(), "mine")) is OfProtocol


def test_xarray_is_what_a_method_is_given(cycles):
    kinds = set()

    class Looks(Curve):
        def fit(self, X, y):
            kinds.update((type(X), type(y)))
            super().fit(X, y)

    evaluate(cycles, as_rival(Looks))
    assert kinds == {xr.DataArray}
