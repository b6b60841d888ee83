"""Run as a program: the sheets of a workbook, and the cells of the one that is asked for or is the only one."""

import datetime as dt
import json
import sys
from typing import Any

import python_calamine as calamine


def plain(value: object) -> dict[str, Any]:
    """A value that JSON has no form for."""
    if isinstance(value, dt.datetime):
        return {"moment": value.isoformat()}
    if isinstance(value, dt.date):
        return {"day": value.isoformat()}
    if isinstance(value, dt.time):
        return {"time": value.isoformat()}
    if isinstance(value, dt.timedelta):
        return {"seconds": value.total_seconds()}
    raise TypeError


def sheets(path: str, part: str | None) -> dict[str, Any]:
    """Which sheets there are, whether each is shown, which have cells; and the cells of one."""
    with calamine.CalamineWorkbook.from_path(path) as book:
        shown = {sheet.name: sheet.visible == calamine.SheetVisibleEnum.Visible for sheet in book.sheets_metadata}
        wanted = [part] if part is not None else list(shown)
        grids = {name: book.get_sheet_by_name(name) for name in wanted if name in shown}
        filled = [name for name, grid in grids.items() if grid.start is not None]
        only = [name for name in filled if shown[name]] or filled
        rows = grids[only[0]].to_python(skip_empty_area=False) if len(only) == 1 else None
    return {"shown": shown, "filled": filled, "only": only, "rows": rows}


def main(path: str, part: str | None = None) -> None:
    """Print what there is, or that it asks for a password."""
    try:
        found = sheets(path, part)
    except calamine.PasswordError:
        found = {"encrypted": True}
    sys.stdout.write(json.dumps(found, default=plain))


if __name__ == "__main__":
    main(*sys.argv[1:])
