import numpy as np
import polars as pl
import pytest

from polyclinic.answers.classes import ClassAnswer
from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.answers.value import ValueAnswer
from polyclinic.errors import EvidenceError, Severity
from polyclinic.evidence.judge import judge
from polyclinic.steps.foreign.column_names import Said
from polyclinic.steps.foreign.load import load_foreign as load_with_findings
from polyclinic.study.schema import EvidenceSection

QUICK = EvidenceSection(resamples=10)


def load_foreign(path, **said):
    return load_with_findings(path, Said(**said)).predictions


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
        ("truth,certainty\n1,0.5\n", "missing_columns", "theirs.csv", ()),
        ("certainty,score\n1,0.5\n", "missing_columns", "theirs.csv", ()),
        ("truth,probability\n1,0.5\n0,1.5\n", "impossible_probability", "probability", (2,)),
        ("truth,probability\n1,0.5\n0,-0.1\n0,70\n", "impossible_probability", "probability", (2, 3)),
        ("truth,probability\n1,0.5\n0,NaN\n", "no_answer", "probability", (2,)),
        ("truth,probability\n1,0.5\n0,\n", "no_answer", "probability", (2,)),
        ("truth,probability\n1,0.5\n0,high\n", "not_a_number", "probability", (2,)),
        ("truth,probability\n1,0.5\n0,0.5\n2,0.5\n", "unknown_truth", "truth", (3,)),
        ("truth,probability\n1,0.5\n2,0.5\n", "positive_not_clear", "truth", ()),
        ("truth,probability\nred,0.5\nblue,0.5\n", "positive_not_clear", "truth", ()),
        ("truth,prediction\nyes,no\nno,maybe\n", "unknown_answer", "prediction", (2,)),
        ("truth,probability,patient\n1,0.5,A\n0,0.5,\n", "patient_missing", "patient", (2,)),
        ("truth,probability,probability\n1,0.5,1\n", "duplicate_header", "theirs.csv", ()),
        ("truth,probability,patient\n1,0.5,A\n0,0.5\n", "ragged_rows", "theirs.csv", (2,)),
        ("y_true,label,probability\n1,1,0.5\n0,1,0.2\n", "several_columns", "theirs.csv", ()),
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
        ("truth,probability\n", "empty_table", "theirs.csv", ()),
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
        "unknown_truth",
        "impossible_probability",
        "unknown_part",
    }
    assert not any(secret in str(caught.value) for secret in ("Smith", "7.25", "Jones"))


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("a.csv", None, "must name a file; there is no file"),
        ("a.csv", b"", "must hold a header and rows"),
        ("a.parquet", b"no", "must be a whole .parquet file"),
        ("a.doc", b"x", "must be one of .arff, .csv"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, name, content, rule):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(EvidenceError, match=rule):
        load_foreign(tmp_path / name)


