from collections.abc import Callable

import numpy as np
import pytest

from polyclinic.cohort.findings import inspect
from polyclinic.cohort.table import Cohort
from polyclinic.errors import Finding, Severity

CohortOf = Callable[..., Cohort]
RNG = np.random.default_rng(0)
NUMBERS = [float(x) for x in RNG.normal(50, 10, 200).round(1)]


def found(cohort: Cohort, outcome: tuple[str, ...] = ()) -> dict[str, Finding]:
    inputs = [name for name in cohort.frame.columns if name not in outcome]
    return {finding.name: finding for finding in inspect(cohort, inputs, outcome)}


def test_a_clean_table_has_no_findings(cohort_of: CohortOf) -> None:
    assert found(cohort_of({"age": NUMBERS, "dose": NUMBERS[::-1], "sex": ["m", "f"] * 100})) == {}


def test_text_in_a_number_column_is_told_with_its_rows(cohort_of: CohortOf) -> None:
    cells = [str(x) for x in NUMBERS]
    cells[3], cells[7], cells[9] = "hemolysed", "lost", ">100"
    findings = found(cohort_of({"x": cells}))
    assert findings["text_in_number_column"].rows == (4, 8)
    assert findings["text_in_number_column"].severity is Severity.REFUSED
    assert "hemolysed" not in str(findings)
    assert "in 1 cell" in findings["read_as_numbers"].found


@pytest.mark.parametrize("word", ["unbekannt", "k.A.", "\u672a\u77e5"])
def test_a_word_for_not_known_among_categories_is_named(cohort_of: CohortOf, word: str) -> None:
    finding = found(cohort_of({"stage": ["early", "late", "late", word] * 20}))["unknown_as_category"]
    assert finding.severity is Severity.NOTE
    assert f'"{word}", in 20 cells' in finding.found
    assert "missing_values" in finding.remedy


def test_numbers_that_the_file_declares_text_are_told(cohort_of: CohortOf) -> None:
    assert "numbers_as_text" in found(cohort_of({"x": [str(x) for x in NUMBERS]}))
    assert "numbers_as_text" not in found(cohort_of({"x": ["1", "2"] * 20}))


@pytest.mark.parametrize("odd", ["V57", "E819.2", "007"])
def test_codes_are_no_numbers_with_mistakes(cohort_of: CohortOf, odd: str) -> None:
    cells = [str(x) for x in NUMBERS]
    cells[3] = odd
    assert "text_in_number_column" not in found(cohort_of({"x": cells}))


def test_an_input_without_a_value_is_an_error(cohort_of: CohortOf) -> None:
    finding = found(cohort_of({"x": [None] * 20, "y": NUMBERS[:20]}))["no_values"]
    assert finding.severity is Severity.ERROR
    assert 'column "x"' in finding.place


@pytest.mark.parametrize(
    ("name", "value", "impossible"),
    [
        ("age", -3, True),
        ("age", 200, True),
        ("Age (years)", 131, True),
        ("age_days", 9000, False),
        ("heart_rate", 900, True),
        ("SpO2", 101, True),
        ("temperature", 31, False),
        ("temperature", 370, True),
        ("score", -3, False),
        ("glucose", -1, True),
    ],
)
def test_impossible_values_are_refused_where_the_name_is_clear(
    cohort_of: CohortOf, name: str, value: float, impossible: bool
) -> None:
    usual = {"temperature": 37.0, "heart_rate": 70.0, "SpO2": 97.0}.get(name, 50.0)
    cells = [usual + x for x in RNG.normal(0, 1, 50).round(2)]
    cells[10] = value
    findings = found(cohort_of({name: cells}))
    assert ("impossible_values" in findings) is impossible
    if impossible:
        assert findings["impossible_values"].severity is Severity.REFUSED
        assert findings["impossible_values"].rows == (11,)


def test_a_standardised_age_is_not_negative(cohort_of: CohortOf) -> None:
    assert found(cohort_of({"age": [float(x) for x in RNG.normal(size=200)]})) == {}


def test_fahrenheit_is_a_temperature(cohort_of: CohortOf) -> None:
    assert found(cohort_of({"temperature": [98.6 + x / 10 for x in range(30)]})) == {}


def test_zeros_that_mean_missing_are_a_warning(cohort_of: CohortOf) -> None:
    cells = list(NUMBERS)
    cells[5] = cells[9] = 0.0
    for name in ("glucose", "plas"):  # by its name, and by the gap below the others
        finding = found(cohort_of({name: cells}))["zeros_for_missing"]
        assert finding.severity is Severity.WARNING
        assert finding.rows == (6, 10)


