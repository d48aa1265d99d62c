"""Every choice of the method, its default, and why: what the paper leaves open is an option of `Configuration`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args, get_type_hints

from nem2e_lib.data.tables import near
from nem2e_lib.error import Nem2eError

Score = Literal["dot", "general", "concat"]
"""Luong's attention scores: h_t·h_s, h_t·W h_s, v·tanh(W[h_t; h_s]) (Luong et al. 2015, Eq. 8)."""

DecoderState = Literal["encoder", "zeros"]
"""The decoder starts from the encoder's last state, or from zeros: then attention must carry what it knows."""

Decoder = Literal["own", "teacher"]
"""The decoder reads its own previous output, or in training the measured one."""

Initialisation = Literal["uniform", "glorot_orthogonal"]
"""Uniform within ±1/sqrt(units), or Glorot uniform with orthogonal recurrent weights."""

Quarter = Literal["shared", "separate", "dense"]
"""One model for the four quarters without a phase input; one model a quarter; one model, 20 samples a quarter."""

Spatial = Literal["muscle_lstm", "per_muscle", "input_attention", "time_tokens"]
"""How All-Entire encodes the muscles: an LSTM over the muscle tokens; one LSTM shared by all, over each one's waveform;
an LSTM over time that weighs each muscle at each step; an LSTM over time that reads all muscles, without a muscle map.
"""

Output = Literal["sequence", "at_once"]
"""The decoder emits a sample a step; or all samples in its one step, by an output layer of as many units."""

Targets = Literal["one", "all"]
"""A network a muscle; or one network that refines all muscles at once."""

TokenOrder = Literal["reversed", "file", "shuffled"]
"""Muscles reach All-Entire's encoder in the reverse order of the activation file, in that order, or in one drawn from
`order_seed`."""

Scaling = Literal["none", "standard"]
"""Inputs as they are, or standardised by the training cycles' mean and standard deviation per token and feature."""


Weights = Literal["last", "average", "least"]
"""Those of the last epoch; their mean over the last tenth of the epochs; those of the epoch of least loss, which other
held-out units than the model's own choose (`training.folds.nested`)."""


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
    layers
        LSTM layers of the encoder and of the decoder, one above the other.
    score, decoder_state, decoder_input, input_feeding, output, targets, initialisation, forget_bias, quarter,
    spatial, token_order, input_scaling, weights
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
    weights: Weights = "last"
    seed: int = 0
    layers: int = 1
    output: Output = "sequence"
    targets: Targets = "one"

    def __post_init__(self) -> None:
        """Refuse values outside the options, in one sentence."""
        hints = get_type_hints(type(self))
        for field in fields(self):
            choices, value = get_args(hints[field.name]), getattr(self, field.name)
            if choices and all(isinstance(choice, str) for choice in choices) and value not in choices:
                raise Nem2eError(
                    f"configuration: {field.name} is {value!r}, expected one of {', '.join(choices)}; change it."
                )
        for name in ("units", "updates", "learning_rate", "layers"):
            _require_positive(name, getattr(self, name))
        if self.epochs is not None:
            _require_positive("epochs", self.epochs)
        if self.output == "at_once" and (self.decoder_input != "own" or self.input_feeding):
            option = "input_feeding" if self.input_feeding else "decoder_input"
            raise Nem2eError(
                f"configuration: output is 'at_once' and {option} is {getattr(self, option)!r}, but a decoder of one "
                f"step has no output before it to read; leave {option} at its default."
            )

    def with_options(self, **options: Any) -> Configuration:
        """Return a copy with some options changed; an unknown name raises `Nem2eError`."""
        known = [field.name for field in fields(self)]
        for name in options:
            if name not in known:
                hint = near(name, known) or f"; the options are {', '.join(known)}."
                raise Nem2eError(f"configuration: there is no option {name!r}{hint}")
        return replace(self, **options)

    def epochs_for(self, sequences: int) -> int:
        """Epochs that give `updates` parameter updates over `sequences` training sequences, at least one."""
        return self.epochs if self.epochs is not None else max(1, round(self.updates / sequences))

    def to_json(self) -> str:
        """Return the options as JSON with sorted keys; `order_seed` only where it is used, `LATER` where not default.

        Names of stored models are made of it, and stay what they were before these options were there.
        """
        options = asdict(self)
        if self.token_order != "shuffled":
            del options["order_seed"]
        defaults = {field.name: field.default for field in fields(self)}
        for name in LATER:
            if options[name] == defaults[name]:
                del options[name]
        return json.dumps(options, sort_keys=True)


