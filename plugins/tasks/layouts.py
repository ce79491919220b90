"""Layouts that only some originals have: csv without a header, an object keyed by id, XML."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchctl.data import BrokenRow, Row, Table, as_table, whole_row
from benchctl.errors import BadData

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def headerless_csv(path: Path, columns: Sequence[str]) -> Table:
    """A csv whose first line is a row already.

    Raises:
        BadData: no rows, or a quotation mark that nothing closes.
    """
    rows: list[Row] = []
    with path.open(encoding="utf-8-sig") as file:  # line ends within cells are \n too, as in benchctl.data
        reader = csv.reader(file, strict=True)
        line = 1
        try:
            for cells in reader:
                begin, line = line, reader.line_num + 1
                if not cells:
                    continue  # an empty line is no record
                number = len(rows) + 1
                if len(cells) == len(columns):
                    rows.append(Row(number, dict(zip(columns, cells, strict=True)), begin))
                else:
                    reason = f"{len(cells)} cells where {len(columns)} were expected"
                    hint = f"The file has no header; its columns are {', '.join(columns)}."
                    rows.append(BrokenRow(number, {}, begin, reason, hint))
        except csv.Error as error:
            raise BadData(f"{path}, line {line}: {error}.", "Check the quotation marks there.") from error
        except UnicodeDecodeError as error:
            raise BadData(f"{path}: not UTF-8 text at byte {error.start}.", "Save the file again as UTF-8.") from error
    return as_table(rows, path)


def keyed_json(path: Path, key: str) -> Table | None:
    """An object whose values are the rows; the name of each goes to the column ``key``. None for any other JSON.

    Raises:
        BadData: no row that can be read.
    """
    try:
        records = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        return None  # the general reader says what is wrong, or reads it as JSON lines
    if not isinstance(records, dict):
        return None
    rows = [
        whole_row(Row(number, {**record, key: name}))
        if isinstance(record, dict)
        else BrokenRow(number, {}, None, f"'{name}' holds no object", f"Expected an object of rows by {key}.")
        for number, (name, record) in enumerate(records.items(), 1)
    ]
    return as_table(rows, path)


def read_xml(path: Path) -> Element:
    """The root of an XML file without a document type: entities, which can blow up or read other files, are refused.

    Raises:
        BadData: no such file, no XML, or a document type.
    """
    from xml.etree.ElementTree import TreeBuilder
    from xml.parsers import expat

    def refuse(*declared: object) -> None:
        raise BadData(f"{path}: declares a document type.", "Remove the DOCTYPE; entities are not read.")

    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    if not path.is_file():
        raise BadData(f"There is no data file '{path}'.", "Check the path, or the names in [data] of benchctl.toml.")
    try:
        parser.Parse(path.read_bytes(), True)
    except expat.ExpatError as error:
        raise BadData(
            f"{path}, line {error.lineno}: not XML ({expat.ErrorString(error.code)}).", "Check it."
        ) from error
    return builder.close()
