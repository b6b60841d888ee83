"""Writing what a run shows: evidence, predictions, split, cohort, resolved study, report and card."""

import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from statistics import fmean
from typing import Any, cast

import numpy as np
import polars as pl

from polyclinic.cohort.document import cohort_document
from polyclinic.cohort.rows import Split
from polyclinic.cohort.table import Cohort
from polyclinic.delivery.card import card
from polyclinic.delivery.cohort_document import CohortDocument
from polyclinic.delivery.documents import EvidenceDocument
from polyclinic.delivery.markdown import render_markdown
from polyclinic.delivery.markup import render
from polyclinic.delivery.material import Material, PartCount, RunFacts
from polyclinic.delivery.plan import revive_heads, revive_inputs
from polyclinic.delivery.report import report
from polyclinic.formats.disk import write_file
from polyclinic.heads.base import Dense, dense_questions
from polyclinic.predictions.record import Samples
from polyclinic.predictions.table import save
from polyclinic.records.base import LocatedRecords, Picture
from polyclinic.steps.fold import fit_name
from polyclinic.steps.folds import FoldAnswers
from polyclinic.study.schema import Study
from polyclinic.study.write import write_study
from polyclinic.training.assembled import Assembled
from polyclinic.translations.language import read_language

_PACKAGES = ("polyclinic", "torch", "numpy", "polars", "scikit-learn", "scipy")


@dataclass(frozen=True)
class FinishedRun:
    """What is known at the end of a run.

    Attributes:
        assembled: Study, cohort, records and findings.
        split: Who trained, tuned and tested.
        answered: Predictions and plans.
        evidence: The document of ``evidence.json``.
        out: Folder that the user named.
    """

    assembled: Assembled
    split: Split
    answered: FoldAnswers
    evidence: Mapping[str, Any]
    out: Path


def write_bundle(told: FinishedRun, folder: Path) -> None:
    """Write every file of the bundle but the models, which are there already, into ``folder``.

    Raises:
        BundleError: if one cannot be written.
    """
    study = resolve(told)
    write_file(folder / "evidence.json", _json(told.evidence))
    save([told.answered.ours], folder / "predictions.parquet")
    if told.answered.plain:
        save(told.answered.plain, folder / "baselines.parquet")
    split = _parquet(split_table(told.assembled.cohort, told.split))
    write_file(folder / "split.parquet", split)
    cohort = cohort_document(
        told.assembled.cohort,
        findings=(*told.assembled.findings, *told.answered.findings),
        columns=[name for one in told.assembled.inputs.values() for name in one.columns],
        outcome=[name for question in told.assembled.questions.values() for name in question.head.columns()],
    )
    write_file(folder / "cohort.json", _json(cohort))
    write_file(folder / "study.toml", write_study(study).encode())
    material = Material(
        study=study,
        cohort=CohortDocument.model_validate(cohort),
        evidence=EvidenceDocument.model_validate(told.evidence),
        predictions=told.answered.ours,
        facts=_facts(told, study, hashlib.sha256(split).hexdigest()),
        pictures=_pictures(told),
        marked={name: _marked(told, name, head) for name, head in _dense(told).items()},
    )
    language = read_language(study.study.language)
    write_file(folder / "report.html", render(report(material), language).encode())
    write_file(folder / "card.md", render_markdown(card(material), language).encode())


def resolve(told: FinishedRun) -> Study:
    """The study with every default, its table as seen from the bundle, and the epochs done where a cap was set."""
    study = told.assembled.study
    cohort = study.cohort
    if cohort.table is not None:
        table = os.path.relpath(told.assembled.cohort.folder / Path(cohort.table).name, told.out)
        cohort = cohort.model_copy(update={"table": Path(table).as_posix()})
    training = study.training
    if training.minutes is not None:
        records = [plan.record for plan in told.answered.plans.values()]
        repeat = {"epochs": tuple(r.planned for r in records), "stop_after": tuple(r.done for r in records)}
        training = training.model_copy(update={"minutes": None, **repeat})
    return study.model_copy(update={"cohort": cohort, "training": training})


