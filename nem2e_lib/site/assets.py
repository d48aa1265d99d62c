"""What pages load from beside them: style, script, and the engine that draws charts, which a site holds once."""

from __future__ import annotations

import functools
from pathlib import Path

from nem2e_lib.data import files

HERE = Path(__file__).parent / "assets"
FOLDER = "assets"
STYLE, SCRIPT, ENGINE = "site.css", "site.js", "vega.js"
PLAIN_CODE = ("n", "p", "w")
"""Pygments' classes of names, brackets and blanks, which stand in the colour of text."""


@functools.cache
def style() -> str:
    """Return the style of all pages, with that of code in light and in dark colours."""
    sheets = [(HERE / name).read_text(encoding="utf-8") for name in (STYLE, "notebook.css")]
    dark = _code("github-dark")
    asked = f'@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{\n{dark}\n}} }}'
    chosen = f'@media screen {{ :root[data-theme="dark"] {{\n{dark}\n}} }}'
    return "\n".join([*sheets, _code("default"), asked, chosen, ""])


def _code(colours: str) -> str:
    """Return the rules of highlighted code, without those of line numbers and backgrounds."""
    from pygments.formatters import HtmlFormatter

    rules = HtmlFormatter(style=colours).get_style_defs(".highlight").splitlines()
    plain = tuple(f".highlight .{name} " for name in PLAIN_CODE)
    kept = [rule for rule in rules if rule.startswith(".highlight .") and not rule.startswith(plain)]
    return "\n".join(rule.split(" /*")[0] for rule in kept)


def script() -> str:
    """Return the script of all pages."""
    return (HERE / SCRIPT).read_text(encoding="utf-8")


def engine() -> str:
    """Return the script that draws charts: Vega, Vega-Lite and vega-embed, as vl-convert carries them."""
    import vl_convert

    whole = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # without a snippet it is all of them
    return f"(()=>{{{whole}}})();\n"  # inside a function, since its names are the page's otherwise


def write_assets(folder: Path | str) -> list[Path]:
    """Write style and script beside a site's pages."""
    return [_write(folder, STYLE, style()), _write(folder, SCRIPT, script())]


def write_engine(folder: Path | str) -> Path:
    """Write what draws charts: into the outermost of sites that lie in each other, whose pages share it."""
    return _write(folder, ENGINE, engine())


def _write(folder: Path | str, name: str, text: str) -> Path:
    path = Path(folder) / FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, text)
    return path
