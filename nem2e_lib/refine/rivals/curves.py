# mypy: allow-untyped-calls
"""Rivals without simulation: OpenSim itself, the training-mean EMG curve, and that curve as a function of speed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nem2e_lib.refine.rivals.protocol import Array, Fitted, Simulated


@dataclass(frozen=True)
class Identity:
    """OpenSim itself: the own muscle's simulated activation, unchanged. Its Er is 0."""

    name: str = "identity"

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Learn nothing."""
        return Fitted(lambda held: held.own_muscle, 0)


@dataclass(frozen=True)
class MeanCurve:
    """The mean EMG curve of the training cycles, whatever the simulation says."""

    name: str = "mean_curve"

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Take the mean over training cycles."""
        curve = measured.mean(axis=0)
        return Fitted(lambda held: np.repeat(curve[None], len(held), axis=0), curve.size)


@dataclass(frozen=True)
class SpeedCurve:
    """The mean EMG curve as a straight line in speed, at every sample (cycles a second where speeds are not known)."""

    name: str = "speed_curve"

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Regress every sample on speed over training cycles."""
        shape = measured.shape[1:]
        line = make_pipeline(StandardScaler(), LinearRegression())
        line.fit(simulated.pace[:, None], measured.reshape(len(measured), -1))
        return Fitted(lambda held: line.predict(held.pace[:, None]).reshape(-1, *shape), 2 * measured[0].size)
