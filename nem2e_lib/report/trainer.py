"""Training within a run: what is trained, what it will cost, and asking before days of it."""

from __future__ import annotations

from concurrent.futures import Executor

import jax
import xarray as xr

from nem2e_lib.data.segment import data_hash
from nem2e_lib.errors import Nem2eError
from nem2e_lib.refine.batching import Batching, choose
from nem2e_lib.refine.config import Configuration
from nem2e_lib.refine.forecast import Cost, forecast
from nem2e_lib.refine.grid import Grid, grid
from nem2e_lib.refine.results import save_results
from nem2e_lib.refine.store import Store
from nem2e_lib.refine.training import train_condition
from nem2e_lib.report.pipeline import Run

SMOKE_CHANNELS = {"walking": ("soleus", "tib", "rect"), "running": ("bi", "tib", "soleus")}
"""Channels that the smoke profile trains; of any other study it takes the first two."""
LONG = 3600.0
"""Seconds of training on a processor above which the user is asked first."""


def plan_training(
    run: Run, study: str, condition: str, configuration: Configuration, seeds: int = 1
) -> tuple[Grid, Batching, Cost]:
    """Return the grid of a condition, how it would be batched, and what its unfinished models cost."""
    cycles = run.cycles(study)
    channels = trained_channels(run, study, cycles)
    chosen = cycles if channels is None else cycles.sel(channel=channels)
    work = grid(chosen, condition, configuration, data_hash(cycles), seeds=seeds)
    store, plan = Store(run.of(study, "models")), choose(work)
    return work, plan, forecast(work, plan, [model for model in work.models if not store.holds(work.key(model))])


def train(
    run: Run,
    study: str,
    condition: str,
    configuration: Configuration | None = None,
    *,
    seeds: int = 1,
    confirm: bool = False,
    executor: Executor | None = None,
) -> xr.Dataset:
    """Train a condition, save and return its results; finished models are not trained again.

    Raises
    ------
    Nem2eError
        Where training would keep a processor busy for more than `LONG` seconds and `confirm` is False.
    """
    chosen = configuration or run.configuration
    _, plan, price = plan_training(run, study, condition, chosen, seeds)
    if price.seconds > LONG and not confirm and jax.default_backend() == "cpu":
        raise Nem2eError(
            f"{study}, {condition}: {price} on this processor; start again with CONFIRM=1 (in the notebook: confirm = "
            "True) if that is meant, or choose PROFILE=demo."
        )
    cycles = run.cycles(study)
    results = train_condition(
        cycles,
        condition,
        chosen,
        seeds=seeds,
        channels=trained_channels(run, study, cycles),
        store=run.of(study, "models"),
        executor=executor,
        batching=plan,
        profile=run.profile,
    )
    save_results(results, run.of(study, f"{condition}.nc"))
    return results


def trained_channels(run: Run, study: str, cycles: xr.Dataset) -> list[str] | None:
    """Return the EMG channels that the profile trains; None for all."""
    if run.profile != "smoke":
        return None
    have = [str(name) for name in cycles.channel.values]
    return [name for name in SMOKE_CHANNELS.get(study, ()) if name in have] or have[:2]
