"""Run as a program: columns, labels of values and meanings of columns of a file of Stata, SPSS or SAS."""

import datetime as dt
import json
import sys
from typing import Any

import pyreadstat


def plain(value: Any) -> Any:
    """A value that JSON has no form for."""
    if isinstance(value, dt.datetime):
        return {"moment": value.isoformat()}
    if isinstance(value, dt.date):
        return {"day": value.isoformat()}
    if isinstance(value, dt.time):
        return {"time": value.isoformat()}
    return value.item()  # a number of numpy


def main(path: str, reader: str) -> None:
    """Print what there is."""
    columns, about = getattr(pyreadstat, reader)(path, output_format="dict")
    found = {
        "names": list(columns),
        "values": [list(values) for values in columns.values()],
        "labels": {name: list(labels.items()) for name, labels in about.variable_value_labels.items()},
        "meanings": about.column_names_to_labels,
        "rows": about.number_rows,
    }
    sys.stdout.write(json.dumps(found, default=plain))


if __name__ == "__main__":
    main(*sys.argv[1:])