LATER = ("weights", "layers", "output", "targets")
"""Options that were added after models had been stored."""


def _require_positive(name: str, value: float) -> None:
    if not value > 0:
        raise Nem2eError(f"configuration: {name} is {value}, expected a number above 0; change it.")


PUBLISHED_EPOCHS = 700
"""Passes over the training cycles in the paper (Teramae et al. 2025, section 3.2.1): claims on long training can be
tested at this length and not below."""


def last_tenth(epochs: int) -> int:
    """Return how many epochs are the last tenth of a training: one at least."""
    return max(1, round(epochs / 10))


PROFILES: dict[str, Configuration] = {
    "smoke": Configuration(units=8, epochs=2),
    "demo": Configuration(units=64, epochs=None, updates=2000),
    "long": Configuration(units=64, epochs=PUBLISHED_EPOCHS),
    "paper": Configuration(units=700, epochs=PUBLISHED_EPOCHS),
}


def profile(name: str) -> Configuration:
    """Return the configuration of a profile: smoke, demo, long or paper."""
    if name not in PROFILES:
        raise Nem2eError(
            f"profile {name!r} is unknown, expected one of {', '.join(PROFILES)}; set PROFILE to one of them."
        )
    return PROFILES[name]


def _row(point: str, option: str, alternatives: str, reason: str, here: str = "", name: str = "") -> dict[str, str]:
    told = {"point": point, "option": option, "here": here, "alternatives": alternatives, "reason": reason}
    return {"id": name or option, **told}


