"""A study bound to its cohort: what fits and plain models are given."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from polyclinic.cohort.table import Cohort
from polyclinic.errors import Finding
from polyclinic.heads.base import Head, Question
from polyclinic.inputs.base import InputColumns
from polyclinic.study.role_columns import role_columns
from polyclinic.study.schema import Study


@dataclass(frozen=True)
class Assembled:
    """A study bound to its cohort: every record read, nothing learned yet.

    Attributes:
        study: As read.
        cohort: The patients that take part: those with a known outcome that no exclusion met.
        inputs: Kinds of input, not yet fitted, each with its columns and records, by the user's names.
        questions: Kinds of question, not yet fitted, each with its outcomes of all rows, by the user's names.
        findings: Everything found, the accepted refusals as notes.
        cache: Where records made ready may be kept, or None.
    """

    study: Study
    cohort: Cohort
    inputs: Mapping[str, InputColumns]
    questions: Mapping[str, Question[Head]]
    findings: tuple[Finding, ...]
    cache: Path | None = None

    @property
    def columns_in_use(self) -> frozenset[str]:
        """Columns that inputs, targets and roles read, and those of the subgroups."""
        read = {name for one in self.inputs.values() for name in one.columns}
        asked = {name for question in self.questions.values() for name in question.head.columns()}
        return frozenset({*read, *asked, *role_columns(self.study), *self.study.cohort.strata})
