"""The parameters cell of a notebook: what may be set, and of which type."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import nbformat

from nem2e_lib.errors import Nem2eError

KINDS = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a dictionary",
}
"""The types that a parameter may have, in words."""


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook and make sure that it can be run with parameters.

    Raises
    ------
    Nem2eError
        When it is missing or no notebook, or has no kernel, language or cell tagged ``parameters``.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise Nem2eError(f"{path}: there is no such notebook; check its name.") from None
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, UnicodeDecodeError) as error:
        raise Nem2eError(f"{path}: found no Jupyter notebook in it; save it anew.") from error
    kernel = notebook.metadata.get("kernelspec", {})
    language = kernel.get("language") or notebook.metadata.get("language_info", {}).get("name")
    if not kernel.get("name") or not language:
        raise Nem2eError(f"{path}: its metadata name no kernel and language; save it again in Jupyter.")
    parameters_cell(notebook, path)
    return notebook


def parameters_cell(notebook: nbformat.NotebookNode, path: Path) -> nbformat.NotebookNode:
    """Return the one cell tagged ``parameters``."""
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if len(cells) != 1:
        raise Nem2eError(
            f"{path}: {len(cells)} cells are tagged 'parameters', expected one; tag the cell of the defaults."
        )
    return cells[0]


def defaults(notebook: nbformat.NotebookNode, path: Path) -> dict[str, Any]:
    """Return each parameter's default, read without running the cell.

    Only ``name = literal`` lines count: a value computed in this cell would go stale when a parameter is set.
    """
    found: dict[str, Any] = {}
    for statement in ast.parse(parameters_cell(notebook, path).source).body:
        try:
            name, value = _assignment(statement)
        except (ValueError, TypeError):
            line = ast.unparse(statement)
            raise Nem2eError(
                f"{path}: the parameters cell holds `{line}`, expected `name = value` with a plain value; "
                "compute it in a later cell."
            ) from None
        found[name] = value
    return found


def _assignment(statement: ast.stmt) -> tuple[str, Any]:
    if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)):
        raise ValueError
    return statement.targets[0].id, ast.literal_eval(statement.value)


def checked(given: Mapping[str, Any], known: Mapping[str, Any], notebook: str) -> dict[str, Any]:
    """Return `given` with every value in the type of its default.

    Parameters
    ----------
    given
        Values by name; text (from a command line) is read as the type of the default.
    known
        The defaults of the notebook.
    notebook
        Name for messages.

    Raises
    ------
    Nem2eError
        For a name that the notebook does not have, or a value of another type.
    """
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known)}."
            raise Nem2eError(f"{notebook}: there is no parameter {name!r}; {hint}")
    return {name: _as_type_of(known[name], value, f"{notebook}: parameter {name}") for name, value in given.items()}


def _as_type_of(default: Any, value: Any, where: str) -> Any:
    kind = type(default)
    if isinstance(value, str) and kind is not str:
        value = _literal(value)
    if kind is float and type(value) is int:
        value = float(value)
    if kind in KINDS and type(value) is not kind:
        raise Nem2eError(f"{where} is {value!r}, expected {KINDS[kind]} such as {default!r}; change it.")
    return value


def _literal(text: str) -> Any:
    words = {"true": True, "false": False}
    try:
        return words[text.lower()] if text.lower() in words else ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
