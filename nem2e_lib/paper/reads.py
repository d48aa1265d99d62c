"""Which files of the library a notebook's code runs, told without running it: what make looks at after a change."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager

from nem2e_lib.project import LIBRARY


class Package:
    """A package as its source tells it.

    What stands under ``if TYPE_CHECKING`` runs nothing. In the ``__init__`` of a package that loads its names on first
    use (`nem2e_lib.lazy`) it tells the module of each name.

    Parameters
    ----------
    around
        The folder that it lies in.
    name
        Its name.
    """

    def __init__(self, around: Path = LIBRARY, name: str = "nem2e_lib") -> None:
        self._paths = dict(_modules(around, around / name))
        self.imports = cache(self._imports)
        self._door = cache(self._loaded)

    def files(self, code: str) -> list[Path]:
        """Return the files that code runs, however it imports them, and those that lie beside them in their packages.

        What is imported by a name that is computed, as a method of the reader's own is, is not known here.
        """
        waiting, reached = set(self._imported(ast.parse(code))), set[str]()
        while waiting:
            reached.add(name := waiting.pop())
            waiting |= self.imports(name) - reached
        return sorted(file for name in reached for file in [self._paths[name], *self._beside(name)])

    def _imports(self, module: str) -> frozenset[str]:
        """Return the modules of the package that one of them imports, and the packages around these."""
        return self._imported(_parsed(self._paths[module]))

    def _loaded(self, module: str) -> Mapping[str, str]:
        """Return the module of each name that a package loads on first use."""
        path = self._paths.get(module)
        if path is None or path.name != "__init__.py":
            return {}
        return {
            alias.asname or alias.name: self._module(node.module or "", alias.name)
            for block in _parsed(path).body
            if _for_types(block)
            for node in ast.walk(block)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }

    def _module(self, module: str, name: str) -> str:
        """Return the module that a name of a module is; else the module that it stands in."""
        return inside if (inside := f"{module}.{name}") in self._paths else module

    def _home(self, module: str, name: str) -> str:
        """Return `_module` of a name, or where it is loaded from on first use."""
        return self._door(module).get(name) or self._module(module, name)

    def _imported(self, tree: ast.Module) -> frozenset[str]:
        """Return the modules that code imports, inside functions, too, and the packages around them."""
        found, known = set[str](), dict[str, str]()
        imports, dotted, names = _told(tree)
        for node in imports:
            for alias in node.names:
                if isinstance(node, ast.Import):
                    home, name = alias.name, alias.asname or alias.name.split(".")[0]
                    known[name] = home if alias.asname else name
                else:
                    home = known[alias.asname or alias.name] = self._home(node.module or "", alias.name)
                found.add(home)
        for chain in dotted:
            found.update(self._along(chain, known))
        for name in names:  # a package that is handed on may be asked for any of its names
            found.update(self._door(known.get(name, "")).values())
        return frozenset({around for name in found for around in _around(name)} & self._paths.keys())

    def _along(self, node: ast.Attribute, known: Mapping[str, str]) -> Iterator[str]:
        """Yield the modules that a dotted name goes through: ``nem2e.figures.errors.error_boxes``."""
        names, first = [node.attr], node.value
        while isinstance(first, ast.Attribute):
            names.append(first.attr)
            first = first.value
        module = known.get(first.id, "") if isinstance(first, ast.Name) else ""
        for name in reversed(names if module else []):
            yield (module := self._home(module, name))

    def _beside(self, name: str) -> Iterator[Path]:
        """Yield the files in a package's folder that are neither modules nor another package's."""
        path = self._paths[name]
        if path.name != "__init__.py":
            return
        for file in path.parent.rglob("*"):
            own = next(folder for folder in file.parents if (folder / "__init__.py").exists()) == path.parent
            if own and file.is_file() and file.suffix not in (".py", ".pyc"):
                yield file


def _modules(around: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the dotted name and the file of each module; a package's is its ``__init__.py``."""
    for path in folder.rglob("*.py"):
        *folders, last = path.relative_to(around).with_suffix("").parts
        yield ".".join(folders if last == "__init__" else [*folders, last]), path


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _told(tree: ast.Module) -> tuple[list[ast.Import | ast.ImportFrom], list[ast.Attribute], set[str]]:
    """Return what code imports, its dotted names, and names without a dot; not what is for type checkers."""
    imports, dotted, names = list[ast.Import | ast.ImportFrom](), list[ast.Attribute](), set[str]()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.append(node)
        elif isinstance(node, ast.Attribute):
            dotted.append(node)
            inner = node.value
            while isinstance(inner, ast.Attribute):
                inner = inner.value
            waiting += [] if isinstance(inner, ast.Name) else [inner]
        elif isinstance(node, ast.Name):
            names.add(node.id)
        elif not _for_types(node):
            waiting += ast.iter_child_nodes(node)
    return imports, dotted, names


def _around(module: str) -> Iterator[str]:
    """Yield a module and the packages around it."""
    while module:
        yield module
        module = module.rpartition(".")[0]


def rule(page: str, cells: Iterable[str], package: Package) -> str:
    """Return what make reads of a page: ``READS_<page>``, the files that the code of its notebook's cells runs.

    A file that has gone makes the page old, and is not asked for.
    """
    code = "\n".join(map(TransformerManager().transform_cell, cells))
    files = [os.path.relpath(path) for path in package.files(code)]
    return f"READS_{page} := \\\n  " + " \\\n  ".join(files) + f"\n$(READS_{page}):\n"


NEM2E = Package()
"""The library, as its source is when this is first asked."""
