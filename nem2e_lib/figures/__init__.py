"""Every figure, as pure functions that return what they drew."""

from nem2e_lib.figures.errors import error_boxes, ranking
from nem2e_lib.figures.losses import loss_curves
from nem2e_lib.figures.shortcut import shortcut
from nem2e_lib.figures.spatial import spatial_attention
from nem2e_lib.figures.temporal import temporal_attention
from nem2e_lib.figures.waveforms import refined_curves, representative

__all__ = [
    "error_boxes",
    "loss_curves",
    "ranking",
    "refined_curves",
    "representative",
    "shortcut",
    "spatial_attention",
    "temporal_attention",
]
