"""The command line: parse, call the workflow, print. Everything slow is imported inside the command that needs it."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from polyclinic.errors import PolyclinicError

app = typer.Typer(
    name="polyclinic",
    help="One study file in; a trained, calibrated, explained and documented medical model out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_STOPPED = 130  # what typer makes of Ctrl-C

StudyPath = Annotated[Path, typer.Argument(metavar="STUDY", help="The study file, such as study.toml.")]
OutDir = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder for the bundle.", show_default=False)]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a run that was interrupted.")]


@app.command(epilog="Example: `polyclinic demo`")
def demo(out: OutDir = None, resume: Resume = False) -> None:
    """Run the built-in study on real patients and say where the report is."""
    from polyclinic import terminal, workflow

    with terminal.bars() as progress:
        done = workflow.demo(out, resume=resume, progress=progress)
    terminal.show_done(done.folder, done.evidence, done.findings)


@app.command(epilog="Example: `polyclinic new cohort.csv --target diagnosis`")
def new(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="The table of patients.")],
    target: Annotated[str, typer.Option("--target", metavar="COLUMN", help="Column that holds the outcome.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to write.", show_default=False)
    ] = None,
) -> None:
    """Draft a commented study file from a table: kinds, patient column and target kind are guessed."""
    from polyclinic import terminal, workflow

    terminal.show_draft(workflow.new(table, target, out))


@app.command(epilog="Example: `polyclinic check study.toml`")
def check(study: StudyPath) -> None:
    """Report findings and estimate time and memory; trains nothing."""
    from polyclinic import terminal, workflow

    checkup = workflow.check(study)
    terminal.show_checkup(checkup)
    if checkup.stopping:
        raise typer.Exit(2)


@app.command(epilog="Example: `polyclinic run study.toml --out runs/first`")
def run(study: StudyPath, out: OutDir = None, resume: Resume = False) -> None:
    """Train, calibrate, judge and document. Safe to kill at any moment; `--resume` goes on."""
    from polyclinic import terminal, workflow

    with terminal.bars() as progress:
        done = workflow.run(study, out, resume=resume, progress=progress)
    terminal.show_done(done.folder, done.evidence, done.findings)


@app.command(epilog="Example: `polyclinic judge runs/first` or `polyclinic judge --predictions theirs.csv`")
def judge(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="Folder that `run` left.")] = None,
    predictions: Annotated[
        Path | None, typer.Option("--predictions", metavar="FILE", help="Another program's predictions, in any table.")
    ] = None,
    truth: Annotated[str | None, typer.Option(metavar="COLUMN", help="With --predictions: what happened.")] = None,
    answer: Annotated[str | None, typer.Option(metavar="COLUMN", help="With --predictions: what it answered.")] = None,
    patient: Annotated[str | None, typer.Option(metavar="COLUMN", help="With --predictions: whose row it is.")] = None,
    positive: Annotated[
        str | None, typer.Option(metavar="CLASS", help="With --predictions: the class whose probability is given.")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="With --predictions: of the program.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the evidence there, as JSON.")
    ] = None,
) -> None:
    """Evidence again, from saved predictions, or from another program's."""
    from polyclinic import terminal, workflow

    if (folder is None) == (predictions is None):
        _complain("polyclinic judge: name a folder, or a file with --predictions; not both, not neither.")
    if folder is not None and any((truth, answer, patient, positive, name)):
        _complain("polyclinic judge: --truth, --answer, --patient, --positive and --name go with --predictions.")
    if folder is not None:
        terminal.show_evidence(workflow.judge(folder, out))
    elif predictions is not None:
        columns = {"truth": truth, "answer": answer, "patient": patient, "positive": positive, "name": name}
        terminal.show_evidence(workflow.judge_predictions(predictions, out, **columns))


@app.command(epilog="Example: `polyclinic predict runs/first new_patients.csv --out answers.csv`")
def predict(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `run` left.")],
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="Table of new patients, columns as in the study.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="csv or parquet; by default predictions beside TABLE.")
    ] = None,
) -> None:
    """Answers for new patients, with interval, shift score and reason to abstain."""
    from polyclinic import terminal, workflow

    terminal.show_predicted(workflow.predict(folder, table, out))


@app.command(epilog="Example: `polyclinic compare runs/first runs/second`")
def compare(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR DIR ...", help="Folders that `run` left.")],
) -> None:
    """Runs on the same rows side by side, with paired intervals."""
    from polyclinic import terminal, workflow

    terminal.show_comparison(workflow.compare(folders))


def _show_version(asked: bool) -> bool:
    if asked:
        from polyclinic import __version__

        typer.echo(__version__)
        raise typer.Exit
    return asked


@app.callback()
def version(
    show: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """One study file in; a trained, calibrated, explained and documented medical model out."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command. Exit status: 0 done; 2 the user's file or data is at fault; 1 a fault of ours."""
    try:
        app(arguments, prog_name="polyclinic", standalone_mode=True)
    except PolyclinicError as error:
        _complain(*(f"{finding.severity}: {finding}" for finding in error.findings))
    except SystemExit as leaving:
        if leaving.code == _STOPPED:
            _complain("Stopped. Go on with --resume.", status=_STOPPED)
        raise
    except BrokenPipeError:
        # Whoever read our output has left; Python would complain once more while closing it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)


def _complain(*lines: Any, status: int = 2) -> NoReturn:
    """Messages on standard error, and out."""
    for line in lines:
        print(line, file=sys.stderr)
    sys.exit(status)
