"""The order of the verbs, and the only place that knows it: read, load, divide, fit, predict, judge, deliver."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import platformdirs

from polyclinic.cohort.draft import Unused, draft
from polyclinic.cohort.rows import Split
from polyclinic.cohort.table import load as load_cohort
from polyclinic.delivery import bundle as bundles
from polyclinic.errors import BundleError, Finding, StudyError
from polyclinic.evidence.comparison import compare as compare_answers
from polyclinic.evidence.judge import judge as judge_answers
from polyclinic.formats.disk import write_file
from polyclinic.formats.table_address import is_url, stated_url
from polyclinic.predictions.foreign import load_foreign
from polyclinic.predictions.table import load
from polyclinic.steps.assemble import assemble, divide_cohort
from polyclinic.steps.folds import FoldAnswers, run_folds
from polyclinic.steps.kinds import kinds_of
from polyclinic.steps.predict import WrittenAnswers, predict_table
from polyclinic.steps.preflight import Preflight, preflight
from polyclinic.steps.report_material import FinishedRun
from polyclinic.steps.write_bundle import write_bundle, write_log
from polyclinic.study.read import read_study
from polyclinic.study.schema import EvidenceSection
from polyclinic.study.write import SCHEMA_NAME, json_schema
from polyclinic.training.assembled import Assembled
from polyclinic.training.progress import QUIET, Progress

_DEMO = "breast_cytology.toml"

Evidence = Mapping[str, Any]


@dataclass(frozen=True)
class Done:
    """A finished run.

    Attributes:
        folder: The bundle; ``report.html`` is in it.
        evidence: What stands in ``evidence.json``.
        findings: What was found on the way and did not stop the run.
    """

    folder: Path
    evidence: Evidence
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A drafted study file, and the schema beside it by which editors complete it.

    Attributes:
        study: The file.
        schema: The file beside it.
        unused: Columns of the table that the study does not use, each with the reason.
        questions: What a person has to decide before the study is run.
        findings: What is doubtful about the table.
    """

    study: Path
    schema: Path
    unused: tuple[Unused, ...] = ()
    questions: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def run(study: Path | str, out: Path | None = None, *, resume: bool = False, progress: Progress = QUIET) -> Done:
    """The whole workflow: from a study file to a bundle with a report.

    Safe to kill at any moment: with ``resume`` it goes on and ends with the same bytes.

    Args:
        study: Path of the study file.
        out: Folder for the bundle; by default ``runs/<name of the study>``.
        resume: Go on with a run that was interrupted.
        progress: Told of long work.

    Raises:
        PolyclinicError: with all findings, if the user's file or data is at fault. Nothing is half-written.
    """
    path = Path(study)
    asked = read_study(path)
    out = out or Path("runs") / asked.study.name
    began = _now()
    kinds = kinds_of(asked)
    cohort = load_cohort(asked.cohort, path.parent, uses=kinds.column_uses(asked.split))
    assembled = assemble(asked, kinds, cohort, cache_folder())
    split, assembled = divide_cohort(assembled)
    with bundles.open_work(out, _fingerprints(path, assembled), resume=resume) as work:
        if work.finished:
            return done(out)
        answered = _answer(assembled, split, work, progress)
        evidence = judge_answers(answered.ours, answered.plain, asked.evidence, asked.study.seed).document()
        write_bundle(FinishedRun(assembled, split, answered, evidence, out), work.results)
        write_log(work.results, _events(began, answered.spent_s, work.resumed))
        bundles.publish(work, version("polyclinic"))
    return Done(out, evidence, (*assembled.findings, *answered.findings))


def _answer(assembled: Assembled, split: Split, work: bundles.RunFolder, progress: Progress) -> FoldAnswers:
    """All folds. A study that cannot be followed leaves nothing: once it is corrected, there is nothing to resume."""
    try:
        return run_folds(assembled, split, work, progress)
    except StudyError:
        if not work.resumed:
            bundles.discard(work)
        raise


def done(folder: Path) -> Done:
    """A run that was finished earlier.

    Raises:
        BundleError: if the folder holds none, or a damaged one.
    """
    evidence = json.loads(bundles.load(folder).file("evidence.json").read_bytes())
    return Done(folder, evidence)


def demo(out: Path | None = None, *, resume: bool = False, progress: Progress = QUIET) -> Done:
    """Run the built-in study on 569 real patients that come with an installed package."""
    return run(ready_studies() / _DEMO, out, resume=resume, progress=progress)


