from datetime import date

import polars as pl
import pytest

from polyclinic.cohort.exclusion import decide
from polyclinic.errors import CohortError, Severity

FRAME = pl.DataFrame(
    {
        "age": [10, 20, None, 40],
        "sex": ["m", "f", "f", None],
        "day of visit": [date(2020, 1, day) for day in (1, 2, 3, 4)],
    }
)


@pytest.mark.parametrize(
    ("condition", "meets"),
    [
        ("age < 18", [True, False, False, False]),
        ("age < 18 OR sex = 'f'", [True, True, True, False]),
        ("age IS NULL", [False, False, True, False]),
        ("age BETWEEN 15 AND 45 AND NOT sex IN ('f')", [False, False, False, False]),
        ("\"day of visit\" >= DATE '2020-01-03'", [False, False, True, True]),
        ("LOWER(sex) LIKE 'm%'", [True, False, False, False]),
    ],
)
def test_conditions_on_columns(condition: str, meets: list[bool]) -> None:
    assert decide(FRAME, condition, "exclude").meets.tolist() == meets


def test_what_cannot_be_decided_stays_in_and_is_told() -> None:
    (note,) = decide(FRAME, "age < 18", "exclude").notes
    assert "a column is missing in 1 row" in note.found
    assert note.severity is Severity.NOTE


def test_a_condition_that_nobody_meets_is_a_warning() -> None:
    (note,) = decide(FRAME, "age IS NOT NULL AND age > 99", "exclude").notes
    assert note.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("age <", "not a condition that SQL knows"),
        ("age < 18; DROP TABLE x", "not a condition that SQL knows"),
        ("SELECT * FROM x", "not a condition that SQL knows"),
        ("read_csv('/etc/passwd')", "not a condition that SQL knows"),
        ("day of visit > 3", "double quotation marks"),
        ("agee < 18", 'no column "agee". Did you mean "age"?'.replace("?", r"\?")),
        ("age + 1", "must be answered by yes or no"),
        ("1 = 1", "names no column"),
        ("age < 'a'", "different types"),
        ("\"day of visit\" < '2020-01-02'", "DATE '2020-01-31'"),
        ("age < AVG(age)", "looks at other rows"),
        ("ROW_NUMBER() OVER (ORDER BY age) > 2", "looks at other rows"),
        ("SUM(age) > 3", "looks at the whole table"),
        ("COUNT(*) > 1", "names no column"),
        ("age = (SELECT 1)", "must"),
    ],
)
def test_anything_else_is_refused(condition: str, words: str) -> None:
    with pytest.raises(CohortError, match=words.replace(".", r"\.").replace(r"\\.", r"\.")):
        decide(FRAME, condition, "study.toml [cohort] exclude")


def test_a_failing_function_shows_no_cell() -> None:
    frame = pl.DataFrame({"day": ["2020-01-01", "Wang Xiaoming"]})
    with pytest.raises(CohortError) as error:
        decide(frame, "DATE(day) > DATE '2020-01-01'", "exclude")
    assert "Wang" not in str(error.value)
