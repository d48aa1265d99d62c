"""One factor at a time: what every choice that the paper leaves open does to Er."""

from nem2e_lib.analysis.ablations.bench import Bench
from nem2e_lib.analysis.ablations.effects import effects, said, unfinished
from nem2e_lib.analysis.ablations.variants import Reading, Variant, variants

__all__ = ["Bench", "Reading", "Variant", "effects", "said", "unfinished", "variants"]
