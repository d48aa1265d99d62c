"""What attention finds where the truth is known: trained by ``make study-attention``, kept in docs/attention_*.csv.

`KnownTruth` reads it. `make` makes it, in pieces: `encoders`, `order`, `delay`, `planted`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.analysis import attention_tests as tests
from nem2e_lib.analysis import attention_verdicts as verdicts
from nem2e_lib.analysis.attention import entropy_share, mean_entropy, over_muscles
from nem2e_lib.analysis.attention_interventions import UNIFORM_WEIGHTS, changes, intervene, summary
from nem2e_lib.analysis.attention_nulls import against_nulls, dependence
from nem2e_lib.analysis.attribution import attribute
from nem2e_lib.analysis.controls import ASKED
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.data.cycles.segment import data_hash
from nem2e_lib.data.synthetic import Knobs, drive, synthetic_cycles
from nem2e_lib.data.synthetic.knobs import DEFAULT
from nem2e_lib.error import Nem2eError
from nem2e_lib.paper.run import Run
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.site.provenance import commit
from nem2e_lib.site.saving import Saved, write_csv
from nem2e_lib.site.tables import plain
from nem2e_lib.training.conditions import examples
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.grid import grid
from nem2e_lib.training.results import configuration_of, load_networks, load_results
from nem2e_lib.training.train import train_condition

FOLDER = ROOT / "docs"
LONG = FOLDER / "attention_long.csv"
TRAINING = ["study", "condition", "units", "epochs", "updates", "muscles", "data_hash"]
"""What tells one training from another in it."""
NAMES = ("encoders", "seeds", "agreement", "order", "planted", "truth", "delay")
"""Tables of the study."""
MOTION, SUBJECTS, MUSCLES = "running", 4, ("tib", "soleus")
DELAYS = (0.0, 30.0, 60.0, 90.0, 120.0, 150.0)
ORDERS = 5
SEEDS = 3
PATIENCE = 3
"""Planted muscles and delays are learned slowly: their models are trained with so many times the updates."""
UNITS, UPDATES = 64, 2000
"""Size and training of the study's models, as in the demo."""
LOOKED_AT = 4
"""Held-out cycles of a fold that outputs are attributed on."""
SETTINGS = (
    ("general", "encoder"),
    ("general", "zeros"),
    ("concat", "encoder"),
    ("dot", "encoder"),
    ("dot", "zeros"),
    ("concat", "zeros"),
)
SETTINGS_OF = {"muscle_lstm": 6, "per_muscle": 3}
"""How many of the settings an encoder is trained with; of the others the first alone, where the score matters less."""
MAPS = ("muscle_lstm", "per_muscle", "input_attention")

Row = dict[str, Any]


