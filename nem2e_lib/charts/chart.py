"""A chart that readers touch, and the one look of them all."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from nem2e_lib.charts.alone import alone
from nem2e_lib.figures.printed import converter
from nem2e_lib.figures.style import figure_html

if TYPE_CHECKING:
    import altair as alt

FONT = "DejaVu Sans, Verdana, Segoe UI, Helvetica, Arial, sans-serif"
INK, SOFT, LINE = "#1d2430", "#5b6675", "#d9dee5"
STATIC = 820
"""Width in px of a view that fills its page (``width="container"``) where there is none: in the SVG."""
LOOK: dict[str, Any] = {
    "background": "white",
    "font": FONT,
    "padding": 6,
    "mark": {"aria": False},  # the chart's own words are its alternative text, not one for each of hundreds of dots
    "axis": {
        "aria": False,
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 11,
        "titleFontSize": 11.5,
        "titleFontWeight": "normal",
        "gridColor": LINE,
        "domainColor": SOFT,
        "tickColor": SOFT,
    },
    "title": {"color": INK, "fontSize": 13, "anchor": "start", "subtitleColor": SOFT, "subtitleFontSize": 11.5},
    "legend": {"labelColor": INK, "titleColor": INK, "labelFontSize": 11.5, "titleFontSize": 11.5, "orient": "top"},
    "header": {"labelColor": INK, "titleColor": INK, "labelFontSize": 11.5, "labelFontWeight": "bold"},
    "view": {"stroke": None, "continuousWidth": STATIC, "discreteWidth": STATIC},
}
"""What Vega-Lite calls a configuration: type, inks and where legends stand."""
DIGITS = 5
"""Significant digits of what is drawn."""


@dataclass(frozen=True)
class Chart:
    """A chart with what it shows.

    Attributes
    ----------
    chart : altair chart
        Of any kind; tables are given to it as data frames.
    data : pandas.DataFrame
        Exactly what is drawn, tidy.
    title : str
        One line; opens with SYNTHETIC where the data are. It stands on the page and in `svg`, not in the chart.
    alt : str
        What a reader who cannot see the chart needs to know.
    caption : str
        What stands under the chart, and what can be touched.
    synthetic : bool
    """

    chart: alt.TopLevelMixin
    data: pd.DataFrame
    title: str
    alt: str
    caption: str = ""
    synthetic: bool = False

    @functools.cached_property
    def spec(self) -> dict[str, Any]:
        """The Vega-Lite specification, which needs nothing else: its tables are in it as CSV text, each once."""
        import altair as alt

        with alt.data_transformers.enable("default", max_rows=None, consolidate_datasets=True):
            spec: dict[str, Any] = self.chart.to_dict()
        tables = {name: pd.DataFrame(rows) for name, rows in spec.get("datasets", {}).items()}
        _say_formats(spec, {name: _kinds(table) for name, table in tables.items()})
        spec["datasets"] = {name: _csv(table) for name, table in tables.items()}
        return {**spec, "description": self.alt, "config": {**spec.get("config", {}), **LOOK}}

    @functools.cached_property
    def svg(self) -> str:
        """The chart as it stands before anyone touches it, under its title."""
        return alone(converter().vegalite_to_svg(self.spec), self.title, self.alt)

    def script(self, name: str) -> str:
        """Return the script that gives a page this chart under a name: pages opened from a disk cannot fetch."""
        spec = json.dumps(self.spec, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
        return f"(window.nem2e??={{}}).charts??={{}};window.nem2e.charts[{json.dumps(name)}]={spec};\n"

    def _repr_html_(self) -> str:
        return figure_html(self.svg, self.alt, self.caption)


def _kinds(table: pd.DataFrame) -> dict[str, str]:
    """How a page is to read each column of the CSV text."""
    numbers, truths = table.select_dtypes("number").columns, table.select_dtypes("bool").columns
    return {
        str(name): "boolean" if name in truths else "number" if name in numbers else "string" for name in table.columns
    }


def _csv(table: pd.DataFrame) -> str:
    told = table.astype(dict.fromkeys(table.select_dtypes("bool").columns, int))  # a page takes "False" for true
    return told.to_csv(index=False, float_format=f"%.{DIGITS}g", lineterminator="\n")


def _say_formats(node: Any, kinds: dict[str, dict[str, str]]) -> None:
    """Tell each place that names a table how its columns are read."""
    if isinstance(node, list):
        for one in node:
            _say_formats(one, kinds)
    elif isinstance(node, dict):
        data = node.get("data")
        if isinstance(data, dict) and data.get("name") in kinds:
            data["format"] = {"type": "csv", "parse": kinds[data["name"]]}
        for name, one in node.items():
            if name != "datasets":
                _say_formats(one, kinds)
