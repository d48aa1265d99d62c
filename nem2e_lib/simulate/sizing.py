"""Which pairs of markers scale which body along which axis, what came of it, and how well the static pose is fitted.

Left and right limbs get each their own size. Their mean would hide what is told here, a marker on the wrong place of
one side, and would be wrong for people whose legs differ. The price is that an error of some millimetres of a joint
centre becomes a difference between the legs, which is small: in ten children thighs and shanks differ by 1 % in the
median and by 2 % at most. Pelvis and torso are measured by both sides at once.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.checks import LEFT_RIGHT, STATIC_FIT, Note
from nem2e_lib.data.markers.trc import Markers
from nem2e_lib.data.quality.words import some
from nem2e_lib.simulate.facts import ModelFacts
from nem2e_lib.simulate.marker_set import AXES, MarkerSet, Pair, Rule
from nem2e_lib.simulate.xml import node, object_set

Array = NDArray[np.float64]
Pairs = tuple[Pair, ...]

FACTORS, FIT = "factors.csv", "static_fit.csv"
"""Tables in the folder of scaling."""
COLUMNS = ("body", "axes", "factor", "pairs", "measured_m", "model_m", "other_side", "difference")
DECIDING = 0.5
"""Markers with this share of the largest weight, or more, decide a pose."""
LONG = 0.8
"""Without rules, pairs on a body that are this share of its longest or more measure it. Femur and tibia of two adults,
against their laboratories' own factors: by all pairs, of clusters too, 10 to 105 % too large; by these within 4 % in
the one whose markers are at both ends of thigh and shank, 8 to 42 % too large in the other."""
_OTHER = {"_r": "_l", "_l": "_r"}


@dataclass
class Plan:
    """Body and axis to the pairs that scale it, and what is to be told of the choice."""

    pairs: dict[tuple[str, str], Pairs] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def fill(self, bodies: Sequence[str]) -> list[str]:
        """Let axes that nothing measures follow their body's others, and bodies all pairs; return such bodies."""
        every = tuple(dict.fromkeys(pair for own in self.pairs.values() for pair in own))
        left = []
        for body in bodies:
            own = tuple(dict.fromkeys(pair for axis in AXES for pair in self.pairs.get((body, axis), ())))
            left += [] if own else [body]
            for axis in AXES:
                self.pairs.setdefault((body, axis), own or every)
        return left


def every_pair(facts: ModelFacts, shared: Sequence[str]) -> dict[str, Pairs]:
    """Return body to marker pairs whose distances scale it, for a model without a marker set that says so.

    Pairs on one body do not depend on posture and come first, the `LONG` ones of them: over short ones a marker that is
    placed otherwise on the model than on the person counts most, and those of clusters are. A body with fewer than two
    markers is measured from its markers to its parent's; one without any gets none.
    """
    on = facts.markers or {}
    of_body = {body: [name for name in shared if on[name] == body] for body in facts.bodies}
    pairs = {body: _long(tuple(combinations(names, 2)), facts.marker_places) for body, names in of_body.items()}
    for body, parent in (facts.parents or {}).items():
        if body in pairs and not pairs[body]:
            pairs[body] = tuple(product(of_body[body], of_body.get(parent, [])))
    return pairs


def _long(pairs: Pairs, places: Mapping[str, Sequence[float]]) -> Pairs:
    """The longest pairs of a body; all of them where places are not known."""
    if not pairs or not {name for pair in pairs for name in pair} <= set(places):
        return pairs
    lengths = [float(np.linalg.norm(np.subtract(places[first], places[second]))) for first, second in pairs]
    return tuple(pair for pair, length in zip(pairs, lengths, strict=True) if length >= LONG * max(lengths))


def plan_without_rules(facts: ModelFacts, shared: Sequence[str]) -> Plan:
    """Return the plan of `every_pair`: each body alike along its three axes."""
    plan = Plan({(body, axis): own for body, own in every_pair(facts, shared).items() if own for axis in AXES})
    plan.fill(facts.bodies)
    return plan


