"""Rows from a file (csv, json, jsonl, parquet) or from what datasets saved, with their places for error messages."""

from __future__ import annotations

import csv
import gzip
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from benchctl.errors import BadData

SUFFIXES = (".csv", ".json", ".jsonl", ".parquet")
"""Kinds of file; the texts among them also with ``.gz`` behind."""


class RowError(Exception):
    """One row cannot be used; raised by a task's ``sample`` and turned into a :class:`BadData` with the place."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a dataset."""

    number: int
    """Counted from 1, a header not counted."""
    values: Mapping[str, Any]
    line: int | None = None
    """Where the record begins in a text file, counted from 1."""

    @property
    def place(self) -> str:
        """``row 17 (line 18)``, for messages."""
        return f"row {self.number}" + (f" (line {self.line})" if self.line else "")

    def text(self, column: str) -> str:
        """The cell as text; a missing or null cell is empty."""
        return as_text(self.values.get(column))


def as_text(value: Any) -> str:
    """A value as text; nothing, also as pandas writes it into JSON and parquet (NaN), is empty."""
    return "" if value is None or value != value else str(value)


@dataclass(frozen=True, slots=True)
class BrokenRow(Row):
    """A record that cannot be read by itself; those around it can."""

    reason: str = ""
    hint: str = ""
    """How to mend it."""


@dataclass(frozen=True, slots=True)
class Table:
    """All the rows of one source."""

    rows: tuple[Row, ...]
    columns: frozenset[str]
    """Columns that every row has."""
    source: str
    """The path as given, or ``hub:REPOSITORY``, for messages and the record."""
    revision: str | None = None
    broken: tuple[BrokenRow, ...] = ()
    """What stands among the rows and cannot be read; empty where the reader was not told to keep such rows."""

    def require(self, columns: Sequence[str]) -> None:
        """Check that the columns are there.

        Raises:
            BadData: naming the missing ones and those that exist.
        """
        missing = [c for c in columns if c not in self.columns]
        if missing:
            found = (name if name == name.strip() != "" else repr(name) for name in sorted(self.columns))
            raise BadData(
                f"{self.source}: no column {', '.join(repr(c) for c in missing)}.",
                f"Expected the columns {', '.join(columns)}; found {', '.join(found) or 'none'}.",
            )


def read_table(path: Path, *, keep_broken: bool = False) -> Table:
    """The rows of a local file.

    Args:
        keep_broken: a record that cannot be read, such as one with a cell too few, goes to :attr:`Table.broken` instead
            of stopping; not where no record can be read.

    Raises:
        BadData: the file is missing, of an unknown kind, or broken; with the line where there is one.
    """
    readers: dict[str, Callable[[Path], Iterator[Row]]] = {
        ".csv": _read_csv, ".json": _read_json, ".jsonl": _read_jsonl, ".parquet": _read_parquet
    }  # fmt: skip
    if saved(path):
        return as_table(tuple(_read_saved(path)), path, keep_broken=keep_broken)
    if not path.is_file():
        raise BadData(f"There is no data file '{path}'.", "Check the path, or the names in [data] of benchctl.toml.")
    kind = (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()
    if kind not in readers:
        raise BadData(f"{path}: unknown kind of file '{path.suffix}'.", f"Give one of {', '.join(SUFFIXES)}.")
    try:
        rows = tuple(readers[kind](path))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadData(f"{path}: not a whole gzip file ({error}).", "Check that it was copied whole.") from error
    except UnicodeDecodeError as error:
        raise BadData(f"{path}: not UTF-8 text at byte {error.start}.", "Save the file again as UTF-8.") from error
    return as_table(rows, path, keep_broken=keep_broken)


def saved(path: Path) -> bool:
    """Whether it is a folder that ``save_to_disk`` of datasets wrote: one split, or several by name."""
    return (path / "state.json").is_file() or (path / "dataset_dict.json").is_file()


def as_table(rows: Sequence[Row], path: Path, *, keep_broken: bool = True) -> Table:
    """The rows of a file as a table, those apart that cannot be read.

    Raises:
        BadData: there are none, or none that can be read; or one cannot, and such are not kept.
    """
    broken = tuple(row for row in rows if isinstance(row, BrokenRow))
    whole = tuple(row for row in rows if not isinstance(row, BrokenRow))
    if broken and not (keep_broken and whole):
        raise BadData(f"{path}, {broken[0].place}: {broken[0].reason}.", broken[0].hint)
    if not rows:
        raise BadData(f"{path}: holds no rows.", "Check that it is the right file and was copied whole.")
    return Table(whole, common_columns(whole), str(path), broken=broken)


def common_columns(rows: Sequence[Row]) -> frozenset[str]:
    """The columns that every row has."""
    columns = set(rows[0].values)
    for row in rows:
        columns &= row.values.keys()
    return frozenset(columns)


def _open(path: Path) -> TextIO:
    """The file as text, unpacked where it is ``.gz``.

    Line ends within cells are ``\\n`` too, whatever the file has: a copy saved or checked out on Windows asks the same.
    """
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab"}

_TOLD = re.compile(r"\"?sep=([,;\t])\"?\s*")


def separator(file: TextIO) -> str:
    """What parts the cells of a CSV file: of comma, semicolon and tab the one by which most of the first rows have as
    many cells as the header, which has several; the comma where none does.

    Spreadsheets in Brazil write semicolons, also around a header such as ``Resposta (A, B ou C)``. The file is left at
    its header: at its beginning, or behind a line ``sep=;`` that tells Excel.
    """
    told = _TOLD.fullmatch(file.readline())
    if told:
        return told[1]
    agreeing = {sign: _agreeing(file, sign) for sign in _NAMES}
    file.seek(0)
    header = file.readline()
    file.seek(0)
    if any(agreeing.values()):
        return max(agreeing, key=agreeing.__getitem__)
    return next((sign for sign in _NAMES if sign in header), ",")


def _agreeing(file: TextIO, sign: str) -> int:
    """How many of the first rows have as many cells as the header; 0 where that has only one."""
    file.seek(0)
    count = 0
    try:
        records = (cells for cells in csv.reader(file, strict=True, delimiter=sign) if cells)
        width = len(next(records, ()))
        for cells in islice(records, 20):
            count += len(cells) == width > 1
    except csv.Error:
        pass  # quotation marks that make no sense this way; those before may
    return count


def _read_csv(path: Path) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)
    with _open(path) as file:
        sign = separator(file)
        reader = csv.reader(file, strict=True, delimiter=sign)
        header: list[str] = []
        number, line = 0, 1
        try:
            for cells in reader:
                begin, line = line, reader.line_num + 1
                if not cells:
                    continue  # an empty line is no record
                if not header:
                    header = _header(path, cells)
                    continue
                number += 1
                if len(cells) == len(header):
                    yield Row(number, dict(zip(header, cells, strict=True)), begin)
                else:
                    yield BrokenRow(
                        number, {}, begin, f"{len(cells)} cells where the header has {len(header)}",
                        f"A cell that holds {_NAMES[sign]} or a quotation mark must be quoted."
                        if len(header) > 1
                        else "Cells are parted by commas, semicolons or tabs; the header has none of them.",
                    )  # fmt: skip
        except csv.Error as error:
            raise BadData(f"{path}, line {line}: {error}.", "Check the quotation marks there.") from error


