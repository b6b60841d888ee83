"""What the cells of a cohort hold: records and targets, with findings that count rows as the user's table does."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from polyclinic.cohort.table import Cohort
from polyclinic.errors import Finding, MissingPackage, PolyclinicError
from polyclinic.heads.base import Dense, GroundFacts, Head, Question, Target, dense_questions
from polyclinic.inputs.base import Input, InputColumns
from polyclinic.records.base import ColumnCells

Made = TypeVar("Made")


@dataclass(frozen=True)
class CohortReader:
    """Reads for the kinds of a study what the table of patients names.

    Attributes:
        cohort: The patients.
        cache: Where decoded records may be kept, or None.
    """

    cohort: Cohort
    cache: Path | None

    def targets(self, heads: Mapping[str, Head]) -> dict[str, Question[Head]]:
        """Every question with its outcomes of all rows.

        Raises:
            CohortError: if outcomes cannot be used.
        """
        frame, name = self.cohort.frame, self.cohort.name
        with self.users_rows():
            return {
                n: Question(head, head.read_target(frame.select(head.columns()), name)) for n, head in heads.items()
            }

    def inputs(self, kinds: Mapping[str, Input], columns: Mapping[str, tuple[str, ...]]) -> dict[str, InputColumns]:
        """Every input with its records of all rows; findings of all inputs come together.

        Raises:
            ReadError, CohortError: as the kinds do.
        """
        folder, name = self.cohort.folder, self.cohort.name
        cells = {n: ColumnCells(self.cohort.frame.select(columns[n]), folder, name, self.cache) for n in kinds}
        return self._together({n: partial(InputColumns.read, kind, cells[n]) for n, kind in kinds.items()})

    def match(
        self, inputs: Mapping[str, InputColumns], questions: Mapping[str, Question[Head]]
    ) -> dict[str, Question[Head]]:
        """The dense questions, their targets held against the records that they are about; findings come together.

        Raises:
            CohortError, ReadError: as the kinds do.
        """
        dense = dense_questions(questions)
        grounds = {name: inputs[name].located for name in {question.head.ground for question in dense.values()}}
        geometry = {name: records.geometry() for name, records in grounds.items()}

        def target_of(question: Question[Dense]) -> Target:
            head, on = question.head, question.head.ground
            facts = GroundFacts(geometry[on], grounds[on].foreground, self.cohort.folder, self.cache)
            target: Target = head.match(question.outcomes, facts)
            return target

        targets = self._together({name: partial(target_of, question) for name, question in dense.items()})
        return {name: replace(question, target=targets[name]) for name, question in dense.items()}

    def check(self, inputs: Mapping[str, InputColumns], questions: Mapping[str, Question[Head]]) -> list[Finding]:
        """Doubts about records and outcomes that were read."""
        with self.users_rows():
            found = [finding for one in inputs.values() for finding in one.records.check()]
            for question in questions.values():
                found += question.outcomes.check(f"[targets.{question.name}]")
        return self._in_users_rows(found)

    @contextmanager
    def users_rows(self) -> Iterator[None]:
        """Errors that come up within count rows of the frame; they leave with the rows of the user's table."""
        try:
            yield
        except MissingPackage:
            raise
        except PolyclinicError as error:
            raise type(error)(self._in_users_rows(error.findings)) from error

    def _in_users_rows(self, findings: Iterable[Finding]) -> list[Finding]:
        row = self.cohort.row
        return [replace(f, rows=tuple(int(row[r - 1]) for r in f.rows)) for f in findings]

    def _together(self, readings: Mapping[str, Callable[[], Made]]) -> dict[str, Made]:
        """What each reading gives; where some cannot be done, the findings of all come together."""
        made: dict[str, Made] = {}
        errors: list[PolyclinicError] = []
        for name, read in readings.items():
            try:
                with self.users_rows():
                    made[name] = read()
            except MissingPackage:
                raise
            except PolyclinicError as error:
                errors.append(error)
        if errors:
            raise type(errors[0])([finding for error in errors for finding in error.findings])
        return made
