"""Every figure, as pure functions that return what they drew."""

from nem2e_lib.report.figures.errors import error_boxes
from nem2e_lib.report.figures.learning import loss_curves
from nem2e_lib.report.figures.ranking import ranking
from nem2e_lib.report.figures.shortcut import shortcut
from nem2e_lib.report.figures.spatial import spatial_attention
from nem2e_lib.report.figures.temporal import temporal_attention
from nem2e_lib.report.figures.waveforms import refined_curves, representative

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
