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
        text = draft(tmp_path / "cohort.csv", target)
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
    study = tomllib.loads(draft(tmp_path / "genes.csv", "y"))
    assert study["inputs"] == {"expression": {"kind": "expression", "columns": "rest"}}


def test_genes_beside_categories_are_two_inputs(tmp_path: Path) -> None:
    frame = pl.DataFrame({f"g{i}": RNG.normal(size=40) for i in range(600)})
    frame = frame.with_columns(y=pl.Series(["a", "b"] * 20), stage=pl.Series(["I", "II", "III", "IV"] * 10))
    frame.write_csv(tmp_path / "genes.csv")
    study = tomllib.loads(draft(tmp_path / "genes.csv", "y"))
    assert study["inputs"]["clinical"] == {"kind": "tabular", "columns": ["stage"]}
    assert study["inputs"]["expression"]["columns"] == "rest"


def test_genes_beside_an_identifier_are_named(tmp_path: Path) -> None:
    frame = pl.DataFrame({f"g{i}": RNG.normal(size=40) for i in range(600)}).with_columns(silent=0.0)
    frame = frame.with_columns(y=pl.Series(["a", "b"] * 20), sample_id=pl.Series([f"s{n}" for n in range(40)]))
    frame.write_csv(tmp_path / "genes.csv")
    named = tomllib.loads(draft(tmp_path / "genes.csv", "y"))["inputs"]["expression"]["columns"]
    assert "silent" in named
    assert "sample_id" not in named


@pytest.mark.parametrize("name", ['a "b"', "back\\slash", "年龄", "a\nb", "#x", "it's", "[x]"])
def test_odd_names_are_quoted_right(drafted: Drafted, name: str) -> None:
    study = drafted({**columns(), name: ["yes", "no"] * 50, f"id {name} id": [f"u{n}" for n in range(100)]}, name)
    assert study["targets"]["outcome"]["column"] == name
    assert study["inputs"]["clinical"]["leave_out"] == [f"id {name} id"]


def test_a_chinese_table_gets_its_encoding(tmp_path: Path) -> None:
    lines = "\n".join(f"{n},{20 + n},{'是' if n % 3 else '否'}" for n in range(60))
    (tmp_path / "表.csv").write_bytes(f"住院号,年龄,死亡\n{lines}\n".encode("gb18030"))
    study = tomllib.loads(draft(tmp_path / "表.csv", "死亡"))
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
    study = tomllib.loads(draft(tmp_path / "my cohort.v2.csv", "y", "../data/my cohort.v2.csv"))
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


def test_relations_and_the_stretches_between_which_they_are(drafted: Drafted) -> None:
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