@dataclass(frozen=True)
class KnownTruth:
    """The committed study of attention where the truth is known, on SYNTHETIC data.

    Attributes
    ----------
    folder
        Of its tables, ``attention_<name>.csv``.
    """

    folder: Path = FOLDER

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables of the study by name; where one is missing, `Nem2eError` says how it is made."""
        if self.missing:
            raise Nem2eError(f"{self.missing[0]}: there is no such table; make study-attention makes it.")
        return {name: pd.read_csv(self.folder / f"attention_{name}.csv") for name in NAMES}

    @property
    def missing(self) -> list[Path]:
        """Tables that were not made."""
        paths = (self.folder / f"attention_{name}.csv" for name in NAMES)
        return [path for path in paths if not path.exists()]

    @cached_property
    def readings(self) -> pd.DataFrame:
        """Rows of `attention_verdicts.readings`."""
        return verdicts.readings(self.tables)

    @cached_property
    def encoders(self) -> pd.DataFrame:
        """Rows of `attention_verdicts.encoder_summary`."""
        return verdicts.encoder_summary(self.tables["encoders"])

    @property
    def verdict(self) -> str:
        """What attention maps may be read as, and whether a default should change, a sentence or two a line."""
        if self.missing:
            return "There is no study of attention where the truth is known; make study-attention makes it."
        lag = verdicts.slopes(self.tables["delay"])
        advice = verdicts.recommendation(self.encoders, self.readings)
        return f"{verdicts.verdict(self.readings, lag)}\n{advice}\n{self.where(*NAMES)}"

    def where(self, *names: str) -> str:
        """What the models of some tables were trained with; tables that differ in it are told apart."""
        words = [self._where(name) for name in names]
        shared = {said: [n for n, w in zip(names, words, strict=True) if w == said] for said in dict.fromkeys(words)}
        told = shared if len(shared) == 1 else [f"{', '.join(of)}: {said}" for said, of in shared.items()]
        return f"{'; '.join(told)} (docs/attention_*.csv; make study-attention makes them anew)."

    def _where(self, name: str) -> str:
        first = self.tables[name].iloc[0]
        return (
            f"SYNTHETIC {first['study']} of generator {first.get('generator', 1):.0f}, {first['subjects']} subjects, "
            f"one held out, {first['units']} units, {first['updates']} updates a model, "
            f"code {str(first['commit'])[:10]}"
        )


@dataclass(frozen=True)
class Study:
    """Where finished models are kept, and the size of each."""

    folder: Path
    units: int = UNITS
    updates: int = UPDATES

    def train(self, cycles: xr.Dataset, condition: str, seeds: int = 1, **options: Any) -> xr.Dataset:
        """Train a condition, or fetch its models."""
        channels = [name for name in MUSCLES if name in cycles.channel.values]
        return train_condition(
            cycles, condition, self.configuration(**options), seeds=seeds, channels=channels, store=self.folder
        )

    def configuration(self, **options: Any) -> Configuration:
        """Options of the models."""
        return Configuration(units=self.units, epochs=None, updates=self.updates, **options)

    def maps(self, cycles: xr.Dataset, results: xr.Dataset, muscle: str, **options: Any) -> dict[str, xr.DataArray]:
        """Attention of a muscle's models beside what their outputs depend on, mean over folds, dims (output, token)."""
        chosen, configuration = cycles.sel(channel=results.channel.values), self.configuration(**options)
        networks = load_networks(self.folder, grid(chosen, "all_entire", configuration, data_hash(cycles)), muscle)
        made = examples(chosen, "all_entire", configuration)
        found = []
        for fold, label in enumerate(results.fold.values.astype(str)):
            held = (results.fold_of_cycle == fold).values
            inputs = made.inputs[0]
            found.append(attribute(networks[label], inputs[held][:LOOKED_AT], inputs[~held].mean(axis=0)))
        like = results.attention.sel(channel=muscle).isel(seed=0).mean("cycle").transpose("output", "token")
        coords = {"output": like.output, "token": made.tokens}
        attributed = {
            name: xr.DataArray(np.mean([getattr(one, name) for one in found], axis=0), coords, ("output", "token")).sel(
                token=like.token
            )
            for name in ("gradient", "integrated", "occlusion")
        }
        return {"attention": like, **attributed}


def encoders(study: Study) -> dict[str, list[Row]]:
    """Held-out error and entropy of each encoder and score; steadiness over seeds; agreement with dependence."""
    cycles = _cycles(Knobs())
    weights = drive(MOTION)
    rows: dict[str, list[Row]] = {"encoders": [], "seeds": [], "agreement": [], "truth": []}
    for options, seeds in variants():
        results = study.train(cycles, "all_entire", seeds, **options)
        refined = intervene(results, cycles, study.folder)
        worth = changes(results, refined).set_index(["intervention", "muscle", "label"])["change"]
        rows["encoders"] += [{**options, **row} for row in _errors(results, worth.loc[UNIFORM_WEIGHTS].to_dict())]
        if not over_muscles(results):
            continue
        for muscle in map(str, results.channel.values):
            about = {**options, "muscle": muscle}
            by_seed = results.attention.sel(channel=muscle).mean("cycle").transpose("seed", "output", "token")
            steady = tests.steadiness({str(one.seed.item()): one for one in by_seed})
            rows["seeds"] += [{**about, **row} for row in _records(steady)]
            found = study.maps(cycles, results, muscle, **options)
            agree = tests.agreement({name: one.values for name, one in found.items()})
            rows["agreement"] += [{**about, **row} for row in _records(agree)]
            true = tests.synergists(weights, str(results.target.sel(channel=muscle).item()))
            rows["truth"] += _precisions(found, true, {**about, "truth": "synergists"}, results)
    return rows


