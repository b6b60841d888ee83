"""Another program's predictions, out of any table that a study could have.

One row per answer. What the columns hold is told by their names, of which many are known (``column_names``):

======================================  ==========================================================
``truth`` and ``probability``           two classes: the chance is that of the positive one
``truth`` and ``score``                 the same without a scale: only ranks are judged
``truth`` and ``probability_<class>``   one of several classes: one column for each, truth names it
``truth`` and ``prediction``            a number, or a class that was decided for
``truth`` and ``value``                 a number
``event``, ``time`` and ``risk``        time to an event: 1 = seen, 0 = censored; higher = earlier
======================================  ==========================================================

There may also be ``patient`` (or every row is another patient), ``row``, ``part`` (or every row is a test row),
``target``, ``repeat``, ``fold``, ``site``, ``model`` and ``strata_<column>``. An empty truth is not judged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Shaped

from polyclinic.errors import EvidenceError, Finding, Severity, stop_on
from polyclinic.evidence.limited import DECISIONS, Limit
from polyclinic.formats.columns.column_types import counted
from polyclinic.formats.frames import GivenTable
from polyclinic.predictions.record import Predictions, Samples
from polyclinic.steps.foreign.answers import ForeignAnswer, read_answer
from polyclinic.steps.foreign.column_names import Role, Said, unused
from polyclinic.steps.foreign.foreign_table import ForeignTable, read_foreign_table
from polyclinic.steps.foreign.two_classes import words_of

ANSWER = "answer"
_PARTS: Mapping[str, str] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("tune", "val", "valid", "validation", "dev"), "tune"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_NOTHING_SAID = Said()


@dataclass(frozen=True)
class Foreign:
    """What another program predicted.

    Attributes:
        predictions: In our form.
        limits: How far the answers to some questions can be judged, by question.
        findings: What the user should know about how they were read.
    """

    predictions: Predictions
    limits: Mapping[str, Limit]
    findings: tuple[Finding, ...]


def load_foreign(source: GivenTable | Path | str, said: Said = _NOTHING_SAID) -> Foreign:
    """Read predictions that another program made.

    Args:
        source: Any table that a study could have, or one that a program gives.
        said: What the user says about its columns.

    Raises:
        EvidenceError: with all findings: a file that cannot be read, columns that are not known, rows without a
            patient, cells that are no numbers, chances outside 0 to 1, a truth that is none of the classes, and so on.
        MissingPackage: if the package that reads such a table is not installed.
    """
    file = read_foreign_table(source, said)
    models = _models(file)
    samples = _samples(file)
    answers = _answers(file)
    file.findings.extend(_overlaps(file, samples))
    file.findings.extend(_without_truth(file))
    file.findings.extend(unused(file.name, file.table.columns, file.roles))
    stop_on(file.findings, EvidenceError)
    limits = {name: one.limit for name, one in answers.items() if one.limit is not None}
    if DECISIONS in limits.values():  # nothing can be chosen on tune rows where there is no score
        samples = replace(samples, part=np.where(samples.part == "tune", "train", samples.part))
    answered = {name: one.answer for name, one in answers.items()}
    predictions = Predictions(models, samples, answered, np.full(len(samples), np.nan))
    return Foreign(predictions, limits, tuple(dict.fromkeys(file.findings)))


def _models(file: ForeignTable) -> str:
    """The name of the other program: as the user says, the table, or the file."""
    column = file.words(Role.MODEL)
    models = [] if column is None else list(dict.fromkeys(word for word in column if word is not None))
    if len(models) > 1:
        rule, found = "must name one model", "it names several"
        file.found("several_models", file.roles.of[Role.MODEL], rule, found, "Split the file by model.")
    return file.said.name or next(iter(models), None) or Path(file.name).stem


def _samples(file: ForeignTable) -> Samples:
    n = len(file)
    row = file.whole(Role.ROW, 1, np.arange(1, n + 1))
    return Samples(
        row=row,
        patient=_patients(file, row),
        part=_part(file),
        repeat=file.whole(Role.REPEAT, 0, np.zeros(n, dtype=np.int64)),
        fold=file.whole(Role.FOLD, 0, np.zeros(n, dtype=np.int64)),
        site=file.words(Role.SITE),
        strata={name: words_of(file.table[column]) for name, column in file.roles.strata.items()},
    )


def _patients(file: ForeignTable, row: Shaped[np.ndarray, " sample"]) -> Shaped[np.ndarray, " sample"]:
    """Who each row is about, as it stands in the table: 1, 01 and 001 are three patients."""
    patient = file.words(Role.PATIENT)
    if patient is None:
        return row.astype(str).astype(object)
    column = file.roles.of[Role.PATIENT]
    remedy = "Fill them in, or leave the column out: then every row is another patient."
    file.broken("patient_missing", column, "every row must say whose it is", remedy, file.is_empty(column))
    return patient


def _part(file: ForeignTable) -> Shaped[np.ndarray, " sample"]:
    words = file.words(Role.PART)
    if words is None:
        return np.array(["test"] * len(file), dtype=object)
    part = np.array([_PARTS.get(str(word).lower(), "") for word in words], dtype=object)
    rule = "every cell must be train, tune or test"
    file.broken("unknown_part", file.roles.of[Role.PART], rule, "Correct them.", part == "")
    return part


def _answers(file: ForeignTable) -> dict[str, ForeignAnswer]:
    """The answers to each question; a row that belongs to another one is unknown here and is not judged."""
    question = file.words(Role.QUESTION)
    if question is None:
        answer = read_answer(file, np.ones(len(file), dtype=bool))
        return {} if answer is None else {ANSWER: answer}
    names = dict.fromkeys(str(word) for word in question)
    answers = {name: read_answer(file, question.astype(str) == name) for name in names}
    return {name: answer for name, answer in answers.items() if answer is not None}


def _without_truth(file: ForeignTable) -> list[Finding]:
    """The rows in which nothing says what happened: nobody should have to count what is judged."""
    told = [file.roles.of[role] for role in (Role.TRUTH, Role.EVENT) if role in file.roles.of]
    empty = np.all([file.is_empty(column) for column in told], axis=0) if told else np.zeros(len(file), dtype=bool)
    rows = tuple(int(row) + 1 for row in np.flatnonzero(empty))
    if not rows:
        return []
    place, rule = f'{file.name} column "{told[0]}"', "a row should say what happened"
    found, remedy = f"nothing in {counted(len(rows), 'row')} of {len(file):,}", "These rows are not judged."
    return [Finding("without_truth", place, rule, found, remedy, Severity.NOTE, rows)]


def _overlaps(file: ForeignTable, samples: Samples) -> list[Finding]:
    """Patients who are tested and were also trained on, as far as parts and folds tell."""
    tested = samples.part == "test"
    runs = list(zip(samples.patient, samples.repeat.tolist(), samples.fold.tolist(), strict=True))
    parts = tested & _at_several(runs, samples.part)
    whole = [
        (who, repeat) if test else (who, repeat, place) for (who, repeat, place), test in zip(runs, tested, strict=True)
    ]
    folds = tested & _at_several(whole, samples.fold)
    found = []
    if parts.any():
        rule = "a patient must be in one part only"
        found.append(_overlap(file, "patient_in_two_parts", rule, "also in another part", parts))
    if folds.any():
        rule = "a patient must be tested in one fold only"
        found.append(_overlap(file, "patient_in_two_folds", rule, "also in another fold", folds))
    return found


def _at_several(
    whose: Sequence[tuple[object, ...]], places: Shaped[np.ndarray, " sample"]
) -> Bool[np.ndarray, " sample"]:
    """The rows of whom there are rows at more than one place."""
    seen: dict[tuple[object, ...], set[object]] = {}
    for who, place in zip(whose, places.tolist(), strict=True):
        seen.setdefault(who, set()).add(place)
    return np.array([len(seen[who]) > 1 for who in whose])


def _overlap(file: ForeignTable, name: str, rule: str, found: str, rows: Bool[np.ndarray, " sample"]) -> Finding:
    place = f'{file.name} column "{file.roles.of.get(Role.PATIENT, Role.ROW)}"'
    numbers = tuple(int(row) + 1 for row in np.flatnonzero(rows))
    remedy = "The figures are too good if the program has learned from these patients."
    return Finding(
        name,
        place,
        rule,
        f"{counted(len(numbers), 'test row')} of patients who are {found}",
        remedy,
        Severity.WARNING,
        numbers,
    )
