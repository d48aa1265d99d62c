"""Tables with their words: accessible HTML, and Tables 1-3 of the paper on this run's data."""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.style import CONDITION_LABELS, heading, label_of, stars

# --- A table with its words, and its accessible HTML: caption, scoped headers, one or two header rows ---

CONTEXT = "published, real data (context only)"
LONG = 40
"""Letters above which a cell is a sentence, and gets room."""


@dataclass(frozen=True)
class Table:
    """A table with its words.

    Attributes
    ----------
    data : pandas.DataFrame
        Numbers, unrounded: what goes to CSV.
    shown : pandas.DataFrame
        Text, rounded for reading; columns may have two levels (group, name).
    title, caption : str
    synthetic : bool
    bold : pandas.DataFrame or None
        Where a cell of `shown` is set in bold type.
    """

    data: pd.DataFrame
    shown: pd.DataFrame
    title: str
    caption: str
    synthetic: bool = False
    bold: pd.DataFrame | None = None

    def _repr_html_(self) -> str:
        return table_html(self)


def table_html(table: Table) -> str:
    """Return the table as HTML: caption, scoped headers, one or two header rows."""
    shown = table.shown
    head = _head_two(shown) if shown.columns.nlevels == 2 else _head_one(shown)
    bold = table.bold if table.bold is not None else pd.DataFrame(False, index=shown.index, columns=shown.columns)
    body = "".join(_row(cells, marks) for cells, marks in zip(shown.to_numpy(), bold.to_numpy(), strict=True))
    caption = f"<strong>{html.escape(table.title)}</strong> {html.escape(table.caption)}"
    return (
        '<div class="table" role="region" tabindex="0" aria-label="' + html.escape(table.title) + '"><table>'
        f"<caption>{caption}</caption><thead>{head}</thead><tbody>{body}</tbody></table></div>"
    )


def table_of(page: str) -> str:
    """Return the part of a page that `table_html` wrote, start to end; empty where there is none."""
    start, end = page.find('<div class="table"'), page.find("</table></div>")
    return page[start : end + len("</table></div>")] if 0 <= start < end else ""


def _head_one(shown: pd.DataFrame) -> str:
    return "<tr>" + "".join(f'<th scope="col">{html.escape(str(c))}</th>' for c in shown.columns) + "</tr>"


def _head_two(shown: pd.DataFrame) -> str:
    groups = [str(name) for name in shown.columns.get_level_values(0)]
    names = [str(name) for name in shown.columns.get_level_values(1)]
    top = "".join(_group(name, len(list(same))) for name, same in itertools.groupby(groups))
    below = "".join(
        f'<th scope="col"{_context_class(group)}>{html.escape(name)}</th>'
        for group, name in zip(groups, names, strict=True)
    )
    return f"<tr>{top}</tr><tr>{below}</tr>"


def _group(name: str, size: int) -> str:
    if not name:
        return f'<td colspan="{size}"></td>'
    return f'<th scope="colgroup" colspan="{size}" class="group">{html.escape(name)}</th>'


def _context_class(group: str) -> str:
    return ' class="context"' if group == CONTEXT else ""


def _row(cells: Iterable[object], marks: Iterable[bool]) -> str:
    first, *others = zip(map(str, cells), marks, strict=True)
    return f'<tr><th scope="row">{_text(*first)}</th>{"".join(map(_cell, others))}</tr>'


def _cell(marked: tuple[str, bool]) -> str:
    room = ' class="text"' if len(marked[0]) > LONG else ""
    return f"<td{room}>{_text(*marked)}</td>"


def _text(cell: str, bold: bool) -> str:
    return f"<strong>{html.escape(cell)}</strong>" if bold else html.escape(cell)


# --- Tables 1-3 of the paper on this run's data, as data frames and as accessible HTML ---

PUBLISHED_DATASETS = pd.DataFrame(
    {"subjects": [8, 10], "speeds": [4, 4], "activation_columns": [92, 102]}, index=["walking", "running"]
)
"""Table 1 of Teramae et al. (2025)."""
METHOD_COLUMNS = frozenset({"method", "condition", "a", "b", "winner", "rival"})
"""Columns of ids of methods, wherever they stand."""


