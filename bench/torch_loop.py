"""Leave-one-subject-out training in PyTorch, one model after another, as a user would write it.

Runs in a process of its own, ``python -m bench.torch_loop WORK.npz``, so that PyTorch's threads and JAX's do not wait
for one another: each line of input is a dictionary of `train`'s options, each line of output seconds per model-step
and the first model's losses.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Example:
    """A model to train: initial weights by name, inputs (updates, tokens, features), targets (updates, steps)."""

    weights: dict[str, Floats]
    inputs: torch.Tensor
    targets: torch.Tensor


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
        keys, output, outputs = self.keys(states), x.new_zeros(1, 1), []
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
        "encoder.weight_ih_l0": "encoder.inputs",
        "encoder.weight_hh_l0": "encoder.recurrent",
        "encoder.bias_ih_l0": "encoder.bias",
        "decoder.weight_ih": "decoder.inputs",
        "decoder.weight_hh": "decoder.recurrent",
        "decoder.bias_ih": "decoder.bias",
        "keys.weight": "score.keys",
        "combine.weight": "combine",
        "readout.weight": "readout",
        "readout.bias": "offset",
    }
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name in pairs:
                parameter.copy_(torch.from_numpy(weights[pairs[name]].T.copy()))
            else:
                parameter.zero_()
                parameter.requires_grad_(False)
    return net


def train(
    examples: list[Example], *, device: str, updates: int, models: int, fused: bool, threads: int
) -> tuple[float, list[float]]:
    """Train the first models; return seconds per model-step and the first model's losses."""
    torch.set_num_threads(threads)
    nets = [(load(e.weights).to(device), e.inputs.to(device), e.targets.to(device)) for e in examples[:models]]
    first: list[torch.Tensor] = []
    began = time.perf_counter()
    for number, (net, inputs, targets) in enumerate(nets):
        optimiser = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], 1e-3, fused=fused)
        for x, y in zip(inputs[:updates], targets[:updates], strict=True):
            optimiser.zero_grad()
            loss = torch.mean((net(x, len(y)) - y) ** 2)
            loss.backward()
            optimiser.step()
            if number == 0:
                first.append(loss.detach())
    losses = torch.stack(first).tolist()  # waits for a graphics card
    return (time.perf_counter() - began) / (len(nets) * updates), losses


def examples(path: str) -> list[Example]:
    """Read models that `bench.torch_process` wrote."""
    found: dict[str, dict[str, Floats]] = {}
    with np.load(path) as arrays:
        for name in arrays.files:
            number, _, rest = name.partition("/")
            found.setdefault(number, {})[rest] = arrays[name]
    return [
        Example(parts, *(torch.from_numpy(parts.pop(name)) for name in ("inputs", "targets")))
        for _, parts in sorted(found.items())
    ]


def main() -> None:
    """Train as each line of input asks."""
    # Float32 throughout, as in the other contenders.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    given = examples(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(train(given, **json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
