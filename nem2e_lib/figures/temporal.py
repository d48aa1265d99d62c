"""Figure 6: which input samples the model attends to for each output sample, beside its input gradient."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecFromSubplotSpec
from matplotlib.lines import Line2D

from nem2e_lib.analysis.attention import ONE_ROW, UNIFORM, entropy_share, over_outputs
from nem2e_lib.figures.panels import QUARTERS, Float, cell, heat_map, is_synthetic
from nem2e_lib.figures.style import (
    CONDITION_LABELS,
    SERIES_COLOURS,
    Drawn,
    add_legend,
    heading,
    new_figure,
    styled,
)

JUDGED = "Whether maps say where the network looks is judged in 14_attention_tests."
"""Said beside every map."""


def entropy_words(share: float) -> str:
    """Return the entropy in words; above `UNIFORM` they say that the attention is nearly uniform."""
    text = f"entropy {share:.2f} of its maximum"
    return f"{text}: attention is nearly uniform" if share > UNIFORM else text


@styled
def temporal_attention(results: xr.Dataset) -> Drawn:
    """Draw two examples of temporal attention with input and output waveforms at the margins.

    Example (I) is the held-out cycle with the lowest entropy over outputs of the first half of the cycle,
    (II) that
    of the second half, of another muscle than (I) where there is one.

    Parameters
    ----------
    results : xarray.Dataset
        Results of One-Entire: its tokens are the samples of the cycle.

    Source: Teramae et al. (2025), Figure 6; the gradient map and the entropy are our additions.
    """
    shares = entropies(results)
    picked = examples(shares)
    synthetic = is_synthetic(results)
    study, condition = str(results.attrs["study"]), CONDITION_LABELS[str(results.attrs["condition"])]
    title = heading(f"Figure 6. {study}, {condition}: temporal attention", synthetic)
    figure = new_figure(0.7 + 4.15 * len(picked), title)
    outer = figure.add_gridspec(len(picked), 1)
    tables, sentences = [], []
    for row, (numeral, place) in enumerate(zip(("I", "II"), picked, strict=False)):
        one = results.sel(place)
        share = float(shares.sel(place).mean())
        name = f"({numeral}) {one['channel'].item()}, {one['trial'].item()}, cycle {one['number'].item()}"
        _example(
            figure,
            outer[row].subgridspec(2, 3, width_ratios=(0.7, 3.9, 3.9), height_ratios=(0.8, 3.2)),
            one,
            name,
            share,
        )
        tables.append(_table(one, numeral))
        sentences.append(f"{name}: {entropy_words(share)}.")
    add_legend(figure, _handles())
    caption = (
        "Chosen by lowest attention entropy over outputs of the first (I) and second (II) half of the cycle. "
        + " ".join(sentences)
        + f" Over all muscles and held-out cycles the median is {float(shares.mean('output').median()):.2f}. "
        "White line: no shift in time. The weight scale starts at 0 and reaches at least twice the "
        "uniform weight. Right: "
        "size of the output's derivative by each input sample, mean over the fold's held-out cycles."
        + f" {JUDGED}"
        + ("" if over_outputs(results) else f" {ONE_ROW}")
    )
    data = pd.concat(tables, ignore_index=True)
    return Drawn(figure, data, title, "Heat maps of output sample by input sample. " + caption, caption, synthetic)


def entropies(results: xr.Dataset) -> xr.DataArray:
    """Return each attention row's entropy as a share of its maximum: dims seed, channel, cycle, output."""
    weights = results["attention"].transpose("seed", "channel", "cycle", "output", "token")
    return xr.DataArray(
        entropy_share(weights.to_numpy()),
        dims=weights.dims[:-1],
        coords={d: results[d] for d in weights.dims[:-1]},
    )


def examples(shares: xr.DataArray) -> list[dict[str, object]]:
    """Return the places (seed, channel, cycle) of the two examples; see `temporal_attention`."""
    early = shares.where(shares["output"] <= 50, drop=True).mean("output")
    late = shares.where(shares["output"] > 50, drop=True).mean("output")
    first = _lowest(early)
    others = late["channel"].to_numpy() != first["channel"]
    return [first, _lowest(late.isel(channel=others) if others.any() else late)]


