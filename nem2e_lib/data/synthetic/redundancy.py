"""The redundancy of muscles resolved as OpenSim does: least sum of squared activations for given joint torques."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.errors import Nem2eError

Array = NDArray[np.float64]

_TOLERANCE = 1e-9
_STEPS = 200


def minimum_activation(strength: Array, torques: Array) -> Array:
    """Solve min Σ a² with `strength` · a = torque and 0 ≤ a ≤ 1 at every frame (Thelen et al. 2003; exponent 2).

    The dual has one unknown a torque: a = clip(strengthᵀλ, 0, 1), and a damped Newton iteration finds the λ at which
    the torques are met, for all frames at once.

    Parameters
    ----------
    strength
        Moment arm times maximum force, shape (torques, muscles), in N·m.
    torques
        Shape (frames, torques), in N·m. They must be reachable with activations in 0 to 1.

    Returns
    -------
    NDArray
        Activations, shape (frames, muscles).

    Raises
    ------
    Nem2eError
        If the torques of a frame cannot be met.
    """
    scale = np.linalg.norm(strength, axis=1)
    rows, wanted = strength / scale[:, None], torques / scale
    dual = np.zeros_like(wanted)
    for _ in range(_STEPS):
        gap = _gap(rows, dual, wanted)
        open_frames = np.abs(gap).max(axis=1) > _TOLERANCE
        if not open_frames.any():
            return np.asarray(np.clip(dual @ rows, 0.0, 1.0))
        dual[open_frames] += _newton(rows, dual[open_frames], wanted[open_frames], gap[open_frames])
    worst = int(np.abs(_gap(rows, dual, wanted)).max(axis=1).argmax())
    raise Nem2eError(f"minimum activation: the torques of frame {worst} cannot be met by activations of 0 to 1.")


def _gap(rows: Array, dual: Array, wanted: Array) -> Array:
    return wanted - np.clip(dual @ rows, 0.0, 1.0) @ rows.T


def _objective(rows: Array, dual: Array, wanted: Array) -> Array:
    """Dual function to be maximised; its gradient is the gap in torque."""
    drive = dual @ rows
    activation = np.clip(drive, 0.0, 1.0)
    return (dual * wanted).sum(axis=1) - (activation * drive - 0.5 * activation**2).sum(axis=1)


def _newton(rows: Array, dual: Array, wanted: Array, gap: Array) -> Array:
    drive = dual @ rows
    free = ((drive > 0.0) & (drive < 1.0)).astype(float)
    curvature = np.einsum("im,fm,jm->fij", rows, free, rows) + 1e-8 * np.eye(len(rows))
    step = np.linalg.solve(curvature, gap[..., None])[..., 0]
    before, slope = _objective(rows, dual, wanted), (gap * step).sum(axis=1)
    length = np.ones(len(dual))
    for _ in range(40):
        gain = _objective(rows, dual + length[:, None] * step, wanted) - before
        short = gain < 1e-4 * length * slope - 1e-14
        if not short.any():
            break
        length[short] *= 0.5
    return length[:, None] * step
