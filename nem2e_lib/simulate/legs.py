"""The legs of a model: which bodies, coordinates and muscles are the right one's, and which the left one's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nem2e_lib.simulate.facts import ModelFacts
from nem2e_lib.simulate.loads import foot_bodies


@dataclass(frozen=True)
class Leg:
    """One leg: its foot (the body that forces act on, and those beyond), coordinates that muscles cross, muscles."""

    foot: tuple[str, ...]
    coordinates: tuple[str, ...]
    muscles: tuple[str, ...]


def find_legs(facts: ModelFacts) -> dict[str, Leg]:
    """Return side to leg, for ``right`` and ``left``; empty for a model whose feet are not known by their names.

    A leg is the largest branch of the model with this foot and not the other; a muscle that holds on to a body of it,
    and to none of the other leg, is its muscle. So muscles of the trunk are no leg's.
    """
    feet = foot_bodies(facts)
    if len(feet) < 2 or facts.parents is None:
        return {}
    parents = facts.parents
    above = {side: list(_upwards(parents, foot)) for side, foot in feet.items()}
    shared = set(above["right"]) & set(above["left"])
    branch = {}
    for side, chain in above.items():
        own = [body for body in chain if body not in shared]
        if not own:
            return {}
        branch[side] = _beyond(facts, own[-1])
    return {side: _leg(facts, side, feet[side], branch) for side in feet}


def _upwards(parents: dict[str, str], body: str) -> Iterable[str]:
    """A body and those that carry it, up to the ground."""
    while body in parents:
        yield body
        body = parents[body]


def _beyond(facts: ModelFacts, body: str) -> tuple[str, ...]:
    """A body and all that hang on it."""
    return tuple(each for each in facts.bodies if body in _upwards(facts.parents or {}, each))


def _leg(facts: ModelFacts, side: str, foot: str, branch: dict[str, tuple[str, ...]]) -> Leg:
    own = set(branch[side])
    other = set().union(*(bodies for name, bodies in branch.items() if name != side))
    held = {name: set(bodies) for name, bodies in (facts.held_by or {}).items()}
    return Leg(
        _beyond(facts, foot),
        tuple(each.name for each in facts.coordinates if each.muscled and each.body in own),
        tuple(name for name in facts.muscles if held.get(name, set()) & own and not held[name] & other),
    )
