"""Pages from templates (`templates/`): one frame for all, with style and script from beside them, or inside.

Whatever a template is given is text, and escaped; what is HTML already comes as `markupsafe.Markup`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from nem2e_lib.site.assets import style

TEMPLATES = Path(__file__).parent / "templates"
PARTS = "parts.html.j2"

_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,  # a misspelt name is an error, not a hole in the page
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str = "page.html.j2", *, alone: bool = False, **values: object) -> str:
    """Return a whole page.

    Parameters
    ----------
    template
        Name of a file of `templates/`; each extends ``page.html.j2``.
    alone
        Whether it is read away from any site: its style is inside then, and it links to no other page.
    **values
        What it shows: always a `title`, the plain frame also a `body`.
    """
    own = {"style": Markup(style())} if alone else {}
    return _environment.get_template(template).render({**values, **own, "alone": alone}) + "\n"


def part(name: str, *values: object) -> Markup:
    """Return a piece of a page: a macro of ``parts.html.j2``."""
    macro: Callable[..., Markup] = getattr(_environment.get_template(PARTS).module, name)
    return macro(*values)
