"""The numbers of an export, as any language's settings print them: decimal signs, thousands, cells without one."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.exports.sheet import Sheet, split
from nem2e_lib.data.storage.header import shown

Array = NDArray[np.float64]

_LIKE = r"[-+]?[\d.,]*\d[.,]?(?:[eE][-+]?\d+)?"
"""A number in anybody's writing."""
_SURE = re.compile(r"(?<![\w.,])[-+]?0,\d|\d,(?:\d{1,2}|\d{4,})(?![\d.,])")
"""A comma that separates no thousands."""
_MISSING = ("", "nan", "-nan", "na", "n/a", "#n/a", "null", "none", "-", "--", "-nan(ind)", "-1.#ind", "1.#qnan")
_EVERY_CASE = sorted(
    {form for word in _MISSING for form in (word, word.upper(), word.title(), word.replace("nan", "NaN"))}
)
_TOLD = 4  # cells that a message names
_LAST = 1000  # cells of a column whose digits are counted
_EXPONENT = 12  # digits that a number with an exponent is taken to have


@dataclass(frozen=True, eq=False)
class Body:
    """The numbers below the labels.

    Attributes
    ----------
    values : float64 array, shape (rows, columns)
        NaN where a cell is empty or says that there is none.
    words : tuple of int
        Columns that hold words.
    empty : tuple of int
        Columns that hold nothing.
    told : tuple of str
        How numbers were taken where that is not plain.
    lines : tuple of str
        The rows as they are written.
    separator : str
    """

    values: Array
    words: tuple[int, ...]
    empty: tuple[int, ...]
    told: tuple[str, ...]
    lines: tuple[str, ...]
    separator: str

    def decimals(self, column: int) -> int:
        """Return the most digits after the decimal sign in a column's last rows, where times are printed worst."""
        found = list[int]()
        for line in reversed(self.lines):
            row = split(line, self.separator)
            cell = row[column] if column < len(row) else ""
            if "e" in cell.lower() and cell.lower() not in _MISSING:
                return _EXPONENT
            if cell and cell.lower() not in _MISSING:
                found.append(len(re.split("[.,]", cell)[-1]) if re.search("[.,]", cell) else 0)
            if len(found) >= _LAST:
                break
        return max(found, default=0)


@dataclass
class _Written:
    """How numbers are written, and the problems found with it."""

    decimal: str = "."
    thousands: str = ""
    problems: list[str] = field(default_factory=list)


def read_body(
    sheet: Sheet,
    span: tuple[int, int | None],
    separator: str,
    labels: Sequence[str],
    *,
    ragged: bool = False,
    notes: Collection[int] = (),
) -> Body:
    """Read the rows of a table.

    Parameters
    ----------
    sheet : Sheet
    span : (int, int or None)
        First line of the rows, and the line after the last one.
    separator : str
    labels : sequence of str
        One a column; a row has as many cells.
    ragged : bool
        Whether rows may lack cells at their end, where channels of a slower clock have ended.
    notes : collection of int
        Columns of remarks, which may hold words and numbers.

    Raises
    ------
    Nem2eError
        With everything that is wrong: rows that are short or long, cells that are no numbers, numbers that can be
        read in two ways.
    """
    lines = list(sheet.lines[span[0] : span[1]])
    while lines and not lines[-1].strip(f" {separator}\t"):
        lines.pop()
    if not lines:
        raise sheet.refusal("there are no numbers below the labels; export it anew.")
    text, width = "\n".join(lines), _width(sheet, lines, span[0], separator, labels, ragged)
    if (odd := next((i for i, line in enumerate(lines) if line.count('"') % 2), None)) is not None:
        raise sheet.refusal(f"line {span[0] + odd + 1}: a quotation mark is not closed; mend it.")
    written = _plainly(text, separator)
    if written is not None:
        frame = _frame(text if written.decimal == "." else text.replace(",", "."), separator, width)
    else:
        frame = _frame(text, separator, width, str).fillna("").apply(lambda column: column.str.strip())
        written = _written(frame, separator, span[0])
        frame = _plain(frame, written)
    if written.problems:
        raise sheet.refusal(f"{'; '.join(written.problems)}.")
    _refuse_more(sheet, frame.iloc[:, len(labels) :], span[0], len(labels), separator)
    values, words, empty, problems = _numbers(sheet, frame, labels, notes, (span[0], separator))
    if problems:
        raise sheet.refusal(f"{'; '.join(problems[:_TOLD])}.")
    told = ["Decimal commas were read as decimal points."] if written.decimal == "," else []
    if written.thousands:
        told.append(f"Thousands are separated by {shown(written.thousands)}, which was left away.")
    return Body(values, tuple(words), tuple(empty), tuple(told), tuple(lines), separator)


