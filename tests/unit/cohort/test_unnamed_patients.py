import numpy as np
import polars as pl
import pytest

from polyclinic.cohort.unnamed_patients import (
    alike_identifiers,
    is_patient_name,
    patient_column,
    unrecognised_patients,
)
from polyclinic.errors import Severity

RNG = np.random.default_rng(0)
PERSONS, EACH = 40, 4
WHO = np.repeat(np.arange(PERSONS), EACH)
LAB = RNG.normal(size=PERSONS * EACH)
CODES = RNG.permutation(10_000)[:PERSONS] + 100


def suspected(known: str = "row", aside: tuple[str, ...] = (), **columns: object) -> list[str]:
    """Places of the findings about a table of forty persons with several rows."""
    frame = pl.DataFrame({**columns, "lab": LAB[: len(next(iter(columns.values())))]})  # type: ignore[call-overload]
    findings = unrecognised_patients(frame, "t.csv", known, aside)
    assert {finding.name for finding in findings} <= {"unrecognised_patients"}
    return [finding.place.split('"')[1] for finding in findings]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "patient_id",
            "PatientID",
            "patient",
            "hospital number",
            "Patientennummer",
            "Pat.-Nr.",
            "N° patient",
            "numéro patient",
        ),
        *(
            "Nº paciente",
            "Número de historia clínica",
            "prontuário",
            "patient code",
            "subject code",
            "subject#",
            "subject",
        ),
        *(
            "病历号",
            "住院号",
            "患者ID",
            "MRN",
            "NHS number",
            "CPR",
            "SSN",
            "USUBJID",
            "pidnum",
            "record_id",
            "case_id",
            "Fallnummer",
        ),
    ],
)
def test_names_of_patients_in_several_languages(name: str) -> None:
    assert is_patient_name(name)
    assert suspected(**{name: CODES[WHO]}) == [name]


@pytest.mark.parametrize(
    "name", ["case", "patient age", "patient status", "n_patients", "number of patients", "person", "id", "age"]
)
def test_names_that_are_not_those_of_patients(name: str) -> None:
    assert not is_patient_name(name)


def test_the_coarser_name_is_the_patient() -> None:
    frame = pl.DataFrame({"record_id": range(160), "patient_id": WHO, "id": range(160)})
    assert patient_column(frame) == "patient_id"
    assert patient_column(frame.select("id")) == "id"
    assert patient_column(pl.DataFrame({"case_id": [0, 1] * 80})) is None


@pytest.mark.parametrize(
    ("name", "study", "who", "severity"),
    [
        ("hospital number", "row", CODES[WHO], Severity.REFUSED),
        ("Patientennummer", "row", [f"P{n}" for n in WHO], Severity.REFUSED),
        ("MRN", "row", [*CODES[WHO][:-1], None], Severity.REFUSED),
        ("hospital id", "row", RNG.integers(0, 12, PERSONS * EACH), Severity.WARNING),
        ("code", "row", [f"P{n}" for n in WHO], Severity.WARNING),
        ("MRN", "visit", CODES[WHO], Severity.WARNING),
    ],
)
def test_only_a_name_that_says_so_is_refused(name: str, study: str, who: list[object], severity: Severity) -> None:
    frame = pl.DataFrame({name: who, "visit": range(PERSONS * EACH), "lab": LAB})
    [finding] = unrecognised_patients(frame, "t.csv", study)
    assert finding.place == f't.csv column "{name}"'
    assert finding.severity is severity


def test_a_name_of_patients_that_an_input_reads_is_told() -> None:
    frame = pl.DataFrame({"MRN": CODES[WHO], "lab": LAB})
    [alone] = unrecognised_patients(frame, "t.csv", "row", read=["lab"])
    [learned] = unrecognised_patients(frame, "t.csv", "row", read=["lab", "MRN"])
    assert "input" not in str(alone)
    assert "an input reads it" in learned.found
    assert 'leave_out = ["MRN"]' in learned.remedy


def test_rows_that_agree_in_what_is_the_same_for_life() -> None:
    sex = np.where(RNG.integers(0, 2, PERSONS) == 1, "f", "m")
    uneven = np.concatenate([WHO[:-3], [0, 0, 1]])
    assert suspected(code=CODES[uneven], sex=sex[uneven]) == ["code"]


def test_rows_that_agree_in_several_columns() -> None:
    uneven = np.concatenate([WHO[:-3], [0, 0, 1]])
    constant = {f"c{n}": RNG.integers(0, 4, PERSONS)[uneven] for n in range(3)}
    assert suspected(code=CODES[uneven], **constant) == ["code"]
    assert suspected(code=CODES[uneven], c0=constant["c0"]) == []


def test_equal_groups_are_repeated_measures() -> None:
    assert suspected(subj=[f"s{n}" for n in WHO]) == ["subj"]
    assert suspected(number=WHO + 1) == ["number"]


@pytest.mark.parametrize("name", ["visit", "trial", "hospital", "ward", "fold", "age"])
def test_equal_groups_of_something_else(name: str) -> None:
    assert suspected(**{name: WHO}) == []


def test_names_that_begin_alike() -> None:
    assert suspected(name=[f"phon_S{n:02}_{k}" for n in range(PERSONS) for k in range(EACH)]) == ["name"]
    assert suspected(name=[f"phon_S{n:03}" for n in range(PERSONS * EACH)]) == []


@pytest.mark.parametrize("study", ["row", "name"])
def test_names_that_share_a_stem_are_told_with_the_key_that_cuts_them(study: str) -> None:
    """Also where the study names that column as the patient, and so every row another one."""
    frame = pl.DataFrame({"name": [f"phon_S{n:02}_{k}" for n in range(PERSONS) for k in range(EACH)], "lab": LAB})
    [finding] = unrecognised_patients(frame, "t.csv", study)
    assert finding.severity is Severity.WARNING
    assert "rows may be of the same patient: names share a stem" in finding.found
    assert "phon" not in str(finding)
    assert "patient = \"name\" and patient_pattern = '^(.+)[ _./#-][^ _./#-]+$'" in finding.remedy


def test_a_study_that_names_them_is_left_alone() -> None:
    assert suspected(known="code", code=CODES[WHO], subject=WHO) == []
    assert suspected(known="visit_nr", visit_nr=np.arange(160), subject=WHO) == ["subject"]
    assert suspected(aside=("subject",), subject=WHO) == []


def test_ordinary_tables_are_left_alone() -> None:
    clinic = {"age": RNG.integers(20, 90, 160), "sex": ["f", "m"] * 80, "pulse": RNG.integers(50, 110, 160)}
    assert suspected(**clinic, grade=RNG.integers(0, 4, 160), platelets=RNG.integers(100, 180, 160)) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("P0", "p0"),
        ("M\u00fcller", "Mu\u0308ller"),
        ("A 1", "A  1"),
        ("P12", "\uff3012"),
        ("A1", "A1\u200b"),
        ("A1", "A1\u3000"),
    ],
)
def test_identifiers_that_differ_in_typing_only(one: str, other: str) -> None:
    [finding] = alike_identifiers(np.array([one, "B", other, "C"]), np.array([3, 4, 7, 9]), "t.csv")
    assert finding.name == "alike_identifiers"
    assert finding.rows == (3, 7)
    assert one not in str(finding)


def test_identifiers_that_are_different_or_the_same() -> None:
    assert alike_identifiers(np.array(["A", "B", "A", "01", "1"]), np.arange(5), "t.csv") == []
    assert alike_identifiers(np.array([1, 2, 1]), np.arange(3), "t.csv") == []
