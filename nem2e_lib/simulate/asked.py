"""What the options name, asked of the model before anything runs: an unknown name is refused, a useless one told."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path

from nem2e_lib.data.markers.trc import read_markers
from nem2e_lib.data.quality.words import some
from nem2e_lib.data.tables import near
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.actuators import check_patterns
from nem2e_lib.simulate.options import NAMES
from nem2e_lib.simulate.prepare import Workplace
from nem2e_lib.simulate.scaling import set_up_markers
from nem2e_lib.simulate.xml import read_document

_BY_MARKERS = ("scale", "ik")
_BY_COORDINATES = ("rra", "cmc")
_WITH_RESERVES = ("cmc", "so")
_WITH_LOADS = ("rra", "cmc", "so", "id")


def check_asked(place: Workplace, steps: Sequence[str]) -> None:
    """Refuse names that the model does not have and a ground that counts twice; note options without effect.

    Raises
    ------
    Nem2eError
        If a weight is of no coordinate and no marker, a reserve fits no coordinate, a set-up measures by markers or
        scales bodies that are not there, or measured forces meet contact forces of the model's own.
    """
    _check_weights(place)
    for step in steps:
        if step in place.options.setups and step in _BY_MARKERS:
            _check_set_up(place, step, Path(place.options.setups[step]))
    check_patterns(place.facts, place.options.reserves)
    check_ground(place, steps)
    place.notes += _without_effect(place, steps)


def _check_weights(place: Workplace) -> None:
    facts, coordinates = place.facts, place.facts.names
    markers = _markers(place)
    for what, flag, asked, known, others, other in (
        ("coordinate", "--weight", place.options.weights, coordinates, markers, "--marker-weight"),
        ("marker", "--marker-weight", place.options.marker_weights, markers, coordinates, "--weight"),
    ):
        unknown = [name for name in asked if name not in known]
        if unknown:
            named = ", ".join(f"{name!r}{_meant(name, known)}" for name in unknown)
            hint = f"; {unknown[0]!r} goes with {other}" if unknown[0] in others else ""
            raise Nem2eError(
                f"Weight of {named}: model {facts.name!r} has no such {what} for {flag}{hint}; its {what}s are "
                f"{', '.join(known) or 'none'}."
            )


def _check_set_up(place: Workplace, step: str, path: Path) -> None:
    """Refuse a set-up of the user's whose names OpenSim would pass over without a word, or with one in its log only."""
    root = read_document(path).getroot()
    source = place.trial.static if step == "scale" else place.trial.markers
    if source is None:
        return
    seen = read_markers(source).names
    for measurement in root.iter("Measurement"):
        if _applies(measurement):
            _check_measurement(place, path, measurement, source, seen)
    coordinates = place.facts.names
    for name in _tasks(root, "IKCoordinateTask"):
        if name not in coordinates:
            raise Nem2eError(
                f"{path}: a task follows coordinate {name!r}, which is not in model {place.facts.name!r}"
                f"{near(name, coordinates)}; it has {', '.join(coordinates)}."
            )
    known = _markers(place)
    lost = [name for name in _tasks(root, "IKMarkerTask") if name not in known or name not in seen]
    if lost:
        place.notes.append(
            f"{path.name}: markers {some(lost, 4)} are not followed: they are not in both the model and {source.name}."
        )


def _check_measurement(
    place: Workplace, path: Path, measurement: ET.Element, source: Path, seen: Sequence[str]
) -> None:
    facts, known = place.facts, _markers(place)
    where = f"{path}: measurement {measurement.get('name')!r}"
    for name in [name for pair in measurement.iter("markers") for name in (pair.text or "").split()]:
        for there, owner in ((known, f"model {facts.name!r}"), (seen, str(source))):
            if name not in there:
                raise Nem2eError(
                    f"{where} uses marker {name!r}, which is not in {owner}{near(name, there)}; OpenSim would "
                    "leave its bodies unscaled."
                )
    for body in [each.get("name", "") for each in measurement.iter("BodyScale")]:
        if body not in facts.bodies:
            raise Nem2eError(
                f"{where} scales body {body!r}, which is not in model {facts.name!r}{near(body, facts.bodies)}; it has "
                f"{', '.join(facts.bodies)}."
            )


