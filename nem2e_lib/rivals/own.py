# mypy: allow-untyped-calls
"""A method of one's own as a rival: an object with `fit` and `predict`, or any scikit-learn estimator.

`as_rival` takes what it is given in one of three ways, told by what it has::

    as_rival(Ridge(alpha=10))    # get_params: a scikit-learn estimator, given tables; a waveform is a row of numbers
    as_rival(Method)             # fit(X, y) and predict(X): given arrays with named dims, see `named`
    as_rival(MyRival())          # fit(simulated, measured) and no predict: it is a rival already (`protocol`)

Each fold has a copy of its own, so nothing that is learned in one is known in the next; ``predict`` is given the
simulation of what is held out, never its EMG. What the code keeps elsewhere, in its module or its class, cannot be seen
from here.
"""

from __future__ import annotations

import copy
import difflib
import inspect
import secrets
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from sklearn.base import clone
from sklearn.multioutput import MultiOutputRegressor
from sklearn.utils import get_tags

from nem2e_lib.error import Nem2eError
from nem2e_lib.rivals import rival
from nem2e_lib.rivals.evaluation import NO_SETTING
from nem2e_lib.rivals.protocol import Array, Fitted, Simulated
from nem2e_lib.training.conditions import CONDITIONS

DIMS = ("cycle", "sample", "channel")
"""Dims of what is predicted, in the order of `Fitted.predict`."""
UNKNOWN = float("nan")
"""How many numbers somebody else's method has learned."""
ONE_EACH = "one model a number"
"""What is told of an estimator that predicts one number alone: how many of them a fold is fitted."""
LONGEST = 300
"""Letters of somebody else's exception that are told."""


@dataclass(frozen=True)
class Own:
    """Somebody's own method, which keeps the `Rival` protocol.

    Attributes
    ----------
    name
        Id in tables and figures.
    method
        The class, or the object that is copied for each fold.
    made
        Drawn anew for each: no result that was kept is ever taken for this one's, since nothing tells one version of
        somebody's code from another.
    """

    tuned_on: ClassVar[str] = "not said: a method of one's own"
    name: str
    method: Any = field(metadata=NO_SETTING, repr=False)
    made: str = field(default_factory=partial(secrets.token_hex, 8), repr=False)

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Fit a fresh copy to training cycles; see `Rival`.

        Raises
        ------
        Nem2eError
            If the method raises, or predicts something else than finite numbers of the shape (cycles, samples,
            channels).
        """
        raise NotImplementedError

    def _fresh(self) -> Any:
        """Return the method as it was before any fold."""
        if inspect.isclass(self.method):
            return made(self.method, self.name)
        with self._telling("copying it"):
            return copy.deepcopy(self.method)

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        """Tell in a sentence what somebody's code raises, and let numpy's global numbers be the same each time."""
        before = np.random.get_state()  # noqa: NPY002 -- what estimators without a random_state draw from
        np.random.seed(0)  # noqa: NPY002
        try:
            yield
        except (Exception, SystemExit) as error:
            raise Nem2eError(f"method {self.name}: {what} raised {told(error, self.method)}; mend it.") from error
        finally:
            np.random.set_state(before)  # noqa: NPY002

    def _checked(self, guess: Any, shape: tuple[int, ...], simulated: Simulated) -> Array:
        """Return a prediction as an array of that shape; refuse what is none, or not finite."""
        values = self._ordered(guess, shape, simulated) if isinstance(guess, xr.DataArray) else np.asarray(guess)
        if values.shape != shape:
            raise Nem2eError(
                f"method {self.name}: its predict gave an array of shape {values.shape}, expected {shape} "
                f"({_many(DIMS)}); mend it."
            )
        if values.dtype.kind not in "fiub":
            raise Nem2eError(
                f"method {self.name}: its predict gave values of type {values.dtype}, expected real numbers; mend it."
            )
        values = values.astype(float)
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            cycle, sample, channel = bad[0]
            where = simulated.labels.channels[channel] if simulated.labels.channels else f"channel {channel}"
            raise Nem2eError(
                f"method {self.name}: {len(bad)} of the {values.size} numbers that its predict gave are not finite, "
                f"the first in cycle {cycle}, sample {sample}, {where}; mend it."
            )
        return values

    def _ordered(self, guess: xr.DataArray, shape: tuple[int, ...], simulated: Simulated) -> Array:
        """Return the values of named dims in the order of `DIMS`; channels that have names go by them."""
        if set(guess.dims) != set(DIMS):
            raise Nem2eError(
                f"method {self.name}: its predict gave the dims {', '.join(map(str, guess.dims))}, expected "
                f"{', '.join(DIMS)}; mend it."
            )
        for dim, names in (("channel", simulated.labels.channels), ("sample", simulated.labels.samples)):
            if dim not in guess.coords or not names:
                continue
            given = guess[dim].values.tolist()
            if sorted(map(str, given)) != sorted(map(str, names)):
                raise Nem2eError(
                    f"method {self.name}: its predict gave the {dim}s {_some(given)}, expected {_some(names)}; mend it."
                )
            places = {str(one): place for place, one in enumerate(given)}
            guess = guess.isel({dim: [places[str(one)] for one in names]})
        return guess.transpose(*DIMS).values


@dataclass(frozen=True)
class OfNamedDims(Own):
    """``fit(X, y)`` and ``predict(X)`` of arrays with named dims, see `named`."""

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Fit a fresh copy to training cycles."""
        method, shape = self._fresh(), measured.shape[1:]
        with self._telling("its fit"):
            method.fit(*named(simulated, measured))

        def predict(held: Simulated) -> Array:
            with self._telling("its predict"):
                guess = method.predict(named(held)[0])
            return self._checked(guess, (len(held), *shape), held)

        return Fitted(predict, UNKNOWN)


