"""Tests of attention (not the paper's): order of the muscles, lag against delay, precision, error, agreement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from nem2e_lib.analysis.attention import UNIFORM
from nem2e_lib.figures.panels import plural
from nem2e_lib.figures.points import BLACK_EDGE, dots, marks, mean_handle, unit_handle
from nem2e_lib.figures.style import MEAN_CURVE, Drawn, add_legend, heading, label_of, new_figure, styled

SAME = {"by_muscle": "#009E73", "by_position": "#D55E00"}
ENCODERS = {"muscle_lstm": "#0072B2", "per_muscle": "#009E73", "input_attention": "#D55E00", "time_tokens": "#8C8C8C"}
MEASURES = {
    "attention": ("#D55E00", "o"),
    "gradient": ("#0072B2", "s"),
    "integrated": ("#009E73", "^"),
    "occlusion": ("#000000", "D"),
}
MEASURE_NAMES = {
    "attention": "attention",
    "gradient": "input gradient",
    "integrated": "integrated gradients",
    "occlusion": "occlusion",
}
TEST_NAMES = {
    "gradient": "input gradient",
    "integrated": "integrated gradients",
    "occlusion": "occlusion",
    "between_folds": "itself in another fold",
}
"""What attention is laid beside."""
INTERVENTIONS = {
    "uniform_weights": ("uniform weights", "#D55E00"),
    "other_context": ("context of another cycle", "#0072B2"),
    "no_context": ("no context", "#000000"),
}
LAGS = {
    "attention_centre_ms": ("attention, centre", "#D55E00", "o"),
    "attention_peak_ms": ("attention, strongest diagonal", "#E69F00", "v"),
    "gradient_ms": ("input gradient", "#0072B2", "s"),
}
SCORES = {"general": "o", "dot": "s", "concat": "^"}
KINDS = {"planted": "planted muscles", "synergists": "synergists of the target"}
EDGES = {"attention_peak_ms": "attention_edge", "gradient_ms": "gradient_edge"}
CHANCE: Any = {"color": "#777777", "ls": (0, (4, 3)), "lw": 1.2}


@styled
def order_overlap(order: pd.DataFrame, summary: pd.DataFrame) -> Drawn:
    """Draw the overlap of top tens between orders of the muscles, by muscle and by place; one panel a channel.

    Parameters
    ----------
    order : pandas.DataFrame
        Columns spatial, muscle, a, b, phase, by_muscle, by_position (`attention_tests.order_overlap`).
    summary : pandas.DataFrame
        Rows of `attention_verdicts.order_summary`.
    """
    muscles, encoders = (list(dict.fromkeys(order[name])) for name in ("muscle", "spatial"))
    title = heading("Does the top ten follow the muscle or its place in the order?", True)
    figure = new_figure(3.6, title)
    axes = figure.subplots(1, len(muscles), squeeze=False, sharey=True)[0]
    keys = ["spatial", "muscle", "a", "b"]
    pairs = order.groupby(keys, sort=False)[["by_muscle", "by_position"]].mean().reset_index()
    for axis, muscle in zip(axes, muscles, strict=True):
        axis.axhspan(0, float(summary["chance_95"].iloc[0]), color="#777777", alpha=0.15, lw=0)
        axis.axhline(float(summary["chance"].iloc[0]), **CHANCE)
        _overlaps(axis, pairs[pairs["muscle"] == muscle], encoders)
        _named(axis, encoders, muscle)
    axes[0].set_ylabel("Jaccard overlap of two top tens")
    axes[0].set_ylim(0, 1.04)
    add_legend(
        figure,
        [
            _dot(SAME["by_muscle"], "same muscles"),
            _dot(SAME["by_position"], "same places"),
            Line2D([], [], label="chance (grey: 95 % of random pairs)", **CHANCE),
        ],
    )
    told = " ".join(
        f"{row.spatial}, {row.muscle}: {row.by_muscle:.2f} by muscle, {row.by_position:.2f} by place, "
        f"{row.neighbours:.1f} pairs of neighbours, entropy {row.entropy:.2f}."
        for row in summary.itertuples()
    )
    caption = (
        f"Each point: two of {int(summary['orders'].iloc[0])} orders in which the same muscles were given to training, "
        f"mean of the top tens at 0, 50 and 100 %; bars: means. By chance a top ten has "
        f"{summary['chance_neighbours'].iloc[0]:.1f} pairs of muscles that are neighbours in the order. {told}"
    )
    return Drawn(figure, pairs, title, f"Points in {plural(len(muscles), 'panel')}. {caption}", caption, True)


def _overlaps(axis: Axes, pairs: pd.DataFrame, encoders: list[str]) -> None:
    long = pairs.melt(["spatial"], list(SAME), "same", "overlap")
    shared: dict[str, Any] = {"x": "spatial", "y": "overlap", "hue": "same", "order": encoders, "palette": SAME}
    dots(axis, long, dodge=True, jitter=0.2, size=3.5, alpha=0.5, **shared)
    sns.pointplot(
        long,
        hue_order=list(SAME),
        dodge=0.4,
        errorbar=None,
        markers="_",
        markersize=26,
        markeredgewidth=2.4,
        linestyle="none",
        legend=False,
        ax=axis,
        **shared,
    )
    axis.set(xlabel="", ylabel="")


@styled
def lag_against_delay(delay: pd.DataFrame) -> Drawn:
    """Draw lags against the true delay; columns are the causes of a wrong simulation, rows the decoder's start.

    Parameters
    ----------
    delay : pandas.DataFrame
        Columns causes, delay_ms, decoder_state, attention_centre_ms, attention_peak_ms, gradient_ms, entropy.
    """
    causes, states = (list(dict.fromkeys(delay[name])) for name in ("causes", "decoder_state"))
    title = heading("Lag of temporal attention and of the input gradient against the true delay (One-Entire)", True)
    figure = new_figure(0.9 + 2.5 * len(states), title)
    grid = figure.subplots(len(states), len(causes), squeeze=False, sharex=True, sharey=True)
    for axes, state in zip(grid, states, strict=True):
        for axis, cause in zip(axes, causes, strict=True):
            rows = delay[(delay["causes"] == cause) & (delay["decoder_state"] == state)]
            _lags(axis, rows)
            axis.set_title(
                f"causes: {cause}; decoder from {'its encoder' if state == 'encoder' else 'zeros'}; entropy "
                f"{rows['entropy'].mean():.2f}"
            )
        axes[0].set_ylabel("lag (ms)")
    for axis in grid[-1]:
        axis.set_xlabel("true delay of the simulation (ms)")
    lines = [Line2D([], [], color=c, marker=m, ms=4, label=label) for label, c, m in LAGS.values()]
    add_legend(figure, [*lines, Line2D([], [], label="lag = delay", **CHANCE)])
    caption = (
        "Points: single models (muscles and seeds); lines: their mean, without those that have no peak (strongest at "
        "the greatest lag considered). A map that showed the delay would lie on the dashed line. Positive: the input "
        "lies later in the cycle than the output."
    )
    return Drawn(figure, delay, title, f"Lines and points in {plural(grid.size, 'panel')}. {caption}", caption, True)


def _lags(axis: Axes, rows: pd.DataFrame) -> None:
    ends = [float(rows["delay_ms"].min()), float(rows["delay_ms"].max())]
    axis.plot(ends, ends, **CHANCE)
    for shift, (name, (_, colour, marker)) in zip((-2.5, 0.0, 2.5), LAGS.items(), strict=True):
        axis.plot(rows["delay_ms"] + shift, rows[name], color=colour, marker=marker, ms=3, ls="", alpha=0.4, mew=0)
        peaked = rows[~rows[EDGES[name]].astype(bool)] if name in EDGES else rows
        mean = peaked.groupby("delay_ms")[name].mean()
        axis.plot(mean.index + shift, mean, color=colour, marker=marker, ms=4)


@styled
def precision(truth: pd.DataFrame, chance_95: float) -> Drawn:
    """Draw which share of the ten heaviest muscles carries the information, for attention and for what outputs need.

    Parameters
    ----------
    truth : pandas.DataFrame
        Columns truth, spatial, decoder_state, score, muscle, measure, precision, chance.
    chance_95 : float
        95th percentile of a random top ten's.
    """
    kinds = list(dict.fromkeys(truth["truth"]))
    title = heading("How many of the ten heaviest muscles truly carry the information?", True)
    figure = new_figure(3.7, title)
    axes = figure.subplots(1, len(kinds), squeeze=False, sharey=True)[0]
    for axis, kind in zip(axes, kinds, strict=True):
        rows = truth[truth["truth"] == kind]
        names = list(dict.fromkeys(_variant(rows)))
        axis.axhspan(0, chance_95, color="#777777", alpha=0.15, lw=0)
        axis.axhline(float(rows["chance"].iloc[0]), **CHANCE)
        palette = {measure: colour for measure, (colour, _) in MEASURES.items()}
        for measure, (_, marker) in MEASURES.items():
            dots(
                axis,
                rows.assign(variant=_variant(rows))[rows["measure"] == measure],
                x="variant",
                y="precision",
                hue="measure",
                order=names,
                palette=palette,
                dodge=True,
                jitter=False,
                size=5,
                marker=marker,
                alpha=0.75,
            )
        _named(axis, names, KINDS.get(kind, kind))
    axes[0].set_ylabel("precision of the top ten")
    axes[0].set_ylim(0, 1.04)
    drawn = [
        Line2D([], [], color=c, marker=m, ms=5, ls="", label=MEASURE_NAMES[name]) for name, (c, m) in MEASURES.items()
    ]
    add_legend(figure, [*drawn, Line2D([], [], label="chance (grey: 95 % of random tens)", **CHANCE)])
    caption = (
        "Each point: one muscle's models, mean of the top tens at 0, 50 and 100 %. Planted: ten known muscles tell all "
        "that is to be known of a cycle, all others are exchanged between cycles. Synergists: the target and the nine "
        "muscles of its side that the synergies drive most alike. zeros: the decoder starts from zeros."
    )
    return Drawn(figure, truth, title, f"Points in {plural(len(kinds), 'panel')}. {caption}", caption, True)


def _variant(rows: pd.DataFrame) -> list[str]:
    return [
        f"{spatial}\n(zeros)" if state == "zeros" else str(spatial)
        for spatial, state in rows[["spatial", "decoder_state"]].to_numpy()
    ]


@styled
def error_and_entropy(summary: pd.DataFrame) -> Drawn:
    """Draw held-out Er against attention's entropy for every encoder and score.

    Parameters
    ----------
    summary : pandas.DataFrame
        Rows of `attention_verdicts.encoder_summary`.
    """
    title = heading("Held-out Er and entropy of attention, by encoder and score (All-Entire)", True)
    figure = new_figure(4.2, title)
    axis = figure.subplots()
    axis.axvspan(UNIFORM, 1.005, color="#777777", alpha=0.15, lw=0)
    axis.axhline(float(summary["er_mean_curve"].mean()), color=MEAN_CURVE, ls="--", lw=1.4)
    known = summary[["spatial", "score", "decoder_state", "entropy", "er"]].itertuples(index=False, name=None)
    for encoder, score, state, entropy, er in known:
        colour = ENCODERS[str(encoder)]
        face = colour if state == "encoder" else "white"
        axis.plot([entropy], [er], marker=SCORES[str(score)], ms=8, ls="", color=colour, mfc=face, mew=1.5, alpha=0.85)
    axis.set_xlabel("entropy of attention, share of its maximum (grey: nearly uniform)")
    axis.set_ylabel("Er  (lower is better)")
    axis.set_xlim(right=1.005)
    handles = [_dot(ENCODERS[name], name) for name in dict.fromkeys(summary["spatial"].astype(str))]
    marks = [Line2D([], [], color="#444444", marker=m, ls="", label=name) for name, m in SCORES.items()]
    hollow = Line2D([], [], color="#444444", marker="o", mfc="white", ls="", label="from zeros")
    curve = Line2D([], [], color=MEAN_CURVE, ls="--", lw=1.4, label="mean curve")
    add_legend(figure, [*handles, *marks, hollow, curve])
    caption = (
        "Mean over muscles, held-out subjects and seeds; the table has every interval. Colour: encoder; mark: score; "
        "hollow: the decoder starts from zeros. mean curve: the training-mean EMG curve, which sees no input."
    )
    return Drawn(figure, summary, title, f"Scatter plot. {caption}", caption, True)


@styled
def agreement(table: pd.DataFrame, *, synthetic: bool) -> Drawn:
    """Draw the rank correlation of attention with what outputs depend on, and of attention between folds.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns study, condition, muscle, test (of `TEST_NAMES`), spearman (`attention_nulls.per_muscle`).
    """
    rows = list(dict.fromkeys(zip(table["study"], table["condition"], strict=True)))
    pairs = list(dict.fromkeys(table["test"]))
    title = heading("Does attention rank inputs as the network uses them?", synthetic)
    figure = new_figure(0.9 + 0.55 * len(rows) + 0.9, title)
    axis = figure.subplots()
    axis.axvline(0, **CHANCE)
    palette = dict(zip(pairs, ("#D55E00", "#E69F00", "#0072B2", "#009E73", "#000000"), strict=False))
    names = [f"{study}, {label_of(condition)}" for study, condition in rows]
    dots(
        axis,
        table.assign(row=table["study"] + ", " + table["condition"].map(label_of)),
        x="spearman",
        y="row",
        hue="test",
        order=names,
        palette=palette,
        dodge=True,
        jitter=False,
        size=5.5,
        alpha=0.8,
    )
    axis.set_yticks(range(len(rows)), names)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xlim(-1.03, 1.03)
    axis.set_xlabel("Spearman's rank correlation over tokens, mean over the outputs")
    add_legend(figure, [_dot(colour, TEST_NAMES[pair]) for pair, colour in palette.items()])
    caption = (
        "Attention beside what is named; each point: the models of a muscle, mean over all folds. Integrated gradients "
        "and occlusion replace inputs by the mean of the training cycles, on one held-out cycle a fold."
    )
    return Drawn(figure, table, title, f"Points, a row for each condition. {caption}", caption, synthetic)


@styled
def interventions(changed: pd.DataFrame, means: pd.DataFrame, margin: float, *, synthetic: bool) -> Drawn:
    """Draw what happens to Er when attention's weights, or its context, are replaced; a panel an intervention.

    Parameters
    ----------
    changed : pandas.DataFrame
        Rows of `attention_interventions.changes`.
    means : pandas.DataFrame
        Rows of `attention_interventions.summary`.
    margin : float
        Changes up to this are shaded: they count as little.
    """
    keys = ["study", "condition"]
    rows = list(dict.fromkeys(means[keys].itertuples(index=False, name=None)))
    names = [f"{study}, {label_of(condition)}" for study, condition in rows]
    title = heading("What happens to Er when attention is replaced?", synthetic)
    figure = new_figure(1.7 + 0.5 * len(rows), title)
    axes = figure.subplots(1, len(INTERVENTIONS), sharey=True)
    units = changed.groupby([*keys, "intervention", "label"], sort=False)["change"].mean().reset_index()
    both = [one.assign(row=one["study"] + ", " + one["condition"].map(label_of)) for one in (units, means)]
    for axis, (name, (words, colour)) in zip(axes, INTERVENTIONS.items(), strict=True):
        points, own = (one[one["intervention"] == name] for one in both)
        palette = dict.fromkeys(names, colour)
        axis.axvspan(-margin, margin, color="#777777", alpha=0.15, lw=0)
        axis.axvline(0, **CHANCE)
        dots(axis, points, x="change", y="row", order=names, hue="row", palette=palette, jitter=0.14, alpha=0.5)
        marks(axis, own, row="row", value="change", order=names, palette=palette, **BLACK_EDGE)
        axis.set_yticks(range(len(names)), names)
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.set_title(words)
        axis.set_xlabel("change of Er  (right: worse)")
    add_legend(figure, [unit_handle(), mean_handle()])
    caption = (
        "Trained models run on with uniform weights in place of the learned ones, with the encoder's states of another "
        "person's cycle (another speed's of one person), and with a context of zeros. Each point: a held-out unit, "
        f"mean over muscles; grey: changes of at most {margin}. The panels have scales of their own."
    )
    return Drawn(figure, both[1], title, f"Points in {plural(len(axes), 'panel')}. {caption}", caption, synthetic)


def _named(axis: Axes, names: Sequence[str], title: str) -> None:
    axis.set_xticks(range(len(names)), names)
    axis.set_xlim(-0.5, len(names) - 0.5)
    axis.set_title(title)


def _dot(colour: str, label: str) -> Line2D:
    return Line2D([], [], color=colour, marker="o", ms=5, ls="", label=label)
