"""Tables as CSV (RFC 4180), for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.http import Reply, Request

CSV = "text/csv"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def wants_csv(request: Request[Any, Any], asked: str | None) -> bool:
    """Whether `format` says so, or else the Accept header, which must not take JSON as well."""
    if asked is not None:
        return asked == "csv"
    ranges = [part.partition(";")[0].strip().lower() for part in request.headers.get("Accept", "").split(",")]
    return CSV in ranges and "application/json" not in ranges


def spreadsheet(name: str, rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> Reply:
    """The columns of the rows, with a line of their names. None is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out)
    names = list(columns)
    writer.writerow(names)
    writer.writerows([_cell(row[column]) for column in names] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Reply(out.getvalue().encode(), headers=headers, content_type=f"{CSV}; charset=utf-8")


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula is marked as text."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
