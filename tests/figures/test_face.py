"""The page of figures: every figure is on it and at hand, and nothing is loaded before it is asked for."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from nem2e_lib import figures
from nem2e_lib.figures import style

ROOM = Path(figures.__file__).parent


def drawn(module: str) -> list[str]:
    """Return the functions of a module that draw: those under `styled`."""
    tree = ast.parse((ROOM / f"{module}.py").read_text())
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and any(ast.unparse(d) == "styled" for d in node.decorator_list)
    ]


MODULES = sorted(path.stem for path in ROOM.glob("*.py") if path.stem != "__init__")
FIGURES = [(module, name) for module in MODULES for name in drawn(module)]


@pytest.mark.parametrize(("module", "name"), FIGURES)
def test_every_figure_is_on_the_page_and_at_hand(module: str, name: str) -> None:
    rows = [line.split() for line in (figures.__doc__ or "").splitlines()]
    shown = f"{module}.{name}" if name in MODULES else name
    assert any(shown in row and module in row for row in rows)
    function = getattr(import_module(f"nem2e_lib.figures.{module}"), name)
    assert callable(function)
    assert name in MODULES or getattr(figures, name) is function


def test_modules_are_at_hand_and_other_names_are_not() -> None:
    assert all(getattr(figures, name).__name__ == f"nem2e_lib.figures.{name}" for name in MODULES)
    assert set(MODULES) <= set(dir(figures))
    assert all(hasattr(figures, name) for name in figures.__all__)
    with pytest.raises(AttributeError, match="no attribute 'boxes_of_er'"):
        _ = figures.boxes_of_er


def test_nothing_is_drawn_with_before_it_is_asked_for() -> None:
    told = (
        "import sys; from nem2e_lib import figures; print(sorted({'matplotlib', 'seaborn', 'jax'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_names_and_colours_of_conditions_and_methods_are_in_style_alone() -> None:
    for name in set(MODULES) - {"style"}:
        text = (ROOM / f"{name}.py").read_text()
        assert not any(f'"{label}"' in text for label in style.CONDITION_LABELS.values()), name
