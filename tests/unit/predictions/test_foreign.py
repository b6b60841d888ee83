import numpy as np
import polars as pl
import pytest

from polyclinic.answers.classes import ClassAnswer
from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.answers.value import ValueAnswer
from polyclinic.errors import EvidenceError
from polyclinic.evidence.judge import judge
from polyclinic.predictions.foreign import load_foreign
from polyclinic.study.schema import EvidenceSection

QUICK = EvidenceSection(resamples=10)


@pytest.fixture
def write(tmp_path):
    def write(text, name="theirs.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_two_columns_are_enough(write):
    found = load_foreign(write("truth,probability\n0,0.1\n1,0.8\n1,0.4\n0,0.3\n"))
    answer = found.answers["answer"]
    assert isinstance(answer, ClassAnswer)
    assert answer.classes == ("0", "1")
    np.testing.assert_allclose(answer.probabilities[:, 1], [0.1, 0.8, 0.4, 0.3])
    np.testing.assert_array_equal(answer.truth, [0, 1, 1, 0])
    assert found.model == "theirs"
    assert found.samples.row.tolist() == [1, 2, 3, 4]
    assert set(found.samples.part) == {"test"}
    assert len(set(found.samples.patient)) == 4
    assert judge(found, [], QUICK, seed=1).targets["answer"].metrics["auroc"].value == 1


def test_classes_are_named_by_their_columns(write):
    text = "truth,probability_1,probability_2,probability_3\n3,0.1,0.2,0.7\n1,0.5,0.3,0.2\n,0.2,0.2,0.6\n"
    answer = load_foreign(write(text)).answers["answer"]
    assert answer.classes == ("1", "2", "3")
    np.testing.assert_array_equal(answer.truth, [2, 0, np.nan])


def test_numbers_and_survival(write):
    answer = load_foreign(write("truth,value\n5.5,6\n4,4\n")).answers["answer"]
    assert isinstance(answer, ValueAnswer)
    found = load_foreign(write("event\ttime\trisk\n1\t5\t0.7\n0\t9\t-1\n1\t12\t-2\n", "theirs.tsv"))
    assert isinstance(found.answers["answer"], SurvivalAnswer)
    target = judge(found, [], QUICK, seed=1).targets["answer"]
    assert target.metrics["concordance_index"].value == 1
    assert target.metrics["integrated_brier_score"].value is None


def test_the_other_columns_are_used(tmp_path):
    path = tmp_path / "theirs.parquet"
    columns = {
        "truth": [0, 1, 0, 1],
        "probability": [0.2, 0.9, 0.4, 0.6],
        "patient": [7, 7, 8, 9],
        "row": [11, 12, 13, 14],
        "part": ["test", "test", "tune", "tune"],
        "repeat": [0, 0, 0, 0],
        "fold": [2, 2, 2, 2],
        "site": ["n", "s", "n", "s"],
        "strata_sex": ["f", "m", None, "m"],
        "model": ["rival"] * 4,
    }
    pl.DataFrame(columns).write_parquet(path)
    found = load_foreign(path)
    assert found.model == "rival"
    assert found.samples.row.tolist() == [11, 12, 13, 14]
    assert found.samples.patient.tolist() == ["7", "7", "8", "9"]
    assert found.samples.strata["sex"].tolist() == ["f", "m", None, "m"]
    assert judge(found, [], QUICK, seed=1).targets["answer"].operating_point.thresholds == (0.5,)


def test_several_targets_each_in_their_form(write):
    text = "target,truth,probability,value\na,1,0.7,\nb,5.5,,6\na,0,0.2,\nb,2,,3\n"
    found = load_foreign(write(text))
    assert list(found.answers) == ["a", "b"]
    evidence = judge(found, [], QUICK, seed=1)
    assert evidence.targets["a"].counts.rows == 2
    assert evidence.targets["b"].metrics["mae"].value == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("text", "name", "place", "rows"),
    [
        ("truth,score\n1,0.5\n", "missing_columns", "theirs.csv", ()),
        ("truth,probability\n1,0.5\n0,1.5\n", "impossible_probability", "probability", (2,)),
        ("truth,probability\n1,0.5\n0,-0.1\n0,70\n", "impossible_probability", "probability", (2, 3)),
        ("truth,probability\n1,0.5\n0,NaN\n", "no_answer", "probability", (2,)),
        ("truth,probability\n1,0.5\n0,\n", "no_answer", "probability", (2,)),
        ("truth,probability\n1,0.5\n0,high\n", "not_a_number", "probability", (2,)),
        ("truth,probability\n1,0.5\n2,0.5\n", "unknown_truth", "truth", (2,)),
        ("truth,probability\nyes,0.5\n0,0.5\n", "not_a_number", "truth", (1,)),
        ("truth,probability_a\na,0.5\n", "one_class", "probability_a", ()),
        ("truth,probability_a,probability_b\na,0.5,0.5\nc,0.5,0.5\n", "unknown_truth", "truth", (2,)),
        ("truth,probability_a,probability_b\na,0.5,0.5\nb,0.9,0.5\n", "probability_sum", "probability_<class>", (2,)),
        ("truth,value\n1,2\n1,inf\n", "no_answer", "value", (2,)),
        ("event,time,risk\n1,5,0\n2,5,0\n", "impossible_event", "event", (2,)),
        ("event,time,risk\n1,5,0\n1,0,0\n1,-2,0\n", "impossible_time", "time", (2, 3)),
        ("event,time,risk\n1,5,0\n1,3,\n", "no_answer", "risk", (2,)),
        ("truth,probability,part\n1,0.5,test\n1,0.5,holdout\n", "unknown_part", "part", (2,)),
        ("truth,probability,row\n1,0.5,1\n1,0.5,x\n", "not_a_number", "row", (2,)),
        ("truth,probability,fold\n1,0.5,0\n1,0.5,-1\n", "not_whole", "fold", (2,)),
        ("truth,probability,model\n1,0.5,a\n1,0.5,b\n", "several_models", "model", ()),
        ("truth,probability\n", "empty_file", "theirs.csv", ()),
    ],
)
def test_what_cannot_be_judged_is_refused_with_place_and_rows(write, text, name, place, rows):
    with pytest.raises(EvidenceError) as caught:
        load_foreign(write(text))
    [finding] = [finding for finding in caught.value.findings if finding.name == name]
    assert place in finding.place
    assert finding.rows == rows


def test_all_findings_come_together_and_no_cell_is_repeated(write):
    with pytest.raises(EvidenceError) as caught:
        load_foreign(write("truth,probability,part\nSmith,0.5,test\n1,7.25,test\n0,0.5,Jones\n"))
    assert {finding.name for finding in caught.value.findings} == {
        "not_a_number",
        "impossible_probability",
        "unknown_part",
    }
    assert not any(secret in str(caught.value) for secret in ("Smith", "7.25", "Jones"))


@pytest.mark.parametrize(("name", "content"), [("a.csv", None), ("a.csv", b""), ("a.parquet", b"no"), ("a.xlsx", b"x")])
def test_a_file_that_is_no_table_is_refused(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(EvidenceError, match="must be a table"):
        load_foreign(tmp_path / name)


def test_a_table_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("truth,probability,site\n1,0.5,协和\n0,0.1,协和\n".encode("gb18030"))
    with pytest.raises(EvidenceError, match="UTF-8"):
        load_foreign(path)
