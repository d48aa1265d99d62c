"""Neural-enhanced motion-to-EMG (Teramae et al. 2025, doi:10.3389/fbioe.2025.1611414) in JAX and Flax.

Musculoskeletal simulation turns motion into muscle activation; STDR-Net, a sequence-to-sequence LSTM with attention,
refines it towards measured EMG and is judged on subjects that it has not seen. What flows::

    import nem2e_lib as nem2e

    study = nem2e.load_study("my-lab")             # folder: simulated activation, measured EMG, ground reaction force
    cycles, report = nem2e.segment(study)          # gait cycles, heel strike to heel strike, 20 samples each
    options = nem2e.Configuration(units=64)        # every choice of network and training, with its default
    results = nem2e.train(cycles, "one_entire", options)  # a model a muscle and held-out subject, side by side
    errors = nem2e.errors(results)                 # RMSE, and Er = RMSE refined / RMSE simulated - 1, of each of them
    nem2e.summary(errors)                          # mean Er, t-test, confidence interval and effect size of each muscle

    refiner = nem2e.Refiner.load("my-lab.refiner")  # trained on everybody, with its error on those left out
    refiner.refine("walk_activation.sto", grf="walk_grf.mot").save("refined.sto")

At the door
-----------
read_storage(path)
    An OpenSim storage file (.sto, .mot): labels, time (rows,) in s, values (rows, columns).
load_study(folder), segment(study)
    A study folder, whoever made it, and its gait cycles.
Configuration, STDRNet
    The options of the method, and the network, written for one gait cycle.
train(cycles, condition, configuration)
    Leave one subject out: every EMG channel, every fold, every seed.
errors(results), summary(errors)
    Tidy tables (pandas) of errors and of their statistics.
Refiner
    A trained network as a file that refines recordings without EMG.
Run
    A run of the paper's notebooks: its studies, cycles and trained conditions, and where its figures go.
Nem2eError
    A mistake in what the user gave, in one sentence.

figures, rivals, simulate
    Every figure as a pure function; other methods under the same folds; OpenSim's own steps.

The rooms behind it, each importing only from those before it: data, training, rivals, analysis, refiner, simulate,
motion, figures, site, paper, cli (docs/architecture.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nem2e_lib.lazy import on_first_use

if TYPE_CHECKING:
    from nem2e_lib import figures, rivals, simulate
    from nem2e_lib.analysis.metrics import errors
    from nem2e_lib.analysis.statistics import summary
    from nem2e_lib.data.cycles.segment import segment
    from nem2e_lib.data.storage.storage import read_storage
    from nem2e_lib.data.study.load import load_study
    from nem2e_lib.error import Nem2eError
    from nem2e_lib.paper.run import Run
    from nem2e_lib.refiner.refiner import Refiner
    from nem2e_lib.training.config import Configuration
    from nem2e_lib.training.stdrnet import STDRNet
    from nem2e_lib.training.train import train_condition as train

_HOMES = {
    "read_storage": "data.storage.storage",
    "load_study": "data.study.load",
    "segment": "data.cycles.segment",
    "Configuration": "training.config",
    "STDRNet": "training.stdrnet",
    "train": "training.train:train_condition",
    "errors": "analysis.metrics",
    "summary": "analysis.statistics",
    "Refiner": "refiner.refiner",
    "Run": "paper.run",
    "Nem2eError": "error",
}
_ROOMS = ("figures", "rivals", "simulate")

__all__ = [
    "Configuration",
    "Nem2eError",
    "Refiner",
    "Run",
    "STDRNet",
    "errors",
    "figures",
    "load_study",
    "read_storage",
    "rivals",
    "segment",
    "simulate",
    "summary",
    "train",
]


__getattr__ = on_first_use(__name__, _HOMES, _ROOMS)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