@dataclass(frozen=True)
class Estimator(Own):
    """A scikit-learn estimator: a cycle is a row, its waveforms one after another.

    An estimator that predicts one number alone is fitted once a sample and channel (`MultiOutputRegressor`).
    """

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Fit a clone to training cycles."""
        x, y, shape = _rows(simulated.inputs), _rows(measured), measured.shape[1:]
        chosen: dict[str, Any] = {}
        model = self._fresh()
        with self._telling("its fit"):
            try:
                model.fit(x, y)
            except ValueError:
                if _takes_many(model):
                    raise
                model = MultiOutputRegressor(self._fresh()).fit(x, y)
                chosen = {ONE_EACH: y.shape[1]}

        def predict(held: Simulated) -> Array:
            with self._telling("its predict"):
                guess = np.asarray(model.predict(_rows(held.inputs)))
            rows = (len(held), int(np.prod(shape)))
            if guess.shape != rows:
                raise Nem2eError(
                    f"method {self.name}: its predict gave an array of shape {guess.shape}, expected {rows} (cycles, "
                    "samples x channels); mend it."
                )
            return self._checked(guess.reshape(len(held), *shape), (len(held), *shape), held)

        return Fitted(predict, UNKNOWN, chosen)

    def _fresh(self) -> Any:
        if inspect.isclass(self.method):
            return made(self.method, self.name)
        with self._telling("cloning it"):
            return clone(self.method)


@dataclass(frozen=True)
class OfProtocol(Own):
    """A rival that is no part of this project: ``fit(simulated, measured)`` gives a `Fitted`."""

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Fit a fresh copy to training cycles."""
        method, shape = self._fresh(), measured.shape[1:]
        with self._telling("its fit"):
            fitted = method.fit(simulated, measured)
        if not isinstance(fitted, Fitted):
            raise Nem2eError(
                f"method {self.name}: its fit gave {type(fitted).__name__}, expected nem2e_lib.rivals.Fitted; mend it, "
                "or give it a predict."
            )

        def predict(held: Simulated) -> Array:
            with self._telling("its predict"):
                guess = fitted.predict(held)
            return self._checked(guess, (len(held), *shape), held)

        return replace(fitted, predict=predict)


def as_rival(method: Any, name: str | None = None) -> Own:
    """Return a method of one's own as a rival, ready for `nem2e_lib.rivals.evaluate`.

    Parameters
    ----------
    method
        A class that can be made without arguments, or an object; it is copied for each fold. With ``get_params`` it is
        a scikit-learn estimator and is given tables: X of shape (cycles, samples x inputs), y of shape (cycles, samples
        x channels). With ``fit`` and ``predict`` it is given arrays with named dims (`named`), and predicts one with
        the dims cycle, sample, channel in any order, or a plain array of that shape. With ``fit(simulated, measured)``
        and no ``predict`` it is a rival already.
    name
        Id in tables and figures; by default its own `name`, or what its class is called.

    Returns
    -------
    Own
        Its fitted parameters are counted as NaN: nobody knows them.

    Raises
    ------
    Nem2eError
        If it has no fit or no predict, cannot be made without arguments, or is called like another method.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> as_rival(Ridge(alpha=10.0), "stiff")
    Estimator(name='stiff')
    """
    one = made(method, name or method.__name__) if inspect.isclass(method) else method
    called = name or _name_of(one)
    if called in CONDITIONS or _is_rival(called):
        raise Nem2eError(f"method {called}: another method has that name already; give yours one of its own.")
    return _kind(one, called)(called, method)


def made(kind: Any, name: str) -> Any:
    """Return an object of a class that takes no arguments; `Nem2eError` if it cannot be made."""
    try:
        return kind()
    except (Exception, SystemExit) as error:
        raise Nem2eError(
            f"method {name}: making it without arguments raised {told(error, kind)}; give its arguments defaults, or "
            "name an object instead of the class."
        ) from error