def test_a_table_in_another_encoding_is_refused_without_a_word_about_a_study(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("truth,probability,site\n1,0.5,协和\n0,0.1,协和\n".encode("gb18030"))
    with pytest.raises(EvidenceError, match="Save the table as csv in UTF-8") as caught:
        load_foreign(path)
    assert "[cohort]" not in str(caught.value)


TWO = "patient,truth,probability\n"


def test_any_table_that_a_study_could_have(tmp_path, write):
    german = load_foreign(write("Patient;truth;probability\n1;0;0,1\n2;1;0,8\n3;1;0,45\n"))
    np.testing.assert_allclose(german.answers["answer"].probabilities[:, 1], [0.1, 0.8, 0.45])
    [note] = load_with_findings(tmp_path / "theirs.csv").findings
    assert (note.severity, note.remedy) == (Severity.NOTE, "Look whether that is meant.")
    path = tmp_path / "excel.txt"
    path.write_bytes("patient\ttruth\tprobability\n1\t0\t0.1\n2\t1\t0.8\n".encode("utf-16"))
    assert load_foreign(path).samples.patient.tolist() == ["1", "2"]


def test_a_workbook(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["patient", "truth", "probability"], ["01", "NA", 0.25], ["1", "AD", 0.75]):
        book.active.append(row)
    book.save(tmp_path / "theirs.xlsx")
    found = load_foreign(tmp_path / "theirs.xlsx", positive="AD")
    assert found.samples.patient.tolist() == ["01", "1"]
    assert found.answers["answer"].classes == ("NA", "AD")
    assert found.answers["answer"].truth.tolist() == [0, 1]


def test_one_patient_is_not_three_and_three_are_not_one(write):
    found = load_foreign(write(TWO + "1,0,0.1\n01,1,0.8\n001,1,0.7\n1,0,0.2\n12E3,0,0.1\n12000,1,0.9\n"))
    assert found.samples.patient.tolist() == ["1", "01", "001", "1", "12E3", "12000"]
    wards = load_foreign(write("patient,truth,probability,strata_ward\n2.1,0,0.1,3.1\n2.10,1,0.8,3.10\n"))
    assert wards.samples.patient.tolist() == ["2.1", "2.10"]
    assert wards.samples.strata["ward"].tolist() == ["3.1", "3.10"]


def test_the_user_may_name_the_columns(write):
    path = write("died,apache,who\n1,30,A\n0,12,A\n1,22,B\n")
    with pytest.raises(EvidenceError, match="there is died, apache, who") as caught:
        load_foreign(path)
    assert "y_true" in str(caught.value)
    found = load_foreign(path, truth="died", answer="apache", patient="who", name="APACHE II")
    assert found.model == "APACHE II"
    assert found.samples.patient.tolist() == ["A", "A", "B"]
    assert found.answers["answer"].truth.tolist() == [1, 0, 1]
    with pytest.raises(EvidenceError, match='Did you mean "died"'):
        load_foreign(path, truth="dies", answer="apache")


def test_target_is_the_truth_where_nothing_else_is(write):
    answer = load_foreign(write("target,y_prob\n1,0.9\n0,0.2\n")).answers["answer"]
    assert answer.truth.tolist() == [1, 0]


def test_a_patient_in_two_parts_or_two_folds_is_told(write):
    text = "patient,truth,probability,part\nA,1,0.9,test\nA,0,0.2,train\nB,0,0.2,test\n"
    [finding] = [f for f in load_with_findings(write(text)).findings if f.name == "patient_in_two_parts"]
    assert (finding.severity, finding.rows) == (Severity.WARNING, (1,))
    text = "patient,truth,probability,fold,repeat\nA,1,0.9,0,0\nA,0,0.2,1,0\nB,0,0.2,0,0\nB,0,0.2,1,1\n"
    [finding] = [f for f in load_with_findings(write(text)).findings if f.name == "patient_in_two_folds"]
    assert finding.rows == (1, 2)


def test_a_patient_of_another_fold_may_be_in_training_there(write):
    text = "patient,truth,probability,fold,part\nA,1,0.9,0,test\nB,0,0.2,0,train\nA,1,0.9,1,train\nB,0,0.2,1,test\n"
    assert load_with_findings(write(text)).findings == ()


def test_columns_that_are_not_used_are_named(write):
    found = load_with_findings(write("truth,probability,weight\n1,0.9,70\n0,0.2,80\n"))
    assert [(f.name, f.found) for f in found.findings] == [("unused_columns", "not used: weight")]


def test_other_words_for_the_parts(write):
    text = "truth,probability,split\n1,0.9,Validation\n0,0.2,TEST\n1,0.5,training\n"
    assert load_foreign(write(text)).samples.part.tolist() == ["tune", "test", "train"]


def test_rows_without_truth_are_told(write):
    found = load_with_findings(write("truth,probability\n0,0.1\n1,0.8\n,0.4\n,0.3\n"), Said())
    [note] = [finding for finding in found.findings if finding.name == "without_truth"]
    assert (note.severity, note.rows) == (Severity.NOTE, (3, 4))
    assert "nothing in 2 rows of 4" in note.found
    whole = load_with_findings(write("truth,probability\n0,0.1\n1,0.8\n"), Said())
    assert "without_truth" not in [finding.name for finding in whole.findings]
