"""One factor at a time: what every choice that the paper leaves open does to Er.

`variants` lists what is varied; a `Bench` trains each variant and lays it beside the default, unit by unit; `effects`
tests which matters, with seeds as the yardstick; `readings` reads trained models again by the choices after training.
"""

from nem2e_lib.analysis.ablations.bench import Bench, read, readings
from nem2e_lib.analysis.ablations.effects import effects, said, unfinished
from nem2e_lib.analysis.ablations.variants import Reading, Variant, variants

__all__ = ["Bench", "Reading", "Variant", "effects", "read", "readings", "said", "unfinished", "variants"]