def _lowest(shares: xr.DataArray) -> dict[str, object]:
    flat = int(np.nanargmin(shares.transpose("seed", "channel", "cycle").to_numpy()))
    at = np.unravel_index(flat, [shares.sizes[d] for d in ("seed", "channel", "cycle")])
    return {d: shares[d].to_numpy()[i].item() for d, i in zip(("seed", "channel", "cycle"), at, strict=True)}


def _gradient(one: xr.Dataset) -> Float:
    chosen = one["gradient"].isel(fold=int(one["fold_of_cycle"]))
    return np.asarray(chosen.transpose("output", "token"), float)


def _example(figure: Figure, grid: GridSpecFromSubplotSpec, one: xr.Dataset, name: str, share: float) -> None:
    weights = np.asarray(one["attention"].transpose("output", "token"), float)
    side = figure.add_subplot(grid[1, 0])
    for column, (values, label, top) in enumerate(
        (
            (weights, "attention weight", max(float(weights.max()), 2 / weights.shape[1])),
            (_gradient(one), "|d output / d input|", None),
        ),
        start=1,
    ):
        above = figure.add_subplot(grid[0, column])
        main = figure.add_subplot(grid[1, column])
        _input(above, one)
        _map(main, values, label, top)
        if column == 1:
            above.set_title(f"{name}\n{entropy_words(share)}")
        else:
            above.set_title("\ninput gradient")
            main.set_yticklabels([])
    _output(side, one)


def _map(axis: Axes, values: Float, label: str, top: float | None) -> None:
    heat_map(axis, values, label=label, top=top, pad=0.01, aspect=30)
    axis.invert_yaxis()
    ends = cell([0, 100], len(values))
    axis.plot(ends, ends, color="white", lw=1, ls=(0, (4, 3)))
    axis.set_yticks(cell(QUARTERS, len(values)), list(map(str, QUARTERS)))
    axis.set_xlabel("input: simulated activation at (% of cycle)")


def _input(axis: Axes, one: xr.Dataset) -> None:
    step = 50 / (one.sizes["sample"] - 1)
    axis.plot(one["sample"], one["simulated"], color=SERIES_COLOURS["simulated"])
    axis.set_xlim(-step, 100 + step)
    axis.set_ylim(bottom=min(0.0, float(one["simulated"].min())))
    axis.set_xticks(QUARTERS, [])
    axis.locator_params(axis="y", nbins=2)


def _output(axis: Axes, one: xr.Dataset) -> None:
    step = 50 / (one.sizes["sample"] - 1)
    for name in ("measured", "refined"):
        axis.plot(one[name], one["sample"], color=SERIES_COLOURS[name])
    axis.set_ylim(-step, 100 + step)
    low, high = axis.get_xlim()
    top = float(max(one["measured"].max(), one["refined"].max()))
    axis.set_xlim(high, min(low, 0.0))
    axis.set_xticks([0.0, top], ["0", f"{top:.1f}"])  # there is no room for more
    axis.set_yticks(QUARTERS)
    axis.set_ylabel("output: refined activity at (% of cycle)")


def _table(one: xr.Dataset, numeral: str) -> pd.DataFrame:
    grid = [(o, t) for o in one["output"].to_numpy() for t in one["token"].to_numpy()]
    maps = pd.DataFrame(grid, columns=["output_pct", "input_pct"])
    weights = np.asarray(one["attention"].transpose("output", "token"), float)
    parts = [
        maps.assign(what="attention", value=weights.ravel()),
        maps.assign(what="gradient", value=_gradient(one).ravel()),
    ]
    for name in SERIES_COLOURS:
        place = "input_pct" if name == "simulated" else "output_pct"
        parts.append(pd.DataFrame({place: one["sample"].to_numpy(), "what": name, "value": one[name].to_numpy()}))
    table = pd.concat(parts, ignore_index=True)
    keys = {"example": numeral} | {k: one[k].item() for k in ("channel", "trial", "number", "seed")}
    for position, (key, value) in enumerate(keys.items()):
        table.insert(position, key, value)
    return table


def _handles() -> list[Line2D]:
    names = {"simulated": "input: simulated", "refined": "output: refined", "measured": "measured (EMG)"}
    return [Line2D([], [], color=SERIES_COLOURS[s], label=text) for s, text in names.items()]