def named(simulated: Simulated, measured: Array | None = None) -> tuple[xr.DataArray, xr.DataArray | None]:
    """Return cycles, and their EMG if it is given, as arrays with named dims.

    Parameters
    ----------
    simulated
        Cycles of a fold.
    measured
        Their EMG, shape (cycles, samples, channels).

    Returns
    -------
    X : xarray.DataArray
        Dims cycle, sample, input: simulated activation, 0 to 1. Coordinates: `sample` (0 to 100 % of the cycle),
        `input` (muscles, what else is given as waveforms, and what is told beside them), and of each cycle `subject`,
        `unit` (what the folds hold out), `speed_m_s` (NaN where it is not known), `duration_s` and `condition` (empty
        where there is none).
    y : xarray.DataArray or None
        Dims cycle, sample, channel: EMG envelope. Coordinates as X, and `channel` with its `target`, the input that is
        the channel's own muscle.
    """
    labels = simulated.labels
    of_cycle = {
        name: ("cycle", getattr(simulated, name))
        for name in ("subject", "unit", "speed_m_s", "duration_s", "condition")
    }
    shared: dict[str, Any] = {**of_cycle, **({"sample": list(labels.samples)} if labels.samples else {})}
    muscles = labels.muscles if simulated.activates else ()
    others = [f"told_{k}" for k in range(simulated.told.shape[-1])]
    inputs = {"input": [*muscles, *simulated.names, *others]} if labels.muscles else {}
    x = xr.DataArray(simulated.inputs, {**shared, **inputs}, ("cycle", "sample", "input"), "simulated")
    if measured is None:
        return x, None
    own = [labels.muscles[k] for k in simulated.own] if labels.muscles else []
    outputs = {"channel": list(labels.channels), "target": ("channel", own)} if labels.channels else {}
    return x, xr.DataArray(measured, {**shared, **outputs}, DIMS, "measured")


def told(error: BaseException, source: Any = None) -> str:
    """Return an exception in a line: what it is, what it says, and the line of somebody's code that it came from."""
    text = " ".join(str(error).split())
    text = f"{text[:LONGEST]} …" if len(text) > LONGEST else text
    said = f"{type(error).__name__}: {text}".rstrip(": ").rstrip(".")
    file = _file_of(source)
    theirs = file is not None and "site-packages" not in file.parts
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if theirs and Path(frame.filename) == file]
    return f"{said} ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else said


def near(name: str, names: list[str]) -> str:
    """Return which of some names are near one, as an ending of a sentence; empty where none is."""
    found = difflib.get_close_matches(name, names, 3, 0.6)
    return f" (near it: {', '.join(found)})" if found else ""


def _kind(one: Any, name: str) -> type[Own]:
    """Tell how a method wants to be called, by what it has."""
    has = {each: callable(getattr(one, each, None)) for each in ("fit", "predict", "get_params")}
    if has["fit"] and not has["predict"] and _takes_simulated(one.fit):
        return OfProtocol
    missing = [each for each in ("fit", "predict") if not has[each]]
    if missing:
        lacking = f"{' and no '.join(missing)}{near(missing[0], dir(one))}"
        raise Nem2eError(f"method {name}: a {type(one).__name__} has no {lacking}; expected fit(X, y) and predict(X).")
    return Estimator if has["get_params"] else OfNamedDims


def _is_rival(name: str) -> bool:
    try:
        rival(name)
    except Nem2eError:
        return False
    return True


def _takes_simulated(fit: Any) -> bool:
    try:
        return list(inspect.signature(fit).parameters)[:2] == ["simulated", "measured"]
    except (TypeError, ValueError):  # built into an extension
        return False


def _name_of(one: Any) -> str:
    own = getattr(one, "name", None)
    return own if isinstance(own, str) and own else str(type(one).__name__)


def _file_of(source: Any) -> Path | None:
    if isinstance(source, Path):
        return source
    try:
        return Path(inspect.getfile(source if inspect.isclass(source) else type(source)))
    except (OSError, TypeError):
        return None


def _rows(waveforms: Array) -> Array:
    return waveforms.reshape(len(waveforms), -1)


def _takes_many(model: Any) -> bool:
    """Whether an estimator says that it predicts many numbers at once; one that does not say is believed to."""
    try:
        return bool(get_tags(model).target_tags.multi_output)
    except (AttributeError, TypeError):
        return True


def _many(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name}s" for name in names)


def _some(names: Any) -> str:
    shown = [f"{one:g}" if isinstance(one, float) else str(one) for one in names]
    return ", ".join([*shown[:8], *(["…"] if len(shown) > 8 else [])])
