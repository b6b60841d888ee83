"""What the command line prints: small tables, bars on long work, findings. Bars are quiet when nobody watches."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from polyclinic.delivery.notebook import metric_text
from polyclinic.errors import Finding, Severity, visible
from polyclinic.formats.columns.column_types import counted
from polyclinic.steps.predict import WrittenAnswers
from polyclinic.steps.preflight import Preflight
from polyclinic.workflow import Draft

_ROWS_OF_METRICS = 6
"""Figures of a target that fit beside a prompt; the report has all of them."""

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@final
class Bars:
    """Progress as bars on standard error, one for each nested piece of work."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._stack: list[TaskID] = []

    def start(self, task: str, total: int) -> None:
        """A new bar of ``total`` pieces."""
        self._stack.append(self._progress.add_task(_plain(task), total=total, note=""))

    def advance(self, note: str = "") -> None:
        """One more piece of the innermost bar."""
        if self._stack:
            self._progress.update(self._stack[-1], advance=1, note=_plain(note))

    def finish(self) -> None:
        """Remove the innermost bar."""
        if self._stack:
            self._progress.remove_task(self._stack.pop())


@contextmanager
def bars() -> Iterator[Bars]:
    """Progress bars while the work within goes on; nothing at all when standard error is not a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=err, transient=True, disable=not sys.stderr.isatty()) as progress:
        yield Bars(progress)


def _plain(words: str) -> str:
    """Words as they stand: neither markup, nor signs that steer the terminal."""
    return escape(visible(words))


def show_done(folder: Path, evidence: Mapping[str, Any], findings: Sequence[Finding]) -> None:
    """What a run found, and where to read more."""
    show_findings([f for f in findings if f.severity is Severity.WARNING])
    show_evidence(evidence)
    out.print(f"Report: {_plain(str(folder / 'report.html'))}")


def show_findings(findings: Sequence[Finding]) -> None:
    """Findings on standard error, a line each."""
    for finding in findings:
        err.print(f"{finding.severity}: {_plain(str(finding))}")


def show_evidence(evidence: Mapping[str, Any]) -> None:
    """The main figures of each target beside those of the plain model, and the verdict."""
    for line in evidence.get("findings", ()):
        err.print(_plain(line))
    model = evidence.get("model", "polyclinic")
    for name, target in evidence["targets"].items():
        out.print(_table(name, target, f"{model} ({evidence['confidence']:.0%} interval)"))
        out.print(_plain(target.get("verdict") or ""))


def _table(name: str, target: Mapping[str, Any], column: str) -> Table:
    baseline = target.get("baseline") or {}
    counts = target["counts"]
    title = f"{_plain(name)}: {counts['rows']} test answers about {counts['patients']} patients"
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("figure")
    table.add_column(_plain(column))
    if baseline:
        table.add_column(f"{_plain(baseline['name'])}")
    metrics = target["metrics"]
    named = [metric for metric in target.get("headline", metrics) if metric in metrics][:_ROWS_OF_METRICS]
    for metric in named:
        row = [metric.replace("_", " "), metric_text(metrics[metric])]
        if baseline:
            row.append(metric_text(baseline["metrics"].get(metric)))
        table.add_row(*row)
    return table


def show_draft(draft: Draft) -> None:
    """What is doubtful, what is not used, what has to be decided, where the drafted study is, and what to do next."""
    show_findings(draft.findings)
    for column in draft.unused:
        out.print(f"Not used: {_plain(column.column)} ({_plain(column.why)})")
    for question in draft.questions:
        out.print(f"To decide: {_plain(question)}")
    out.print(f"Wrote {_plain(str(draft.study))}")
    out.print(f"Read it, then: polyclinic check {_plain(str(draft.study))}")


def show_checkup(checkup: Preflight) -> None:
    """Findings, the flow of patients, and what a run would cost."""
    show_findings(checkup.findings)
    for step in checkup.flow:
        out.print(f"{step.rows:>9} rows of {step.patients} patients: {_plain(step.label)}")
    for line in checkup.parts:
        out.print(_plain(line))
    if checkup.minutes is not None:
        out.print(f"A run would take about {checkup.minutes:.1f} minutes and {checkup.gib:.1f} GiB of memory.")
    if not checkup.stopping:
        out.print("Nothing stands in the way of a run.")


def show_predicted(predicted: WrittenAnswers) -> None:
    """Where the answers are and how many of them the model would rather not give."""
    show_findings(predicted.findings)
    out.print(f"Wrote {counted(predicted.rows, 'answer')} to {_plain(str(predicted.out))}.")
    if predicted.files is not None:
        out.print(f"Files of them are in {_plain(str(predicted.files))}.")
    for line in predicted.decisions:
        out.print(f"Decision by probability: {_plain(line)}.")
    out.print(f"{predicted.abstained} of them come with a reason to abstain.")


def show_comparison(comparison: Mapping[str, Any]) -> None:
    """Runs side by side: the figures of each, the differences from the first, and what they amount to."""
    for name, target in comparison["targets"].items():
        runs = target["runs"]
        table = Table(title=_plain(name), title_justify="left", title_style="bold")
        table.add_column("figure")
        for run in runs:
            table.add_column(_plain(run))
        for metric in target["headline"]:
            table.add_row(metric.replace("_", " "), *(_beside(runs[run], metric) for run in runs))
        out.print(table)
        for run in runs.values():
            if run["verdict"]:
                out.print(_plain(run["verdict"]))


def _beside(run: Mapping[str, Any], metric: str) -> str:
    difference = run.get("difference", {}).get(metric)
    value = metric_text(run["metrics"].get(metric))
    if difference is None or difference["value"] is None:
        return value
    return f"{value}\n{difference['value']:+.3f} ({difference['low']:+.3f} to {difference['high']:+.3f})"