def variants() -> Iterator[tuple[Row, int]]:
    """Options of All-Entire that are compared, and with how many seeds."""
    for spatial in (*MAPS, "time_tokens"):
        for score, state in SETTINGS[: SETTINGS_OF.get(spatial, 1)]:
            seeds = SEEDS if (score, state) == SETTINGS[0] else 1
            yield {"spatial": spatial, "score": score, "decoder_state": state}, seeds


def order(study: Study) -> dict[str, list[Row]]:
    """Top ten under the file's order, its reverse and shuffled ones: does it follow the muscle or its place?"""
    cycles, rows = _cycles(Knobs()), []
    for spatial in MAPS:
        trained, read = {}, {}
        for name, options in _orders().items():
            configuration = study.configuration(spatial=spatial, **options)
            trained[name] = study.train(cycles, "all_entire", spatial=spatial, **options)
            read[name] = [str(token) for token in examples(cycles, "all_entire", configuration).tokens]
        for muscle in MUSCLES:
            maps = {name: _map(results, muscle) for name, results in trained.items()}
            shares = [mean_entropy(r.attention.sel(channel=muscle).values) for r in trained.values()]
            about = {"spatial": spatial, "muscle": muscle, "tokens": len(cycles.muscle), "entropy": np.mean(shares)}
            rows += [{**about, **row} for row in _records(tests.order_overlap(maps, read))]
    return {"order": rows}


def _orders() -> dict[str, Row]:
    plain = {name: {"token_order": name} for name in ("reversed", "file")}
    return plain | {f"shuffled {i}": {"token_order": "shuffled", "order_seed": i} for i in range(ORDERS)}


def delay(study: Study) -> dict[str, list[Row]]:
    """Lag of One-Entire's attention and of its input gradient against the true delay."""
    rows: list[Row] = []
    study = replace(study, updates=PATIENCE * study.updates)
    for causes, knobs in {"all": Knobs(), "delay alone": Knobs().only("delay_ms")}.items():
        for true in DELAYS:
            cycles = _cycles(Knobs(**{**asdict(knobs), "delay_ms": true}))
            for state in ("encoder", "zeros"):
                results = study.train(cycles, "one_entire", 2, decoder_state=state)
                about = {"causes": causes, "delay_ms": true, "decoder_state": state, "updates": study.updates}
                rows += [{**about, **row} for row in _lags(results)]
    return {"delay": rows}


def planted(study: Study) -> dict[str, list[Row]]:
    """Precision of the top ten where ten known muscles carry all that is to be known of a cycle."""
    rows: list[Row] = []
    study = replace(study, updates=PATIENCE * study.updates)
    for place, muscle in enumerate(MUSCLES):
        cycles, true = tests.planted(_cycles(Knobs()), muscle, seed=place)
        for spatial in MAPS:
            for state in ("encoder", "zeros")[: 1 if spatial == MAPS[2] else 2]:
                options: Row = {"spatial": spatial, "score": "general", "decoder_state": state}
                results = study.train(cycles, "all_entire", **options)
                found = study.maps(cycles, results, muscle, **options)
                about = {**options, "muscle": muscle, "truth": "planted", "updates": study.updates}
                rows += _precisions(found, true, about, results)
    return {"planted": rows}


# --- Attention after long training, from what was trained elsewhere ---


def long(folder: Path | str) -> Path:
    """Add what was measured on trained results to ``docs/attention_long.csv``; rows of the same training are replaced.

    Parameters
    ----------
    folder
        A run (see `Run`): its models are intervened on, and their outputs attributed to their inputs. Or any folder
        with results (``*.nc``): without weights their maps alone are read.

    Raises
    ------
    Nem2eError
        If there is no trained result with maps of whole cycles.
    """
    place = Path(folder)
    found = _of_run(place) if (place / "run.json").exists() else _of_files(place)
    code = commit()  # before hours of measuring, in which files may change
    tables = [table.assign(**_trained(results, where), commit=code) for results, table, where in found]
    if not tables:
        raise Nem2eError(f"{place}: holds no trained result of {' or '.join(ASKED)}; give a folder that does.")
    rows = pd.concat(tables, ignore_index=True)
    before = pd.read_csv(LONG, dtype={"study": str}) if LONG.exists() else rows.iloc[:0]
    known = pd.MultiIndex.from_frame(before[TRAINING])
    kept = before[~known.isin(pd.MultiIndex.from_frame(rows[TRAINING].drop_duplicates()))]
    write_csv(LONG, pd.concat([kept, rows], ignore_index=True))
    return LONG


