import pytest
from pydantic import ValidationError

from polyclinic.formats.columns.reading import CellReading, TableReading, table_reading
from polyclinic.study.schema import CohortSection


def test_what_means_not_known_is_what_the_study_file_says_by_itself():
    section = CohortSection(table="a.csv", patient="id")
    assert CellReading().missing_values == section.missing_values
    assert CellReading().decimal is None


def test_the_section_says_it_all():
    said = {
        "encoding": "gb18030",
        "separator": "|",
        "header": 3,
        "decimal": ",",
        "thousands": ".",
        "date_format": "%d.%m.%Y",
    }
    section = CohortSection(table="a.csv", patient="id", missing_values=("-9",), query="select 1", **said)
    reading = table_reading(section)
    assert (reading.encoding, reading.separator, reading.header, reading.query) == ("gb18030", "|", 3, "select 1")
    assert reading.cells == CellReading(("-9",), ",", ".", "%d.%m.%Y")
    bare = CohortSection(table="a.csv", patient="id")
    assert table_reading(bare) == TableReading()


def test_decimal_and_thousands_are_two_signs():
    with pytest.raises(ValidationError, match="two signs"):
        CohortSection(table="a.csv", patient="id", decimal=",", thousands=",")
    with pytest.raises(ValidationError, match="two signs"):
        CohortSection(table="a.csv", patient="id", thousands=".")