def plan_by_rules(chosen: MarkerSet, facts: ModelFacts, shared: Sequence[str], static: str) -> Plan:
    """Return the plan of a marker set's rules.

    Parameters
    ----------
    shared
        Markers that the model has and that the static pose shows.
    static
        Name of the file of the static pose, for what is told.
    """
    plan, there = Plan(), set(shared)
    for rule in chosen.scale:
        bodies = [body for body in rule.bodies if body in facts.bodies]
        if not bodies:
            continue
        taken, why = _taken(rule, there)
        along = "" if rule.axes == AXES else f" along {' and '.join(rule.axes)}"
        plan.notes += [f"{static}: {', '.join(bodies)}{along}: {why}."] if why else []
        plan.pairs |= {(body, axis): taken for body in bodies for axis in rule.axes if taken}
    left = plan.fill(facts.bodies)
    if left:
        plan.notes.append(f"{static}: {some(left)}: nothing measures them; scaled by all pairs of the others.")
    return plan


def _taken(rule: Rule, there: set[str]) -> tuple[Pairs, str]:
    """The pairs of a rule that a file has, and what is to be told where they are not all of the first choice."""

    def seen(pairs: Pairs) -> Pairs:
        return tuple(pair for pair in pairs if set(pair) <= there)

    missing = list(dict.fromkeys(name for pair in rule.pairs for name in pair if name not in there))
    if not missing:
        return rule.pairs, ""
    lost = f"there is no {' and no '.join(missing)}"
    if own := seen(rule.pairs):
        return own, f"{lost}, so that {written(own)} alone scales"
    if second := seen(rule.otherwise):
        return second, f"{lost}, so that {written(second)} scales in place of {written(rule.pairs)}"
    if other := seen(rule.mirrored):
        return other, f"{lost}, so that the other side's {written(other)} scales"
    return (), f"{lost}, so that {written(rule.pairs)} cannot scale"


def written(pairs: Sequence[Pair]) -> str:
    """Return pairs as tables and notes have them."""
    return ", ".join("-".join(pair) for pair in pairs)


def measurement_set(plan: Plan) -> ET.Element:
    """Return the MeasurementSet of a plan, one measurement for all that the same pairs scale."""
    axes: dict[str, dict[Pairs, str]] = {}
    for (body, axis), pairs in plan.pairs.items():
        axes.setdefault(body, {}).setdefault(pairs, "")
        axes[body][pairs] += axis
    groups: dict[Pairs, dict[str, str]] = {}
    for body, own in axes.items():
        for pairs, along in own.items():
            groups.setdefault(pairs, {})[body] = "".join(sorted(along))
    members, names = [], set[str]()
    for pairs, bodies in groups.items():
        first, along = next(iter(bodies.items()))
        name = first if first not in names else f"{first}_{along}"
        names.add(name)
        members.append(_measurement(name, pairs, bodies))
    return object_set("MeasurementSet", members)


def _measurement(name: str, pairs: Sequence[Pair], bodies: Mapping[str, str]) -> ET.Element:
    marker_pairs = [node("MarkerPair", {"markers": " ".join(pair)}) for pair in pairs]
    scales = [node("BodyScale", {"axes": " ".join(axes.upper())}, body) for body, axes in bodies.items()]
    return node(
        "Measurement",
        {"apply": True},
        name,
        [object_set("MarkerPairSet", marker_pairs), object_set("BodyScaleSet", scales)],
    )


