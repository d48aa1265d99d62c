"""A manifest read from JSON: every value of the type that it must have, or one sentence."""

from __future__ import annotations

import json
import types
from dataclasses import fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from nem2e_lib.errors import Nem2eError
from nem2e_lib.refiner.manifest import FORMAT, VERSION, Manifest


def from_json(text: str, where: str) -> Manifest:
    """Read a manifest.

    Parameters
    ----------
    text
        JSON as `Manifest.to_json` writes it.
    where
        File, for messages.

    Raises
    ------
    Nem2eError
        If it is no manifest, of a later version, or lacks something.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Nem2eError(f"{where}: its manifest is no JSON ({error}); get the file anew.") from None
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise Nem2eError(f"{where}: its manifest is not that of a refiner; give a file that nem2e train wrote.")
    version = content.pop("format_version", None)
    if version != VERSION:
        raise Nem2eError(
            f"{where}: is a refiner of format {version}, but this nem2e reads format {VERSION}; update "
            "nem2e or train anew."
        )
    manifest: Manifest = _read(Manifest, content, where, "manifest")
    return manifest


def _read(kind: Any, value: Any, where: str, name: str) -> Any:
    """Value as the type that an annotation asks for; Nem2eError where it is of another."""
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind) and isinstance(value, dict):
        return _record(kind, value, where, name)
    if origin in (Union, types.UnionType):
        return None if value is None else _read(arguments[0], value, where, name)
    if origin is tuple and isinstance(value, list):
        return tuple(_read(arguments[0], each, where, f"{name}[{i}]") for i, each in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {str(key): _read(arguments[1], each, where, f"{name}.{key}") for key, each in value.items()}
    if kind is Any or (kind in (str, int, float, bool) and type(value) is kind):
        return value
    if kind is float and type(value) is int:
        return float(value)
    raise Nem2eError(f"{where}: {name} of its manifest is {str(value)[:60]!r}, which it cannot be; get the file anew.")


def _record(kind: Any, value: dict[str, Any], where: str, name: str) -> Any:
    hints, known = get_type_hints(kind), [field.name for field in fields(kind)]
    missing = [key for key in known if key not in value]
    if missing:
        raise Nem2eError(f"{where}: {name} has no {missing[0]!r}; get the file anew.")
    return kind(**{key: _read(hints[key], value[key], where, f"{name}.{key}") for key in known})
