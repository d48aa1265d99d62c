"""Which columns of an OpenSim file are muscles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nem2e_lib.data.families import is_known
from nem2e_lib.data.kinds import CONTROLS, SPEED, kind
from nem2e_lib.data.labels import FORCES, Label, is_state, parse
from nem2e_lib.data.model import Model
from nem2e_lib.data.muscles import is_muscle

UNKNOWN, FOREIGN = "known to no family of models", "not in the model"
"""What is said of columns whose names say nothing, without a model and with one."""
_ACTIVE = ("", "activation", *CONTROLS)
_FIBRE = ("fiber_", "normalized_", "tendon_", "implicitderiv_normalized")
"""How quantities begin that only muscles have."""


@dataclass(frozen=True)
class Columns:
    """The columns of a table, told apart.

    Attributes
    ----------
    muscles : tuple of str
        Labels of activations of muscles, in the order of the table.
    left : dict
        Every other label, and what it is: ``reserve``, ``coordinate``, a class of the model, ….
    unknown : tuple of str
        Labels of either kind that no family of models knows, no model and nobody's word.
    absent : tuple of str
        Muscles of the model without a column.
    """

    muscles: tuple[str, ...]
    left: Mapping[str, str]
    unknown: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


def muscle_columns(labels: Sequence[str], model: Model | None = None, told: Iterable[str] = ()) -> list[str]:
    """Return the labels that are activations of muscles; arguments as `sort_columns`."""
    return list(sort_columns(labels, model, told).muscles)


def sort_columns(labels: Sequence[str], model: Model | None = None, told: Iterable[str] = ()) -> Columns:
    """Tell the muscles among the columns of a table from all else.

    A model that is given decides. Without one, a muscle is what a family of models names so (`families`), what is told
    to be one, what has the states of one (a fibre's length), or what is spelt as one (`muscles`). Any other name is
    left out; but where no column at all is of a family, the model is one that nobody knows, and all columns are taken
    whose names do not say that they are something else (`kinds`).

    A muscle's activation among states comes before its excitation, which has the bare name; a muscle without such a
    state (Moco, its dynamics ignored) is its excitation.

    Parameters
    ----------
    labels : sequence of str
        Without time.
    model : Model, optional
    told : iterable of str
        Names that are muscles by somebody's word; no word is taken against a model's.
    """
    parsed = {label: parse(label) for label in labels}
    able = {label: each for label, each in parsed.items() if each.quantity in _ACTIVE and each.place in FORCES}
    if model is not None:
        muscles, unsure = {each.name for each in able.values()} & set(model.muscles), set[str]()
    else:
        muscles, unsure = _by_name(parsed, able, frozenset(told))
    states = {each.name for label, each in able.items() if is_state(label) and each.name in muscles}
    if states:
        muscles -= unsure - states
    taken = [label for label, each in able.items() if each.name in muscles and (each.name in states) == is_state(label)]
    kept = frozenset(taken)
    left = {label: _left(label, parsed, muscles, model) for label in parsed if label not in kept}
    doubtful = (label for label, each in able.items() if each.name in unsure)
    return Columns(
        tuple(taken),
        left,
        tuple(label for label in doubtful if left.get(label, UNKNOWN) == UNKNOWN),
        tuple(name for name in model.muscles if name not in muscles) if model else (),
    )


def _by_name(parsed: Mapping[str, Label], able: Mapping[str, Label], told: frozenset[str]) -> tuple[set[str], set[str]]:
    """Names that are muscles, and names that no family and nobody's word knows, some of them among the former."""
    names = {each.name: (each, label) for label, each in able.items()}
    known = {name for name in names if is_known(name)}
    fibres = {each.name for each in parsed.values() if each.quantity.startswith(_FIBRE)}
    strange = names.keys() - known - told
    likely = {name for name in strange if name in fibres or is_muscle(name)}
    rest = {name for name in strange - likely if not kind(*names[name])}
    return known | (told & names.keys()) | likely | (set() if known else rest), likely | rest


def _left(label: str, labels: Mapping[str, Label], muscles: set[str], model: Model | None) -> str:
    """What a column is that is not taken."""
    each = labels[label]
    if each.name in muscles and each.quantity in _ACTIVE and each.place in FORCES:
        return CONTROLS[0]
    if model is not None and each.quantity in _ACTIVE and each.name in model.others:
        return model.others[each.name]
    if f"{label}{SPEED}" in labels:
        return "coordinate"
    return kind(each, label) or (UNKNOWN if model is None else FOREIGN)