def datasets(studies: Mapping[str, xr.Dataset]) -> Table:
    """Return Table 1: what each study holds.

    Parameters
    ----------
    studies : mapping of name to segmented cycles (``cycles.nc``)
    """
    data = pd.DataFrame([_dataset_row(name, cycles) for name, cycles in studies.items()])
    synthetic = bool(data["synthetic"].any())
    shown = data.assign(synthetic=np.where(data["synthetic"], "SYNTHETIC", "measured")).astype(str)
    shown.columns = pd.MultiIndex.from_tuples([("" if c == "study" else "this run", _words(str(c))) for c in shown])
    for name in PUBLISHED_DATASETS.columns:
        column = PUBLISHED_DATASETS[name].reindex(data["study"]).to_numpy()
        data[f"published_{name}"] = column
        shown[CONTEXT, name.replace("_", " ")] = ["–" if pd.isna(v) else f"{v:.0f}" for v in column]
    caption = (
        "Activation columns are what All-Entire reads; electrodes count the EMG channels that are not copies "
        "of another."
    )
    return Table(data, shown, heading("Table 1. Datasets", synthetic), caption, synthetic)


def _words(column: str) -> str:
    return "data" if column == "synthetic" else column.replace("_", " ")


def _dataset_row(name: str, cycles: xr.Dataset) -> dict[str, object]:
    return {
        "study": name,
        "motion": str(cycles.attrs.get("motion", name)),
        "subjects": len(np.unique(cycles["subject"])),
        "speeds": len(np.unique(cycles["speed"])),
        "trials": len(np.unique(cycles["trial"])),
        "cycles": cycles.sizes["cycle"],
        "skipped_cycles": int(cycles.attrs.get("skipped", 0)),
        "simulated_by": str(cycles.attrs.get("simulated_by", "unknown")),
        "activation_columns": cycles.sizes["muscle"],
        "emg_channels": cycles.sizes["channel"],
        "electrodes": len(np.unique(cycles["electrode"])),
        "synthetic": bool(cycles.attrs.get("synthetic", 0)),
        "citation": str(cycles.attrs.get("citation", "")),
    }


def results_table(
    summary: pd.DataFrame,
    *,
    study: str,
    number: int | None,
    synthetic: bool,
    published: pd.DataFrame | None = None,
) -> Table:
    """Return Table 2 (walking), Table 3 (running) or that of any study: Er and its statistics.

    Parameters
    ----------
    summary : pandas.DataFrame
        Rows of ``statistics.summary``: study, muscle, condition, er_mean, ci_low, ci_high, p_value, cohen_d,
        r2_pearson, r2_sse, n_units, unit.
    number : int, optional
        The table's number in the paper.
    published : pandas.DataFrame, optional
        Rows of ``published_results.csv``; the study's stand in columns of their own, marked as context.

    Raises
    ------
    Nem2eError
        When the summary has no row for the study.
    """
    rows = summary[summary["study"] == study].reset_index(drop=True)
    if rows.empty:
        raise Nem2eError(f"The summary has no row for study '{study}'; expected one per muscle and condition.")
    rows = _ordered(rows)
    shown = pd.DataFrame(
        {
            ("", "muscle"): rows["muscle"],
            ("", "condition"): [_unbroken(CONDITION_LABELS[c]) for c in rows["condition"]],
            ("this run", "Er"): [_starred(m, p) for m, p in zip(rows["er_mean"], rows["p_value"], strict=True)],
            ("this run", "p"): rows["p_value"].map(_p),
            ("this run", "95 % CI"): _interval(rows),
            ("this run", "d"): rows["cohen_d"].map(_number),
            ("this run", "R² (r²)"): rows["r2_pearson"].map(_number),
            ("this run", "R² (1 − SSE/SST)"): rows["r2_sse"].map(_number),
            ("this run", "n"): rows["n_units"].astype(int).astype(str),
        }
    )
    data = rows
    if published is not None:
        theirs = rows[["muscle", "condition"]].merge(
            published[published["dataset"] == study], on=["muscle", "condition"], how="left"
        )
        shown = shown.join(_context(theirs))
        data = rows.join(theirs[[c for c in _PUBLISHED if c in theirs]].add_prefix("published_"))
    better = (rows["er_mean"] < 0) & (rows["p_value"] < 0.05)
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    bold["this run", "Er"] = better
    name = f"Table {number}. {study}: statistics of Er" if number else f"{study}: statistics of Er"
    caption = _results_caption(rows, int(better.sum()), synthetic, published is not None)
    return Table(data, shown, heading(name, synthetic), caption, synthetic, bold)


_PUBLISHED = (
    "er_mean",
    "p_value",
    "p_is_bound",
    "ci_low",
    "ci_high",
    "cohen_d",
    "r2",
    "n_subjects",
    "transcription_note",
)