def _header(path: Path, names: list[str]) -> list[str]:
    """The names of the columns; several may be empty, as spreadsheets leave them at the right."""
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise BadData(f"{path}: the header has the column '{twice}' twice.", "Rename or remove one of the two.")
    return names


def _read_jsonl(path: Path) -> Iterator[Row]:
    number = 0
    with _open(path) as file:
        for line, text in enumerate(file, 1):
            if text.strip():
                number += 1
                yield _record(text, number, line)


def _record(text: str, number: int, line: int) -> Row:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:  # besides what is no JSON: thousands of digits or of brackets
        return BrokenRow(number, {}, line, f"not JSON ({_reason(error)})", "Each line must hold one object.")
    if not isinstance(record, dict):
        return BrokenRow(number, {}, line, "holds no object", "Each line must hold one object.")
    return whole_row(Row(number, record, line))


def _reason(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    return "nested too deep" if isinstance(error, RecursionError) else "a number of thousands of digits"


def whole_row(row: Row) -> Row:
    """The row itself, or as broken: JSON can hold half of a character in UTF-16, which is no text to any model."""
    try:
        json.dumps(row.values, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        return BrokenRow(row.number, {}, row.line, f"holds half of a character ({half})", "Write the character there.")
    return row


def _read_json(path: Path) -> Iterator[Row]:
    try:
        with _open(path) as file:
            records = json.load(file)
    except json.JSONDecodeError as error:
        # Several exports call a file of JSON lines .json; the second object then begins on line 2.
        if error.msg == "Extra data":
            yield from _read_jsonl(path)
            return
        raise BadData(f"{path}, line {error.lineno}: not JSON ({error.msg}).", "Check the file there.") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise
        raise BadData(f"{path}: not JSON ({_reason(error)}).", "Check the file.") from error
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise BadData(f"{path}: does not hold a list of objects.", "Give a JSON list of objects, or JSON lines.")
    for number, record in enumerate(records, 1):
        yield whole_row(Row(number, record))


def _read_parquet(path: Path) -> Iterator[Row]:
    import pyarrow
    import pyarrow.parquet

    try:
        records = pyarrow.parquet.read_table(path).to_pylist()
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise BadData(f"{path}: not a parquet file ({error}).", "Check that it was copied whole.") from error
    for number, record in enumerate(records, 1):
        yield Row(number, record)


def _read_saved(path: Path) -> Iterator[Row]:
    import datasets
    import pyarrow

    try:
        found = datasets.load_from_disk(str(path))
    except (OSError, ValueError, KeyError, TypeError, pyarrow.ArrowInvalid) as error:
        raise BadData(f"{path}: datasets cannot read it ({error}).", "Check that it was copied whole.") from error
    if isinstance(found, datasets.DatasetDict):
        raise BadData(
            f"{path}: holds the splits {', '.join(found)}.", f"Name one, as in {path / next(iter(found), '')}."
        )
    for number, record in enumerate(found.to_list(), 1):
        yield Row(number, record)
