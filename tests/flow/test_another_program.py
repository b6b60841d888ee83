"""Another program's predictions by the command and from Python."""

import json

import pytest

import polyclinic
from polyclinic.errors import EvidenceError

ROWS = [
    ("1", "yes", 0.9),
    ("01", "no", 0.4),
    ("001", "yes", 0.6),
    ("2", "no", 0.2),
    ("3", "yes", 0.3),
    ("3", "no", 0.1),
]


@pytest.fixture
def theirs(tmp_path):
    def write(scale=1.0, header="hospital number;death;points", name="theirs.csv"):
        path = tmp_path / name
        lines = [header, *(f"{who};{truth};{score * scale:g}".replace(".", ",") for who, truth, score in ROWS)]
        path.write_bytes("\n".join(lines).encode("utf-16"))
        return path

    return write


def test_the_command_takes_the_names_of_columns_and_of_the_program(ask, theirs, tmp_path):
    out = tmp_path / "theirs.json"
    options = ("--truth", "death", "--answer", "points", "--name", "SAPS", "--out", out)
    said = ask("judge", "--predictions", theirs(100), *options)
    assert said.status == 0
    assert "answer: 6 test answers about 5 patients" in said.out
    assert "SAPS (95% interval)" in said.out
    assert "auroc" in said.out
    assert "brier" not in said.out
    assert "only how they rank patients was judged" in said.out
    assert "a score may be any number" in said.err
    written = json.loads(out.read_text(encoding="utf-8"))
    assert written["model"] == "SAPS"
    assert set(written["targets"]["answer"]["metrics"]) == {"auroc", "auprc"}


def test_from_python_the_same_and_the_file_gives_the_name(theirs):
    evidence = polyclinic.judge_predictions(str(theirs()), truth="death", answer="points", positive="yes")
    assert evidence["model"] == "theirs"
    assert evidence["targets"]["answer"]["counts"]["patients"] == 5
    assert evidence["targets"]["answer"]["counts"]["positives"] == 3
    assert evidence["targets"]["answer"]["metrics"]["auroc"]["value"] == pytest.approx(8 / 9)
    turned = polyclinic.judge_predictions(theirs(), truth="death", answer="points", positive="no")
    assert turned["targets"]["answer"]["metrics"]["auroc"]["value"] == pytest.approx(1 / 9)
    other = polyclinic.judge_predictions(theirs(), truth="death", answer="points", patient="death")
    assert other["targets"]["answer"]["counts"]["patients"] == 2


def test_a_frame_is_judged_as_its_file_is(theirs):
    who, truth, points = zip(*ROWS, strict=True)
    frame = {"hospital number": who, "death": truth, "points": points}
    given = polyclinic.judge_predictions(frame, truth="death", answer="points", name="SAPS")
    read = polyclinic.judge_predictions(theirs(), truth="death", answer="points", name="SAPS")
    assert given["targets"] == read["targets"]
    assert given["model"] == "SAPS"


def test_all_that_is_wrong_comes_at_once_and_nothing_is_written(ask, tmp_path):
    path, out = tmp_path / "wrong.csv", tmp_path / "wrong.json"
    path.write_text("patient,truth,probability,part\nA,1,0.5,test\n,0,1.5,test\nB,0,0.2,holdout\n", encoding="utf-8")
    said = ask("judge", "--predictions", path, "--out", out)
    assert said.status == 2
    assert said.out == ""
    for place in ('column "patient"', 'column "probability"', 'column "part"'):
        assert place in said.err
    assert not out.exists()


def test_columns_that_are_not_known_are_told_with_the_names_that_are(theirs):
    with pytest.raises(EvidenceError, match="there is hospital number, death, points") as caught:
        polyclinic.judge_predictions(theirs())
    assert "--truth" in str(caught.value)


def test_the_options_are_for_predictions_only(ask, tmp_path):
    said = ask("judge", tmp_path, "--truth", "death")
    assert said.status == 2
    assert "--predictions" in said.err
