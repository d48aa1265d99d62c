"""The parts of a column label: the component of a model that it is of, and which quantity of it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text, between blanks."""
    return frozenset(text.split())


QUANTITIES = word_set("""
    activation excitation control value speed length lengthening_speed velocity acceleration position force power
    actuation stress moment stiffness strain fiber_length fiber_velocity fiber_force fiber_active_force
    fiber_passive_force active_fiber_force passive_fiber_force fiber_force_along_tendon normalized_fiber_length
    normalized_fiber_velocity tendon_force tendon_length tendon_velocity normalized_tendon_force pennation_angle
    implicitderiv_activation implicitderiv_normalized_tendon_force implicitenabled implicitresidual
    mtu_length mtu_velocity mtu_force
    """)
"""What OpenSim, Moco and SCONE write of a component, after its name."""
_SETS = word_set(
    "forceset jointset bodyset constraintset contactgeometryset controllerset markerset probeset componentset"
)
FORCES = ("", "forceset", "componentset")
"""Places of a model where a muscle may be: its forces, or one that the label does not tell."""


class Label(NamedTuple):
    """A label taken apart: name of the component, quantity (empty for a bare name), set of the model it is in."""

    name: str
    quantity: str = ""
    place: str = ""


@lru_cache(maxsize=65536)
def parse(label: str) -> Label:
    """Take a column label apart.

    ``soleus_r``, ``soleus_r.activation``, ``/forceset/soleus_r/activation``, ``/forceset/soleus_r|activation`` and
    ``/forceset/soleus_r`` are all of ``soleus_r``. A dot or a stroke may also belong to a name, as in
    ``QL_post_I.1-L3_r`` and ``supmult-C4/5-C2``.
    """
    path, bar, quantity = label.rpartition("|")
    if bar:
        return Label(path.rsplit("/", 1)[-1] or label, quantity, _place(path))
    parts = label.strip("/").split("/")
    if len(parts) > 1 and parts[-1] in QUANTITIES:
        return Label(parts[-2], parts[-1], _place(label))
    if len(parts) > 2 and parts[0] == "forceset":
        return Label(parts[-2], parts[-1], "forceset")
    if label.startswith("/") or (len(parts) > 1 and parts[-1][:1].isalpha()):
        return Label(parts[-1] or label, "", _place(label))
    head, _, tail = label.rpartition(".")
    return Label(head, tail) if head and tail in QUANTITIES else Label(label)


def _place(path: str) -> str:
    first = path.strip("/").split("/")[0]
    return first if first in _SETS else ""


def muscle_name(label: str) -> str:
    """Return the name of the muscle in a column label."""
    return parse(label).name


def is_state(label: str) -> bool:
    """Whether a label is an activation among states, as ``soleus_r.activation`` and ``…/activation`` are."""
    return parse(label).quantity == "activation"
