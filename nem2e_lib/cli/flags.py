"""Options of a command from a dataclass: each field that carries a `Flag` is one, and they come back as one object."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.options import Flag

Command = Callable[..., None]


def flagged(*without: str) -> Callable[[Command], Command]:
    """Put the flags of a dataclass where a command has a parameter of that class, and give it the object they make.

    Typer reads a command's options from its signature; here that signature is written from the fields, once for all
    commands.

    Parameters
    ----------
    without : str
        Fields that the command does not offer; they keep their default.
    """

    def decorate(command: Command) -> Command:
        parameters = inspect.signature(command, eval_str=True).parameters
        kinds: dict[str, Any] = {
            name: each.annotation for name, each in parameters.items() if is_dataclass(each.annotation)
        }
        flags = {name: _flags_of(kind, without) for name, kind in kinds.items()}
        shown: list[inspect.Parameter] = []
        for name, parameter in parameters.items():
            shown += [each.parameter() for each in flags[name]] if name in flags else [parameter]

        @functools.wraps(command)
        def wrapped(**typed: Any) -> None:
            made = {}
            for name, own in flags.items():
                values: dict[str, Any] = {}
                for each in own:
                    values |= each.values(typed.pop(each.flag.name))
                made[name] = kinds[name](**values)
            command(**typed, **made)

        wrapped.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
        wrapped.__annotations__ = {each.name: each.annotation for each in shown}
        return wrapped

    return decorate


@dataclass(frozen=True)
class _Flagged:
    """A field, its flag, its type and its default (`MISSING` where it has none)."""

    field: str
    flag: Flag
    kind: Any
    default: Any

    def parameter(self) -> inspect.Parameter:
        """Return the parameter of a command by which Typer knows the flag."""
        kind, default = self.kind, self.default
        if self.flag.read is not None:
            kind, default = Path | None, None
        elif self.flag.parse is not None:
            kind, default = str, str(default)
        elif get_origin(kind) in (Mapping, Sequence):
            kind, default = list[str] | None, None
        elif default is MISSING:
            kind, default = kind | None, None
        option = typer.Option(
            f"--{self.flag.name.replace('_', '-')}", help=self.flag.help, rich_help_panel=self.flag.panel
        )
        return inspect.Parameter(
            self.flag.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option]
        )

    def values(self, typed: Any) -> dict[str, Any]:
        """Return the fields that what was typed sets: none where nothing was, two by a mapping's plain value.

        Raises
        ------
        Nem2eError
            If a NAME=VALUE is none, or a value no number.
        """
        if typed is None or typed == []:
            return {self.field: ""} if self.default is MISSING else {}
        reads = self.flag.read or self.flag.parse
        if reads is not None:
            return {self.field: reads(typed)}
        if get_origin(self.kind) is Mapping:
            return self._mapping(typed)
        return {self.field: tuple(typed) if isinstance(typed, list) else typed}

    def _mapping(self, texts: list[str]) -> dict[str, Any]:
        plain = [text for text in texts if "=" not in text] if self.flag.plain else []
        pairs = _pairs(self.flag.name, [text for text in texts if text not in plain])
        number = get_args(self.kind)[1] is float
        values = {name: _number(self.flag.name, value) if number else value for name, value in pairs}
        return {self.field: values, **({self.flag.plain: _number(self.flag.name, plain[-1])} if plain else {})}


def _flags_of(kind: Any, without: Sequence[str]) -> list[_Flagged]:
    """Flags of a dataclass in the order of its fields; a field without default comes last, as it may be left out."""
    hints = get_type_hints(kind, include_extras=True)
    found = []
    for field in fields(kind):
        inner, *extras = get_args(hints[field.name]) if get_origin(hints[field.name]) is Annotated else (None,)
        flags = [extra for extra in extras if isinstance(extra, Flag)]
        if flags and field.name not in without:
            default = field.default if field.default_factory is MISSING else None
            found.append(_Flagged(field.name, flags[0], inner, default))
    return sorted(found, key=lambda each: each.default is MISSING)


def _pairs(option: str, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, found, value = text.partition("=")
        if not found:
            raise Nem2eError(f"--{option} {text}: NAME=VALUE is expected.")
        yield name.strip(), value.strip()


def _number(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Nem2eError(f"--{option}: found {text!r}, but a number is expected.") from None
