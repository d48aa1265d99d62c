"""STDR-Net's forward pass in plain numpy, written from the equations of Luong et al. (2015)."""

import numpy as np


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def lstm(gates, cell):
    i, f, g, o = np.split(gates, 4)
    cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(cell), cell


def scores(w, kind, states, hidden):
    if kind == "dot":
        return np.array([state @ hidden for state in states])
    if kind == "general":
        return np.array([state @ w["score.keys"] @ hidden for state in states])
    return np.array(
        [np.tanh(state @ w["score.keys"] + hidden @ w["score.query"]) @ w["score.vector"][:, 0] for state in states]
    )


def over(w, tokens, name="encoder"):
    """An LSTM over tokens: last hidden and cell state, and all hidden states."""
    hidden, cell = np.zeros((2, len(w[f"{name}.recurrent"])))
    states = []
    for token in tokens:
        gates = token @ w[f"{name}.inputs"] + hidden @ w[f"{name}.recurrent"] + w[f"{name}.bias"]
        hidden, cell = lstm(gates, cell)
        states.append(hidden)
    return hidden, cell, np.array(states)


def stacked(w, tokens, layers):
    """LSTMs one above the other: the last states of each, and all hidden states of the top one."""
    ends = []
    for layer in range(1, layers + 1):
        hidden, cell, tokens = over(w, tokens) if layer == 1 else over(w, tokens, f"encoder.layer_{layer}")
        ends.append((hidden, cell))
    return ends, tokens


def per_muscle(w, x, layers=1):
    """Each muscle's waveform alone; each layer of the decoder starts from the mean."""
    ends = [stacked(w, waveform[:, None], layers)[0] for waveform in x]
    return [tuple(np.mean(ends, axis=0)[k]) for k in range(layers)], np.array([end[-1][0] for end in ends])


def input_attention(w, x):
    """Qin et al. (2017), Eqs. 8-11, with inputs multiplied by the number of muscles."""
    hidden, cell = np.zeros((2, len(w["encoder.recurrent"])))
    states, shares = [], []
    for t in range(x.shape[1]):
        query = np.concatenate([hidden, cell]) @ w["encoder.query"]
        scores = [np.tanh(query + waveform @ w["encoder.keys"]) @ w["encoder.vector"][:, 0] for waveform in x]
        share = np.exp(scores) / np.exp(scores).sum()
        token = len(x) * share * x[:, t]
        hidden, cell = lstm(token @ w["encoder.inputs"] + hidden @ w["encoder.recurrent"] + w["encoder.bias"], cell)
        states.append(hidden)
        shares.append(share)
    return hidden, cell, np.array(states), np.array(shares)


def forward(w, configuration, x, steps, teacher=None, muscles=False, outputs=0):
    units, layers, own = configuration.units, configuration.layers, None
    at_once = configuration.output == "at_once"
    kind = configuration.spatial if muscles else "muscle_lstm"
    if kind == "input_attention":
        hidden, cell, states, own = input_attention(w, x)
        ends = [(hidden, cell)]
        for layer in range(2, layers + 1):
            hidden, cell, states = over(w, states, f"encoder.layer_{layer}")
            ends.append((hidden, cell))
    else:
        ends, states = per_muscle(w, x, layers) if kind == "per_muscle" else stacked(w, x, layers)
    if configuration.decoder_state == "zeros":
        ends = [(np.zeros(units), np.zeros(units))] * layers
    y, attentional, emitted, weights = np.zeros(outputs or 1), np.zeros(units), [], []
    for step in range(1 if at_once else steps):
        if teacher is not None:
            y = np.atleast_1d(teacher[step - 1]) if step else np.zeros(outputs or 1)
        below, after = y, []
        for layer, (hidden, cell) in enumerate(ends, 1):
            name = "decoder" if layer == 1 else f"decoder.layer_{layer}"
            gates = hidden @ w[f"{name}.recurrent"] + w[f"{name}.bias"]
            if layer > 1 or not at_once:  # a decoder that emits all samples at once has no output before it to read
                gates = gates + below @ w[f"{name}.inputs"]
            if layer == 1 and configuration.input_feeding:
                gates = gates + attentional @ w["feed"]
            hidden, cell = lstm(gates, cell)
            after.append((hidden, cell))
            below = hidden
        ends = after
        aligned = np.exp(scores(w, configuration.score, states, hidden))
        aligned = aligned / aligned.sum()
        attentional = np.tanh(np.concatenate([aligned @ states, hidden]) @ w["combine"])
        y = attentional @ w["readout"] + w["offset"]
        emitted.append(y)
        weights.append(aligned)
    weights = weights * steps if at_once else weights
    emitted = np.reshape(emitted, (steps, outputs) if outputs else steps)
    return emitted, np.array(weights) if own is None else own