def _applies(element: ET.Element) -> bool:
    return (element.findtext("apply") or "true").strip().lower() != "false"


def _tasks(root: ET.Element, kind: str) -> list[str]:
    """Names of the tasks that apply, with another weight than 0."""
    weighed = [each for each in root.iter(kind) if _applies(each)]
    return [each.get("name", "") for each in weighed if (each.findtext("weight") or "1").strip() not in ("0", "0.0")]


def _markers(place: Workplace) -> tuple[str, ...]:
    """Markers of the model, and those that a set-up for scaling adds."""
    own = place.options.setups.get("scale")
    return tuple({**(place.facts.markers or {}), **(set_up_markers(Path(own)) if own else {})})


def _meant(name: str, known: Sequence[str]) -> str:
    return near(name, known).replace("; did", " (did").replace("?", "?)")


def check_ground(place: Workplace, steps: Sequence[str]) -> None:
    """Refuse measured forces on a model whose own contact forces let the ground push a second time."""
    contacts = place.facts.ground_contacts
    measured = place.trial.loads or place.trial.grf
    if not contacts or measured is None or not set(steps) & set(_WITH_LOADS):
        return
    raise Nem2eError(
        f"Model {place.facts.name!r} has contact forces with the ground of its own ({some(contacts, 4)}), and "
        f"{measured.name} has the measured ones, so the ground would push twice; switch the model's off with "
        "--without-contacts, or leave out the measured forces."
    )


def _without_effect(place: Workplace, steps: Sequence[str]) -> Iterator[str]:
    """Yield a sentence on every option that these steps do not heed."""
    options, trial = place.options, place.trial
    for step, path in options.setups.items():
        if step not in steps:
            yield f"The set-up {Path(path).name} has no effect: {NAMES[step]} ({step}) is not among the steps."
    if options.marker_set and not set(steps) & set(_BY_MARKERS):
        yield f"The marker set {options.marker_set} has no effect: no step ({' or '.join(_BY_MARKERS)}) needs markers."
    yield from _idle_weights(place, steps)
    if options.reserves and not set(steps) & set(_WITH_RESERVES):
        yield f"Reserves have no effect: neither {' nor '.join(_WITH_RESERVES)} is among the steps."
    if options.feet and trial.loads is not None:
        yield f"The bodies named for plates have no effect: {trial.loads.name} says where its loads act."
    elif options.feet and trial.grf is None:
        yield "The bodies named for plates have no effect: no ground reaction force was given."
    if trial.mass_kg is not None and "scale" not in steps and abs(trial.mass_kg - place.facts.mass_kg) > 0.5:
        yield (
            f"mass_kg of {trial.mass_kg:g} kg has no effect without the step scale: the model weighs "
            f"{place.facts.mass_kg:.1f} kg."
        )


def _idle_weights(place: Workplace, steps: Sequence[str]) -> Iterator[str]:
    options, free = place.options, {each.name for each in place.facts.free}
    made = [step for step in steps if step not in options.setups]
    names, tracked = tuple(options.weights), set(steps) & set(_BY_COORDINATES)
    idle = {
        f"none of the steps weighs markers by them ({' and '.join(_BY_MARKERS)} with generated set-ups do)": (
            () if set(made) & set(_BY_MARKERS) else tuple(options.marker_weights)
        ),
        f"none of the steps tracks coordinates ({' and '.join(_BY_COORDINATES)} do)": () if tracked else names,
        "the model locks them or moves them by others": [name for name in names if tracked and name not in free],
    }
    for why, useless in idle.items():
        if useless:
            yield f"Weights of {some(useless, 4)} have no effect: {why}."
