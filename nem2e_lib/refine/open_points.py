"""What the paper leaves open, and what is done here instead: one row a choice.

`option` names the field of `Configuration` that holds the choice; where it is empty the choice is not the network's and
`here` says what is done. `id` is the name of the option that varies the point, of the network or of
`analysis.ablations`: what is known of a choice is found by it, whatever the point is called.
"""


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