def _ordered(rows: pd.DataFrame) -> pd.DataFrame:
    muscles = list(dict.fromkeys(rows["muscle"]))
    order = rows["muscle"].map(muscles.index) * 10 + rows["condition"].map(list(CONDITION_LABELS).index)
    return rows.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)


def _context(rows: pd.DataFrame) -> pd.DataFrame:
    p_values = [
        (_unbroken("< ") if bound == 1 else "") + _p(p) if np.isfinite(p) else "–"
        for p, bound in zip(rows["p_value"], rows["p_is_bound"], strict=True)
    ]
    return pd.DataFrame(
        {
            (CONTEXT, "Er"): rows["er_mean"].map(_number),
            (CONTEXT, "p"): p_values,
            (CONTEXT, "95 % CI"): _interval(rows),
            (CONTEXT, "d"): rows["cohen_d"].map(_number),
            (CONTEXT, "R²"): rows["r2"].map(_number),
        }
    )


def _results_caption(rows: pd.DataFrame, better: int, synthetic: bool, context: bool) -> str:
    units = ", ".join(
        f"n = {n} held-out {u}s" for u, n in rows[["unit", "n_units"]].drop_duplicates().itertuples(index=False)
    )
    return (
        f"Unit of analysis: {units}. One-sample t-test of Er against 0; * p < 0.05, ** p < 0.01, *** p < "
        f"0.001; bold: improved (Er below 0 and p < 0.05), {better} of {len(rows)} rows. The paper does not "
        "define its R²: both readings are given."
        + (" Published numbers come from other data and stand here as context only." if context and synthetic else "")
        + (" '–': not legible in the source, or undefined." if context else "")
    )


def open_points(rows: Iterable[Mapping[str, object]]) -> Table:
    """Return "What the paper leaves open": one row a choice (`refine.config.open_points`), with its `effect` if given.

    Raises
    ------
    Nem2eError
        If a row lacks what a choice is, what it is here, its alternatives or the reason.
    """
    data = pd.DataFrame(list(rows))
    for name in ("id", "point", "option", "here", "alternatives", "reason"):
        if name not in data:
            raise Nem2eError(f"open points: a row has no {name!r}, expected rows of refine.config.open_points.")
    caption = (
        f"{len(data)} choices that the paper's text does not settle. Option: its name in this package, empty where it "
        "is no option of the network; here: its value in this run."
    )
    return Table(data, data.drop(columns="id").astype(str), "What the paper leaves open", caption)


def plain(data: pd.DataFrame, title: str, caption: str, *, synthetic: bool = False, digits: int = 3) -> Table:
    """Return any data frame as a table for reading: rounded, methods by their labels; a title tells what is synthetic.

    The table's `data`, which goes to CSV, keeps numbers and ids as they are.
    """
    shown = pd.DataFrame(
        {name: [_formatted(str(name), v, digits) for v in data[name]] for name in data}, index=data.index
    )
    shown = shown.drop(columns="synthetic", errors="ignore") if synthetic else shown
    return Table(
        data,
        shown.rename(columns=lambda name: str(name).replace("_", " ")),
        heading(title, synthetic),
        caption,
        synthetic,
    )


def _formatted(name: str, value: object, digits: int) -> str:
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return f"{value:,}"
    if not isinstance(value, float | np.floating):
        # an option may be called like a method ("delay"), so that only columns of methods are read as such
        return label_of(value) if name in METHOD_COLUMNS else CONDITION_LABELS.get(str(value), str(value))
    if name.startswith("p_") or name.endswith("p_value"):
        return _p(float(value))
    return _number(float(value), 1 if name == "seconds" else digits)


def _number(value: float, digits: int = 2) -> str:
    return "–" if not np.isfinite(value) else f"{value:.{digits}f}".replace("-", "−")


def _starred(value: float, p_value: float) -> str:
    return _unbroken(f"{_number(value)} {stars(p_value)}".strip())


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("-", "\N{NON-BREAKING HYPHEN}")


def _p(value: float) -> str:
    if not np.isfinite(value):
        return "–"
    return _unbroken("< 0.001") if value < 0.001 else f"{value:.3f}"


def _interval(rows: pd.DataFrame) -> list[str]:
    return [
        _unbroken(f"[{_number(a)}, {_number(b)}]") if np.isfinite(a) and np.isfinite(b) else "–"
        for a, b in zip(rows["ci_low"], rows["ci_high"], strict=True)
    ]