def long_rows() -> pd.DataFrame | None:
    """Return the committed measures of attention after long training; None where there are none."""
    return pd.read_csv(LONG, dtype={"study": str}) if LONG.exists() else None


def beside_long(measured: pd.DataFrame, trained: pd.DataFrame | None, *, synthetic: bool) -> pd.DataFrame:
    """Lay a run's measures of attention beside those after long training.

    Parameters
    ----------
    measured
        Rows of `attention_verdicts.measures`, with epochs and data_hash.
    trained
        Rows of `long_rows`.
    synthetic
        Whether the run's data are: measures on SYNTHETIC data stand beside such alone.

    Returns
    -------
    pandas.DataFrame
        study, condition, measure, value, ci_low, ci_high, epochs; the same of each long training of that study with the
        suffix _long, units_long, muscles_long, same_data. Empty where there is none.
    """
    columns = ["value", "ci_low", "ci_high", "p_value", "epochs"]
    keys = ["study", "condition", "measure"]
    if trained is None:
        return pd.DataFrame(columns=[*keys, *columns])
    kept = trained[trained["synthetic"] == synthetic].rename(
        columns={name: f"{name}_long" for name in (*columns, "units", "muscles", "data_hash")}
    )
    both = measured.merge(kept, on=keys, suffixes=("", "_of_long"))
    same = [one.startswith(other) for one, other in zip(both["data_hash"], both["data_hash_long"], strict=True)]
    ends = [f"{name}_long" for name in (*columns, "units", "muscles")]
    return both.assign(same_data=same)[[*keys, *columns, *ends, "same_data"]]


def show_long(run: Run, measured: pd.DataFrame, *, synthetic: bool) -> Saved | str:
    """Show a run's measures of attention beside those after long training, or say how they are made.

    Parameters
    ----------
    run
        The run that is shown.
    measured, synthetic
        See `beside_long`.
    """
    compared = beside_long(measured, long_rows(), synthetic=synthetic)
    if compared.empty:
        return "No long training of these studies was measured; make study-attention-long FOLDER=… does it."
    table = plain(
        compared,
        "Attention after short and after long training",
        "value, ci_low, ci_high: this run's; with _long: of the long training, on the muscles named. Interventions "
        "need weights, and are left out where only results were kept. same_data: both were trained on the same cycles. "
        "docs/attention_long.csv.",
        synthetic=synthetic,
    )
    return run.show(table, "attention_long")


Measured = tuple[xr.Dataset, pd.DataFrame, str]


def _of_run(folder: Path) -> Iterator[Measured]:
    run = Run.open(str(folder))
    for study in run.studies:
        for condition in ASKED:
            path = run.of(study, f"{condition}.nc")
            if path.exists():
                results, cycles, store = load_results(path), run.cycles(study), run.of(study, "models")
                changed = summary(changes(results, intervene(results, cycles, store)))
                nulls = against_nulls(results, dependence(results, cycles, store))
                told = verdicts.measures(results, nulls, changed)
                yield results, told.assign(study=study), f"{study}/{path.name}"


def _of_files(folder: Path) -> Iterator[Measured]:
    paths = sorted(folder.glob("*.nc"))
    if not paths:
        raise Nem2eError(f"{folder}: holds neither run.json nor a trained result (*.nc); give a folder that does.")
    for path in paths:
        results = load_results(path)
        if results.attrs["condition"] in ASKED:
            told = verdicts.measures(results, against_nulls(results))
            yield results, told.assign(study=results.attrs["study"].split("-synthetic")[0]), path.name


def _trained(results: xr.Dataset, where: str) -> Row:
    """Return what results were trained with and on, and where they were found."""
    return {
        "units": configuration_of(results)["units"],
        "epochs": results.sizes["epoch"],
        "updates": results.attrs["updates"],
        "muscles": " ".join(results.channel.values.astype(str)),
        "unit": results.attrs["unit"],
        "synthetic": bool(results.attrs["synthetic"]),
        "data_hash": results.attrs["data_hash"][:12],
        "source": where,
    }


