"""Public names of a package, loaded when they are first used: importing the package stays fast."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import Any


def on_first_use(package: str, homes: Mapping[str, str], modules: Collection[str] = ()) -> Callable[[str], Any]:
    """Return a package's `__getattr__`.

    Parameters
    ----------
    package
        Its name.
    homes
        Module of each public name, below the package; ``module:name`` where the name is another there.
    modules
        Modules and packages that are names themselves.
    """

    def load(name: str) -> Any:
        if name in modules:
            return import_module(f"{package}.{name}")
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, _, there = homes[name].partition(":")
        value = getattr(import_module(f"{package}.{module}"), there or name)
        setattr(sys.modules[package], name, value)
        return value

    return load
