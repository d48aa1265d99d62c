"""The feet of a recording: which markers are on which foot, by the names that laboratories give them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.c3d.recording import Recording

Array = NDArray[np.float64]

SIDES = ("right", "left")
_HEEL = r"hee|heel|calc|cal|fcc|calcaneus|heel_?(?:lat|med)?"
_TOE = r"toe|toe_?tip|hallux|hal|big_?toe|mt[p12]|m2|fm[12]|d1m|mth[12]|[12]mh|met[12]|[25]th_?met\w*|meta?"
_REST = r"lca|stl|sti|p1m|p5m|d5m|mt5|m5|m1|fm5|mth5|5mh|met5|lateral_?foot|medial_?foot"
_SIDED = (  # the side before or after the part, as a letter or a word
    re.compile(rf"(?P<side>right|left|r|l)[_. -]?(?P<part>{_HEEL}|{_TOE}|{_REST})", re.IGNORECASE),
    re.compile(rf"(?P<part>{_HEEL}|{_TOE}|{_REST})[_. -]?(?P<side>right|left|r|l)", re.IGNORECASE),
)
_HEELS, _TOES = re.compile(_HEEL, re.IGNORECASE), re.compile(_TOE, re.IGNORECASE)


@dataclass(frozen=True)
class Feet:
    """Markers of each foot: those at the heel, those at the toes, and the others; sides without any are missing."""

    heel: dict[str, tuple[str, ...]]
    toe: dict[str, tuple[str, ...]]
    rest: dict[str, tuple[str, ...]]

    def of(self, side: str) -> tuple[str, ...]:
        """Every marker of a foot."""
        return tuple(name for part in (self.heel, self.toe, self.rest) for name in part.get(side, ()))

    @property
    def known(self) -> tuple[str, ...]:
        """Sides whose foot has markers at heel and toe."""
        return tuple(side for side in SIDES if self.heel.get(side) and self.toe.get(side))

    def pointing(self, recording: Recording) -> Array | None:
        """Return the mean direction from heel to toe in the laboratory's axes, shape (3,); None if no foot is known."""
        ways = [mean_place(recording, self.toe[side]) - mean_place(recording, self.heel[side]) for side in self.known]
        every = np.concatenate(ways) if ways else np.empty((0, 3))
        seen = every[np.isfinite(every).all(axis=1)]
        return seen.mean(axis=0) if len(seen) else None


def find_feet(labels: Sequence[str]) -> Feet:
    """Return the markers of the feet among labels: ``RHEE``, ``L.Heel``, ``R_MT5``, ``Subject:LTOE``, ``ToeR`` …"""
    parts: tuple[dict[str, list[str]], ...] = ({}, {}, {})
    for label in labels:
        plain = label.rpartition(":")[2].strip()
        fit = next(filter(None, (pattern.fullmatch(plain) for pattern in _SIDED)), None)
        if fit is None:
            continue
        side = "right" if fit["side"].lower().startswith("r") else "left"
        kind = 0 if _HEELS.fullmatch(fit["part"]) else 1 if _TOES.fullmatch(fit["part"]) else 2
        parts[kind].setdefault(side, []).append(label)
    return Feet(*({side: tuple(names) for side, names in part.items()} for part in parts))


_FRONT = re.compile(r"([rl])?(asis?|ias)([rl])?", re.IGNORECASE)
_BACK = re.compile(r"([rl])?(psis?|ips)([rl])?|v?sacr(al|um)?|sac", re.IGNORECASE)


def find_pelvis(labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the markers at the front and at the back of the pelvis: ``RASI``, ``L_IAS``, ``r asis``, ``V.Sacral`` …"""
    plain = {label: re.sub(r"[ _.-]", "", label.rpartition(":")[2]) for label in labels}
    front, back = ([label for label in labels if part.fullmatch(plain[label])] for part in (_FRONT, _BACK))
    return front, back


def mean_place(recording: Recording, names: Sequence[str]) -> Array:
    """Return the mean place of some markers in m, shape (frames, 3); NaN where one of them is not seen."""
    index = [recording.labels.index(name) for name in names]
    return recording.metres[:, index].mean(axis=1)
