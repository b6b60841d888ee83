import io
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from polyclinic import terminal
from polyclinic.cohort.draft import Unused
from polyclinic.errors import Finding, Severity
from polyclinic.training.progress import Progress as Listener
from polyclinic.workflow import Draft

EVIDENCE = {
    "confidence": 0.9,
    "targets": {
        "sick [now]": {
            "counts": {"rows": 40, "patients": 20},
            "headline": ["auroc", "brier_score", "absent"],
            "metrics": {
                "auroc": {"value": 0.81234, "low": 0.7, "high": 0.9},
                "brier_score": {"value": None, "low": None, "high": None},
            },
            "baseline": {
                "name": "logistic regression",
                "metrics": {"auroc": {"value": 0.8, "low": None, "high": None}},
            },
            "verdict": "They cannot be told apart.",
        }
    },
}


def test_the_main_figures_stand_beside_those_of_the_plain_model(capsys):
    terminal.show_evidence(EVIDENCE)
    said = capsys.readouterr().out
    assert "sick [now]: 40 test answers about 20 patients" in said
    assert "90% interval" in said
    assert "0.812 (0.700 to 0.900)" in said
    assert "0.800" in said
    assert "brier score" in said
    assert "They cannot be told apart." in said


def test_findings_go_to_standard_error_and_are_not_read_as_markup(capsys):
    terminal.show_findings([Finding("odd", "[inputs.film]", "must [be]", "odd", "Mend it.", Severity.WARNING)])
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "warning: [inputs.film]: must [be]; odd. Mend it.\n"


@pytest.fixture
def drawn():
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=60)
    with Progress(
        TextColumn("{task.description} {task.completed}/{task.total} {task.fields[note]}"), console=console
    ) as rich:
        yield terminal.Bars(rich), rich


def test_bars_nest(drawn):
    bars, rich = drawn
    assert isinstance(bars, Listener)
    bars.start("folds", 2)
    bars.start("epochs", 3)
    bars.advance("tune loss 0.5 [best]")
    assert [(task.description, task.completed) for task in rich.tasks] == [("folds", 0), ("epochs", 1)]
    bars.finish()
    bars.advance()
    assert [(task.description, task.completed) for task in rich.tasks] == [("folds", 1)]
    bars.finish()
    bars.finish()
    bars.advance()
    assert rich.tasks == []


def test_nothing_is_drawn_when_nobody_watches(capsys):
    with terminal.bars() as bars:
        bars.start("folds", 2)
        bars.advance()
        bars.finish()
    said = capsys.readouterr()
    assert said.out == said.err == ""


def test_a_name_of_a_column_cannot_steer_the_terminal(capsys):
    draft = Draft(
        Path("study.toml"), Path("s.json"), (Unused("a\x1b[31m\u202e", "it is [odd]"),), ("Which of \x07b?",), ()
    )
    terminal.show_draft(draft)
    said = capsys.readouterr().out
    assert "Not used: a\\x1b[31m\\u202e (it is [odd])" in said
    assert "Which of \\x07b?" in said
