"""Names of rows that share stems are suspected, running numbers and barcodes are not; a pattern finds the patient."""

import re
from collections.abc import Callable, Iterable

import numpy as np
import polars as pl
import pytest

from polyclinic.cohort.name_stems import PATTERN, patients_by_pattern, shared_stems
from polyclinic.cohort.split import divide
from polyclinic.cohort.table import Cohort
from polyclinic.errors import CohortError, Severity
from polyclinic.study.schema import SplitSection

CohortOf = Callable[..., Cohort]
PLACE, KEY = 'voices.csv column "name"', "[cohort] patient_pattern"
VOICES = [f"phon_R01_S{who:02}_{k}" for who in range(1, 33) for k in range(1, 7 + (who % 7 == 0))]
COUNTED = [f"P{who:02}_R{k}" for who in range(1, 61) for k in range(1, 3 + who % 6)]
TURNED = [f"S{who}-{k}" for who in range(40) for k in range(1, 3 + who % 9)]


def stems(names: Iterable[str]) -> int | None:
    return shared_stems(pl.Series("name", list(names)))


@pytest.mark.parametrize(
    ("names", "many"),
    [
        (VOICES, 32),
        (TURNED, 40),
        (COUNTED, 60),
        ([f"P{who:03}_{eye}" for who in range(30) for eye in ("L", "R")], 30),
        ([f"{who}-{visit}" for who in range(30) for visit in ("base", "1y", "5y")[: 1 + who % 3]], 30),
    ],
)
def test_recordings_of_one_person_share_a_stem(names: list[str], many: int) -> None:
    assert stems(names) == many
    turned = np.random.default_rng(0).permutation(names).tolist()
    assert stems(turned) == many


@pytest.mark.parametrize(
    "names",
    [
        [f"P{n:04}" for n in range(500)],
        [f"P_{n:04}" for n in range(500)],
        [f"TCGA-{'ABCDEFGHIJKLMNOP'[n * n % 16]}{n % 3}-{1000 + 7 * n}" for n in range(200)],
        [f"TCGA-{n % 30:02}-{1000 + 7 * n}-01" for n in range(200)],
        [f"H{n % 12:02}-{n // 12 + 1:03}" for n in range(200) if n % 17],
        [f"H{n % 7}_{n // 7}" for n in range(140)],
        [f"{2000 + n % 20}-{n:03}" for n in range(200)],
        [*(f"P{n}_1" for n in range(200)), "P3_2"],
        ["Anna Berg", "Bo Berg", "Cy Dahl"],
        [f"P{n // 2}_{n % 2}" for n in range(10)],
    ],
)
def test_names_of_patients_are_left_alone(names: list[str]) -> None:
    assert stems(names) is None


def test_what_is_no_name_of_a_row_is_left_alone() -> None:
    assert shared_stems(pl.Series("n", list(range(100)))) is None
    assert shared_stems(pl.Series("n", [*VOICES, None])) is None
    assert shared_stems(pl.Series("n", VOICES * 2)) is None


def test_the_pattern_that_is_offered_finds_the_stems() -> None:
    named, doubts = patients_by_pattern(pl.Series("name", VOICES), PATTERN, PLACE, KEY)
    assert doubts == []
    assert named.to_list() == [name.rsplit("_", 1)[0] for name in VOICES]


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", r"(?<=a)(b)", "((a{1000}){1000}){1000}", "*(a)"])
def test_a_pattern_that_cannot_be_read_is_an_error_with_an_example(pattern: str) -> None:
    _, [finding] = patients_by_pattern(pl.Series("name", VOICES), pattern, PLACE, KEY)
    assert (finding.name, finding.severity, finding.place) == ("bad_patient_pattern", Severity.ERROR, KEY)
    assert PATTERN in finding.remedy
    assert "\n" not in str(finding)


def test_a_pattern_that_would_hang_another_engine_ends_at_once() -> None:
    named, _ = patients_by_pattern(pl.Series("name", ["a" * 20_000 + "!"]), "^((a+)+)+$", PLACE, KEY)
    assert named.to_list() == [None]


@pytest.mark.parametrize("pattern", [r"^(phon_R01_S3\d)_", r"^phon_R01_S3\d_", r"^(|phon_R01_S3\d_)"])
def test_names_without_a_patient_are_named_by_row(pattern: str) -> None:
    names = pl.Series("name", ["phon_R01_S31_1", "phon_R01_S07_1", None])
    _, [finding] = patients_by_pattern(names, pattern, PLACE, KEY)
    assert finding.name == "patient_not_in_name"
    assert set(finding.rows) <= {1, 2}
    assert 2 in finding.rows
    assert "phon" not in finding.found


def test_a_pattern_that_joins_nobody_is_told() -> None:
    _, [finding] = patients_by_pattern(pl.Series("name", ["S1_1", "S2_1"]), r"^(S\d)", PLACE, KEY)
    assert (finding.name, finding.severity) == ("pattern_joins_nobody", Severity.WARNING)


def test_the_split_keeps_the_recordings_of_a_person_together(cohort_of: CohortOf) -> None:
    cohort = cohort_of(pl.DataFrame({"name": VOICES}), patient="name", patient_pattern=r"^(phon_R\d+_S\d+)")
    assert cohort.flow[0].patients == 32
    split = divide(cohort, SplitSection(folds=4), seed=1, groups=np.zeros(len(VOICES), dtype=np.int64))
    for fold in split.folds:
        tested = {re.sub(r"_\d$", "", VOICES[row]) for row in fold.test.index}
        trained = {re.sub(r"_\d$", "", VOICES[row]) for row in fold.members[0].train.index}
        assert not tested & trained


def test_a_bad_pattern_and_other_faults_of_the_table_come_together(cohort_of: CohortOf) -> None:
    with pytest.raises(CohortError) as stopped:
        cohort_of(pl.DataFrame({"name": [*VOICES[1:], None]}), patient="name", patient_pattern="(")
    assert [finding.name for finding in stopped.value.findings] == ["patient_missing", "bad_patient_pattern"]
