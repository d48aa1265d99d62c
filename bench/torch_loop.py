"""Leave-one-subject-out training in PyTorch, one model after another, as a user would write it."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import nn

from bench.work import Floats, Work


class Net(nn.Module):
    """STDR-Net with the general score: an LSTM encoder, an LSTM cell as decoder."""

    def __init__(self, features: int, units: int):
        super().__init__()
        self.encoder = nn.LSTM(features, units)
        self.decoder = nn.LSTMCell(1, units)
        self.keys = nn.Linear(units, units, bias=False)
        self.combine = nn.Linear(2 * units, units, bias=False)
        self.readout = nn.Linear(units, 1)

    def forward(self, x: torch.Tensor, steps: int) -> torch.Tensor:
        """Refine one sequence, from (tokens, features) to (steps,)."""
        states, (hidden, cell) = self.encoder(x[:, None])
        states, hidden, cell = states[:, 0], hidden[0], cell[0]
        keys, output, outputs = self.keys(states), torch.zeros(1, 1), []
        for _ in range(steps):
            hidden, cell = self.decoder(output, (hidden, cell))
            attention = torch.softmax(keys @ hidden[0], 0)
            attentional = torch.tanh(self.combine(torch.cat([(attention @ states)[None], hidden], -1)))
            output = self.readout(attentional)
            outputs.append(output[0])
        return torch.cat(outputs)


def load(weights: dict[str, Floats]) -> Net:
    """Return a network with given weights. PyTorch's second bias stays zero, so that it has as many as ours."""
    features, units = len(weights["encoder.inputs"]), len(weights["encoder.recurrent"])
    net = Net(features, units)
    pairs = {
        "encoder.weight_ih_l0": "encoder.inputs", "encoder.weight_hh_l0": "encoder.recurrent",
        "encoder.bias_ih_l0": "encoder.bias", "decoder.weight_ih": "decoder.inputs",
        "decoder.weight_hh": "decoder.recurrent", "decoder.bias_ih": "decoder.bias", "keys.weight": "score.keys",
        "combine.weight": "combine", "readout.weight": "readout", "readout.bias": "offset",
    }  # fmt: skip
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name in pairs:
                parameter.copy_(torch.from_numpy(weights[pairs[name]].T.copy()))
            else:
                parameter.zero_()
                parameter.requires_grad_(False)
    return net


def train(work: Work, *, updates: int, models: int, fused: bool, threads: int) -> tuple[float, Floats]:
    """Train the first models; return seconds per model-step and the first model's losses."""
    torch.set_num_threads(threads)
    nets = [(load(work.weights(m)), work.inputs(m), work.targets(m)) for m in work.models[:models]]
    first: list[float] = []
    began = time.perf_counter()
    for number, (net, inputs, targets) in enumerate(nets):
        optimiser = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], 1e-3, fused=fused)
        for x, y in zip(inputs[:updates], targets[:updates], strict=True):
            optimiser.zero_grad()
            loss = torch.mean((net(torch.from_numpy(x), len(y)) - torch.from_numpy(y)) ** 2)
            loss.backward()
            optimiser.step()
            if number == 0:
                first.append(loss.item())
    return (time.perf_counter() - began) / (len(nets) * updates), np.array(first, np.float32)
