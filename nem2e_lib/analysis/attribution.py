"""What an output depends on: input gradient, integrated gradients and occlusion, to lay beside attention.

All are given as maps like attention's: size of the dependence of each output sample on each token.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from nem2e_lib.training.grid import Grid, Model
from nem2e_lib.training.numerics import pinned
from nem2e_lib.training.results import Network

Floats = NDArray[np.float64]
NODES = 8
"""Nodes of the Gauss-Legendre rule along the path of integrated gradients."""


class Attribution(NamedTuple):
    """Maps of one network, mean over sequences of the sizes, each (steps, tokens).

    Attributes
    ----------
    gradient
        Norm over a token's features of the output's derivative.
    integrated
        Integrated gradients of a token, its features added up.
    occlusion
        Change of the output when a token is replaced by its baseline.
    gap
        Greatest difference between the integrated gradients' sum and f(x) − f(baseline), which they must equal, as a
        share of the greatest |f(x) − f(baseline)|.
    """

    gradient: Floats
    integrated: Floats
    occlusion: Floats
    gap: float

    @property
    def maps(self) -> dict[str, Floats]:
        """The maps by name."""
        return {"gradient": self.gradient, "integrated": self.integrated, "occlusion": self.occlusion}


@pinned()
def attribute(network: Network, inputs: Floats, baseline: Floats, nodes: int = NODES) -> Attribution:
    """Attribute a network's outputs to its tokens.

    Parameters
    ----------
    network
        As `load_networks` gives it.
    inputs
        Shape (sequences, tokens, features).
    baseline
        What a token is replaced by, such as the mean of the training cycles, shape (tokens, features).
    nodes
        Of the path from baseline to input (Sundararajan et al. 2017, arXiv:1703.01365, Eq. 3).
    """
    points, weights = np.polynomial.legendre.leggauss(nodes)
    given = (jnp.asarray(part, jnp.float32) for part in (inputs, baseline, (points + 1) / 2, weights / 2))
    slopes, parts, changes, whole = (np.asarray(part, float) for part in _attribute(network, *given))
    gap = np.abs(parts.sum(axis=-1) - whole).max() / max(np.abs(whole).max(), 1e-12)
    gradient, integrated, occlusion = (np.abs(part).mean(axis=0) for part in (slopes, parts, changes))
    return Attribution(gradient, integrated, occlusion, float(gap))


def attribute_held_out(network: Network, work: Grid, channel: str, fold: int, cycles: int = 2) -> Attribution:
    """Attribute a trained model's outputs for cycles that it has not seen; baseline: the mean of those it has.

    Parameters
    ----------
    network, work
        The model, and the grid that it is of (see `grid_of`).
    channel, fold
        Which of the grid's models it is.
    cycles
        How many held-out cycles to look at.
    """
    model = Model(0, work.channel_names.index(channel), fold, 0)
    inputs = work.examples.inputs[work.examples.set_of_channel[model.channel]]
    return attribute(network, inputs[work.held(model)][:cycles], inputs[work.shown(model)].mean(axis=0))


@jax.jit
def _attribute(network: Any, inputs: Array, baseline: Array, points: Array, weights: Array) -> Any:
    def one(x: Array) -> Array:
        return network(x[None])[0]

    def look(x: Array) -> tuple[Array, ...]:
        away = x - baseline
        jacobians = jax.lax.map(jax.jacrev(one), baseline + points[:, None, None] * away)
        integrated = (jnp.tensordot(weights, jacobians, axes=1) * away).sum(axis=-1)
        without = jax.lax.map(lambda token: one(x.at[token].set(baseline[token])), jnp.arange(len(x)))
        return jnp.linalg.norm(jax.jacrev(one)(x), axis=-1), integrated, (one(x) - without).T, one(x) - one(baseline)

    return jax.lax.map(look, inputs)
