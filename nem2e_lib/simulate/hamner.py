"""Running at four speeds from motion and forces: ``python -m nem2e_lib.simulate.hamner DATA --out OUT``.

DATA holds one subject of Hamner & Delp (2013, doi:10.1016/j.jbiomech.2012.11.024): ``model/*.osim``, ``ik/``, ``grf/``,
``activation/`` (static optimisation, to compare with) and ``emg/``. Residual reduction and computed muscle control are
run over whole right gait cycles, then compared muscle by muscle with that static optimisation and with measured EMG.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from nem2e_lib.data.files import write_text
from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.data.tables import numbers, read_table
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.batch import simulate
from nem2e_lib.simulate.compare import Array, compare, waveforms
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.trial import SimulatedTrial
from nem2e_lib.terminal import program

OPTIONS = Options(cutoff_hz=15.0, strength=2.0, max_velocity=15.0, reserve=2.0, reserves={"lumbar_*": 20.0})
"""What running needs of this model: joint angles low-passed at 15 Hz, muscles twice as strong, contraction at up to 15
optimal lengths a second, and a little help at the lumbar spine."""
ELECTRODES = {
    "soleus_r": "soleus_r",
    "bflh_r": "bifemlh_r",
    "semimem_r": "semimem_r",
    "tibant_r": "tib_ant_r",
    "recfem_r": "rect_fem_r",
    "glmax1_r": "glut_max1_r",
    "glmed1_r": "glut_med1_r",
    "gaslat_r": "lat_gas_r",
    "gasmed_r": "med_gas_r",
    "vaslat_r": "vas_lat_r",
    "vasmed_r": "vas_med_r",
}
"""EMG name to muscle of the model."""
_INDEX = ("speed_m_s", "cycle", "t_start", "t_end")


@dataclass(frozen=True)
class GaitCycle:
    """A right gait cycle of DATA; `speed` in m/s as the files' names have it."""

    speed: int
    cycle: int
    start_s: float
    end_s: float

    @property
    def trial(self) -> str:
        """Name of the trial, and of its folder."""
        return f"run{self.speed}_cycle{self.cycle}"


