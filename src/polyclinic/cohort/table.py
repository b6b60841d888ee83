"""The cohort: who is in the study, what is known about each, and who was left out and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Bool, Int, Shaped

from polyclinic.cohort.builtin import read_builtin
from polyclinic.cohort.exclusion import decide
from polyclinic.cohort.missing_codes import without_codes
from polyclinic.cohort.name_stems import patients_by_pattern
from polyclinic.cohort.strata import stratum
from polyclinic.errors import CohortError, Finding, Severity, stop_on
from polyclinic.formats.columns.column_types import absent_column, as_words, counted
from polyclinic.formats.columns.dates import index_dates
from polyclinic.formats.columns.fingerprint import frame_fingerprint
from polyclinic.formats.columns.laboratory import ColumnReading
from polyclinic.formats.columns.reading import ColumnUses, table_reading
from polyclinic.formats.frames import GivenTable
from polyclinic.formats.read_table import TypedTable, read_table
from polyclinic.study.schema import CohortSection

ROW = "row"
_ANY_USE = ColumnUses()


@dataclass(frozen=True)
class Step:
    """One box of the flow chart: who is left after it.

    Attributes:
        label: Such as "in the table" or "excluded: age < 18".
        rows: Rows that are left.
        patients: Patients that are left.
    """

    label: str
    rows: int
    patients: int


@dataclass(frozen=True)
class Fingerprints:
    """SHA-256 of each source file by its name, and of the table as read (before anyone is left out)."""

    sources: Mapping[str, str]
    table: str


@dataclass(frozen=True)
class Cohort:
    """The table of patients. All arrays have one entry per row of ``frame``, in the same order.

    Attributes:
        frame: The user's columns, typed; rows that were left out are gone.
        row: Position in the user's table, counted from 1.
        patient: Identifier, whole numbers or text.
        site: Hospital or scanner as text ("" = not known), or None.
        dates: Moment of prediction (NaT = not known), or None.
        strata: Subgroup of each row as text ("" = not known), by the user's column names.
        folder: Where relative paths in cells start.
        name: The user's word for the table, for messages.
        flow: The flow chart so far.
        findings: What was seen while reading.
        readings: How single columns were read that are not written plainly; told where the column is used.
        fingerprints: Of the source files and of the table as read.
    """

    frame: pl.DataFrame
    row: Int[np.ndarray, " row"]
    patient: Shaped[np.ndarray, " row"]
    site: Shaped[np.ndarray, " row"] | None
    dates: Shaped[np.ndarray, " row"] | None
    strata: Mapping[str, Shaped[np.ndarray, " row"]]
    folder: Path
    name: str
    flow: tuple[Step, ...]
    findings: tuple[Finding, ...]
    fingerprints: Fingerprints
    readings: Mapping[str, ColumnReading] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.row)

    @property
    def patient_number(self) -> Int[np.ndarray, " row"]:
        """Number of the patient behind each row."""
        number: Int[np.ndarray, " row"] = np.unique(self.patient, return_inverse=True)[1].reshape(-1)
        return number

    def keep(self, index: Int[np.ndarray, " kept"]) -> "Cohort":
        """The same cohort with some of its rows; the flow chart stays as it is."""
        return replace(
            self,
            frame=self.frame[index.astype(np.int64)],
            row=self.row[index],
            patient=self.patient[index],
            site=None if self.site is None else self.site[index],
            dates=None if self.dates is None else self.dates[index],
            strata={name: values[index] for name, values in self.strata.items()},
        )


def load(
    section: CohortSection,
    folder: Path,
    place: str = "study.toml",
    uses: ColumnUses = _ANY_USE,
    given: GivenTable | None = None,
) -> Cohort:
    """Read the cohort that the study names, and leave out whom it excludes.

    Args:
        section: The [cohort] table of the study.
        folder: Folder of the study file: the path of the table is relative to it.
        place: Name of the study file, for messages.
        uses: What inputs and targets need columns for; patient, site and strata are known here.
        given: The table itself, where a program gives one; the one that the section names is then not read.

    Raises:
        CohortError: with all findings of the pass: no such file, damaged or empty table, columns that are not there,
            rows without a patient, a condition that cannot be decided, nobody left.
        MissingPackage: if a built-in cohort needs a package that is not installed.
    """
    table = _read(section, folder, place, uses) if given is None else _taken(given, section, folder, place, uses)
    there = table.frame.columns
    stop_on([] if uses.learned else _absent(section, there, place), CohortError)
    emptied = [name for name in section.zero_missing if name in there and table.frame[name].dtype.is_numeric()]
    frame = table.frame.with_columns(pl.when(pl.col(name) != 0).then(pl.col(name)).alias(name) for name in emptied)
    frame = without_codes(frame, {name: codes for name, codes in section.missing_codes.items() if name in there})
    cohort = _cohort(section, replace(table, frame=frame))
    if section.exclude is None:
        return cohort
    decision = decide(cohort.frame, section.exclude, f"{place} [cohort] exclude")
    kept = leave_out(cohort, decision.meets, f"excluded: {section.exclude}")
    return replace(kept, findings=(*kept.findings, *decision.notes))


def leave_out(cohort: Cohort, mask: Bool[np.ndarray, " row"], reason: str) -> Cohort:
    """The cohort without the rows where ``mask`` is True, with one more step in the flow chart.

    Raises:
        CohortError: if nobody would be left.
    """
    kept = cohort.keep(np.flatnonzero(~mask))
    if not len(kept):
        raise CohortError(
            Finding(
                name="nobody_left",
                place=cohort.name,
                rule="somebody must be left in the cohort",
                found=f'after the step "{reason}" nobody is',
                remedy="Correct the step, or the table.",
            )
        )
    return replace(kept, flow=(*cohort.flow, _step(reason, kept.patient)))


def _read(section: CohortSection, folder: Path, place: str, uses: ColumnUses) -> TypedTable:
    if section.source is not None:
        return read_builtin(section.source.removeprefix("builtin:"), f"{place} [cohort] source")
    assert section.table is not None  # the schema holds that one of the two is given
    reading = table_reading(section, _uses(section, uses))
    return read_table(section.table, reading, folder=folder, place=f"{place} [cohort] table")


def _taken(given: GivenTable, section: CohortSection, folder: Path, place: str, uses: ColumnUses) -> TypedTable:
    """The table that a program gives, with a note if it stands for the table of a study."""
    table = given.typed(table_reading(section, _uses(section, uses)).cells, folder)
    rule, found = "names the table of patients", "a program gave one, which was read instead"
    remedy = "Keep what was given if the study is to be repeated; its fingerprint is kept with the run."
    note = Finding("table_given", f"{place} [cohort] table", rule, found, remedy, Severity.NOTE)
    return table if uses.learned else replace(table, notes=(*table.notes, note))


def _uses(section: CohortSection, uses: ColumnUses) -> ColumnUses:
    """What columns are for, those of the section included."""
    named = {name for name in (section.patient, section.site) if name is not None}
    return replace(uses, words=uses.words | named, groups=uses.groups | set(section.strata))


def _absent(section: CohortSection, columns: list[str], place: str) -> list[Finding]:
    patient = () if section.patient == ROW else (section.patient,)
    named = {
        "site": (section.site,),
        "date": (section.date,),
        "patient": patient,
        "strata": section.strata,
        "zero_missing": section.zero_missing,
        "missing_codes": tuple(section.missing_codes),
        "columns": tuple(section.columns),
    }
    return [
        absent_column(f"{place} [cohort] {key}", name, columns)
        for key, names in named.items()
        for name in names
        if name is not None and name not in columns
    ]


def _cohort(section: CohortSection, table: TypedTable) -> Cohort:
    findings = list(table.notes)
    frame, dates = _with_dates(section, table, findings)
    patient = _patients(section, table, findings)
    findings += _of_roles(section, table)
    stop_on(findings, CohortError)
    site = None if section.site is None else as_words(frame[section.site])
    return Cohort(
        frame=frame,
        row=np.arange(1, frame.height + 1),
        patient=patient,
        site=site,
        dates=dates,
        strata={name: stratum(frame[name]) for name in section.strata},
        folder=table.folder,
        name=table.name,
        flow=(_step("in the table", patient),),
        findings=tuple(findings),
        fingerprints=Fingerprints(table.sources, frame_fingerprint(table.frame)),
        readings=table.readings,
    )


def _of_roles(section: CohortSection, table: TypedTable) -> list[Finding]:
    """What was done to read the names of patients, sites and subgroups; it stops nobody, for they stay words."""
    named = (section.patient, section.site, *section.strata)
    names = dict.fromkeys(name for name in named if name is not None)
    readings = [table.readings[name] for name in names if name in table.readings]
    told = [finding for reading in readings for finding in reading.findings]
    return [finding for finding in told if finding.severity in (Severity.WARNING, Severity.NOTE)]


def _with_dates(
    section: CohortSection, table: TypedTable, findings: list[Finding]
) -> tuple[pl.DataFrame, Shaped[np.ndarray, " row"] | None]:
    """The table with its date column as dates, and the same as an array."""
    if section.date is None:
        return table.frame, None
    said = table_reading(section).cells.of(section.date).date_format
    dates, told = index_dates(table.frame[section.date], f'{table.name} column "{section.date}"', said)
    reading = table.readings.get(section.date)
    findings += [*told, *(reading.findings if reading is not None and reading.values is not None else ())]
    if dates is None:
        return table.frame, None
    frame = table.frame.with_columns(dates.alias(section.date))
    return frame, dates.cast(pl.Datetime("us")).to_numpy()


def _patients(section: CohortSection, table: TypedTable, findings: list[Finding]) -> Shaped[np.ndarray, " row"]:
    if section.patient == ROW:
        if ROW in table.frame.columns:
            findings.append(_row_is_a_column(table.name))
        return np.arange(1, table.frame.height + 1)
    column = table.frame[section.patient]
    if column.null_count():
        findings.append(_patient_missing(table.name, section.patient, column))
    if section.patient_pattern is not None:
        place = f'{table.name} column "{section.patient}"'
        column, doubts = patients_by_pattern(column, section.patient_pattern, place, "[cohort] patient_pattern")
        findings += doubts
    whole = column.dtype.is_float() and bool((column.drop_nulls() % 1 == 0).all())
    if column.dtype.is_integer() or whole:
        return column.fill_null(-1).cast(pl.Int64).to_numpy()
    return as_words(column)


def _step(label: str, patient: Shaped[np.ndarray, " row"]) -> Step:
    return Step(label, len(patient), len(np.unique(patient)))


def _patient_missing(table: str, name: str, column: pl.Series) -> Finding:
    return Finding(
        name="patient_missing",
        place=f'{table} column "{name}"',
        rule="every row must say whose it is",
        found=f"none in {column.null_count()} of {counted(len(column), 'row')}",
        remedy="Fill them in, or take the rows out of the table.",
        rows=tuple(int(i) + 1 for i in column.is_null().arg_true()),
    )


def _row_is_a_column(table: str) -> Finding:
    return Finding(
        name="row_is_a_column",
        place=f'{table} column "{ROW}"',
        rule='patient = "row" declares that every row is another patient',
        found="there is also a column of that name, which is not used for it",
        remedy="Rename the column if it names the patient.",
        severity=Severity.WARNING,
    )
