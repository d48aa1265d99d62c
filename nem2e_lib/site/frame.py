"""Pages from templates (`templates/`): one frame for all, its style inside, so that nothing is loaded from elsewhere.

Whatever a template is given is text, and escaped; what is HTML already comes as `markupsafe.Markup`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"
PARTS = "parts.html.j2"

_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,  # a misspelt name is an error, not a hole in the page
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str = "page.html.j2", **values: object) -> str:
    """Return a whole page.

    Parameters
    ----------
    template
        Name of a file of `templates/`; each extends ``page.html.j2``.
    **values
        What it shows: always a `title`, the plain frame also a `body`.
    """
    return _environment.get_template(template).render(values) + "\n"


def part(name: str, *values: object) -> Markup:
    """Return a piece of a page: a macro of ``parts.html.j2``."""
    macro: Callable[..., Markup] = getattr(_environment.get_template(PARTS).module, name)
    return macro(*values)
