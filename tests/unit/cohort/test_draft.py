import tomllib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from polyclinic.cohort.draft import SCHEMA_LINE, draft
from polyclinic.errors import CohortError
from polyclinic.study.read import parse_study

Drafted = Callable[..., dict[str, Any]]
RNG = np.random.default_rng(0)
AGES = RNG.integers(20, 90, 100).tolist()


def columns(**more: object) -> dict[str, object]:
    return {"age": AGES, "dose": RNG.normal(size=100).tolist(), **more}


@pytest.fixture
def drafted(tmp_path: Path) -> Drafted:
    def make(table: dict[str, object], target: str, valid: bool = True) -> dict[str, Any]:
        pl.DataFrame(table).write_csv(tmp_path / "cohort.csv")
        text = draft(tmp_path / "cohort.csv", target).text
        assert text.splitlines()[0] == SCHEMA_LINE
        if valid:
            parse_study(text)
        return tomllib.loads(text)

    return make


def test_two_classes_and_the_sick_one_is_positive(drafted: Drafted) -> None:
    study = drafted(columns(diagnosis=["malignant", *["benign"] * 40, *["malignant"] * 59]), "diagnosis")
    assert study["targets"]["outcome"] == {"kind": "classify", "column": "diagnosis", "positive": "malignant"}
    assert study["inputs"]["clinical"] == {"kind": "tabular", "columns": "rest"}
    assert study["cohort"]["patient"] == "row"
    assert study["split"]["folds"] == 5


@pytest.mark.parametrize(
    ("values", "kind", "positive"),
    [
        ([0, 1] * 50, "classify", 1),
        ([True, False] * 50, "classify", True),
        (["x"] * 60 + ["y"] * 40, "classify", "y"),
        (["a", "b", "c", "c"] * 25, "classify", None),
        ([n % 7 for n in range(100)], "classify", None),
        ([n * 1.5 for n in range(100)], "regress", None),
        (list(range(100)), "regress", None),
    ],
)
def test_kinds_of_one_outcome(drafted: Drafted, values: list[object], kind: str, positive: object) -> None:
    target = drafted(columns(y=values), "y")["targets"]["outcome"]
    assert target["kind"] == kind
    assert target.get("positive") == positive


@pytest.mark.parametrize("target", ["died", "followup_days", "died, followup_days"])
def test_an_event_with_its_time(drafted: Drafted, target: str) -> None:
    study = drafted(columns(died=[0, 1] * 50, followup_days=(RNG.random(100) * 900).tolist()), target)
    wanted = {"kind": "survive", "event": "died", "time": "followup_days", "unit": "days"}
    assert study["targets"]["outcome"] == wanted


DAYS = (RNG.random(100) * 900 + 1).round(1).tolist()


def turns(*values: object) -> list[object]:
    return [values[n % len(values)] for n in range(100)]


@pytest.mark.parametrize(
    ("event", "cells", "time", "occurred", "unit"),
    [
        ("arrest", turns(0, 1), "week", None, "weeks"),
        ("cens", turns(0, 1), "time", 1, ""),
        ("status", turns(1, 2), "time", 2, ""),
        ("status", turns(0, 1, 2), "time", [1, 2], ""),
        ("OS_STATUS", turns("0:LIVING", "1:DECEASED"), "OS_MONTHS", "1:DECEASED", "months"),
        ("Vital status", turns("alive", "dead"), "Follow-up (days)", "dead", "days"),
        ("décès", turns("oui", "non"), "suivi_mois", "oui", "months"),
        ("死亡", turns("是", "否"), "随访时间_天", "是", "days"),
        ("dead", turns(True, False), "futime", None, ""),
    ],
)
def test_an_event_however_it_is_coded(
    drafted: Drafted, event: str, cells: list[object], time: str, occurred: object, unit: str
) -> None:
    study = drafted(columns(**{event: cells, time: DAYS}), event)
    target = study["targets"]["outcome"]
    assert target.pop("occurred", None) == occurred
    assert target == {"kind": "survive", "event": event, "time": time, "unit": unit}
    assert "leave_out" not in study["inputs"]["clinical"]


