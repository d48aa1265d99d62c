"""Figure 5: training and validation loss over epochs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, NullFormatter

from nem2e_lib.figures.panels import Float, is_synthetic, plural
from nem2e_lib.figures.style import CONDITION_COLOURS, CONDITION_LABELS, Drawn, add_legend, heading, new_figure, styled
from nem2e_lib.training.config import PUBLISHED_EPOCHS
from nem2e_lib.training.results import diverged

LOW, HIGH = 5.0, 95.0

DASHES = {"training": "", "validation": (4, 1.6)}
"""Of the mean's line, as seaborn wants them."""
LINES = {"training": "-", "validation": (0, (4, 1.6))}


@styled
def loss_curves(studies: Mapping[str, Mapping[str, xr.Dataset]]) -> Drawn:
    """Draw mean loss over models (muscles, folds, seeds) with a band; rows are studies, columns conditions.

    Parameters
    ----------
    studies : mapping of study to (mapping of condition to results)
        Rows and columns in the order given.

    Models that diverged (`training.results.diverged`) count in the mean and the band, as they do in Er; they are drawn
    as thin lines of their own besides, and counted. The caption tells how long training was, and what cannot be tested
    by it.

    Source: Teramae et al. (2025), Figure 5.
    """
    conditions = list(dict.fromkeys(c for results in studies.values() for c in results))
    synthetic = any(is_synthetic(r) for results in studies.values() for r in results.values())
    title = heading("Figure 5. Training and validation loss", synthetic)
    figure = new_figure(0.95 + 2.6 * len(studies), title)
    grid = figure.subplots(len(studies), len(conditions), squeeze=False, sharey="row")
    tables = []
    for (i, (study, results)), letter in zip(enumerate(studies.items()), "abcdefgh", strict=False):
        for axis, condition in zip(grid[i], conditions, strict=True):
            prefix = f"({letter}) {study}, " if len(studies) > 1 else f"{study}, "
            axis.set_title(prefix + CONDITION_LABELS[condition])
            tables.append(_panel(axis, results[condition]))
            axis.set_xlabel("epoch" if i == len(studies) - 1 else "")
        grid[i][0].set_ylabel("mean squared error")
    data = pd.concat(tables, ignore_index=True)
    add_legend(figure, _handles(bool(data["diverged"].any())))
    caption = _caption(data)
    return Drawn(
        figure,
        data,
        title,
        f"Loss over epochs, {plural(len(tables), 'panel')}. {caption}",
        caption,
        synthetic,
    )


def _diverged(results: xr.Dataset) -> npt.NDArray[np.bool_]:
    return diverged(results["training_loss"].transpose("seed", "channel", "fold", "epoch").to_numpy()).ravel()


def _panel(axis: Axes, results: xr.Dataset) -> pd.DataFrame:
    colour = CONDITION_COLOURS[str(results.attrs["condition"])]
    epochs = results["epoch"].to_numpy()
    losses = {name: _models(results[f"{name}_loss"]) for name in LINES}
    made = np.isfinite(losses["training"]).any(axis=1)  # a channel that was not recorded of a unit has no model for it
    losses, bad = {name: values[made] for name, values in losses.items()}, _diverged(results)[made]
    tables = []
    for name, values in losses.items():
        table = _band(values, values[bad], epochs)
        axis.fill_between(
            epochs,
            table["low"],
            table["high"],
            color=colour,
            alpha=0.10 if name == "validation" else 0.18,
            lw=0,
        )
        for line in values[bad]:
            axis.plot(epochs, line, color=colour, lw=0.6, alpha=0.7, ls=LINES[name])
        tables.append(_label(table, results, name, len(values), int(bad.sum())))
    data = pd.concat(tables, ignore_index=True)
    sns.lineplot(
        data, x="epoch", y="mean", style="loss", dashes=DASHES, color=colour, estimator=None, legend=False, ax=axis
    )
    axis.set(xlabel="", ylabel="")
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.set_xlim(epochs[0], max(epochs[-1], epochs[0] + 1))
    axis.grid(axis="y", color="#e6e6e6", lw=0.6)
    note = plural(len(bad), "model") + (f", {int(bad.sum())} diverged" if bad.any() else "")
    axis.text(0.98, 0.97, note, transform=axis.transAxes, ha="right", va="top", fontsize=8, color="#444444")
    return data


