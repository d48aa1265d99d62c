"""The order of the room's modules, as its docstring tells it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from nem2e_lib import simulate

ROOM = Path(simulate.__file__).parent
ORDER = re.findall(r"^([a-z_]+)$", simulate.__doc__ or "", re.MULTILINE)


def test_every_module_is_told_of_once():
    assert sorted(ORDER) == sorted(path.stem for path in ROOM.glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("module", ORDER)
def test_a_module_imports_only_from_those_before_it(module):
    used = set()
    for node in ast.walk(ast.parse((ROOM / f"{module}.py").read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "nem2e_lib.simulate":
            used |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nem2e_lib.simulate."):
            used.add((node.module or "").split(".")[2])
    assert used <= set(ORDER[: ORDER.index(module)])