def cycles(data: Path, which: str = "middle", speeds: Sequence[int] = ()) -> list[GaitCycle]:
    """Return right gait cycles: the ``middle`` one of each speed, ``all``, or the one of that number.

    Raises
    ------
    Nem2eError
        If no speed among `speeds` (m/s; all without it) has such a cycle.
    """
    if which not in ("middle", "all") and not which.isdigit():
        raise Nem2eError(f"Cycles: found {which!r}, but 'middle', 'all' or the number of a cycle is expected.")
    index = data / "emg" / "subject01_cycle_index.csv"
    table = read_table(index, _INDEX)
    table = pd.DataFrame({name: numbers(index, table, name) for name in _INDEX})
    last = table.groupby("speed_m_s")["cycle"].transform("max")
    if which != "all":
        table = table[table["cycle"] == (last // 2 if which == "middle" else int(which))]
    known = table["speed_m_s"].astype(int)
    missing = sorted(set(speeds) - set(known))
    if missing or not len(table):
        raise Nem2eError(
            f"{index}: has no cycle {which!r} at {f'{missing[0]} m/s' if missing else 'any speed'}; it has speeds "
            f"{', '.join(map(str, sorted(set(known)))) or 'with other cycles'}."
        )
    table = table[known.isin(speeds)] if speeds else table
    columns = [table[name].tolist() for name in ("speed_m_s", "cycle", "t_start", "t_end")]
    return [GaitCycle(int(speed), int(cycle), start, end) for speed, cycle, start, end in zip(*columns, strict=True)]


def trials(data: Path, chosen: list[GaitCycle]) -> list[SimulatedTrial]:
    """Return one trial a cycle."""
    return [
        SimulatedTrial(
            each.trial,
            motion=data / "ik" / f"Run_{each.speed}0002_IK.mot",
            grf=data / "grf" / f"Run_{each.speed}0002_GRF_newCOP3_v24.mot",
            start_s=each.start_s,
            end_s=each.end_s,
        )
        for each in chosen
    ]


def against_static_optimisation(data: Path, out: Path, chosen: list[GaitCycle]) -> pd.DataFrame:
    """Compare what was simulated with the static optimisation of DATA: one row a trial and muscle."""
    tables = [_told(each, compare(_simulated(out, each), _given(data, each))) for each in chosen]
    return pd.concat(tables, ignore_index=True)


def against_emg(data: Path, out: Path, chosen: list[GaitCycle]) -> pd.DataFrame:
    """Compare what was simulated, and the static optimisation of DATA, with EMG: one row a trial, method and muscle."""
    tables = []
    for each in chosen:
        emg = measured(data, each)
        for method, simulated in (("cmc", _simulated(out, each)), ("static optimisation", _given(data, each))):
            tables.append(_told(each, compare(simulated, emg), method=method))
    return pd.concat(tables, ignore_index=True)


def _told(cycle: GaitCycle, table: pd.DataFrame, **more: str) -> pd.DataFrame:
    known = pd.DataFrame({"trial": cycle.trial, "speed": cycle.speed, **more}, index=table.index)
    return pd.concat([known, table], axis=1)


def _simulated(out: Path, cycle: GaitCycle) -> dict[str, Array]:
    return waveforms(read_storage(out / cycle.trial / "activation.sto"), cycle.start_s, cycle.end_s)


def _given(data: Path, cycle: GaitCycle) -> dict[str, Array]:
    path = data / "activation" / f"Run_{cycle.speed}0002_StaticOptimization_activation.sto"
    return waveforms(read_storage(path), cycle.start_s, cycle.end_s)


def measured(data: Path, cycle: GaitCycle) -> dict[str, Array]:
    """Return the EMG envelopes of a cycle by muscle, at 101 points from its start to its end."""
    table = pd.read_csv(data / "emg" / "subject01_emg_normalized_registered.csv")
    chosen = (table["speed_m_s"] == cycle.speed) & (table["cycle"] == cycle.cycle)
    rows = table[chosen].sort_values("phase_pct")
    return {ELECTRODES[str(name)]: part["emg_norm"].to_numpy(np.float64) for name, part in rows.groupby("muscle")}


def run(
    data: Path, out: Path, which: str = "middle", workers: int | None = None, speeds: Sequence[int] = ()
) -> pd.DataFrame:
    """Simulate, compare, and leave ``comparison_static_optimisation.csv`` and ``comparison_emg.csv`` in `out`."""
    chosen = cycles(data, which, speeds)
    models = sorted((data / "model").glob("*.osim"))
    if len(models) != 1:
        raise Nem2eError(f"{data / 'model'}: {len(models)} models (.osim) found, but one is expected.")
    table = simulate(trials(data, chosen), models[0], out, steps=("rra", "cmc"), options=OPTIONS, workers=workers)
    failed = set(table.loc[table["status"] == "failed", "trial"])
    done = [each for each in chosen if each.trial not in failed]
    if done:
        for name, against in (("static_optimisation", against_static_optimisation), ("emg", against_emg)):
            write_text(out / f"comparison_{name}.csv", against(data, out, done).to_csv(index=False))
    return table


def main(
    data: Annotated[Path, typer.Argument(help="Folder of the subject: model/, ik/, grf/, activation/, emg/.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of results.")],
    cycle: Annotated[str, typer.Option(help="middle, all, or a number.")] = "middle",
    speed: Annotated[list[int] | None, typer.Option(help="In m/s; may be given again; default: all.")] = None,
    workers: Annotated[int | None, typer.Option(help="Trials at the same time.")] = None,
) -> None:
    """Simulate running at four speeds, and compare with static optimisation and EMG."""
    with program():
        table = run(data, out, cycle, workers, speed or ())
    typer.echo(table.drop(columns=["log_tail", "notes"]).to_string(index=False))
    raise typer.Exit(1 if (table["status"] == "failed").any() else 0)


if __name__ == "__main__":
    typer.run(main)