def over_models(results: xr.Dataset, loss: str) -> pd.DataFrame:
    """Return mean and band of a loss over models (muscles, folds, seeds): columns epoch, mean, low, high.

    Parameters
    ----------
    results : xarray.Dataset
        A trained condition, or some of its channels.
    loss : str
        ``training`` or ``validation``.
    """
    values = _models(results[f"{loss}_loss"])
    return _band(values[np.isfinite(values).any(axis=1)], values[:0], results["epoch"].to_numpy())


def _models(loss: xr.DataArray) -> Float:
    return np.asarray(loss.transpose("seed", "channel", "fold", "epoch"), float).reshape(-1, loss.sizes["epoch"])


def _band(values: Float, bad: Float, epochs: Float) -> pd.DataFrame:
    table = pd.DataFrame({"epoch": epochs, "mean": values.mean(0)})
    table["low"], table["high"] = np.percentile(values, [LOW, HIGH], axis=0)
    return table.assign(**{f"diverged_{i + 1}": line for i, line in enumerate(bad)})


def _label(table: pd.DataFrame, results: xr.Dataset, loss: str, models: int, bad: int) -> pd.DataFrame:
    keys = {"study": results.attrs["study"], "condition": results.attrs["condition"], "loss": loss}
    for position, (key, value) in enumerate(keys.items()):
        table.insert(position, key, value)
    return table.assign(models=models, diverged=bad)


def _handles(any_bad: bool) -> list[Line2D | Patch]:
    names = {"training": "training loss (mean)", "validation": "validation loss (mean)"}
    lines: list[Line2D | Patch] = [Line2D([], [], color="#333333", ls=LINES[n], label=names[n]) for n in names]
    lines.append(Patch(color="#bbbbbb", label=f"{LOW:.0f} to {HIGH:.0f} % of models"))
    if any_bad:
        lines.append(Line2D([], [], color="#333333", lw=0.6, label="a model that diverged (in the mean, too)"))
    return lines


def _caption(data: pd.DataFrame) -> str:
    last = data.groupby(["study", "condition", "loss"], sort=False)["mean"].last()
    pairs = data[["study", "condition"]].drop_duplicates().itertuples(index=False)
    parts = [
        f"{s} {CONDITION_LABELS[c]} {last[s, c, 'training']:.2g} / {last[s, c, 'validation']:.2g}" for s, c in pairs
    ]
    diverging = int(data.drop_duplicates(["study", "condition"])["diverged"].sum())
    told = (
        f" {plural(diverging, 'model')} diverged and count{'s' * (diverging == 1)} like any other." if diverging else ""
    )
    losses = f"Mean over muscles, folds and seeds. Last training / validation loss: {'; '.join(parts)}."
    return f"{losses}{told} {_length(data)}"


def _length(data: pd.DataFrame) -> str:
    """Say how long training was, and which claims need it longer."""
    epochs = data.groupby(["study", "condition"], sort=False)["epoch"].max().reset_index()
    of_study = [
        f"{study} {' / '.join(f'{count:.0f}' for count in dict.fromkeys(own))}"
        for study, own in epochs.groupby("study", sort=False)["epoch"]
    ]
    said = f"Epochs of training: {'; '.join(of_study)}; in the paper {PUBLISHED_EPOCHS}."
    if epochs["epoch"].min() >= PUBLISHED_EPOCHS:
        return said
    return (
        f"{said} Whether models overfit (claims C12, C13) cannot be tested below the published length: losses that "
        "still fall where training ends tell nothing of what comes after."
    )
