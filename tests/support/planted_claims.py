"""Evidence in which a claim is true, false, or hidden by noise: the verdicts' own test.

A case says what was planted and which verdicts may follow; `tests/analysis/claims/test_tester*.py` run them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import norm

from nem2e_lib.analysis import statistics
from nem2e_lib.analysis.claims import Evidence, evaluate
from nem2e_lib.analysis.claims.evidence import FAILS, HOLDS, NOT_SHOWN, UNTESTED
from nem2e_lib.data.muscles import GAIT2392, RUNNING_EMG, WALKING_EMG
from nem2e_lib.training.conditions import CONDITIONS
from nem2e_lib.training.config import PUBLISHED_EPOCHS

MUSCLES = {"running": tuple(RUNNING_EMG), "walking": tuple(WALKING_EMG)}
SUBJECTS = {"running": 10, "walking": 8}
"""As many people as the paper has."""
SAMPLES = np.linspace(0, 100, 20)
TRUE, FALSE, WEAK = "true", "false", "weak"
"""What was planted: the claim, its contrary, or the claim under noise that hides it."""
VERDICTS = {TRUE: (HOLDS,), FALSE: (FAILS,), WEAK: (NOT_SHOWN, UNTESTED)}
"""Which verdicts may follow."""

Er = Mapping[tuple[str, str], float]
"""Planted mean Er by (condition, muscle)."""


@dataclass(frozen=True)
class Case:
    """A claim, what was planted, and the evidence."""

    claim: str
    planted: str
    build: Callable[[], Evidence]

    def __str__(self) -> str:
        """Name the case in a test's id."""
        return f"{self.claim}-{self.planted}"

    @property
    def found(self) -> pd.Series:
        """The claim's row of the table of claims."""
        return evaluate(self.build(), [self.claim]).iloc[0]

    def check(self) -> None:
        """Assert that the verdict is one that what was planted allows."""
        found = self.found
        assert found["verdict"] in VERDICTS[self.planted], (
            f"{self}: {found['verdict']}; {found['value']}; {found['why']}"
        )


def errors(
    motion: str,
    er: Er,
    *,
    rest: float = 0.0,
    sd: float | Mapping[str, float] = 0.05,
    people: int | None = None,
    muscles: Iterable[str] = (),
    unit: str = "subject",
) -> pd.DataFrame:
    """Return rows of `metrics.errors` with planted means: every condition and muscle of the paper's study.

    Parameters
    ----------
    er
        Mean Er by (condition, muscle).
    rest
        Mean Er of all others.
    sd
        Standard deviation over people, of all muscles or by muscle (0.05 for those not named); people's departures are
        normal scores in another order for each muscle and condition, so that means are exact.
    muscles
        EMG channels; those of the paper's study by default.
    """
    count, names = people or SUBJECTS[motion], tuple(muscles) or MUSCLES[motion]
    scores = norm.ppf((np.arange(count) + 0.5) / count)
    scores /= scores.std(ddof=1)
    rng = np.random.default_rng(0)
    rows = [
        {
            "study": motion,
            "condition": condition,
            "muscle": muscle,
            "electrode": muscle,
            "unit": unit,
            "label": f"s{person}",
            "er": er.get((condition, muscle), rest) + score * (sd.get(muscle, 0.05) if isinstance(sd, Mapping) else sd),
            "er_mean_curve": 0.0,
            "r2_pearson": 0.5,
            "r2_sse": 0.5,
            "diverged": 0,
            "synthetic": True,
        }
        for condition in CONDITIONS
        for muscle in names
        for person, score in enumerate(rng.permutation(scores))
    ]
    return pd.DataFrame(rows)


