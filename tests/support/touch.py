"""Charts after a touch: what their pictures say once a reader has chosen something."""

from __future__ import annotations

import copy
import re
from typing import Any

from nem2e_lib.charts.chart import Chart
from nem2e_lib.figures.printed import converter


def picture(chart: Chart, **values: Any) -> str:
    """Return the picture once its controls have these values."""
    spec = copy.deepcopy(chart.spec)
    for param in params(spec):
        if param["name"] in values:
            param["value"] = values[param["name"]]
    return str(converter().vegalite_to_svg(spec))


def touched(chart: Chart, **values: Any) -> list[str]:
    """Return the texts of the picture once its controls have these values."""
    return [re.sub("<.*?>", "", text) for text in re.findall(r"<text.*?</text>", picture(chart, **values))]


def calculated(node: Any) -> list[tuple[str, str]]:
    """Return the columns that a specification computes, with their expressions."""
    if isinstance(node, list):
        return [pair for part in node for pair in calculated(part)]
    if not isinstance(node, dict):
        return []
    own = [(node["as"], node["calculate"])] if "calculate" in node else []
    return own + [pair for name, part in node.items() if name != "datasets" for pair in calculated(part)]


def params(node: Any) -> list[dict[str, Any]]:
    """Return the parameters of a specification, wherever they stand."""
    if isinstance(node, list):
        return [param for part in node for param in params(part)]
    if not isinstance(node, dict):
        return []
    return node.get("params", []) + [p for name, part in node.items() if name != "datasets" for p in params(part)]
