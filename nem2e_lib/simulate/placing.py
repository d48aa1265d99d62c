"""A marker set put on a model: which of its places are meant, how large the model's bodies are, what cannot be put.

With scaling among the steps the set takes the place of the model's own markers. Without it a model may have been scaled
and its markers moved to where they were measured: those stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nem2e_lib.data.families import whose
from nem2e_lib.data.quality.words import some
from nem2e_lib.data.tables import near
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.facts import ModelFacts
from nem2e_lib.simulate.marker_set import SKELETONS, MarkerSet, Place, read_marker_set, shipped
from nem2e_lib.simulate.osim import opensim

_KNEECAP = "patella_r"
"""A body that Rajagopal-like models have, for those without muscles to tell them by."""
_LEG = ("pelvis", "femur_r", "tibia_r", "calcn_r")


def skeleton(facts: ModelFacts) -> str:
    """Return whose body frames a model has, one of `SKELETONS`; empty where neither's."""
    if not set(_LEG) <= set(facts.bodies):
        return ""
    families = [whose(muscle) for muscle in facts.muscles]
    return SKELETONS[1] if "rajagopal" in families or _KNEECAP in facts.bodies else SKELETONS[0]


def places(chosen: MarkerSet, facts: ModelFacts) -> dict[str, tuple[str, Place]]:
    """Return where the markers of a set are on a model, those on bodies that it lacks left out: body, and place in m.

    Raises
    ------
    Nem2eError
        If a body is neither the model's nor one that sets know, or the set has no places for such a model.
    """
    _check_bodies(chosen, facts)
    frames, found = skeleton(facts), {}
    for name, marker in chosen.markers.items():
        if marker.body not in facts.bodies:
            continue
        place = marker.places.get("", marker.places.get(frames))
        if place is None:
            raise Nem2eError(
                f"{chosen.path}: marker {name!r} has places for models like {' and '.join(marker.places)}, but "
                f"{facts.name!r} is like {frames or 'neither'}; write at = [x, y, z] for this model."
            )
        ratio = 1.0 if "" in marker.places else _ratio(chosen, facts, marker.body, frames)
        found[name] = marker.body, (ratio * place[0], ratio * place[1], ratio * place[2])
    return found


def _check_bodies(chosen: MarkerSet, facts: ModelFacts) -> None:
    """Refuse bodies that are a slip of the pen: neither the model's nor any that the shipped sets know."""
    common = {marker.body for path in shipped().values() for marker in read_marker_set(path).markers.values()}
    common |= {body for path in shipped().values() for rule in read_marker_set(path).scale for body in rule.bodies}
    named = {marker.body: f"marker {name!r}" for name, marker in chosen.markers.items()}
    named |= {body: "[[scale]]" for rule in chosen.scale for body in rule.bodies if body not in named}
    wrong = [body for body in named if body not in facts.bodies and body not in common]
    if wrong:
        told = "; ".join(f"{named[body]} is on {body!r}{near(body, facts.bodies)}".rstrip("?") for body in wrong[:4])
        raise Nem2eError(
            f"{chosen.path}: {told}: model {facts.name!r} has no such body; it has {', '.join(facts.bodies)}."
        )


def _ratio(chosen: MarkerSet, facts: ModelFacts, body: str, frames: str) -> float:
    """How much larger a body is than the one that the set's places hold for; 1 where that cannot be told."""
    size = chosen.sizes.get(body)
    if size is None or frames not in size.length_m or not set(size.joints) <= set(facts.joint_places):
        return 1.0
    first, second = (np.array(facts.joint_places[joint]) for joint in size.joints)
    return float(np.linalg.norm(first - second)) / size.length_m[frames]


def put(chosen: MarkerSet, facts: ModelFacts, model: Any, *, keep: bool) -> Iterator[str]:
    """Give a loaded model the markers of a set in place of its own, and yield what is to be told.

    Parameters
    ----------
    keep
        Whether markers that the model has on the same body stay where they are there.
    """
    there, own = places(chosen, facts), facts.markers or {}
    kept = [name for name, (body, _) in there.items() if keep and own.get(name) == body]
    lacking = [name for name in chosen.markers if name not in there]
    fixed = {name: model.getMarkerSet().get(name).get_fixed() for name in kept}
    model.updMarkerSet().clearAndDestroy()
    osim = opensim()
    for name, (body, place) in there.items():
        where = facts.marker_places[name] if name in kept else place
        marker = osim.Marker(name, model.getBodySet().get(body), osim.Vec3(*where))
        marker.set_fixed(fixed.get(name, chosen.markers[name].fixed))
        model.addMarker(marker)
    model.finalizeConnections()
    yield from _told(chosen, facts, own, kept, lacking, keep=keep)


def _told(
    chosen: MarkerSet,
    facts: ModelFacts,
    own: Mapping[str, str],
    kept: Sequence[str],
    lacking: Sequence[str],
    *,
    keep: bool,
) -> Iterator[str]:
    if lacking:
        bodies = dict.fromkeys(chosen.markers[name].body for name in lacking)
        yield (
            f"Marker set {chosen.name!r}: {some(lacking)} are left out, for model {facts.name!r} has no "
            f"{some(list(bodies))}."
        )
    if keep and kept:
        yield f"Marker set {chosen.name!r}: {len(kept)} markers stay where model {facts.name!r} has them."
    if keep and len(kept) < len(chosen.markers) - len(lacking):
        new = [name for name in chosen.markers if name not in kept and name not in lacking]
        yield (
            f"Marker set {chosen.name!r}: {some(new)} are where the set has them on anybody; the step scale would move "
            "them to where this person has them."
        )


def unfollowed(chosen: MarkerSet, facts: ModelFacts, seen: Sequence[str], motion: str) -> Iterator[str]:
    """Yield what a movement lacks of the markers that a set follows, and which bodies no marker follows.

    Parameters
    ----------
    facts
        Of the model that follows; OpenSim's scaling leaves out what the static pose did not have.
    seen
        Markers that the movement shows.
    motion
        Name of the file of the movement.
    """
    wanted = {name: each.body for name, each in chosen.markers.items() if each.weight > 0 and each.body in facts.bodies}
    there = set(seen) & set(facts.markers or {})
    unplaced = [name for name in wanted if name in seen and name not in there]
    if unplaced:
        yield f"{motion}: {some(unplaced)} are not followed, for the static pose does not have them."
    lost = [name for name in wanted if name not in seen]
    bodies = [body for body in dict.fromkeys(wanted.values()) if not any(wanted.get(name) == body for name in there)]
    if lost or bodies:
        alone = f"no marker follows {some(bodies)}" if bodies else ""
        lacks = f"has no {some(lost)} of marker set {chosen.name!r}" if lost else ""
        yield f"{motion}: {'; '.join(filter(None, (lacks, alone)))}."