def results(
    motion: str,
    condition: str,
    *,
    muscles: Iterable[str] = (),
    people: int | None = None,
    cycles: int = 4,
    epochs: int = PUBLISHED_EPOCHS,
    seed: int = 0,
) -> xr.Dataset:
    """Return a trained condition as docs/architecture.md describes it, with neutral contents to be planted over.

    Measured EMG is a smooth wave of the muscle with a person's and a cycle's departure, the simulation a shifted copy,
    the refined curve the measured one with a small error; losses fall and stay; attention and gradient are uniform.
    Change what a case is about with ``.assign(...)``.
    """
    rng = np.random.default_rng(seed)
    names, count = tuple(muscles) or MUSCLES[motion], people or SUBJECTS[motion]
    person = np.repeat(np.arange(count), cycles)
    tokens = list(GAIT2392) if condition == "all_entire" else SAMPLES if condition == "one_entire" else SAMPLES[:5]
    wave = _waves(names, count, cycles, rng)
    dims, total = ("channel", "cycle", "sample"), count * cycles
    loss = np.tile(0.2 + 0.8 * np.exp(-np.linspace(0, 12, epochs)), (1, len(names), count, 1))
    uniform = np.full((20, len(tokens)), 1 / len(tokens))
    curve = np.stack([wave[:, person != one].mean(axis=1) for one in person], axis=1)
    models = (1, len(names), count)
    return xr.Dataset(
        {
            "measured": (dims, wave),
            "simulated": (dims, np.roll(wave, 5, axis=-1)),
            "mean_curve": (dims, curve),
            "refined": (("seed", *dims), (wave + rng.normal(0, 0.02, wave.shape))[None]),
            "training_loss": (("seed", "channel", "fold", "epoch"), loss),
            "validation_loss": (("seed", "channel", "fold", "epoch"), loss * 1.1),
            "diverged": (("seed", "channel", "fold"), np.zeros(models, bool)),
            "attention": (
                ("seed", "channel", "cycle", "output", "token"),
                np.broadcast_to(uniform, (1, len(names), total, *uniform.shape)).copy(),
            ),
            "gradient": (
                ("seed", "channel", "fold", "output", "token"),
                np.broadcast_to(uniform, (*models, *uniform.shape)).copy(),
            ),
        },
        coords={
            "seed": [0],
            "channel": list(names),
            "target": ("channel", [RUNNING_EMG[name] for name in names]),
            "electrode": ("channel", list(names)),
            "fold": [f"s{one}" for one in range(count)],
            "fold_of_cycle": ("cycle", person),
            "token": tokens,
            "output": SAMPLES,
            "sample": SAMPLES,
            "epoch": np.arange(1, epochs + 1),
            "cycle": np.arange(total),
            "subject": ("cycle", [f"s{one}" for one in person]),
            "speed": ("cycle", [f"v{one % cycles}" for one in range(total)]),
            "trial": ("cycle", [f"t{one}" for one in range(total)]),
            "start_s": ("cycle", np.zeros(total)),
            "end_s": ("cycle", np.full(total, 0.76)),
        },
        attrs={"study": motion, "motion": motion, "condition": condition, "unit": "subject", "synthetic": 1},
    )


def _waves(names: tuple[str, ...], people: int, cycles: int, rng: np.random.Generator) -> np.ndarray:
    """Return EMG of shape (muscles, cycles of all people, samples): a person's phase and size, a cycle's phase."""
    lead = np.linspace(0, 1, len(names), endpoint=False)[:, None, None]
    own = rng.normal(0, 0.05, (len(names), people, 1)).repeat(cycles, axis=1)
    each = rng.normal(0, 0.01, (len(names), people * cycles, 1))
    size = 1 + rng.normal(0, 0.2, (len(names), people, 1)).repeat(cycles, axis=1)
    waves: np.ndarray = size * (0.5 + 0.4 * np.sin(2 * np.pi * (SAMPLES / 100 + lead + own + each)))
    return waves


def evidence(
    rows: Iterable[pd.DataFrame] = (),
    trained: Iterable[xr.Dataset] = (),
    *,
    shortcut: pd.DataFrame | None = None,
    printed: pd.DataFrame | None = None,
) -> Evidence:
    """Return evidence of planted errors and trained conditions, tested as a run's are; without errors: neutral ones."""
    given = {str(table["study"].iloc[0]): table for table in rows}
    tested = [_tested(given[motion]) if motion in given else _neutral(motion) for motion in MUSCLES]
    every, summary, tukey = (pd.concat(tables, ignore_index=True) for tables in zip(*tested, strict=True))
    return Evidence(
        every,
        summary,
        tukey,
        {(str(one.attrs["study"]), str(one.attrs["condition"])): one for one in trained},
        {motion: motion for motion in MUSCLES},
        shortcut,
        dict.fromkeys(MUSCLES, True),
        printed,
    )


def _tested(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    return table, statistics.summary(table), statistics.tukey(table)


@cache
def _neutral(motion: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    return _tested(errors(motion, {}))
