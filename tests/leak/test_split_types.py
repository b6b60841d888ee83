"""A type checker refuses to let anything learn from rows that are not training rows."""

import os
import subprocess
import sys
from pathlib import Path

HOUSE = Path(__file__).parents[2]
PROGRAM = """
from polyclinic.cohort.rows import Fold, TestRows, TrainRows, TuneRows

def learn(rows: TrainRows) -> None: ...
def choose(rows: TuneRows) -> None: ...

def attempt(fold: Fold) -> None:
    learn(fold.members[0].train)
    choose(fold.members[0].tune)
    {line}
"""


def test_mypy_refuses_every_mixture(tmp_path: Path) -> None:
    lines = {
        "learn(fold.test)": '"learn" has incompatible type "TestRows"; expected "TrainRows"',
        "learn(fold.members[0].tune)": '"learn" has incompatible type "TuneRows"; expected "TrainRows"',
        "choose(fold.test)": '"choose" has incompatible type "TestRows"; expected "TuneRows"',
        "choose(fold.members[0].train)": '"choose" has incompatible type "TrainRows"; expected "TuneRows"',
        "learn(fold)": '"learn" has incompatible type "Fold"; expected "TrainRows"',
        "pass": "",
    }
    for number, line in enumerate(lines):
        (tmp_path / f"attempt{number}.py").write_text(PROGRAM.replace("{line}", line))
    # Only our own types are looked at: numpy is left aside, so that this takes seconds.
    rows = HOUSE / "src" / "polyclinic" / "cohort" / "rows.py"
    files = [str(rows), *(str(path) for path in sorted(tmp_path.glob("*.py")))]
    options = ["--strict", "--follow-imports=skip", "--config-file", "", "--cache-dir", str(tmp_path / "cache")]
    command = [sys.executable, "-m", "mypy", *options, *files]
    environment = {**os.environ, "MYPYPATH": str(HOUSE / "src")}
    out = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HOUSE, env=environment).stdout
    for number, (line, words) in enumerate(lines.items()):
        said = "\n".join(text for text in out.splitlines() if f"attempt{number}.py" in text)
        assert words in said, line
        assert bool(said) == bool(words), said