def test_counts_may_be_zero(cohort_of: CohortOf) -> None:
    assert found(cohort_of({"pregnancies": [n % 30 for n in range(200)], "x": NUMBERS})) == {}


def test_constant_and_duplicate_columns_are_told(cohort_of: CohortOf) -> None:
    findings = found(cohort_of({"a": NUMBERS, "b": NUMBERS, "c": [1] * 200}))
    assert "b = a" in findings["duplicate_columns"].found
    assert "c" in findings["constant_column"].found


def test_duplicate_rows_are_told(cohort_of: CohortOf) -> None:
    columns = {"a": NUMBERS, "b": NUMBERS[::-1], "c": [x * 2 for x in NUMBERS[5:] + NUMBERS[:5]]}
    columns = {name: [*cells, cells[3]] for name, cells in columns.items()}
    assert found(cohort_of(columns))["duplicate_rows"].rows == (4, 201)


def test_rows_of_few_values_and_a_follow_up_time_are_duplicates_where_they_repeat(cohort_of: CohortOf) -> None:
    rng = np.random.default_rng(0)
    columns = {"sex": rng.integers(0, 2, 300), "age": rng.integers(40, 90, 300), "days": rng.integers(1, 3000, 300)}
    columns = {name: np.append(column, column[:50]).tolist() for name, column in columns.items()}
    told = set(found(cohort_of(columns))["duplicate_rows"].rows)
    assert told <= {*range(1, 51), *range(301, 351)}
    assert len(told) > 90  # a few share so much with strangers that chance may have joined them


def test_plain_rows_may_repeat(cohort_of: CohortOf) -> None:
    assert found(cohort_of({"a": ["x", "y"] * 100, "b": [1, 1, 2, 2] * 50})) == {}


def test_mostly_missing_columns_are_told(cohort_of: CohortOf) -> None:
    findings = found(cohort_of({"a": [*NUMBERS[:50], *[None] * 150], "b": NUMBERS}))
    assert "a 75%" in findings["mostly_missing"].found


def test_missingness_that_goes_with_the_outcome_is_told(cohort_of: CohortOf) -> None:
    sick = [n % 2 == 0 for n in range(200)]
    lactate = [x if ill or n % 5 == 0 else None for n, (x, ill) in enumerate(zip(NUMBERS, sick, strict=True))]
    findings = found(cohort_of({"lactate": lactate, "x": NUMBERS, "sick": sick}), ("sick",))
    assert "lactate 0% to 80%" in findings["missing_by_outcome"].found
    chance = [x if n % 3 else None for n, x in enumerate(NUMBERS)]
    assert "missing_by_outcome" not in found(cohort_of({"a": chance, "sick": sick}), ("sick",))


def test_an_identifier_among_the_inputs_is_told(cohort_of: CohortOf) -> None:
    assert "identifier_as_input" in found(cohort_of({"name": [f"Mr {n}" for n in range(200)]}))
    assert found(cohort_of({"film": [f"films/{n}.png" for n in range(200)]})) == {}


def test_rows_are_those_of_the_users_table(cohort_of: CohortOf) -> None:
    cohort = cohort_of({"age": [-5, *[30 + n for n in range(60)], -6], "out": [1, *[0] * 61]}, exclude="out = 1")
    assert found(cohort)["impossible_values"].rows == (62,)


def test_no_inputs_no_findings(cohort_of: CohortOf) -> None:
    assert inspect(cohort_of({"a": NUMBERS, "y": [0, 1] * 100}), [], ["y"]) == []


def test_codes_for_not_known_are_told_with_the_key_that_empties_them(cohort_of: CohortOf) -> None:
    finding = found(cohort_of({"marker": [*NUMBERS[:198], 999.0, 999.0]}))["codes_for_missing"]
    assert finding.rows == (199, 200)
    assert 'missing_codes = {"marker" = [999]}' in finding.remedy
    emptied = cohort_of({"marker": [*NUMBERS[:198], 999.0, 999.0]}, missing_codes={"marker": (999.0,)})
    assert "codes_for_missing" not in found(emptied)
    assert emptied.frame["marker"].null_count() == 2


def test_categories_that_differ_in_capitals_only_are_told(cohort_of: CohortOf) -> None:
    finding = found(cohort_of({"sex": ["Male", "male", "Female", "Female"] * 50}))["alike_words"]
    assert finding.rows[:2] == (1, 2)
    assert "alike_words" not in found(cohort_of({"sex": ["male", "female"] * 50}))