def factor_table(
    setup: ET.Element, markers: Markers, places: Mapping[str, Array], factors: Mapping[str, tuple[float, ...]]
) -> pd.DataFrame:
    """Return what scaling did to each body, by the set-up that OpenSim was given.

    Parameters
    ----------
    setup
        Of scaling, generated or the user's.
    markers
        Of the static pose.
    places
        Markers of the unscaled model in ground in its default posture, m.
    factors
        Body to its three factors, as OpenSim wrote them.

    Returns
    -------
    DataFrame
        A row for each body and axes that the same pairs scale: body, axes, factor, pairs, measured_m and model_m (mean
        over the pairs; NaN where nothing measures), other_side (factor of the other leg or arm; NaN where there is
        none), difference (factor over the other side's, minus 1).
    """
    pairs = _pairs_of(setup)
    measured = dict(zip(markers.names, _seen(markers), strict=True))
    rows = []
    for body, three in factors.items():
        along: dict[tuple[Pairs, float], str] = {}
        for axis, factor in zip(AXES, three, strict=True):
            key = (pairs.get((body, axis), ()), factor)
            along[key] = along.get(key, "") + axis
        for (own, factor), axes in along.items():
            other = factors.get(body[:-2] + _OTHER.get(body[-2:], "  "))
            opposite = other[AXES.index(axes[0])] if other else np.nan
            values = (body, axes, factor, written(own), _mean(own, measured), _mean(own, places))
            rows.append((*values, opposite, factor / opposite - 1))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _pairs_of(setup: ET.Element) -> dict[tuple[str, str], Pairs]:
    """Body and axis to pairs, of a set-up; the last measurement of a body holds, as in OpenSim."""
    found: dict[tuple[str, str], Pairs] = {}
    for measurement in setup.iter("Measurement"):
        if (measurement.findtext("apply") or "true").strip().lower() == "false":
            continue
        names = [(each.text or "").split() for each in measurement.iter("markers")]
        pairs = tuple((pair[0], pair[1]) for pair in names if len(pair) == 2)
        for scale in measurement.iter("BodyScale"):
            axes = (scale.findtext("axes") or "").lower().split()
            found |= {(scale.get("name", ""), axis): pairs for axis in axes}
    return found


def _mean(pairs: Pairs, places: Mapping[str, Array]) -> float:
    known = [pair for pair in pairs if set(pair) <= set(places)]
    return float(np.mean([np.linalg.norm(places[a] - places[b]) for a, b in known])) if known else float("nan")


def sides_in_doubt(table: pd.DataFrame) -> Iterator[Note]:
    """Yield a note where left and right sizes differ by more than legs and arms of a person do."""
    right = table[[str(body).endswith("_r") for body in table["body"]]]
    odd = right[right["difference"].abs() > LEFT_RIGHT.limit]
    told = {
        str(row["pairs"]): f"{row['body'][:-2]} {row['factor']:.3f} and {row['other_side']:.3f} by "
        + some(str(row["pairs"]).split(", "), 3)
        for row in odd.to_dict("records")
    }
    if told:
        yield LEFT_RIGHT.note(
            f"Right and left factors differ by more than {LEFT_RIGHT.limit:.0%}: {'; '.join(told.values())}; check "
            "these markers in the static pose."
        )


def fit_table(
    markers: Markers, there: Mapping[str, Array], bodies: Mapping[str, str], weights: Mapping[str, float]
) -> pd.DataFrame:
    """Return how far markers of a scaled model in the static pose are from the measured ones, the mean over the file.

    Parameters
    ----------
    markers
        Of the static pose.
    there
        Markers of the model in ground, m.
    bodies, weights
        Body of each, and its weight in the fit.

    Returns
    -------
    DataFrame
        A row a marker that both have, as the file has them: marker, body, weight, error_m.
    """
    measured = dict(zip(markers.names, _seen(markers), strict=True))
    rows = [
        (name, bodies[name], weights.get(name, 0.0), float(np.linalg.norm(measured[name] - there[name])))
        for name in measured
        if name in there and np.isfinite(measured[name]).all()
    ]
    return pd.DataFrame(rows, columns=["marker", "body", "weight", "error_m"])


def _seen(markers: Markers) -> Array:
    """Mean place of each marker over the frames that show it, shape (markers, 3); NaN where none does."""
    counts = np.isfinite(markers.places).sum(axis=0)
    totals = np.nansum(markers.places, axis=0)
    return np.divide(totals, counts, out=np.full(totals.shape, np.nan), where=counts > 0)


def fit_in_doubt(table: pd.DataFrame) -> Iterator[Note]:
    """Yield a note on markers that decide the static pose and are far from where the scaled model has them."""
    told = table[table["weight"] >= DECIDING * table["weight"].max()]
    far = told[told["error_m"] > STATIC_FIT.limit].sort_values("error_m", ascending=False)
    if len(far):
        named = [f"{row['marker']} {100 * row['error_m']:.1f}" for row in far.to_dict("records")]
        yield STATIC_FIT.note(
            f"The static pose is fitted with {len(far)} of {len(told)} markers more than {100 * STATIC_FIT.limit:g} cm "
            f"off ({some(named)} cm), before they are moved to where they were measured."
        )
