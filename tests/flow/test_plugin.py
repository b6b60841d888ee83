"""The examples of CONTRIBUTING are true: installed as a package, they pass the contract like kinds of the house."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"


@pytest.fixture
def installed(tmp_path) -> Path:
    """A folder of packages in which the examples lie as `pip install docs/examples` would put them."""
    project = tomllib.loads((EXAMPLES / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for kinds in project["entry-points"].values():
        for place in kinds.values():
            shutil.copy(EXAMPLES / f"{place.split(':')[0]}.py", tmp_path)
    about = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8"
    )
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in kinds.items())
        for group, kinds in project["entry-points"].items()
    ]
    (about / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def run(packages: Path, *words: str) -> subprocess.CompletedProcess:
    """A program of its own that finds the packages."""
    path = os.pathsep.join([str(packages), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path.strip(os.pathsep)}
    return subprocess.run(
        [sys.executable, "-m", *words], capture_output=True, text=True, cwd=ROOT, env=environment, check=False
    )


@pytest.mark.slow
def test_the_contract_tests_find_them(installed):
    said = run(
        installed,
        "pytest",
        "tests/contract",
        "-q",
        "-k",
        "questionnaire or ordered or counted or count or Bars",
        "-p",
        "no:cacheprovider",
    )
    assert said.returncode == 0, said.stdout[-4000:]
    passed = int(said.stdout.split(" passed")[0].split()[-1])
    assert passed >= 60


def test_a_study_may_ask_for_them(installed, tmp_path):
    code = (
        "from polyclinic.study.catalogue import names, find\n"
        "assert 'questionnaire' in names('inputs') and 'ordered' in names('heads')\n"
        "assert find('heads', 'ordered').__name__ == 'Ordered'\n"
    )
    (tmp_path / "asks.py").write_text(code, encoding="utf-8")
    assert run(installed, "asks").returncode == 0


@pytest.mark.slow
def test_a_study_runs_on_a_table_of_their_format(installed, small, tmp_path):
    made = small()
    table = made.study.parent / "cohort.csv"
    content = table.read_text(encoding="utf-8")
    assert "|" not in content
    table.with_suffix(".psv").write_text(content.replace(",", "|"), encoding="utf-8")
    made.study.write_text(made.study.read_text("utf-8").replace("cohort.csv", "cohort.psv"), encoding="utf-8")
    out = tmp_path / "run"
    finished = run(installed, "polyclinic", "run", str(made.study), "--out", str(out))
    assert finished.returncode == 0, finished.stderr
    assert (out / "report.html").exists()
    answers = tmp_path / "answers.psv"
    asked = run(installed, "polyclinic", "predict", str(out), str(table), "--out", str(answers))
    assert asked.returncode == 0, asked.stderr
    assert answers.read_text(encoding="utf-8").startswith("row|")


WARD = """
[study]
name = "ward"

[cohort]
table = "cohort.csv"
patient = "patient"

[inputs.sheet]
kind = "questionnaire"
column = "sheet"
items = 12
highest = 3

[targets.attacks]
kind = "counted"
column = "attacks"
what = "attacks"

[targets.grade]
kind = "ordered"
column = "grade"
grades = ["mild", "moderate", "severe"]

[training]
epochs = 2

