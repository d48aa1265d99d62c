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


def over(w, tokens):
    """An LSTM over tokens: last hidden and cell state, and all hidden states."""
    hidden, cell = np.zeros((2, len(w["encoder.recurrent"])))
    states = []
    for token in tokens:
        gates = token @ w["encoder.inputs"] + hidden @ w["encoder.recurrent"] + w["encoder.bias"]
        hidden, cell = lstm(gates, cell)
        states.append(hidden)
    return hidden, cell, np.array(states)


def per_muscle(w, x):
    """Each muscle's waveform alone; the decoder starts from the mean."""
    ends = [over(w, waveform[:, None])[:2] for waveform in x]
    states = np.array([hidden for hidden, _ in ends])
    return states.mean(axis=0), np.mean([cell for _, cell in ends], axis=0), states


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


def forward(w, configuration, x, steps, teacher=None, muscles=False):
    units, own = configuration.units, None
    kind = configuration.spatial if muscles else "muscle_lstm"
    if kind == "input_attention":
        hidden, cell, states, own = input_attention(w, x)
    else:
        hidden, cell, states = per_muscle(w, x) if kind == "per_muscle" else over(w, x)
    if configuration.decoder_state == "zeros":
        hidden, cell = np.zeros(units), np.zeros(units)
    y, attentional, outputs, weights = np.zeros(1), np.zeros(units), [], []
    for step in range(steps):
        if teacher is not None:
            y = np.array([teacher[step - 1] if step else 0.0])
        gates = y @ w["decoder.inputs"] + hidden @ w["decoder.recurrent"] + w["decoder.bias"]
        if configuration.input_feeding:
            gates = gates + attentional @ w["feed"]
        hidden, cell = lstm(gates, cell)
        aligned = np.exp(scores(w, configuration.score, states, hidden))
        aligned = aligned / aligned.sum()
        attentional = np.tanh(np.concatenate([aligned @ states, hidden]) @ w["combine"])
        y = attentional @ w["readout"] + w["offset"]
        outputs.append(y[0])
        weights.append(aligned)
    return np.array(outputs), np.array(weights) if own is None else own
