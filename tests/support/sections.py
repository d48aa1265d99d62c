"""Cells of a notebook, run without its run: sections by their headings, on what a test has made up."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from nem2e_lib.paper.notebooks import read_notebook
from nem2e_lib.project import ROOT


def run_sections(notebook: str, headings: Iterable[str], **given: Any) -> dict[str, Any]:
    """Run the code cells under some headings of a notebook, in its order, and return what they left behind.

    Parameters
    ----------
    notebook
        Its name, such as `08_rivals`.
    headings
        Of the sections; one that is not there is an error.
    given
        Names that the cells find; they stand in for what the notebook imports, too.

    Returns
    -------
    dict
        Names by the cells, and under `shown` what they would have shown.
    """
    cells = read_notebook(ROOT / "notebooks" / f"{notebook}.ipynb").cells
    shown: list[Any] = []
    names: dict[str, Any] = {"shown": shown, "display": lambda *some: shown.extend(some)}
    exec("\n".join(line for cell in cells if cell.cell_type == "code" for line in imports(cell.source)), names)
    names.update(given)
    wanted, here = set(headings), ""
    for cell in cells:
        title = cell.source.splitlines()[0].lstrip("# ") if cell.cell_type == "markdown" else ""
        here = title if cell.source.startswith("## ") else here
        if cell.cell_type == "code" and here in wanted:
            run_cell(cell.source, names)
    missing = wanted - {cell.source.splitlines()[0][3:] for cell in cells if cell.source.startswith("## ")}
    assert not missing, f"{notebook} has no section {missing}"
    return names


def imports(source: str) -> list[str]:
    """Return the import statements of a cell."""
    return [ast.unparse(one) for one in ast.parse(source).body if isinstance(one, ast.Import | ast.ImportFrom)]


def run_cell(source: str, names: dict[str, Any]) -> None:
    """Run a cell; the value of its last line is shown, as in a notebook."""
    body = ast.parse(source).body
    last = [body.pop()] if isinstance(body[-1], ast.Expr) else []
    exec(compile(ast.Module(body, []), "<cell>", "exec"), names)
    for line in last:
        value = eval(compile(ast.Expression(line.value), "<cell>", "eval"), names)
        if value is not None:
            names["shown"].append(value)
