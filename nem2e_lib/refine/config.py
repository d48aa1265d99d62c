"""Every choice of the method, its default, and why: what the paper leaves open is an option here."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, get_args, get_type_hints

from nem2e_lib.errors import Nem2eError
from nem2e_lib.refine.open_points import OPEN_POINTS
from nem2e_lib.refine.options import Decoder, DecoderState, Initialisation, Quarter, Scaling, Score, Spatial, TokenOrder

__all__ = ["PROFILES", "Configuration", "open_points", "profile"]


@dataclass(frozen=True)
class Configuration:
    """How an STDR-Net is built and trained (Teramae et al. 2025, section 3.2.1).

    Attributes
    ----------
    units
        Units of each intermediate layer.
    epochs
        Passes over the training cycles; None derives them from `updates`.
    updates
        Parameter updates a model should receive, used where `epochs` is None.
    score, decoder_state, decoder_input, input_feeding, initialisation, forget_bias, quarter, spatial,
    token_order, input_scaling
        The options of "What the paper leaves open" (see `open_points`).
    learning_rate
        Step size of Adam.
    order_seed
        Seed of the muscles' order where `token_order` is `shuffled`.
    seed
        Seed of the initial weights and of the order of the training cycles.
    """

    units: int = 700
    epochs: int | None = 700
    updates: int = 2000
    learning_rate: float = 1e-3
    score: Score = "general"
    decoder_state: DecoderState = "encoder"
    decoder_input: Decoder = "own"
    input_feeding: bool = False
    initialisation: Initialisation = "uniform"
    forget_bias: float = 1.0
    quarter: Quarter = "shared"
    spatial: Spatial = "muscle_lstm"
    token_order: TokenOrder = "reversed"
    order_seed: int = 0
    input_scaling: Scaling = "none"
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values outside the options, in one sentence."""
        hints = get_type_hints(type(self))
        for field in fields(self):
            choices, value = get_args(hints[field.name]), getattr(self, field.name)
            if choices and all(isinstance(choice, str) for choice in choices) and value not in choices:
                raise Nem2eError(
                    f"configuration: {field.name} is {value!r}, expected one of {', '.join(choices)}; change it."
                )
        for name in ("units", "updates", "learning_rate"):
            _require_positive(name, getattr(self, name))
        if self.epochs is not None:
            _require_positive("epochs", self.epochs)

    def with_options(self, **options: Any) -> Configuration:
        """Return a copy with some options changed; an unknown name raises `Nem2eError`."""
        known = [field.name for field in fields(self)]
        for name in options:
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"the options are {', '.join(known)}."
                raise Nem2eError(f"configuration: there is no option {name!r}; {hint}")
        return replace(self, **options)

    def epochs_for(self, sequences: int) -> int:
        """Epochs that give `updates` parameter updates over `sequences` training sequences, at least one."""
        return self.epochs if self.epochs is not None else max(1, round(self.updates / sequences))

    def to_json(self) -> str:
        """Return the options as JSON with sorted keys; `order_seed` only where it is used."""
        options = asdict(self)
        if self.token_order != "shuffled":
            del options["order_seed"]
        return json.dumps(options, sort_keys=True)


def _require_positive(name: str, value: float) -> None:
    if not value > 0:
        raise Nem2eError(f"configuration: {name} is {value}, expected a number above 0; change it.")


PROFILES: dict[str, Configuration] = {
    "smoke": Configuration(units=8, epochs=2),
    "demo": Configuration(units=64, epochs=None, updates=2000),
    "paper": Configuration(units=700, epochs=700),
}


def profile(name: str) -> Configuration:
    """Return the configuration of a profile: smoke, demo or paper."""
    if name not in PROFILES:
        raise Nem2eError(
            f"profile {name!r} is unknown, expected one of {', '.join(PROFILES)}; set PROFILE to one of them."
        )
    return PROFILES[name]


def open_points(configuration: Configuration) -> list[dict[str, str]]:
    """Rows of the table "What the paper leaves open": id, point, option, value here, alternatives, reason."""
    return [
        {**point, "here": str(getattr(configuration, point["option"])) if point["option"] else point["here"]}
        for point in OPEN_POINTS
    ]