OPEN_POINTS: list[dict[str, str]] = [
    _row(
        "Attention score",
        "score",
        "dot, general, concat",
        "Luong et al. (2015) give three. With dot scores the weights stay almost uniform; general gives equal "
        "error and weights that can differ from uniform.",
    ),
    _row(
        "Decoder's initial state",
        "decoder_state",
        "encoder, zeros",
        "The encoder's last state is the usual sequence-to-sequence hand-over; from zeros, attention alone tells the "
        "decoder about the input.",
    ),
    _row(
        "Decoder's input",
        "decoder_input",
        "own, teacher",
        "Its own previous output (zero first) in training and in use alike, so that both meet the same inputs; teacher "
        "forcing gives it the measured EMG in training only.",
    ),
    _row(
        "Input feeding",
        "input_feeding",
        "False, True",
        "Optional in Luong et al. (2015); the paper does not mention it.",
    ),
    _row(
        "Layers",
        "layers",
        "any whole number",
        "700 units for each intermediate layer may mean one layer of the encoder and one of the decoder, or more. An "
        "upper layer reads the states of the one below; attention reads the top ones; each decoder layer starts from "
        "the encoder's of the same height.",
    ),
    _row(
        "Output of the decoder",
        "output",
        "sequence, at_once",
        "A sequence-to-sequence decoder emits a sample a step. 20 units for the decoder (output layer) may also mean "
        "that all samples are emitted at once: then the decoder takes one step from the encoder's last state and reads "
        "no output, its state asks attention once, and a linear layer of as many units as samples follows. All "
        "samples share one row of weights, so there is no map of attention over the outputs.",
    ),
    _row(
        "Muscles of a network",
        "targets",
        "one, all",
        "The paper names one input dimension for the target muscle, which is a network a muscle; 20 units for the "
        "decoder (output layer) may also be 20 muscles. With all, one network a held-out unit reads the own muscles of "
        "all EMG channels (All-Entire: every muscle, as before) and has an output for each; the error is the mean over "
        "the channels that were recorded, and the muscles share one map of attention.",
    ),
    _row(
        "Initial weights",
        "initialisation",
        "uniform, glorot_orthogonal",
        "Uniform within ±1/sqrt(units) is the custom of LSTM libraries.",
    ),
    _row("Forget-gate bias", "forget_bias", "any number", "Zero unless stated; 1 is a common aid to long memories."),
    _row("Learning rate", "learning_rate", "any positive number", "Adam's own default (Kingma & Ba 2015)."),
    _row(
        "Order of training cycles",
        "",
        "fixed order",
        "Batch size 1 leaves the order free; shuffling avoids a drift with the order of subjects.",
        "shuffled in each epoch from the seed",
        "sample_order",
    ),
    _row(
        "Weights that are used",
        "weights",
        "last, average, least",
        "The paper names 700 epochs and no other rule. With Adam at batch size 1 the loss jumps from epoch to epoch, "
        "and that of people who were held out may rise again: average is the mean of the weights over the last tenth "
        "of the epochs; least takes those of the epoch of least loss on a further person, held out of the training "
        "people for that, never on the one who is refined.",
    ),
    _row("Gradient clipping", "", "by norm or value", "Not mentioned in the paper.", "none", "clipping"),
    _row(
        "Attentional layer and output",
        "",
        "other non-linearities",
        "Eq. 5 of Luong et al. (2015); a linear output can follow an unbounded envelope.",
        "tanh(W[context; state]), then a linear output",
        "attentional_layer",
    ),
    _row(
        "One-Quarter's models",
        "quarter",
        "shared, separate, dense",
        "Each quarter is a sequence of its own; one model serves all four without being told which quarter it sees.",
    ),
    _row(
        "All-Entire's encoder",
        "spatial",
        "muscle_lstm, per_muscle, input_attention, time_tokens",
        "Figure 7 shows muscles against the cycle: a token is a muscle's whole waveform. muscle_lstm reads one after "
        "another; per_muscle reads each alone, so that they have no order; input_attention reads time and weighs each "
        "muscle at each step; time_tokens reads all muscles over time and has no map of muscles. "
        "14_attention_tests compares them.",
    ),
    _row(
        "Input scaling",
        "input_scaling",
        "none, standard",
        "OpenSim's activations lie in 0 to 1 and are used as they are; standard uses the training cycles' mean and "
        "standard deviation.",
    ),
    _row(
        "Gait cycle",
        "",
        "right heel strike to left heel strike",
        "Figure 3's caption says right to left, which would be half a cycle; study.toml offers both.",
        "right heel strike to the next right heel strike, unless study.toml says otherwise",
        "cycle",
    ),
    _row(
        "Thinning to 20 samples",
        "",
        "with a low-pass filter before",
        "The paper says thinning. With 20 points, 50 % falls between the tenth and the eleventh sample (47.4 % and "
        "52.6 %): figures at 50 % use the eleventh.",
        "20 points from 0 to 100 % by linear interpolation, without a filter",
        "resampling",
    ),
    _row(
        "Order of the muscles",
        "token_order",
        "reversed, file, shuffled (by order_seed)",
        "An LSTM over muscles depends on their order. The file begins with the right leg, whose EMG is measured; "
        "read last first, as Sutskever et al. (2014) read sentences, its muscles are nearest to the decoder. Held-out "
        "Er was lower so on synthetic data and on measured running alike.",
    ),
    _row(
        "Columns of running",
        "",
        "92 muscles",
        "Table 1 says 102: 92 muscles and 10 actuators of the arms.",
        "those that study.toml lists, else the muscles and arm actuators found in the file",
        "arms",
    ),
    _row(
        "Normalisation of EMG",
        "",
        "per trial, per cycle",
        "The set over which the maximum is taken is not stated; the study folder holds EMG as it was normalised.",
        "none after the study folder",
        "emg_normalisation",
    ),
    _row(
        "Er of a subject",
        "",
        "mean of the speeds' ratios",
        "Eq. 2 with the mean of the four RMSE values, as section 3.2.2 says.",
        "ratio of the means over speeds",
        "er",
    ),
    _row(
        "R²",
        "",
        "squared Pearson r; 1 − SSE/SST",
        "The paper gives no definition, and its figures are not monotone with Er.",
        "both are printed",
        "r2",
    ),
]
"""What the paper leaves open, and what is done here instead: one row a choice.

`option` names the field of `Configuration` that holds the choice; where it is empty the choice is not the network's and
`here` says what is done. `id` is the name of the option that varies the point, of the network or of
`analysis.ablations`: what is known of a choice is found by it, whatever the point is called.
"""


def open_points(configuration: Configuration) -> list[dict[str, str]]:
    """Rows of the table "What the paper leaves open": id, point, option, value here, alternatives, reason."""
    return [
        {**point, "here": str(getattr(configuration, point["option"])) if point["option"] else point["here"]}
        for point in OPEN_POINTS
    ]
