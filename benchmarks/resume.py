"""A run killed at random moments and resumed, until it ends with the bytes of an uninterrupted run, or does not.

    python benchmarks/resume.py [--moments 20] [--first 1] [--study studies/breast_cytology.toml]

Each moment is drawn evenly between the first file of the run and its end, as an uninterrupted run measures it. The
process is killed as by a power cut (SIGKILL); what it left is resumed and compared file by file. Then one more run is
killed at all of the moments, one after another. Without --study, a small synthetic study with folds, members and
plain models is run. The program ends with status 1 if anything differs.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from measure import Asked, Figure, main, remark

import polyclinic

SAME = ("predictions.parquet", "baselines.parquet", "evidence.json", "split.parquet")
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "split": {"folds": 2},
    "model": {"size": "tiny", "ensemble": 2},
    "training": {"epochs": 12},
}
WAIT_S = 0.001
"""Between two looks for the first file of a run: short against the seconds that a run takes."""


def start(study: Path, out: Path) -> subprocess.Popen[bytes]:
    """A run in a process of its own, at the moment when its first file appears."""
    program = subprocess.Popen(
        [sys.executable, "-m", "polyclinic", "run", str(study), "--out", str(out), "--resume"],
        stdout=subprocess.DEVNULL,
    )
    while not (out / ".work" / "state.json").exists() and program.poll() is None:
        time.sleep(WAIT_S)
    return program


def kill_after(study: Path, out: Path, seconds: float) -> bool:
    """Whether the run was killed: it may have ended before."""
    program = start(study, out)
    try:
        program.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()
        return True
    return False


def whole(study: Path, out: Path) -> float:
    """Seconds of a run from its first file to its end."""
    program = start(study, out)
    began = time.monotonic()
    if program.wait():
        sys.exit("The uninterrupted run failed.")
    return time.monotonic() - began


def content(folder: Path) -> dict[str, bytes]:
    """Every file that must be the same."""
    names = [*SAME, *(path.relative_to(folder).as_posix() for path in sorted(folder.glob("model/*/*")))]
    return {name: (folder / name).read_bytes() for name in names}


def stage(out: Path) -> str:
    """How far a killed run had come."""
    work = out / ".work"
    if not work.exists():
        return "finished"
    if (work / "bundle.json").exists():
        return "putting in place"
    if (work / "shown" / "evidence.json").exists():
        return "writing"
    return f"{len(list(work.glob('scratch/fold-*.json')))} folds done"


def compare(study: Path, folder: Path, moments: Float[np.ndarray, " moment"], expected: dict[str, bytes]) -> int:
    """Kill, resume and compare at every moment; how many ended with the same bytes."""
    right = 0
    remark(f"{'moment':>8}  {'how far':<18}  resumed")
    for number, moment in enumerate(moments):
        out = folder / f"killed-{number}"
        killed = kill_after(study, out, moment)
        came = stage(out) if killed else "finished"
        polyclinic.run(study, out, resume=True)
        same = content(out) == expected
        right += same
        remark(f"{moment:7.2f}s  {came:<18}  {'same bytes' if same else 'OTHER BYTES'}")
    return right


def figures(asked: Asked) -> Iterator[Figure]:
    """How many resumed runs ended with the bytes of the uninterrupted one."""
    count = 1 if asked.small else asked.own.moments
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        study = asked.own.study or _example(folder / "study", small=asked.small)
        seconds = whole(study, folder / "whole")
        expected = content(folder / "whole")
        moments = np.sort(np.random.default_rng(asked.seeds[0]).uniform(0, seconds, count))
        right = compare(study, folder, moments, expected)
        again = folder / "again-and-again"
        for moment in moments:
            kill_after(study, again, moment)
        polyclinic.run(study, again, resume=True)
        same = content(again) == expected
    title = f"{count} runs killed at random moments"
    yield Figure(title, "resumed to the same bytes", (right,), reference=str(count), leads=True)
    title = f"one run killed {count} times"
    yield Figure(title, "resumed to the same bytes", (int(same),), reference="1", leads=True)
    if right < count or not same:
        sys.exit("A resumed run ended with other bytes.")


def _example(folder: Path, *, small: bool) -> Path:
    cut = {**SETTINGS, "model": {"size": "tiny"}, "training": {"epochs": 1}}
    patients, settings = (40, cut) if small else (200, SETTINGS)
    targets = {"sick": "classify"} if small else {"sick": "classify", "death": "survive"}
    return polyclinic.example_cohort(folder, {"labs": "tabular"}, targets, patients=patients, settings=settings).study


def add(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark is asked."""
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--study", type=Path)


if __name__ == "__main__":
    main(figures, __doc__, add=add)