def split_table(cohort: Cohort, split: Split) -> pl.DataFrame:
    """Every row's part in every fold and for every member: row, patient, part, repeat, fold, member."""
    parts = [
        (fold, number, part, rows.index)
        for fold in split.folds
        for number, member in enumerate(fold.members)
        for part, rows in (("train", member.train), ("tune", member.tune), ("test", fold.test))
    ]
    return pl.concat(
        pl.DataFrame({"row": cohort.row[index], "patient": cohort.patient[index]}).with_columns(
            part=pl.lit(part), repeat=pl.lit(fold.repeat), fold=pl.lit(fold.number), member=pl.lit(number)
        )
        for fold, number, part, index in parts
    )


def _facts(told: FinishedRun, study: Study, split_hash: str) -> RunFacts:
    plans = told.answered.plans
    first = next(iter(plans.values()))
    inputs = revive_inputs(first.inputs)
    return RunFacts(
        study_text=write_study(study),
        split_hash=split_hash,
        versions={name: version(name) for name in _PACKAGES},
        processor=f"{platform.machine()}, {os.cpu_count()} cores",
        precision=first.record.precision,
        minutes=told.answered.spent_s / 60,
        parameters=first.record.weights,
        parts=_parts(told.assembled.cohort, told.split),
        fits=tuple(plan.record for plan in plans.values()),
        notes={name: tuple(kind.parameters_note()) for name, kind in inputs.items()},
    )


def _parts(cohort: Cohort, split: Split) -> tuple[PartCount, ...]:
    """How many train, tune and test: of one fold and member on average."""
    folds = split.folds
    parts = {
        "train": [fold.members[0].train.index for fold in folds],
        "tune": [fold.members[0].tune.index for fold in folds],
        "test": [fold.test.index for fold in folds],
    }
    return tuple(
        PartCount(part, fmean(map(len, many)), fmean(len(np.unique(cohort.patient[index])) for index in many))
        for part, many in parts.items()
    )


def _dense(told: FinishedRun) -> dict[str, Dense]:
    return {name: question.head for name, question in dense_questions(told.assembled.questions).items()}


def _pictures(told: FinishedRun) -> dict[int, tuple[Picture, ...]]:
    """The records behind the worst mistakes, by row of the user's table; dense questions have pictures of their own."""
    position = _positions(told)
    targets = [target for name, target in told.evidence["targets"].items() if name not in _dense(told)]
    worst = {int(one["row"]) for target in targets for one in target.get("worst", ())}
    return {
        row: tuple(one.records.show(position[row]) for one in told.assembled.inputs.values())
        for row in sorted(worst)
        if row in position
    }


def _marked(told: FinishedRun, name: str, head: Dense) -> dict[int, Picture]:
    """The cases and the worst mistakes of a dense question, with the answer and the truth drawn on each record."""
    target, position = told.evidence["targets"].get(name, {}), _positions(told)
    shown = [*(target.get("cases") or {}).values(), *target.get("worst", ())]
    records = told.assembled.inputs[head.ground].records
    test = told.answered.ours.part("test")
    pictures: dict[int, Picture] = {}
    for row in sorted({int(one["row"]) for one in shown} & position.keys()):
        sample = int(np.flatnonzero(test.samples.row == row)[0])
        marks = _fitted(told, name, test.samples, sample).marks(test.answers[name], sample)
        if isinstance(records, LocatedRecords):
            pictures[row] = records.show_marks(position[row], marks)
    return pictures


def _fitted(told: FinishedRun, name: str, samples: Samples, sample: int) -> Dense:
    """The head that gave an answer: of the first member of its fold."""
    where = (int(samples.repeat[sample]), int(samples.fold[sample]))
    fold = next(fold for fold in told.split.folds if (fold.repeat, fold.number) == where)
    plan = told.answered.plans[fit_name(fold, 0)].heads[name]
    return cast(Dense, revive_heads({name: plan})[name])


def _positions(told: FinishedRun) -> dict[int, int]:
    """Where each row of the user's table stands among the records."""
    return {int(row): i for i, row in enumerate(told.assembled.cohort.row)}


def _json(document: Mapping[str, Any]) -> bytes:
    return f"{json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)}\n".encode()


def _parquet(frame: pl.DataFrame) -> bytes:
    content = BytesIO()
    frame.write_parquet(content)
    return content.getvalue()


def write_log(folder: Path, events: Sequence[Mapping[str, Any]]) -> None:
    """``log.jsonl``: what happened when, one object a line."""
    lines = "".join(f"{json.dumps(event, ensure_ascii=False)}\n" for event in events)
    write_file(folder / "log.jsonl", lines.encode())
