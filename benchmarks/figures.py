"""Rewrite the README's table of figures from the benchmarks whose data is at hand: `make figures`.

    POLYCLINIC_DATA=... python benchmarks/figures.py [--only TEXT] [--small]

Every row of the table names its command, which is run as it stands; so a new row begins as its command alone. Where a
benchmark finds no data, its row stays, with the day and the commit of its measurement. With ``--only`` just the
commands that hold TEXT are run. ``--small`` runs all on made-up data and prints the table in place of writing it.
"""

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from measure import NO_DATA, OURS, Figure, number, remark

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
HEAD = "| data | polyclinic | interval | reference | command | measured |"
WORDS = {
    "auroc": "AUROC",
    "accuracy_at_half": "accuracy",
    "concordance_index": "concordance",
    "integrated_brier_score": "integrated Brier",
    "pixel_f1": "F1 of points",
    "pixel_auroc": "AUC of points",
    "map_50": "mAP at .5",
    "aji": "AJI",
    "ap_50": "AP at .5",
    "entity_f1": "exact entity F1",
    "micro_recall": "share right",
}
"""Metrics whose name in the evidence would not be understood in a table for everybody."""


@dataclass(frozen=True)
class Row:
    """A row of the README's table."""

    data: str
    figure: str
    interval: str
    reference: str
    command: str
    measured: str

    def line(self) -> str:
        """As Markdown."""
        return f"| {' | '.join(astuple(replace(self, command=f'`{self.command}`')))} |"


def read_row(line: str) -> Row:
    """The row that a line of the table holds."""
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    row = Row(*cells)
    return replace(row, command=row.command.strip("`"))


def rewrite(text: str, found: Sequence[Row]) -> str:
    """The README with the rows of the same commands replaced."""
    rows = {row.command: row for row in found}
    lines = text.splitlines(keepends=True)
    start = next(position for position, line in enumerate(lines) if line.startswith(HEAD)) + 2
    for position in range(start, len(lines)):
        if not lines[position].startswith("|"):
            break
        old = read_row(lines[position])
        lines[position] = f"{rows.get(old.command, old).line()}\n"
    return "".join(lines)


def commands(text: str) -> list[str]:
    """The commands of the table, in its order."""
    rows = text.partition(HEAD)[2].partition("\n\n")[0].splitlines()[2:]
    return [read_row(line).command for line in rows]


def measured(command: str, *, small: bool) -> list[Figure] | None:
    """The figures that a command gives now, or None where it finds no data.

    Raises:
        CalledProcessError: if it fails otherwise.
    """
    words = [sys.executable, *shlex.split(command), "--json", *(["--small"] if small else [])]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == NO_DATA:
        return None
    done.check_returncode()
    return [_figure(line) for line in done.stdout.splitlines()]


def _figure(line: str) -> Figure:
    keys = json.loads(line)
    del keys["command"]
    return Figure(**{**keys, "values": tuple(keys["values"]), "minutes": tuple(keys["minutes"])})


def row_of(figures: Iterable[Figure], command: str, when: str) -> Row:
    """The leading figures of a command as one row: ours, and beside them those of other models on the same rows."""
    leading = [one for one in figures if one.leads]
    ours = [one for one in leading if one.model == OURS]
    others = dict.fromkeys(one.model for one in leading if one.model != OURS)
    beside = [f"{model} {_joined(one.figure for one in leading if one.model == model)}" for model in others]
    published = dict.fromkeys(one.reference for one in ours if one.reference)
    return Row(
        data=f"{' and '.join(dict.fromkeys(one.data for one in ours))}{_seeds(ours)}, {_metrics(ours)}",
        figure=f"{_joined(one.figure for one in ours)}{_time(ours)}",
        interval=_joined(one.interval for one in ours if one.interval),
        reference="; ".join([*([f"{', '.join(beside)}, same rows"] if beside else []), *published]),
        command=command,
        measured=when,
    )


def _joined(words: Iterable[str]) -> str:
    return " / ".join(words)


def _metrics(ours: Sequence[Figure]) -> str:
    return _joined(dict.fromkeys(WORDS.get(one.metric, one.metric.replace("_", " ")) for one in ours))


def _seeds(ours: Sequence[Figure]) -> str:
    count = len(ours[0].minutes)
    return f", {count} seeds" if count > 1 else ""


def _time(ours: Sequence[Figure]) -> str:
    minutes = ours[0].minutes
    return f" in {number(sum(minutes) / len(minutes))} min" if minutes else ""


def today() -> str:
    """The day, and the commit of the code."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return f"{datetime.now(UTC):%Y-%m-%d}, {commit.stdout.strip()}"


def main() -> None:
    """Run what has data, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="TEXT", help="only commands that hold this")
    parser.add_argument("--small", action="store_true", help="made-up data; the README stays as it is")
    asked = parser.parse_args()
    text = README.read_text(encoding="utf-8")
    for command in commands(text):
        if asked.only not in command:
            continue
        remark(command)
        found = measured(command, small=asked.small)
        if found is None:
            remark("no data: the row stays as it is")
            continue
        text = rewrite(text, [row_of(found, command, today())])
        if not asked.small:  # after each, so that hours of work are not lost
            README.write_text(text, encoding="utf-8")
    if asked.small:
        print(text[text.index(HEAD) :].partition("\n\n")[0])


if __name__ == "__main__":
    main()
