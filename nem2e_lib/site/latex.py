"""A table as LaTeX, to be put into a paper: rounded as it is read, with the packages booktabs and longtable."""

from __future__ import annotations

import pandas as pd

from nem2e_lib.site.tables import Table

ROWS = 40
"""Rows above which a table goes on over pages."""
SENTENCES = 0.55
"""Share of the text's width that columns of sentences have together."""
SIGNS = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    '"': "''",
    "−": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≈": r"$\approx$",
    "→": r"$\rightarrow$",
    "Δ": r"$\Delta$",
    "²": "$^2$",
    "°": r"$^\circ$",
    "✔": r"$\surd$",
    "✘": r"$\times$",
    "●": r"$\bullet$",
    "○": r"$\circ$",
    "◐": r"$\odot$",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "“": "``",
    "”": "''",
    "\N{NO-BREAK SPACE}": "~",
    "\N{NON-BREAKING HYPHEN}": "-",
}
"""Signs that LaTeX reads as its own, or that its plain fonts lack."""
_SIGNS = str.maketrans(SIGNS)


def escaped(text: object) -> str:
    """Return a text as LaTeX that prints it; no line's end before it takes it for an option of its own."""
    text = str(text)
    return ("{}" if text.startswith(("[", "*")) else "") + text.translate(_SIGNS)


def latex(table: Table, name: str) -> str:
    """Return what a paper includes: ``\\input{name}`` and ``\\ref{tab:name}``.

    Texts are those of `Table.shown`, groups of columns stand over their columns, and a table of more than `ROWS` rows
    goes on over pages.
    """
    shown = pd.DataFrame([[escaped(cell.text) for cell in row] for row in table.rows], columns=_columns(table.shown))
    bold = pd.DataFrame([[cell.bold for cell in row] for row in table.rows], columns=shown.columns)
    styler = shown.style.hide(axis="index")
    if bold.to_numpy().any():
        styler = styler.apply(lambda _: bold.replace({True: "textbf:--rwrap;", False: ""}), axis=None)
    long = len(shown) > ROWS
    text = styler.to_latex(
        column_format="".join(_kinds(table)),
        caption=f"\\textbf{{{escaped(table.title)}}} {escaped(table.caption)}".strip(),
        label=f"tab:{name}",
        hrules=True,
        multicol_align="c",
        environment="longtable" if long else None,
        position=None if long else "htbp",
        position_float=None if long else "centering",
    )
    return f"% Needs \\usepackage{{booktabs{',longtable' if long else ''}}}.\n{text}"


def _columns(shown: pd.DataFrame) -> pd.Index:
    """Names of columns, and of their groups, as LaTeX."""
    if shown.columns.nlevels == 2:
        return pd.MultiIndex.from_arrays(
            [[escaped(name) for name in shown.columns.get_level_values(k)] for k in (0, 1)]
        )
    return pd.Index([escaped(name) for name in shown.columns])


def _kinds(table: Table) -> list[str]:
    """How each column is set: words from the left, numbers from the right, sentences in lines of their own."""
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.names)
    sentences = [any(cell.is_sentence for cell in column) for column in columns]
    width = SENTENCES / max(1, sum(sentences))
    numbers = [bool(column) and all(_is_number(cell.text) for cell in column) for column in columns]
    return [
        f"p{{{width:.2f}\\linewidth}}" if sentence else "r" if number else "l"
        for sentence, number in zip(sentences, numbers, strict=True)
    ]


def _is_number(text: str) -> bool:
    return not text.strip("–") or text.lstrip("<−+~\N{NO-BREAK SPACE} ")[:1].isdigit()
