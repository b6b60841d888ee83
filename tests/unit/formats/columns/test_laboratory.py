import numpy as np
import polars as pl
import pytest

from polyclinic.errors import Severity
from polyclinic.formats.columns.laboratory import ColumnReading, read_laboratory, section_of
from polyclinic.study.schema import ColumnSection

VALUES = [round(float(x), 1) for x in np.random.default_rng(0).normal(50, 10, 200)]
NOTHING_SAID = ColumnSection()


def read(cells: list[str | None], said: ColumnSection = NOTHING_SAID, *, learned: bool = False) -> ColumnReading | None:
    return read_laboratory(pl.Series("crp", cells, dtype=pl.String), "t.csv", said, learned=learned)


def with_some(cell: str, every: int = 30) -> list[str | None]:
    return [cell if i % every == 0 else str(value) for i, value in enumerate(VALUES)]


def numbers(reading: ColumnReading | None) -> list[float | None]:
    assert reading is not None
    assert reading.values is not None
    return reading.values.to_list()


def test_decimal_commas_are_numbers_and_told() -> None:
    reading = read([str(value).replace(".", ",") for value in VALUES])
    assert numbers(reading) == VALUES
    assert reading is not None
    assert reading.learned == ColumnSection(type="number", decimal=",")
    assert [(f.name, f.severity) for f in reading.findings] == [("read_as_numbers", Severity.NOTE)]
    assert "decimal comma in" in reading.findings[0].found


def test_one_unit_is_split_off_and_kept_for_the_reading_of_further_patients() -> None:
    reading = read([f"{value} mg/L" if i % 3 else f"{value} mg/l" for i, value in enumerate(VALUES)])
    assert numbers(reading) == VALUES
    assert reading is not None
    assert reading.learned == ColumnSection(type="number", unit="mg/L")
    assert '"mg/L" split off in 200 cells' in reading.findings[0].found


def test_mixed_units_are_refused_with_the_rows() -> None:
    reading = read([f"{value} mg/L" if i != 7 else f"{value} mg/dL" for i, value in enumerate(VALUES)])
    assert reading is not None
    assert reading.values is None
    assert [(f.name, f.severity, f.rows) for f in reading.findings] == [("mixed_units", Severity.REFUSED, (8,))]


def test_percent_beside_shares_are_two_units() -> None:
    reading = read([f"{value}%" if i % 4 else f"{value / 100:.3f}" for i, value in enumerate(VALUES)])
    assert reading is not None
    assert [f.name for f in reading.findings] == ["mixed_units"]


def test_a_limit_of_detection_is_read_as_the_limit() -> None:
    reading = read(with_some("<1"))
    assert numbers(reading)[0] == 1.0
    assert reading is not None
    assert reading.findings[0].severity is Severity.WARNING
    assert "a value below or above a limit read as the limit itself in 7 cells" in reading.findings[0].found


@pytest.mark.parametrize("word", ["-", ".", "n/a", "k. A.", "\u672a\u67e5"])
def test_words_for_not_known_are_missing_and_told(word: str) -> None:
    reading = read(with_some(word))
    assert numbers(reading)[0] is None
    assert numbers(reading)[1:30] == VALUES[1:30]
    assert reading is not None
    assert "read as missing in 7 cells" in reading.findings[0].found


def test_flags_are_left_out() -> None:
    assert numbers(read([f"{value} {'H' if i % 2 else 'L'}" for i, value in enumerate(VALUES)])) == VALUES
    assert numbers(read([f"{value}*" if i % 5 else str(value) for i, value in enumerate(VALUES)])) == VALUES


def test_other_text_is_refused_with_its_rows_and_never_shown() -> None:
    reading = read(with_some("hemolysed", every=100))
    assert numbers(reading)[0] is None
    assert reading is not None
    finding = reading.findings[0]
    assert (finding.name, finding.severity, finding.rows) == ("text_in_number_column", Severity.REFUSED, (1, 101))
    assert "hemolysed" not in str(finding)


