"""The order of the verbs, and the only place that knows it: read, load, divide, fit, predict, judge, deliver."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, overload

import platformdirs

from polyclinic.cohort.draft import Unused, draft
from polyclinic.cohort.rows import Split
from polyclinic.cohort.table import load as load_cohort
from polyclinic.delivery import bundle as bundles
from polyclinic.delivery.notebook import Card, metric_rows
from polyclinic.errors import BundleError, Finding, Severity, StudyError
from polyclinic.evidence.comparison import compare as compare_answers
from polyclinic.evidence.judge import judge as judge_answers
from polyclinic.evidence.limited import limit
from polyclinic.formats.disk import write_file
from polyclinic.formats.frames import Frame, GivenTable, given_table
from polyclinic.formats.table_address import is_url, stated_url
from polyclinic.from_python.loaded_model import LoadedModel
from polyclinic.predictions.table import load as load_predictions
from polyclinic.steps.assemble import assemble, divide_cohort
from polyclinic.steps.folds import FoldAnswers, run_folds
from polyclinic.steps.foreign.column_names import Said
from polyclinic.steps.foreign.load import load_foreign
from polyclinic.steps.kinds import kinds_of
from polyclinic.steps.opened_model import open_model
from polyclinic.steps.predict import WrittenAnswers, predict_table
from polyclinic.steps.preflight import Preflight, preflight
from polyclinic.steps.report_material import FinishedRun
from polyclinic.steps.write_bundle import write_bundle, write_log
from polyclinic.study.read import read_study
from polyclinic.study.schema import EvidenceSection, Study
from polyclinic.study.write import SCHEMA_NAME, json_schema
from polyclinic.training.assembled import Assembled
from polyclinic.training.progress import QUIET, Progress, listener

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
    evidence: Evidence = field(repr=False)
    findings: tuple[Finding, ...] = field(default=(), repr=False)

    def _repr_html_(self) -> str:
        """The main figures, what was found, and the way to the report, for notebooks."""
        head = ("target", "figure", "polyclinic", "plain model")
        warned = tuple(finding for finding in self.findings if finding.severity is Severity.WARNING)
        report = self.folder / "report.html"
        return Card(self.folder.name, (), head, tuple(metric_rows(self.evidence)), warned, report).html()


@dataclass(frozen=True)
class Draft:
    """A drafted study file, and the schema beside it by which editors complete it.

    Attributes:
        study: The file.
        schema: The file beside it.
        unused: Columns of the table that the study does not use, each with the reason.
        questions: What a person has to decide before the study is run.
        findings: What is doubtful about the table.
        table: Where a frame that was given was written, for the study to read; None where the table has a path.
    """

    study: Path
    schema: Path
    unused: tuple[Unused, ...] = field(default=(), repr=False)
    questions: tuple[str, ...] = field(default=(), repr=False)
    findings: tuple[Finding, ...] = field(default=(), repr=False)
    table: Path | None = None

    def _repr_html_(self) -> str:
        """Where the draft is, what it leaves out and what has to be decided, for notebooks."""
        written = [("study", str(self.study)), *([] if self.table is None else [("table", str(self.table))])]
        unused = [(f"not used: {one.column}", one.why) for one in self.unused]
        decide = [("to decide", question) for question in self.questions]
        return Card("A draft: read it, then check it", (*written, *unused, *decide), findings=self.findings).html()


def run(
    study: Path | str,
    out: Path | str | None = None,
    *,
    table: Frame | Path | str | None = None,
    resume: bool = False,
    progress: Progress | Callable[[str], object] = QUIET,
) -> Done:
    """The whole workflow: from a study file to a bundle with a report.

    Safe to kill at any moment: with ``resume`` it goes on and ends with the same bytes.

    Args:
        study: Path of the study file.
        out: Folder for the bundle; by default ``runs/<name of the study>``.
        table: Patients to take instead of the table that the study names: a frame of polars, pandas or arrow, a dict
            of columns, or a path.
        resume: Go on with a run that was interrupted.
        progress: Told of long work: bars, or a function such as ``print`` that is given a line for every piece.

    Raises:
        PolyclinicError: with all findings, if the user's file or data is at fault. Nothing is half-written.
    """
    path = Path(study)
    asked, given = _with_table(read_study(path), table)
    out = Path("runs") / asked.study.name if out is None else Path(out)
    began = _now()
    kinds = kinds_of(asked)
    cohort = load_cohort(asked.cohort, path.parent, uses=kinds.column_uses(asked.split), given=given)
    assembled = assemble(asked, kinds, cohort, cache_folder())
    split, assembled = divide_cohort(assembled)
    with bundles.open_work(out, _fingerprints(path, assembled), resume=resume) as work:
        if work.finished:
            return done(out)
        answered = _answer(assembled, split, work, listener(progress))
        evidence = judge_answers(answered.ours, answered.plain, asked.evidence, asked.study.seed).document()
        write_bundle(FinishedRun(assembled, split, answered, evidence, out), work.results)
        write_log(work.results, _events(began, answered.spent_s, work.resumed))
        bundles.publish(work, version("polyclinic"))
    return Done(out, evidence, (*answered.overrun, *assembled.findings, *answered.findings))


def _with_table(study: Study, table: Frame | Path | str | None) -> tuple[Study, GivenTable | None]:
    """The study with the table that is to be read instead of its own, and that table if it has no path."""
    if table is None:
        return study, None
    if not isinstance(table, (str, Path)):
        return study, given_table(table)
    named = stated_url(table) if is_url(table) else str(Path.cwd() / table)
    cohort = study.cohort.model_copy(update={"table": named, "source": None})
    return study.model_copy(update={"cohort": cohort}), None


def _answer(assembled: Assembled, split: Split, work: bundles.RunFolder, progress: Progress) -> FoldAnswers:
    """All folds. A study that cannot be followed leaves nothing: once it is corrected, there is nothing to resume."""
    try:
        return run_folds(assembled, split, work, progress)
    except StudyError:
        if not work.resumed:
            bundles.discard(work)
        raise


def done(folder: Path | str) -> Done:
    """A run that was finished earlier.

    Raises:
        BundleError: if the folder holds none, or a damaged one.
    """
    folder = Path(folder)
    evidence = json.loads(bundles.load(folder).file("evidence.json").read_bytes())
    return Done(folder, evidence)


def demo(
    out: Path | str | None = None, *, resume: bool = False, progress: Progress | Callable[[str], object] = QUIET
) -> Done:
    """Run the built-in study on 569 real patients that come with an installed package."""
    return run(ready_studies() / _DEMO, out, resume=resume, progress=progress)


def ready_studies() -> Path:
    """Folder of the study files that come with Polyclinic."""
    packaged = Path(str(files("polyclinic"))) / "studies"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "studies"


def new(table: Frame | Path | str, target: str, out: Path | str | None = None) -> Draft:
    """Draft a commented study file for a table, beside it unless ``out`` says where; overwrites nothing.

    Args:
        table: A path, or a frame of polars, pandas or arrow, or a dict of columns. A study names a file: so a frame is
            written beside the study, as a parquet file of the same name.
        target: Column that holds the outcome.
        out: The study file; by default ``study.toml`` beside the table, or here.

    Raises:
        CohortError: if the table cannot be read or has no such column.
        BundleError: if a study file is there already, or the place cannot be written to.
    """
    if not isinstance(table, (str, Path)):
        return _draft_given(given_table(table), target, Path("study.toml") if out is None else Path(out))
    table = Path(table)
    path = (Path() if is_url(table) else table.parent) / "study.toml" if out is None else Path(out)
    _refuse_existing(path)
    relative = stated_url(table) if is_url(table) else Path(os.path.relpath(table, path.parent)).as_posix()
    drafted = draft(table, target, relative)
    schema = path.parent / SCHEMA_NAME
    write_file(schema, json.dumps(json_schema(), indent=1).encode())
    write_file(path, drafted.text.encode())
    return Draft(path, schema, drafted.unused, drafted.questions, drafted.findings)


def _draft_given(given: GivenTable, target: str, out: Path) -> Draft:
    """The draft for a frame, which is written beside it; if nothing can be drafted, nothing stays."""
    table = out.with_suffix(".parquet")
    _refuse_existing(out)
    _refuse_existing(table)
    write_file(table, given.parquet())
    try:
        return replace(new(table, target, out), table=table)
    except BaseException:  # Ctrl-C too leaves no table without its study
        table.unlink()
        raise


def _refuse_existing(path: Path) -> None:
    if path.exists():
        remedy = "Move it away, or choose another name with --out."
        raise BundleError(Finding("file_exists", str(path), "a draft overwrites nothing", "it exists", remedy))


def check(study: Path | str, *, table: Frame | Path | str | None = None) -> Preflight:
    """Findings of a study and what a run would cost; trains nothing.

    Args:
        study: Path of the study file.
        table: Patients to take instead of the table that the study names: a frame, a dict of columns, or a path.

    Raises:
        StudyError: if the study file itself breaks a rule.
    """
    path = Path(study)
    asked, given = _with_table(read_study(path), table)
    return preflight(asked, path.parent, cache_folder(), given)


def judge(folder: Path | str, out: Path | str | None = None) -> Evidence:
    """Evidence again, from the predictions that a run saved; written to ``out`` as JSON if given.

    Raises:
        BundleError: if the folder holds no run, or a damaged one.
    """
    bundle = bundles.load(Path(folder))
    study = read_study(bundle.file("study.toml"))
    [ours] = load_predictions(bundle.file("predictions.parquet"))
    plain = load_predictions(bundle.file("baselines.parquet")) if "baselines.parquet" in bundle.manifest.files else []
    return _judged(judge_answers(ours, plain, study.evidence, study.study.seed).document(), out)


def judge_predictions(
    file: Frame | Path | str,
    out: Path | str | None = None,
    *,
    truth: str | None = None,
    answer: str | None = None,
    patient: str | None = None,
    positive: str | None = None,
    name: str | None = None,
) -> Evidence:
    """Evidence for another program's predictions, from any table that a study could have.

    Beside the evidence it has ``model``, the name of the program, and ``findings``, what should be known about how its
    table was read.

    Args:
        file: The table, one row per answer: a path, or a frame of polars, pandas or arrow, or a dict of columns.
        out: Where to write the evidence, as JSON.
        truth: Column with what happened; by default found by its name.
        answer: Column with what the program answered; by default found by its name.
        patient: Column that names the patient; by default found by its name.
        positive: The class whose probability or score is given, where the words of the truth do not tell.
        name: Of the program; by default that of the file.

    Raises:
        EvidenceError: if they cannot be judged.

    Example:
        >>> judge_predictions("theirs.xlsx", truth="died", answer="risk", name="APACHE II")  # doctest: +SKIP
    """
    source = file if isinstance(file, (str, Path)) else given_table(file)
    foreign = load_foreign(source, Said(truth, answer, patient, positive, name))
    judged = judge_answers(foreign.predictions, (), EvidenceSection(), seed=1)
    findings = [f"{finding.severity}: {finding}" for finding in foreign.findings]
    said = {"model": foreign.predictions.model, "findings": findings}
    return _judged({**limit(judged, foreign.limits).document(), **said}, out)


@overload
def predict(folder: Path | str, table: Path | str, out: Path | str | None = None) -> WrittenAnswers: ...


@overload
def predict(folder: Path | str, table: Frame, out: Path | str) -> WrittenAnswers: ...


@overload
def predict(folder: Path | str, table: Frame, out: None = None) -> Any: ...


def predict(folder: Path | str, table: Frame | Path | str, out: Path | str | None = None) -> Any:
    """Answers for the patients of a new table, with interval, shift score and reason to abstain.

    Args:
        folder: What `run` left.
        table: The patients: a path, or a frame of polars, pandas or arrow, or a dict of columns.
        out: Where the answers are written, csv or parquet; by default beside the table.

    Returns:
        What was written. For a frame without ``out`` the answers themselves, of pandas if it is of pandas, else of
        polars; masks and other files of answers are only written where ``out`` says where.

    Raises:
        PolyclinicError: if bundle or table is at fault.
    """
    if not isinstance(table, (str, Path)) and out is None:
        return load(folder).predict(table)
    asked = Path(table) if isinstance(table, (str, Path)) else given_table(table)
    return predict_table(bundles.load(Path(folder)), asked, None if out is None else Path(out), cache_folder())


def load(folder: Path | str) -> LoadedModel:
    """The trained model of a finished run, opened once, to be asked as often as one likes.

    Example:
        >>> model = load("runs/mine")  # doctest: +SKIP
        >>> model.predict_proba({"age": [61], "ward": ["north"]})  # doctest: +SKIP

    Raises:
        BundleError: if the folder holds no run, or a damaged one.
    """
    return LoadedModel(open_model(bundles.load(Path(folder))), Path(folder), cache_folder())


def compare(folders: Sequence[Path | str]) -> Evidence:
    """Runs on the same rows side by side, with paired intervals.

    Raises:
        BundleError: if a folder holds no run.
        EvidenceError: if there is one run only, or they did not test the same rows.
    """
    opened = {str(folder): bundles.load(Path(folder)) for folder in folders}
    runs = {name: load_predictions(bundle.file("predictions.parquet"))[0] for name, bundle in opened.items()}
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


def _judged(evidence: dict[str, Any], out: Path | str | None) -> Evidence:
    if out is not None:
        write_file(Path(out), f"{json.dumps(evidence, ensure_ascii=False, indent=1)}\n".encode())
    return evidence


def _events(began: str, spent_s: float, resumed: bool) -> list[dict[str, Any]]:
    return [
        {"time": began, "event": "resumed" if resumed else "began", "polyclinic": version("polyclinic")},
        {"time": _now(), "event": "finished", "training_s": round(spent_s, 1)},
    ]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
