"""Writing the files of a bundle: evidence, predictions, split, cohort, resolved study, report and card."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Int

from polyclinic.cohort.document import CohortDocument, cohort_document
from polyclinic.cohort.rows import Fold, Split
from polyclinic.cohort.table import Cohort
from polyclinic.cohort.unused_columns import unused_columns
from polyclinic.delivery.card import card
from polyclinic.delivery.markdown import render_markdown
from polyclinic.delivery.markup import render
from polyclinic.delivery.report import report
from polyclinic.formats.disk import write_file
from polyclinic.formats.frames import GIVEN
from polyclinic.formats.table_address import seen_from
from polyclinic.predictions.table import save
from polyclinic.steps.report_material import FinishedRun, report_material
from polyclinic.study.schema import CohortSection, ColumnSection, Study
from polyclinic.study.write import write_study
from polyclinic.training.assembled import Assembled
from polyclinic.translations.language import read_language


def write_bundle(run: FinishedRun, folder: Path) -> None:
    """Write every file of the bundle but the models, which are there already, into ``folder``.

    Raises:
        BundleError: if one cannot be written.
    """
    study = resolve(run)
    cohort = _cohort(run)
    table = BytesIO()
    split_table(run.assembled.cohort, run.split, study.split.given_columns).write_parquet(table)
    split = table.getvalue()
    write_file(folder / "evidence.json", _json(run.evidence))
    save([run.answered.ours], folder / "predictions.parquet")
    if run.answered.plain:
        save(run.answered.plain, folder / "baselines.parquet")
    write_file(folder / "split.parquet", split)
    write_file(folder / "cohort.json", _json(cohort.model_dump(mode="json")))
    write_file(folder / "study.toml", write_study(study).encode())
    material = report_material(run, study, cohort, hashlib.sha256(split).hexdigest())
    language = read_language(study.study.language)
    write_file(folder / "report.html", render(report(material), language).encode())
    write_file(folder / "card.md", render_markdown(card(material), language).encode())


def resolve(run: FinishedRun) -> Study:
    """The study with every default, its table as seen from the bundle, and the epochs done where a cap was set."""
    study = run.assembled.study
    cohort = study.cohort
    if cohort.table is not None:
        read = run.assembled.cohort
        # A table that a program gave lies nowhere; the study goes on naming its own, from its own folder.
        folder = read.folder / Path(cohort.table).parent if read.name == GIVEN else read.folder
        table = seen_from(cohort.table, folder, run.out)
        cohort = cohort.model_copy(update={"table": table})
    cohort = cohort.model_copy(update={"columns": _columns_as_read(run.assembled)})
    training = study.training.model_copy(update={"cross_fit": len(run.split.folds[0].crossed)})
    if training.minutes is not None:
        records = [record for plan in run.answered.plans.values() for record in plan.records]
        repeat = {
            "epochs": tuple(record.planned for record in records),
            "stop_after": tuple(record.done for record in records),
            "replanned": tuple(record.replanned for record in records) if any(r.replanned for r in records) else None,
        }
        # The cap stays: plain models are bounded by it, by a rule; fits with stop_after are not.
        training = training.model_copy(update=repeat)
    return study.model_copy(update={"cohort": cohort, "training": training})


def _columns_as_read(assembled: Assembled) -> dict[str, ColumnSection]:
    """How the cells of the columns in use are written: what the study says, and what the columns themselves told."""
    said, cohort = assembled.study.cohort.columns, assembled.cohort
    used = [name for one in assembled.inputs.values() for name in one.columns]
    used += [name for question in assembled.questions.values() for name in question.head.columns()]
    learned = {name: r.learned for name in used if (r := cohort.readings.get(name)) is not None and r.learned}
    return {**learned, **said}


def _cohort(run: FinishedRun) -> CohortDocument:
    return cohort_document(
        run.assembled.cohort,
        findings=(*run.assembled.findings, *run.answered.findings),
        groups=[_roles(run.assembled.study.cohort), *(one.columns for one in run.assembled.inputs.values())],
        outcome=[name for question in run.assembled.questions.values() for name in question.head.columns()],
        unused=unused_columns(run.assembled.cohort.frame, run.assembled.columns_in_use, run.assembled.cohort.readings),
    )


def _roles(section: CohortSection) -> tuple[str, ...]:
    """Who the patients are beside what the model is told: their subgroups and sites."""
    return section.strata if section.site is None else (*section.strata, section.site)


def split_table(cohort: Cohort, split: Split, given: Sequence[str] = ()) -> pl.DataFrame:
    """Every row's part in every fold and for every member: row, patient, part, repeat, fold, member.

    Where columns of the table give the division, ``given_by`` names the one of each repetition. In a cross-fitted study
    ``left_out`` numbers the part in which a training row was left out once, and answered for ``predictions.parquet``.
    """
    parts = [
        (fold, number, part, rows.index)
        for fold in split.folds
        for number, member in enumerate(fold.members)
        for part, rows in (("train", member.train), ("tune", member.tune), ("test", fold.test))
    ]
    return pl.concat(
        (
            pl.DataFrame({"row": cohort.row[index], "patient": cohort.patient[index]}).with_columns(
                part=pl.lit(part),
                repeat=pl.lit(fold.repeat),
                fold=pl.lit(fold.number),
                member=pl.lit(number),
                **({"left_out": _left_out(cohort, fold)[index]} if fold.crossed and part == "train" else {}),
                **({"given_by": pl.lit(given[fold.repeat])} if given else {}),
            )
            for fold, number, part, index in parts
            if len(index)
        ),
        how="diagonal",
    )


def _left_out(cohort: Cohort, fold: Fold) -> Int[np.ndarray, " row"]:
    """The part in which each row of the cohort is left out, -1 where it never is."""
    part = np.full(len(cohort), -1, dtype=np.int64)
    for number, inner in enumerate(fold.crossed):
        part[inner.tune.index] = number
    return part


def _json(document: Mapping[str, Any]) -> bytes:
    return f"{json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)}\n".encode()


def write_log(folder: Path, events: Sequence[Mapping[str, Any]]) -> None:
    """``log.jsonl``: what happened when, one object a line."""
    lines = "".join(f"{json.dumps(event, ensure_ascii=False)}\n" for event in events)
    write_file(folder / "log.jsonl", lines.encode())