def _width(sheet: Sheet, lines: list[str], start: int, separator: str, labels: Sequence[str], ragged: bool) -> int:
    """Cells of the widest row."""
    counts = np.array([_count(line, separator) for line in lines])
    short = counts < len(labels)
    if not ragged and short.any():
        row = int(np.argmax(short))
        raise sheet.refusal(_uneven(sheet, start + row, separator, len(labels), int(short.sum())))
    return max(len(labels), int(counts.max()))


def _count(line: str, separator: str) -> int:
    return len(split(line, separator)) if '"' in line else line.count(separator) + 1


def _uneven(sheet: Sheet, row: int, separator: str, width: int, many: int) -> str:
    found = _count(sheet.lines[row], separator)
    comma = "," in sheet.lines[row] and found >= 2 * width - 1
    advice = "if decimal commas and separating commas are mixed, export with semicolons or tabs" if comma else "mend it"
    more = f" ({many} such rows)" if many > 1 else ""
    return f"line {row + 1} has {found} cells, but the label line {width}{more}; {advice}."


def _refuse_more(sheet: Sheet, rest: pd.DataFrame, start: int, width: int, separator: str) -> None:
    """Refuse cells beyond the labels."""
    over = (rest.notna() & (rest != "")).any(axis=1).to_numpy()
    if over.any():
        raise sheet.refusal(_uneven(sheet, start + int(np.argmax(over)), separator, width, int(over.sum())))


def _frame(text: str, separator: str, width: int, kind: type | None = None) -> pd.DataFrame:
    return pd.read_csv(
        io.StringIO(text),
        sep=separator,
        header=None,
        names=list(range(width)),
        dtype=kind,
        index_col=False,
        keep_default_na=False,
        na_values=_EVERY_CASE if kind is None else None,
        skip_blank_lines=False,
        skipinitialspace=True,
        engine="c",
        low_memory=False,
    )


def _plainly(text: str, separator: str) -> _Written | None:
    """Tell the decimal sign where that is beyond doubt without looking at every cell; None where it is not."""
    if separator == ",":
        return None if '"' in text and re.search(r'"[^"\n]*,[^"\n]*"', text) else _Written()
    if "," not in text:
        return _Written()
    if "." in text or re.search(r"\d,\d+,\d", text) or not _SURE.search(text):
        return None
    return _Written(",")