[evidence]
resamples = 50
"""


@pytest.fixture(scope="module")
def ward(tmp_path_factory) -> Path:
    """A study of the examples alone: an input, two targets, one of them with a form of answer of its own."""
    folder = tmp_path_factory.mktemp("ward")
    rng = np.random.default_rng(3)
    illness = rng.normal(size=240)
    answers = np.clip(np.rint(1.5 + illness[:, None] + rng.normal(size=(240, 12))), 0, 3).astype(int)
    grade = np.digitize(illness + 0.3 * rng.normal(size=240), [-0.5, 0.7])
    attacks = rng.poisson(np.exp(0.2 + 0.8 * illness))
    table = pl.DataFrame(
        {
            "patient": [f"p{number}" for number in range(240)],
            "sheet": [" ".join(map(str, row)) for row in answers],
            "attacks": attacks,
            "grade": [("mild", "moderate", "severe")[one] for one in grade],
        }
    )
    table.write_csv(folder / "cohort.csv")
    (folder / "study.toml").write_text(WARD, encoding="utf-8")
    return folder


@pytest.mark.slow
def test_a_form_of_their_own_goes_all_the_way(installed, ward):
    """Report, card, new patients, judged again, compared: no line of the house knows the form, or the metric."""

    def polyclinic(*words: str) -> str:
        done = run(installed, "polyclinic", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    out = ward / "run"
    polyclinic("run", str(ward / "study.toml"), "--out", str(out))
    evidence = json.loads((out / "evidence.json").read_text("utf-8"))
    attacks, grade = evidence["targets"]["attacks"], evidence["targets"]["grade"]
    assert attacks["form"] == "count"
    assert attacks["headline"] == ["poisson_deviance", "counted_to_expected"]
    assert attacks["metrics"]["counted_to_expected"]["value"] == pytest.approx(1.0, abs=0.5)
    assert attacks["baselines"]
    assert 0 <= grade["metrics"]["far_off"]["value"] < 0.5
    report, card = ((out / name).read_text("utf-8") for name in ("report.html", "card.md"))
    for page in (report, card):
        assert "Poisson deviance" in page
        assert "Far off" in page
    assert "share of the patients who get an answer two grades off or more" in report
    polyclinic("predict", str(out), str(ward / "cohort.csv"), "--out", str(ward / "answers.csv"))
    answers = pl.read_csv(ward / "answers.csv").filter(pl.col("target") == "attacks")
    assert (answers["low"] <= answers["expected"]).all()
    assert (answers["expected"] > 0).all()
    again = ward / "again.json"
    polyclinic("judge", str(out), "--out", str(again))
    assert json.loads(again.read_text("utf-8"))["targets"]["attacks"]["metrics"] == attacks["metrics"]
    shutil.copytree(out, ward / "twin")
    compared = polyclinic("compare", str(out), str(ward / "twin"))
    assert "attacks" in compared
    assert "poisson deviance" in compared


@pytest.mark.slow
def test_a_study_learns_with_a_network_of_theirs(installed, small, tmp_path):
    made = small()
    text = made.study.read_text("utf-8")
    made.study.write_text(text.replace('kind = "tabular"', 'kind = "tabular"\nencoder = "crossed"'), encoding="utf-8")
    out = tmp_path / "run"
    finished = run(installed, "polyclinic", "run", str(made.study), "--out", str(out))
    assert finished.returncode == 0, finished.stderr
    plan = json.loads((out / "model" / "0-0-0" / "plan.json").read_text("utf-8"))
    assert plan["inputs"]["labs"]["options"]["encoder"] == "crossed"
    table = made.study.parent / "cohort.csv"
    asked = run(installed, "polyclinic", "predict", str(out), str(table), "--out", str(tmp_path / "answers.csv"))
    assert asked.returncode == 0, asked.stderr
    alone = run(
        tmp_path / "no packages", "polyclinic", "predict", str(out), str(table), "--out", str(tmp_path / "again.csv")
    )
    assert alone.returncode == 2
    assert "crossed" in alone.stderr


def test_a_study_is_drafted_from_a_table_of_their_format(installed, tmp_path):
    rows = "".join(f"p{number}|{40 + number}|{'yes' if number % 3 else 'no'}\n" for number in range(60))
    (tmp_path / "ward.psv").write_text(f"patient|age|sick\n{rows}", encoding="utf-8")
    drafted = run(installed, "polyclinic", "new", str(tmp_path / "ward.psv"), "--target", "sick")
    assert drafted.returncode == 0, drafted.stderr
    [study] = tmp_path.glob("*.toml")
    assert 'table = "ward.psv"' in study.read_text(encoding="utf-8")


def test_what_contributing_shows_stands_in_the_examples():
    shown = re.findall(r"^```(?:python|toml)\n(.*?)^```$", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.S | re.M)
    whole = "".join(path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.iterdir()) if path.is_file())
    assert len(shown) >= 3
    assert [block for block in shown if block not in whole] == []
