"""The values that the options of STDR-Net may take."""

from __future__ import annotations

from typing import Literal

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

TokenOrder = Literal["reversed", "file", "shuffled"]
"""Muscles reach All-Entire's encoder in the reverse order of the activation file, in that order, or in one drawn from
`order_seed`."""

Scaling = Literal["none", "standard"]
"""Inputs as they are, or standardised by the training cycles' mean and standard deviation per token and feature."""
