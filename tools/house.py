"""``python tools/house.py``: draws docs/house.svg, the rooms of the library, from the code itself."""

from __future__ import annotations

import ast
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[1]
LIBRARY, PICTURE = ROOT / "nem2e_lib", ROOT / "docs" / "house.svg"
LAYERS = (
    "data",
    "training",
    "rivals",
    "analysis",
    "refiner",
    "simulate",
    "motion",
    "figures",
    "charts",
    "site",
    "paper",
    "cli",
)
"""From the ground up: a room imports from those below it, never from one above."""

WIDTH, LEFT, PAD, INNER, CHIP, LINE = 1000, 20, 14, 104, 22, 27
LETTER = 6.3  # px a character of a file's name


def first_line(path: Path) -> str:
    """Return the first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]


def inner_rooms(room: Path) -> dict[str, list[str]]:
    """Return the modules of a room: its own under "", those of each inner room under its name."""
    found: dict[str, list[str]] = {"": []}
    for path in sorted(room.rglob("*.py")):
        if path.stem != "__init__":
            found.setdefault("/".join(path.relative_to(room).parts[:-1]), []).append(path.stem)
    return {inner: names for inner, names in found.items() if names}


def rows(names: list[str], width: float) -> list[list[str]]:
    """Break names into rows of chips that are no wider than `width`."""
    broken: list[list[str]] = [[]]
    used = 0.0
    for name in names:
        size = chip_width(name) + 6
        if broken[-1] and used + size > width:
            broken.append([])
            used = 0.0
        broken[-1].append(name)
        used += size
    return broken


def chip_width(name: str) -> float:
    """Return how wide a name's chip is drawn, in px."""
    return round(len(name) * LETTER + 14, 1)


def floor(room: str, top: float) -> tuple[list[str], float]:
    """Return the SVG of one room, whose upper edge is at `top`, and its height."""
    said = escape(first_line(LIBRARY / room / "__init__.py").replace("``", ""))
    drawn = [
        f'<text class="name" x="{LEFT + PAD}" y="{top + 22}">{room}</text>',
        f'<text class="said" x="{LEFT + INNER}" y="{top + 22}">{said}</text>',
    ]
    y = top + 34
    for inner, names in inner_rooms(LIBRARY / room).items():
        start = LEFT + (INNER if inner else PAD)
        drawn += [f'<text class="inner" x="{LEFT + PAD + 8}" y="{y + 15}">{inner}/</text>'] if inner else []
        for line in rows(names, WIDTH - LEFT - PAD - start):
            x = float(start)
            for name in line:
                wide = chip_width(name)
                drawn.append(f'<rect class="file" x="{x:.1f}" y="{y}" width="{wide}" height="{CHIP}" rx="4"/>')
                drawn.append(f'<text class="small" x="{x + 7:.1f}" y="{y + 15}">{escape(name)}</text>')
                x += wide + 6
            y += LINE
    height = y + 6 - top
    outline = f'<rect class="room" x="{LEFT}" y="{top}" width="{WIDTH - 2 * LEFT}" height="{height}" rx="6"/>'
    return [outline, *drawn], height


def picture() -> str:
    """Return the SVG: users on top, the rooms below them, each standing on those that it may import from."""
    body, top = [], 64.0
    for room in reversed(LAYERS):
        drawn, height = floor(room, top)
        body += drawn
        top += height + 8
    users = "notebooks/  ·  make paper  ·  nem2e on the command line  ·  import nem2e_lib as nem2e"
    style = (
        "text{font-family:'DejaVu Sans',Verdana,sans-serif;fill:#222}"
        ".name{font-size:14px;font-weight:bold}.said{font-size:11.5px;fill:#444}"
        ".inner{font-size:11.5px;font-weight:bold;fill:#444}"
        ".small{font:10.5px 'DejaVu Sans Mono',Menlo,Consolas,monospace}"
        ".room{fill:#f3f6f9;stroke:#0072B2;stroke-width:1.2}.file{fill:#fff;stroke:#9aa7b2}"
        ".top{fill:#0072B2}.white{fill:#fff;font-size:14px;font-weight:bold}"
    )
    title = "The rooms of nem2e_lib: each imports only from those below it"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 30:.0f}" role="img" '
        f'aria-labelledby="title">\n<title id="title">{title}</title>\n<style>{style}</style>\n'
        f'<rect width="{WIDTH}" height="{top + 30:.0f}" fill="#fff"/>\n'
        f'<rect class="top" x="{LEFT}" y="16" width="{WIDTH - 2 * LEFT}" height="36" rx="6"/>\n'
        f'<text class="white" x="{LEFT + PAD}" y="39">{escape(users)}</text>\n'
        + "\n".join(body)
        + f'\n<text class="said" x="{LEFT + PAD}" y="{top + 14:.0f}">Every room stands on those below it and imports '
        "from no other; error, lazy, project and terminal serve all.</text>\n</svg>\n"
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
