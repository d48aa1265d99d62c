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


def forward(w, configuration, x, steps, teacher=None):
    units = configuration.units
    hidden, cell = np.zeros(units), np.zeros(units)
    states = []
    for token in x:
        gates = token @ w["encoder.inputs"] + hidden @ w["encoder.recurrent"] + w["encoder.bias"]
        hidden, cell = lstm(gates, cell)
        states.append(hidden)
    states = np.array(states)
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
    return np.array(outputs), np.array(weights)
