"""The same study twice gives the same bytes, and so does one that is killed and resumed, whenever it is killed."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

import polyclinic
from polyclinic.study.read import read_study

FOLDS = {"split": {"folds": 2}, "model": {"size": "tiny", "ensemble": 2}, "training": {"epochs": 6}}
SAME = ("predictions.parquet", "baselines.parquet", "evidence.json", "split.parquet", "cohort.json", "study.toml")


def outcome(folder: Path) -> dict[str, bytes]:
    """What must be the same; report, card and log also tell when and how long."""
    weights = sorted(path.relative_to(folder).as_posix() for path in folder.glob("model/*/*"))
    assert len(weights) == 8
    return {name: (folder / name).read_bytes() for name in (*SAME, *weights)}


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]


def kill_when(study: Path, out: Path, sign: str) -> bool:
    """Start a run and kill it the moment that a file appears; whether it was killed before its end."""
    program = subprocess.Popen(
        [sys.executable, "-m", "polyclinic", "run", str(study), "--out", str(out), "--resume"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    while program.poll() is None and not any(out.glob(sign)):
        time.sleep(0.001)
    program.kill()
    assert program.stderr is not None
    said = program.stderr.read()
    program.stderr.close()
    assert program.wait() in (0, -9), said
    return program.returncode == -9


@pytest.fixture
def study(small) -> Path:
    return small(**FOLDS).study


def test_the_same_study_twice(study, tmp_path):
    first = polyclinic.run(study, tmp_path / "first")
    second = polyclinic.run(study, tmp_path / "second")
    assert differing(outcome(first.folder), outcome(second.folder)) == []


def test_another_seed_gives_other_bytes(small, tmp_path):
    """Or the test above could not fail."""
    first = polyclinic.run(small(**FOLDS).study, tmp_path / "first")
    other = polyclinic.run(small(**FOLDS, study={"seed": 2}).study, tmp_path / "other")
    assert {"predictions.parquet", "model/0-0-0/weights.safetensors"} <= set(
        differing(outcome(first.folder), outcome(other.folder))
    )


@pytest.mark.slow
@pytest.mark.parametrize(("epochs", "minutes"), [(6, 5), (4000, 0.15)], ids=["too wide to bite", "biting"])
def test_a_run_with_a_cap_in_minutes_is_repeated_by_its_resolved_study(small, tmp_path, epochs, minutes):
    capped = small(**{**FOLDS, "training": {"epochs": epochs, "minutes": minutes}}).study
    first = polyclinic.run(capped, tmp_path / "first")
    resolved = read_study(first.folder / "study.toml").training
    assert resolved.minutes == minutes, "by which plain models are bounded"
    assert resolved.stop_after is not None
    assert len(resolved.stop_after) == 4
    assert (max(resolved.stop_after) < epochs) == (epochs == 4000)
    again = polyclinic.run(first.folder / "study.toml", tmp_path / "again")
    assert differing(outcome(first.folder), outcome(again.folder)) == []


@pytest.mark.slow
class TestKilled:
    SIGNS = (".work/state.json", ".work/scratch/fold-0-0.json", ".work/scratch/0-1-0", ".work/shown/evidence.json")

    @pytest.mark.parametrize("sign", SIGNS)
    def test_killed_and_resumed(self, study, tmp_path, sign):
        whole = polyclinic.run(study, tmp_path / "whole")
        assert kill_when(study, tmp_path / "killed", sign)
        assert not (tmp_path / "killed" / "report.html").exists()
        resumed = polyclinic.run(study, tmp_path / "killed", resume=True)
        assert differing(outcome(whole.folder), outcome(resumed.folder)) == []
        assert not (tmp_path / "killed" / ".work").exists()

    def test_killed_again_and_again(self, study, tmp_path):
        whole = polyclinic.run(study, tmp_path / "whole")
        for sign in (".work/scratch/fold-0-0.json", ".work/shown/evidence.json", ".work/bundle.json"):
            kill_when(study, tmp_path / "killed", sign)
        resumed = polyclinic.run(study, tmp_path / "killed", resume=True)
        assert differing(outcome(whole.folder), outcome(resumed.folder)) == []

    def test_what_was_killed_is_not_overwritten(self, ask, study, tmp_path):
        assert kill_when(study, tmp_path / "killed", ".work/scratch/0-0-0")
        said = ask("run", study, "--out", tmp_path / "killed")
        assert said.status == 2
        assert "Add --resume to go on with it" in said.err

    def test_a_changed_table_is_not_resumed(self, ask, study, tmp_path):
        assert kill_when(study, tmp_path / "killed", ".work/scratch/0-0-0")
        table = study.parent / "cohort.csv"
        table.write_text(table.read_text(encoding="utf-8").replace(",female,", ",male,", 1), encoding="utf-8")
        said = ask("run", study, "--out", tmp_path / "killed", "--resume")
        assert said.status == 2
        assert "cohort.csv has changed since" in said.err
