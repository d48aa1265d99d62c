"""Cells of a notebook, run on made-up data: what a notebook saves is asked of the notebook itself."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from nem2e_lib.paper.notebooks import read_notebook

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def run_cell(notebook: str, mention: str, **given: Any) -> dict[str, Any]:
    """Run the one code cell that mentions something, after the notebook's imports, and return all names it then knows.

    Parameters
    ----------
    notebook
        Its name without suffix.
    given
        What earlier cells would have defined.
    """
    sources = _sources(notebook)
    found = [source for source in sources if mention in source]
    assert len(found) == 1, f"{len(found)} cells of {notebook} mention {mention!r}, expected one"
    names = _imported(sources)
    names.update(display=lambda *shown: None, **given)
    exec(found[0], names)
    return names


def run_sections(notebook: str, *headings: str, **given: Any) -> dict[str, Any]:
    """Run the code cells under some headings, after the notebook's imports, and return all names they then know.

    Parameters
    ----------
    notebook
        Its name without suffix.
    headings
        Of its sections, each of which must be there.
    given
        What earlier cells would have defined; it stands in for what is imported, too.

    Returns
    -------
    dict
        Names, and under `shown` what the cells would have shown.
    """
    shown: list[Any] = []
    names = _imported(_sources(notebook))
    names.update(shown=shown, display=lambda *some: shown.extend(some), **given)
    missing, here = set(headings), ""
    for cell in read_notebook(NOTEBOOKS / f"{notebook}.ipynb").cells:
        if cell.source.startswith("## "):
            here = cell.source.splitlines()[0].removeprefix("## ")
        if cell.cell_type == "code" and here in headings:
            missing.discard(here)
            shown += _value(cell.source, names)
    assert not missing, f"{notebook} has no cells under {missing}"
    return names


def _sources(notebook: str) -> list[str]:
    cells = read_notebook(NOTEBOOKS / f"{notebook}.ipynb").cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


def _imported(sources: list[str]) -> dict[str, Any]:
    """Return the names that cells import."""
    names: dict[str, Any] = {}
    for node in ast.parse("\n".join(sources)).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            exec(ast.unparse(node), names)
    return names


def _value(source: str, names: dict[str, Any]) -> list[Any]:
    """Run a cell and return the value of its last line, if that is an expression that has one."""
    body = ast.parse(source).body
    last = [body.pop().value] if isinstance(body[-1], ast.Expr) else []
    exec(compile(ast.Module(body, []), "<cell>", "exec"), names)
    values = [eval(compile(ast.Expression(one), "<cell>", "eval"), names) for one in last]
    return [value for value in values if value is not None]
