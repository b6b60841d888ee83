"""What is found in a cohort comes together, and counts rows as the user's table does."""

import polars as pl
import pytest

from polyclinic.cohort.table import load
from polyclinic.errors import CohortError, Finding, MissingPackage, ReadError
from polyclinic.inputs.base import InputColumns
from polyclinic.steps.cohort_reader import CohortReader
from polyclinic.study import catalogue
from polyclinic.study.schema import CohortSection

COLUMNS = {"labs": ("age",), "vitals": ("pulse",)}


@pytest.fixture
def reader(tmp_path):
    """Of four patients, the first of whom is left out."""
    table = pl.DataFrame({"id": ["a", "b", "c", "d"], "age": [40.0, 50.0, 60.0, 70.0], "pulse": [60, 70, 80, 90]})
    table.write_csv(tmp_path / "cohort.csv")
    return CohortReader(load(CohortSection(table="cohort.csv", patient="id", exclude="id = 'a'"), tmp_path), None)


@pytest.fixture
def kinds():
    kind = catalogue.find("inputs", "tabular")
    return {name: kind(name, kind.Options(columns=columns)) for name, columns in COLUMNS.items()}


def refusing(errors):
    """A reading of inputs that ends, for some of them, in an error."""
    read = InputColumns.read

    def refuse(kind, cells):
        if kind.name in errors:
            raise errors[kind.name]
        return read(kind, cells)

    return refuse


def at_row(name, row):
    return Finding(name, "cohort.csv", "a rule", "it is broken", "Mend it.", rows=(row,))


def test_inputs_are_read_with_their_columns(reader, kinds):
    inputs = reader.inputs(kinds, COLUMNS)
    assert {name: one.columns for name, one in inputs.items()} == COLUMNS
    assert all(len(one.records) == 3 for one in inputs.values())


def test_findings_of_all_inputs_come_together_with_the_rows_of_the_users_table(reader, kinds, monkeypatch):
    errors = {"labs": ReadError(at_row("first", 1)), "vitals": CohortError(at_row("second", 3))}
    monkeypatch.setattr(InputColumns, "read", refusing(errors))
    with pytest.raises(ReadError) as stopped:
        reader.inputs(kinds, COLUMNS)
    assert [(one.name, one.rows) for one in stopped.value.findings] == [("first", (2,)), ("second", (4,))]


def test_a_missing_package_is_named_as_it_is(reader, kinds, monkeypatch):
    monkeypatch.setattr(InputColumns, "read", refusing({"labs": MissingPackage("rdkit", "molecule", "[inputs.labs]")}))
    with pytest.raises(MissingPackage, match=r"polyclinic\[molecule\]"):
        reader.inputs(kinds, COLUMNS)