def ready_studies() -> Path:
    """Folder of the study files that come with Polyclinic."""
    packaged = Path(str(files("polyclinic"))) / "studies"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "studies"


def new(table: Path | str, target: str, out: Path | None = None) -> Draft:
    """Draft a commented study file for a table, beside it unless ``out`` says where; overwrites nothing.

    Raises:
        CohortError: if the table cannot be read or has no such column.
        BundleError: if a study file is there already, or the place cannot be written to.
    """
    table = Path(table)
    path = out or (Path() if is_url(table) else table.parent) / "study.toml"
    if path.exists():
        remedy = "Move it away, or choose another name with --out."
        raise BundleError(Finding("file_exists", str(path), "a draft overwrites nothing", "it exists", remedy))
    relative = stated_url(table) if is_url(table) else Path(os.path.relpath(table, path.parent)).as_posix()
    drafted = draft(table, target, relative)
    schema = path.parent / SCHEMA_NAME
    write_file(schema, json.dumps(json_schema(), indent=1).encode())
    write_file(path, drafted.text.encode())
    return Draft(path, schema, drafted.unused, drafted.questions, drafted.findings)


def check(study: Path | str) -> Preflight:
    """Findings of a study and what a run would cost; trains nothing.

    Raises:
        StudyError: if the study file itself breaks a rule.
    """
    path = Path(study)
    return preflight(read_study(path), path.parent, cache_folder())


def judge(folder: Path | str, out: Path | None = None) -> Evidence:
    """Evidence again, from the predictions that a run saved; written to ``out`` as JSON if given.

    Raises:
        BundleError: if the folder holds no run, or a damaged one.
    """
    bundle = bundles.load(Path(folder))
    study = read_study(bundle.file("study.toml"))
    [ours] = load(bundle.file("predictions.parquet"))
    plain = load(bundle.file("baselines.parquet")) if "baselines.parquet" in bundle.manifest.files else []
    return _judged(judge_answers(ours, plain, study.evidence, study.study.seed).document(), out)


def judge_predictions(file: Path | str, out: Path | None = None) -> Evidence:
    """Evidence for another program's predictions, from a csv or parquet file.

    Raises:
        EvidenceError: if they cannot be judged.
    """
    return _judged(judge_answers(load_foreign(Path(file)), (), EvidenceSection(), seed=1).document(), out)


def predict(folder: Path | str, table: Path | str, out: Path | None = None) -> WrittenAnswers:
    """Answers for the patients of a new table, with interval, shift score and reason to abstain.

    Raises:
        PolyclinicError: if bundle or table is at fault.
    """
    return predict_table(bundles.load(Path(folder)), Path(table), out, cache_folder())


def compare(folders: Sequence[Path | str]) -> Evidence:
    """Runs on the same rows side by side, with paired intervals.

    Raises:
        BundleError: if a folder holds no run.
        EvidenceError: if there is one run only, or they did not test the same rows.
    """
    opened = {str(folder): bundles.load(Path(folder)) for folder in folders}
    runs = {name: load(bundle.file("predictions.parquet"))[0] for name, bundle in opened.items()}
    study = read_study(next(iter(opened.values())).file("study.toml"))
    return compare_answers(runs, study.evidence, study.study.seed).document()


def cache_folder() -> Path:
    """Where decoded records are kept between runs; ``POLYCLINIC_CACHE`` names another place."""
    chosen = os.environ.get("POLYCLINIC_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("polyclinic")


def _fingerprints(path: Path, assembled: Assembled) -> dict[str, str]:
    """What a resumed run must find unchanged: the study, the table, and the content of every record."""
    return {
        path.name: _hash(path.read_bytes()),
        assembled.cohort.name: assembled.cohort.fingerprints.table,
        **{f"[inputs.{name}]": _hash(one.records.fingerprints().tobytes()) for name, one in assembled.inputs.items()},
    }


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _judged(evidence: dict[str, Any], out: Path | None) -> Evidence:
    if out is not None:
        write_file(out, f"{json.dumps(evidence, ensure_ascii=False, indent=1)}\n".encode())
    return evidence


def _events(began: str, spent_s: float, resumed: bool) -> list[dict[str, Any]]:
    return [
        {"time": began, "event": "resumed" if resumed else "began", "polyclinic": version("polyclinic")},
        {"time": _now(), "event": "finished", "training_s": round(spent_s, 1)},
    ]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