def test_two_numbers_in_a_cell() -> None:
    reading = read([f"{int(2 * value)}/{int(value)}" for value in VALUES])
    assert reading is not None
    assert [f.name for f in reading.findings] == ["two_numbers_in_a_cell"]
    assert "two columns" in reading.findings[0].remedy


def test_an_infinite_number_is_missing() -> None:
    reading = read(with_some("inf"))
    assert numbers(reading)[0] is None
    assert reading is not None
    assert [f.name for f in reading.findings] == ["infinite_values"]


def test_ambiguous_commas_name_the_remedy() -> None:
    cells: list[str | None] = [f"{int(value * 100):,}" for value in VALUES]
    reading = read(cells)
    assert reading is not None
    assert [(f.name, f.severity) for f in reading.findings] == [("ambiguous_numbers", Severity.REFUSED)]
    assert 'decimal = ","' in reading.findings[0].remedy
    assert numbers(read(cells, ColumnSection(decimal=".")))[0] == int(VALUES[0] * 100)
    assert numbers(read(cells, ColumnSection(decimal=",")))[0] == int(VALUES[0] * 100) / 1000


@pytest.mark.parametrize(
    "cells",
    [
        ["1a", "2b", "3", "4"] * 50,
        ["1+", "2+", "3+", "neg"] * 50,
        ["I", "II", "III"] * 50,
        [f"{i}.png" for i in range(200)],
        [f"{250 + i % 40}.{i % 9}" for i in range(180)] + [f"V{i}" for i in range(20)],
        ["0/1", "1/1", "0/0"] * 50,
        ["1", "2", "3", "many"] * 50,
    ],
)
def test_words_stay_words(cells: list[str | None]) -> None:
    assert read(cells) is None


def test_a_single_new_patient_is_read_as_in_training() -> None:
    said = ColumnSection(type="number", decimal=",", unit="mg/L")
    assert numbers(read(["1,234"], said, learned=True)) == [1.234]
    assert numbers(read(["1,234 mg/l"], said, learned=True)) == [1.234]
    other = read(["1,234 mg/dL"], said, learned=True)
    assert other is not None
    assert [f.name for f in other.findings] == ["mixed_units"]


def test_a_unit_where_training_had_none_is_refused() -> None:
    other = read(["5 mg/dL"], ColumnSection(type="number", unit=""), learned=True)
    assert other is not None
    assert [f.name for f in other.findings] == ["mixed_units"]


def test_a_note_says_what_to_write_if_it_is_not_meant() -> None:
    commas = read([str(value).replace(".", ",") for value in VALUES])
    units = read([f"{value} mg/L" for value in VALUES])
    assert commas is not None
    assert units is not None
    assert commas.findings[0].remedy.endswith('if not, write [cohort.columns.crp] decimal = ".".')
    assert units.findings[0].remedy.endswith('if not, write [cohort.columns.crp] type = "text".')
    assert section_of('CRP "new"') == r'[cohort.columns."CRP \"new\""]'


def test_one_bare_percent_does_not_hide_the_shares() -> None:
    cells = [f"{value}%" if i % 4 else f"{value / 100:.3f}" for i, value in enumerate(VALUES)]
    reading = read([*cells, "45"])
    assert reading is not None
    assert [f.name for f in reading.findings] == ["mixed_units"]
    small = read([*(f"{value / 100}%" for value in VALUES), "0.5", "45"])
    assert small is not None
    assert "mixed_units" not in [f.name for f in small.findings]


@pytest.mark.parametrize("groups", [["<20 yrs", ">20 yrs"], ["<6m", "6-12m", ">12m", ">6m"], ["< 5", ">= 5"]])
def test_groups_named_by_a_limit_stay_apart(groups: list[str]) -> None:
    cells = [groups[i % len(groups)] for i in range(100)]
    reading = read(cells)
    assert reading is None or reading.values is None


def test_limits_on_both_sides_of_many_numbers_are_read_as_limits() -> None:
    cells = [*with_some("<20"), ">20"]
    assert numbers(read(cells))[0] == 20