def test_other_end_points_are_no_inputs(tmp_path: Path) -> None:
    ends = {f"{end}_STATUS": turns("0:no event", "1:event") for end in ("OS", "DFS", "PFS")}
    times = {f"{end}_MONTHS": RNG.permutation(DAYS).tolist() for end in ("OS", "DFS", "PFS")}
    pl.DataFrame(columns(**ends, **times)).write_csv(tmp_path / "cohort.csv")
    made = draft(tmp_path / "cohort.csv", "DFS_STATUS")
    study = tomllib.loads(made.text)
    late = {"OS_STATUS", "OS_MONTHS", "PFS_STATUS", "PFS_MONTHS"}
    assert set(study["inputs"]["clinical"]["leave_out"]) == late
    assert {column.column for column in made.unused} == late
    assert all("known only afterwards" in column.why for column in made.unused)


def test_a_class_at_a_fixed_moment_leaves_the_follow_up_out(drafted: Drafted) -> None:
    study = drafted(columns(death_30d=turns(0, 1), death=turns(1, 0, 0), followup_days=DAYS), "death_30d")
    assert study["targets"]["outcome"]["kind"] == "classify"
    assert set(study["inputs"]["clinical"]["leave_out"]) == {"death", "followup_days"}


def test_intervals_of_follow_up_are_asked_about(tmp_path: Path) -> None:
    begins = [day * n for day, n in zip(DAYS, turns(0, 1), strict=True)]
    stops = [begin + 5 for begin in begins]
    table = columns(id=[n // 2 for n in range(100)], start=begins, stop=stops, event=turns(0, 1))
    pl.DataFrame(table).write_csv(tmp_path / "cohort.csv")
    made = draft(tmp_path / "cohort.csv", "event")
    study = tomllib.loads(made.text)
    assert study["cohort"]["patient"] == "id"
    assert study["targets"]["outcome"]["time"] == "stop"
    assert study["inputs"]["clinical"]["leave_out"] == ["start"]
    assert "intervals of follow-up" in made.questions[0]
    assert "# To decide: Rows look like intervals" in made.text


def test_codes_that_do_not_say_what_they_mean_are_asked_for(tmp_path: Path) -> None:
    pl.DataFrame(columns(status=turns(1, 2, 3), time=DAYS)).write_csv(tmp_path / "cohort.csv")
    made = draft(tmp_path / "cohort.csv", "status")
    assert tomllib.loads(made.text)["targets"]["outcome"]["kind"] == "survive"
    assert "occurred" not in tomllib.loads(made.text)["targets"]["outcome"]
    assert "occurred = [...]" in made.questions[0]


def test_times_of_zero_or_below_are_told(tmp_path: Path) -> None:
    pl.DataFrame(columns(died=turns(0, 1), time=[0.0, -1.0, *DAYS[2:]])).write_csv(tmp_path / "cohort.csv")
    [finding] = draft(tmp_path / "cohort.csv", "died").findings
    assert (finding.name, finding.rows) == ("time_not_positive", (1, 2))


@pytest.mark.parametrize(
    ("name", "values", "ordered"),
    [
        ("mrs", turns(0, 1, 2, 3, 4, 5, 6), list(range(7))),
        ("grade", turns("G3", "G1", "G2"), ["G1", "G2", "G3"]),
        ("outcome", turns("severe", "mild", "moderate"), ["mild", "moderate", "severe"]),
        ("asa", turns("IV", "III", "II", "I"), ["I", "II", "III", "IV"]),
    ],
)
def test_grades_stand_in_their_order(tmp_path: Path, name: str, values: list[object], ordered: list[object]) -> None:
    pl.DataFrame(columns(**{name: values})).write_csv(tmp_path / "cohort.csv")
    made = draft(tmp_path / "cohort.csv", name)
    target = tomllib.loads(made.text)["targets"]["outcome"]
    assert target == {"kind": "classify", "column": name, "classes": ordered}
    assert "grades" in made.questions[0]


def test_a_positive_class_that_no_word_tells_is_asked_about(tmp_path: Path) -> None:
    pl.DataFrame(columns(arm=["x"] * 60 + ["y"] * 40)).write_csv(tmp_path / "cohort.csv")
    made = draft(tmp_path / "cohort.csv", "arm")
    assert "Which of the two classes" in made.questions[0]
    assert draft(tmp_path / "cohort.csv", "arm").text.count("# To decide:") == 1


def test_patients_without_a_telling_name_are_told(tmp_path: Path) -> None:
    pl.DataFrame(columns(subj=[f"s{n // 2}" for n in range(100)], sick=turns(0, 1, 1))).write_csv(
        tmp_path / "cohort.csv"
    )
    made = draft(tmp_path / "cohort.csv", "sick")
    assert tomllib.loads(made.text)["cohort"]["patient"] == "subj"
    pl.DataFrame(columns(key=[f"s{n // 2}" for n in range(100)], sick=turns(0, 1, 1))).write_csv(
        tmp_path / "cohort.csv"
    )
    made = draft(tmp_path / "cohort.csv", "sick")
    assert tomllib.loads(made.text)["cohort"]["patient"] == "row"
    assert [finding.name for finding in made.findings] == ["unrecognised_patients"]
    assert '# warning: cohort.csv column "key"' in made.text


def test_patients_typed_in_two_ways_are_told(tmp_path: Path) -> None:
    who = [f"P{n}" for n in range(98)] + ["p0", "p1"]
    pl.DataFrame(columns(patient_id=who, sick=turns(0, 1))).write_csv(tmp_path / "cohort.csv")
    [finding] = draft(tmp_path / "cohort.csv", "sick").findings
    assert (finding.name, finding.rows) == ("alike_identifiers", (1, 2, 99, 100))


def test_numbers_that_stand_for_not_known_are_drafted_as_such(tmp_path: Path) -> None:
    table = columns(sick=["yes", "no"] * 50) | {
        "age": [999, *AGES[1:60], 999, *AGES[61:]],
        "dose [mg]": [-1, *range(99)],
    }
    pl.DataFrame(table, strict=False).write_csv(tmp_path / "cohort.csv")
    made = draft(tmp_path / "cohort.csv", "sick")
    assert tomllib.loads(made.text)["cohort"]["missing_codes"] == {"age": [999]}
    assert parse_study(made.text).cohort.missing_codes == {"age": (999,)}
    assert any("999 in age" in question for question in made.questions)


def test_names_that_share_a_stem_are_asked_about(tmp_path: Path) -> None:
    names = [f"phon_S{n // 5:02}_{n % 5}" for n in range(100)]
    pl.DataFrame(columns(name=names, sick=[0, 1] * 50)).write_csv(tmp_path / "cohort.csv")
    made = draft(tmp_path / "cohort.csv", "sick")
    [question] = [one for one in made.questions if "May several rows be of one patient?" in one]
    assert "patient_pattern = '" in question
    assert "names share a stem" in made.text
    pl.DataFrame(columns(name=[f"P{n:04}" for n in range(100)], sick=[0, 1] * 50)).write_csv(tmp_path / "cohort.csv")
    assert not draft(tmp_path / "cohort.csv", "sick").findings


def test_published_folds_are_the_split_and_asked_about(drafted: Drafted, tmp_path: Path) -> None:
    cv = {"cv_fold_1": [1, 2, 3, 4] * 25, "cv_fold_2": [1] * 50 + [2] * 50}
    study = drafted(columns(**cv, sick=[0, 1] * 50), "sick")
    assert study["split"] == {"folds": ["column:cv_fold_1", "column:cv_fold_2"], "tune": 0.15}
    questions = draft(tmp_path / "cohort.csv", "sick").questions
    assert any("Does cv_fold_1, cv_fold_2 say in which fold each row is tested?" in one for one in questions)
    study = drafted(columns(fold=[1, 2] * 50, part=["train", "test"] * 50, sick=[0, 1] * 50), "sick")
    assert study["split"] == {"column": "part"}
    assert study["inputs"]["clinical"]["leave_out"] == ["fold"]
    study = drafted(columns(fold=["train", "test"] * 50, sick=[0, 1] * 50), "sick")
    assert study["split"] == {"column": "fold"}
    assert "leave_out" not in study["inputs"]["clinical"]


@pytest.mark.parametrize("target", ["label", "label_0,label_1,label_2"])
def test_several_labels(drafted: Drafted, target: str) -> None:
    labels = {f"label_{i}": RNG.integers(0, 2, 100).tolist() for i in range(3)}
    study = drafted(columns(**labels), target)
    assert study["targets"]["outcome"] == {"kind": "multilabel", "columns": ["label_0", "label_1", "label_2"]}


def test_roles_by_name_and_content(drafted: Drafted) -> None:
    table = columns(
        patient_id=[f"p{n // 2:02}" for n in range(100)],
        hospital=["north", "south"] * 50,
        admission_date=[date(2020, 1, 1) + timedelta(days=n) for n in range(100)],
        birth=[date(1950, 1, 1) + timedelta(days=n) for n in range(100)],
        part=["train", "train", "val", "test"] * 25,
        film=[f"films/{n}.png" for n in range(100)],
        accession_nr=list(range(100)),
        notes=[f"the patient said {n}" for n in range(100)],
        same=["x"] * 100,
        empty=[None] * 100,
        sick=[0, 1] * 50,
    )
    table["ward"] = ["icu" if sick else "home" for sick in [0, 1] * 50]
    study = drafted(table, "sick")
    assert study["cohort"]["patient"] == "patient_id"
    assert study["cohort"]["site"] == "hospital"
    assert study["cohort"]["date"] == "admission_date"
    assert study["split"] == {"column": "part"}
    assert study["inputs"]["image"] == {"kind": "image", "column": "film"}
    left_out = {"birth", "accession_nr", "notes", "same", "empty", "ward"}
    assert set(study["inputs"]["clinical"]["leave_out"]) == left_out


def test_hundreds_of_numbers_are_genes(tmp_path: Path) -> None:
    frame = pl.DataFrame({f"g{i}": RNG.normal(size=40) for i in range(600)}).with_columns(y=pl.Series(["a", "b"] * 20))
    frame.write_csv(tmp_path / "genes.csv")
    study = tomllib.loads(draft(tmp_path / "genes.csv", "y").text)
    assert study["inputs"] == {"expression": {"kind": "expression", "columns": "rest"}}


def test_genes_beside_categories_are_two_inputs(tmp_path: Path) -> None:
    frame = pl.DataFrame({f"g{i}": RNG.normal(size=40) for i in range(600)})
    frame = frame.with_columns(y=pl.Series(["a", "b"] * 20), stage=pl.Series(["I", "II", "III", "IV"] * 10))
    frame.write_csv(tmp_path / "genes.csv")
    study = tomllib.loads(draft(tmp_path / "genes.csv", "y").text)
    assert study["inputs"]["clinical"] == {"kind": "tabular", "columns": ["stage"]}
    assert study["inputs"]["expression"]["columns"] == "rest"


def test_an_identifier_beside_genes_is_left_out(tmp_path: Path) -> None:
    frame = pl.DataFrame({f"g{i}": RNG.normal(size=40) for i in range(600)}).with_columns(silent=0.0)
    frame = frame.with_columns(y=pl.Series(["a", "b"] * 20), sample_id=pl.Series([f"s{n}" for n in range(40)]))
    frame.write_csv(tmp_path / "genes.csv")
    drafted = tomllib.loads(draft(tmp_path / "genes.csv", "y").text)["inputs"]["expression"]
    assert drafted == {"kind": "expression", "columns": "rest", "leave_out": ["sample_id"]}


@pytest.mark.parametrize("name", ['a "b"', "back\\slash", "年龄", "a\nb", "#x", "it's", "[x]"])
def test_odd_names_are_quoted_right(drafted: Drafted, name: str) -> None:
    study = drafted({**columns(), name: ["yes", "no"] * 50, f"id {name} id": [f"u{n}" for n in range(100)]}, name)
    assert study["targets"]["outcome"]["column"] == name
    assert study["inputs"]["clinical"]["leave_out"] == [f"id {name} id"]


def test_a_chinese_table_gets_its_encoding(tmp_path: Path) -> None:
    lines = "\n".join(f"{n},{20 + n},{'是' if n % 3 else '否'}" for n in range(60))
    (tmp_path / "表.csv").write_bytes(f"住院号,年龄,死亡\n{lines}\n".encode("gb18030"))
    study = tomllib.loads(draft(tmp_path / "表.csv", "死亡").text)
    assert study["cohort"]["encoding"] == "gb18030"
    assert study["cohort"]["patient"] == "住院号"
    assert study["targets"]["outcome"]["positive"] == "是"


def test_many_patients_are_divided_once(drafted: Drafted) -> None:
    study = drafted({"x": RNG.normal(size=1200).tolist(), "y": [0, 1] * 600}, "y")
    assert study["split"] == {"test": 0.2, "tune": 0.15}


@pytest.mark.parametrize(
    ("table", "target", "words"),
    [
        (columns(sick=[0, 1] * 50), "sikc", 'Did you mean "sick"'),
        (columns(sick=[0, 1] * 50), "sick,wel", 'no column "wel"'),
        (columns(sick=[0, 1] * 50), "sick,age,dose", "must each hold 0 and 1"),
        (columns(sick=[1] * 100), "sick", "at least two different values"),
        ({"id": list(range(100)), "sick": [0, 1] * 50}, "sick", "nothing|something must be left"),
    ],
)
def test_what_cannot_be_drafted_is_said(drafted: Drafted, table: dict[str, object], target: str, words: str) -> None:
    with pytest.raises(CohortError, match=words):
        drafted(table, target)


def test_the_path_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    pl.DataFrame(columns(y=[0, 1] * 50)).write_csv(tmp_path / "my cohort.v2.csv")
    study = tomllib.loads(draft(tmp_path / "my cohort.v2.csv", "y", "../data/my cohort.v2.csv").text)
    assert study["cohort"]["table"] == "../data/my cohort.v2.csv"
    assert study["study"]["name"] == "my-cohort"


NOTES = [f"The patient of bed {n} was given aspirin this morning and feels better." for n in range(100)]


@pytest.mark.parametrize(
    ("seen", "name", "outcome", "kind"),
    [
        ("films/{}.png", "image", "masks/{}.png", "segment"),
        ("scans/{}.nii.gz", "volume", "masks/{}.nii.gz", "segment"),
        ("scans/{}.mha", "volume", "masks/{}.nrrd", "segment"),
        ("films/{}.png", "image", "boxes/{}.xml", "detect"),
        ("films/{}.png", "image", '[{{"label": "cell", "box": [1, 2, 3, {}]}}]', "detect"),
        ("scans/{}.mha", "volume", '[{{"label": "nodule", "box": [1, 2, 3, 4, 5, {}]}}]', "detect"),
    ],
)
def test_questions_of_where_in_pictures_and_scans(
    drafted: Drafted, seen: str, name: str, outcome: str, kind: str
) -> None:
    table = {"path": [seen.format(n) for n in range(100)], "where": [outcome.format(n) for n in range(100)]}
    study = drafted(columns(**table), "where")
    assert study["inputs"][name] == {"kind": name, "column": "path"}
    assert study["targets"]["outcome"] == {"kind": kind, "on": name, "column": "where"}


def test_spans_of_a_text(drafted: Drafted) -> None:
    spans = ['[{"start": 27, "end": 34, "label": "drug"}]', "[]"] * 50
    study = drafted({"note": NOTES, "drugs": spans, "age": AGES}, "drugs")
    assert study["inputs"]["text"] == {"kind": "text", "column": "note"}
    assert study["targets"]["outcome"] == {"kind": "tag", "on": "text", "column": "drugs"}
    assert study["inputs"]["clinical"] == {"kind": "tabular", "columns": "rest"}


def test_relations_and_the_intervals_between_which_they_are(drafted: Drafted) -> None:
    spans = ['[{"start": 0, "end": 3, "label": "drug"}]'] * 100
    related = ['[{"head": [0, 3], "tail": [4, 11], "type": "treats"}]'] * 100
    study = drafted({"note": NOTES, "found": spans, "links": related}, "links")
    wanted = {"kind": "relate", "on": "text", "column": "links", "spans": "found"}
    assert study["targets"]["outcome"] == wanted


def test_texts_beside_a_class(drafted: Drafted) -> None:
    notes = ["患者" * 20 + str(n) for n in range(100)]
    study = drafted(columns(note=notes, letter=NOTES, sick=["yes", "no"] * 50), "sick")
    assert study["inputs"]["text1"] == {"kind": "text", "column": "note"}
    assert study["inputs"]["text2"] == {"kind": "text", "column": "letter"}
    assert "on" not in study["targets"]["outcome"]


def test_folders_of_slices_are_scans(drafted: Drafted, tmp_path: Path) -> None:
    for n in range(4):
        (tmp_path / "ct" / f"p{n}").mkdir(parents=True)
    study = drafted(columns(series=[f"ct/p{n % 4}" for n in range(100)], sick=["yes", "no"] * 50), "sick")
    assert study["inputs"]["volume"] == {"kind": "volume", "column": "series"}


def test_what_is_drawn_is_no_input(drafted: Drafted) -> None:
    table = {name: [f"{name}/{n}.png" for n in range(100)] for name in ("film", "vessel_mask", "fov")}
    study = drafted(columns(**table), "vessel_mask")
    assert [section["column"] for section in study["inputs"].values() if section["kind"] == "image"] == ["film"]


def test_a_mask_without_a_picture(drafted: Drafted) -> None:
    with pytest.raises(CohortError, match="must be a column of them"):
        drafted(columns(where=[f"{n}.nii.gz" for n in range(100)]), "where")


def test_whole_numbers_that_name_groups_are_categories(drafted: Drafted) -> None:
    table = columns(
        race=turns(1, 2, 3, 4),
        admission_type_id=turns(1, 2, 3, 4, 5),
        wardid=turns(*range(7)),
        pulse=turns(70, 80, 90, 75),
    )
    study = drafted({**table, "sick": turns(0, 1, 1)}, "sick")
    assert study["inputs"]["clinical"]["categorical"] == ["race", "admission_type_id", "wardid"]


@pytest.mark.parametrize(
    "name",
    [
        *("AGE_AT_DIAGNOSIS", "age at first diagnosis", "years_since_diagnosis", "weight group mean"),
        *("length_of_stay_ward", "number of comorbidities by code", "ward days", "source count", "size code"),
        *("Alter bei Diagnosis", "Anzahl Codes", "âge au diagnosis code", "nombre de codes", "edad grupo"),
        *("número de códigos code", "诊断编码数量", "分组年龄"),
    ],
)
def test_what_is_measured_or_counted_is_no_category_whatever_else_its_name_says(drafted: Drafted, name: str) -> None:
    study = drafted({name: turns(*range(3, 15)), "pulse": AGES, "sick": turns(0, 1, 1)}, "sick")
    assert "categorical" not in study["inputs"]["clinical"]


@pytest.mark.parametrize(
    ("name", "many", "is_group"),
    [
        *(("diagnosis", 20, True), ("diagnosis", 21, False), ("ward number", 12, True), ("region", 40, False)),
        *(("diagnosis code", 40, True), ("ICD10", 40, True), ("home ZIP", 40, True), ("诊断编码", 40, True)),
    ],
)
def test_many_whole_numbers_name_groups_only_where_the_name_ends_as_a_code(
    drafted: Drafted, name: str, many: int, is_group: bool
) -> None:
    numbers = [n % many + 3 for n in RNG.permutation(100).tolist()]
    study = drafted({name: numbers, "pulse": AGES, "sick": turns(0, 1, 1)}, "sick")
    assert study["inputs"]["clinical"].get("categorical", []) == ([name] if is_group else [])


def test_numbers_drafted_as_groups_are_asked_about(tmp_path: Path) -> None:
    pl.DataFrame(columns(race=turns(1, 2, 3, 4), sick=turns(0, 1, 1))).write_csv(tmp_path / "cohort.csv")
    [question] = draft(tmp_path / "cohort.csv", "sick").questions
    assert "whole numbers of race name groups" in question


@pytest.mark.parametrize("name", ["id", "ID", "编号", "patient_id", "MRN", "subject"])
@pytest.mark.parametrize("empty", ["", "NA", None])
@pytest.mark.parametrize("first", ["P", ""])
def test_one_empty_name_of_a_patient_leaves_the_column_the_patient(
    tmp_path: Path, name: str, empty: str | None, first: str
) -> None:
    who = [f"{first}{n + 1}" for n in range(99)]
    pl.DataFrame(columns(**{name: [*who, empty]}, sick=turns(0, 1))).write_csv(tmp_path / "cohort.csv")
    text = draft(tmp_path / "cohort.csv", "sick").text
    study = tomllib.loads(text)
    assert study["cohort"]["patient"] == name
    assert "leave_out" not in study["inputs"]["clinical"]
    assert "No column looks like" not in text


@pytest.mark.parametrize("name", ["rownames", "seqno", "index"])
def test_an_index_with_gaps_is_no_input(drafted: Drafted, name: str) -> None:
    study = drafted(columns(**{name: [3 * n + 7 for n in range(100)]}, sick=turns(0, 1, 1)), "sick")
    assert study["inputs"]["clinical"]["leave_out"] == [name]


def test_the_only_date_that_is_not_of_a_later_event_is_the_moment(drafted: Drafted) -> None:
    days = [date(2020, 1, 1) + timedelta(days=n) for n in range(100)]
    study = drafted(columns(intime=days, outtime=days, birthdate=days, sick=turns(0, 1, 1)), "sick")
    assert study["cohort"]["date"] == "intime"


def test_classes_that_are_numbers_may_be_grades(tmp_path: Path) -> None:
    pl.DataFrame(columns(y=turns(1, 2, 3, 4, 5))).write_csv(tmp_path / "cohort.csv")
    assert "ordered grades, or names" in draft(tmp_path / "cohort.csv", "y").questions[0]


def test_names_keep_their_text_in_a_draft_as_in_a_run(tmp_path: Path) -> None:
    ids = [f"1234567890123456{n // 2:02d}.0" for n in range(100)]
    sick = ["2.1", "2.10"] * 50
    pl.DataFrame({"patient_id": ids, "age": AGES, "sick": sick}).write_csv(tmp_path / "t.csv")
    text = draft(tmp_path / "t.csv", "sick").text
    study = tomllib.loads(text)
    assert study["cohort"]["patient"] == "patient_id"
    assert "50 patients" in text
    assert study["targets"]["outcome"]["kind"] == "classify"


def test_a_draft_tells_how_odd_cells_were_read(tmp_path: Path) -> None:
    crp = [f"{value:.1f} mg/L".replace(".", ",") for value in RNG.lognormal(1, 1, 100)]
    pl.DataFrame({"crp": crp, "age": AGES, "sick": [0, 1] * 50}).write_csv(tmp_path / "t.csv")
    drafted = draft(tmp_path / "t.csv", "sick")
    assert "read_as_numbers" in {finding.name for finding in drafted.findings}
    assert "crp" not in {one.column for one in drafted.unused}


def test_a_time_that_may_be_the_follow_up_is_asked_about(tmp_path: Path) -> None:
    pl.DataFrame(columns(rinfct=turns(0, 1), time=DAYS)).write_csv(tmp_path / "cohort.csv")
    made = draft(tmp_path / "cohort.csv", "rinfct")
    assert tomllib.loads(made.text)["targets"]["outcome"]["kind"] == "classify"
    assert "Is time how long a patient was followed" in made.questions[0]


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        (lambda n: f"1,{100 + n}", "write decimal"),
        (lambda n: f"{n}.6 mg/dL" if n % 2 else f"{n}.8 mg/L", "several units"),
        (lambda n: f"{1 + n % 12:02}/{1 + n % 11:02}/{1900 + n}", "write date_format"),
        (lambda n: f"{100 + n}/80", "two columns"),
        (lambda n: f"word {n}", "free text"),
    ],
)
def test_a_column_left_out_says_the_real_reason(tmp_path: Path, cell: Callable[[int], str], why: str) -> None:
    table = columns(crp=[cell(n) for n in range(100)], sick=["yes", "no"] * 50)
    pl.DataFrame(table).write_csv(tmp_path / "cohort.csv")
    made = draft(tmp_path / "cohort.csv", "sick")
    assert [(one.column, why in one.why) for one in made.unused] == [("crp", True)]


def test_one_column_of_numbers_is_no_columns(tmp_path: Path) -> None:
    pl.DataFrame({"age": AGES, "sick": ["yes", "no"] * 50}).write_csv(tmp_path / "cohort.csv")
    assert "# 1 column of numbers, 0 of categories" in draft(tmp_path / "cohort.csv", "sick").text


def test_classes_that_differ_in_how_they_are_typed_are_told(tmp_path: Path) -> None:
    pl.DataFrame(columns(sick=["ja", "Ja", "nein", "nein"] * 25)).write_csv(tmp_path / "cohort.csv")
    assert [f.name for f in draft(tmp_path / "cohort.csv", "sick").findings] == ["alike_classes"]
    pl.DataFrame(columns(sick=["ja", "ja", "nein", "nein"] * 25)).write_csv(tmp_path / "cohort.csv")
    assert draft(tmp_path / "cohort.csv", "sick").findings == ()