def _written(frame: pd.DataFrame, separator: str, start: int) -> _Written:
    """Tell decimal signs from thousands separators."""
    flat = pd.Series(frame.to_numpy().ravel())
    comma = flat[flat.str.contains(",", regex=False)]
    comma = comma[comma.str.fullmatch(_LIKE)]
    point = flat[flat.str.contains(".", regex=False)] if len(comma) else comma
    point = point[point.str.fullmatch(_LIKE)]
    if not len(comma):
        return _Written()
    width = frame.shape[1]

    def where(found: pd.Series) -> str:
        row, column = divmod(int(found.index[0]), width)
        return f"line {start + row + 1}, column {column + 1}: {shown(found.iloc[0])}"

    both = comma[comma.str.contains(".", regex=False)]
    if len(both):
        last = both.str.rfind(",") > both.str.rfind(".")
        written = _Written(",", ".") if last.all() else _Written(".", ",")
        if last.any() and not last.all():
            written.problems.append(f"{where(both)} and others have commas and points in either order; export it anew")
    elif (comma.str.count(",") > 1).any():
        written = _Written(".", ",")
    elif comma.str.fullmatch(r"[-+]?[1-9]\d{0,2},\d{3}").all():
        asked = "1 and a fraction or thousands"
        return _Written(problems=[f"{where(comma)} may be {asked}; export it with decimal points and nothing else"])
    else:
        written = _Written(",")
    grouped = comma if written.thousands == "," else point
    integer = grouped.str.split(written.decimal, n=1, regex=False).str[0]
    right = integer.str.fullmatch(rf"[-+]?\d{{1,3}}(?:[{written.thousands or '@'}]\d{{3}})*")
    wrong = grouped[grouped.str.contains(written.thousands or ".", regex=False) & ~right]
    if not written.problems and len(wrong):
        what = "decimal commas" if written.decimal == "," else "thousands separated by commas"
        written.problems.append(f"{where(wrong)} does not fit the others, which have {what}; export it anew")
    return written


def _plain(frame: pd.DataFrame, written: _Written) -> pd.DataFrame:
    if written.decimal == "." and not written.thousands:
        return frame

    def rewritten(column: pd.Series) -> pd.Series:
        like = column.str.fullmatch(_LIKE)
        text = column.str.replace(written.thousands, "", regex=False) if written.thousands else column
        return column.where(~like, text.str.replace(written.decimal, ".", regex=False))

    return frame.apply(rewritten)


def _numbers(
    sheet: Sheet, frame: pd.DataFrame, labels: Sequence[str], notes: Collection[int], place: tuple[int, str]
) -> tuple[Array, list[int], list[int], list[str]]:
    """Numbers, columns of words and without anything, and cells that are no numbers, a sentence a column."""
    values = np.full((len(frame), len(labels)), np.nan)
    words, empty, problems = [], [], list[str]()
    for column in range(len(labels)):
        cells = frame.iloc[:, column]
        plain = cells.dtype.kind in "iuf"
        numbers = cells if plain else pd.to_numeric(cells.astype(object).map(_text), errors="coerce")
        found = numbers.to_numpy(np.float64)
        odd = [] if plain else [i for i in np.flatnonzero(np.isnan(found)) if _text(cells.iloc[i]) not in _EVERY_CASE]
        nothing = bool(np.isnan(found).all())
        if column in notes or (odd and nothing):
            words.append(column)
        elif nothing:
            empty.append(column)
        elif odd:
            problems.append(_no_number(sheet, [int(i) for i in odd], column, labels, place))
        values[:, column] = found
    return np.where(np.isfinite(values), values, np.nan), words, empty, problems


def _text(cell: object) -> str:
    return "" if isinstance(cell, float) and np.isnan(cell) else str(cell).strip()


def _no_number(sheet: Sheet, odd: Sequence[int], column: int, labels: Sequence[str], place: tuple[int, str]) -> str:
    line = place[0] + odd[0]
    cell = split(sheet.lines[line], place[1])[column]
    where = f"line {line + 1}, column {column + 1} ({shown(labels[column])}): found {shown(cell)}"
    if cell == labels[column]:
        return f"{where}, the labels once more: two recordings in one file; split it there"
    more = f" and {len(odd) - 1} more such cells" if len(odd) > 1 else ""
    if re.fullmatch(r"[-+]?\d{1,3}(?:\.\d{3}){2,}", cell):
        return f"{where}{more}, as a spreadsheet leaves numbers it has misread; export it anew, do not open it there"
    return f"{where}{more}, but a number is expected, or nan"