PIECES: dict[str, Callable[[Study], dict[str, list[Row]]]] = {
    "planted": planted,
    "order": order,
    "encoders": encoders,
    "delay": delay,
}


def _cycles(knobs: Knobs) -> xr.Dataset:
    return synthetic_cycles(MOTION, knobs, subjects=SUBJECTS)


def _records(table: pd.DataFrame) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _map(results: xr.Dataset, muscle: str) -> xr.DataArray:
    return results.attention.sel(channel=muscle).mean(["seed", "cycle"]).transpose("output", "token")


def _errors(results: xr.Dataset, worth: Mapping[Hashable, float]) -> Iterator[Row]:
    for seed in results.seed.values:
        one = results.sel(seed=[seed])
        share = (
            xr.DataArray(
                entropy_share(one.attention.transpose(..., "token").values),
                dims=("seed", "muscle", "cycle", "output"),
                coords={"muscle": one.channel.values},
            )
            .mean("output")
            .groupby(one.fold_of_cycle)
            .mean("cycle")
        )
        for row in errors(one).itertuples():
            fold = list(one.fold.values).index(row.label)
            yield {
                "seed": int(seed),
                "muscle": row.muscle,
                "label": row.label,
                "er": row.er,
                "er_mean_curve": row.er_mean_curve,
                "diverged": row.diverged,
                "entropy": float(share.sel(muscle=row.muscle, fold_of_cycle=fold).item()),
                "uniform_change": float(worth[row.muscle, row.label]),
            }


def _lags(results: xr.Dataset) -> Iterator[Row]:
    for seed in map(int, results.seed.values):
        by_muscle = errors(results.sel(seed=[seed])).groupby("muscle", sort=False)[["er", "er_mean_curve"]].mean()
        for row in _records(by_muscle.reset_index()):
            yield {**row, "seed": seed, **tests.lags(results, str(row["muscle"]), seed)}


def _precisions(maps: dict[str, xr.DataArray], true: list[str], about: Row, results: xr.Dataset) -> list[Row]:
    table = errors(results.isel(seed=[0]).sel(channel=[about["muscle"]]))
    known = {
        **about,
        "tokens": results.sizes["token"],
        "chance": tests.TOP / results.sizes["token"],
        "er": table["er"].mean(),
        "er_mean_curve": table["er_mean_curve"].mean(),
    }
    return [{**known, "measure": name, "precision": tests.precision(one, true)} for name, one in maps.items()]


def make(folder: Path | str, pieces: list[str], *, units: int = UNITS, updates: int = UPDATES) -> list[Path]:
    """Make pieces of the study and write ``docs/attention_<table>.csv``; finished models are not trained again.

    Parameters
    ----------
    folder
        Where models are kept.
    pieces
        Of `PIECES`; all where none is named.
    units, updates
        Of each model.
    """
    unknown = [name for name in pieces if name not in PIECES]
    if unknown:
        raise Nem2eError(f"study-attention: there is no piece {unknown[0]!r}; choose of {', '.join(PIECES)}.")
    facts: Row = {
        "study": MOTION,
        "subjects": SUBJECTS,
        "units": units,
        "updates": updates,
        "synthetic": True,
        "generator": DEFAULT,
        "commit": commit(),
    }
    paths = []
    for name in pieces or PIECES:
        for table, rows in PIECES[name](Study(Path(folder), units, updates)).items():
            paths.append(FOLDER / f"attention_{table}.csv")
            write_csv(paths[-1], pd.DataFrame([{**facts, **row} for row in rows]))
    return paths


def main(folder: str, units: int | str = UNITS, updates: int | str = UPDATES, *pieces: str) -> None:
    """``FOLDER [UNITS [UPDATES [PIECE …]]]``, or ``FOLDER long`` to measure what was trained."""
    if units == "long":
        print(long(folder))
        return
    for path in make(folder, list(pieces), units=int(units), updates=int(updates)):
        print(path)


if __name__ == "__main__":
    script(main)
