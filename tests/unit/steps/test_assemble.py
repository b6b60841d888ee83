"""A study put together with its cohort: rows of the user's table in every finding, strata, what may be accepted."""

import json
import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import tomli_w

from polyclinic.cohort.table import load
from polyclinic.errors import CohortError, LeakError, Severity, StudyError
from polyclinic.heads.regress import Regress
from polyclinic.steps.assemble import assemble, divide_cohort
from polyclinic.steps.example_cohort import example_cohort
from polyclinic.steps.kinds import kinds_of
from polyclinic.study.read import read_study
from polyclinic.study.schema import Study
from polyclinic.training.assembled import Assembled

SETTINGS = {"cohort": {"exclude": "patient_id = 'P00000'"}, "model": {"size": "tiny"}}


@pytest.fixture
def study(tmp_path):
    """A study whose first patient is left out, and its table to be changed."""

    def make(change=lambda table: table, **settings):
        sections = {name: {**SETTINGS.get(name, {}), **settings.get(name, {})} for name in {**SETTINGS, **settings}}
        made = example_cohort(
            tmp_path, {"note": "text"}, {"sick": "classify", "level": "regress"}, patients=60, settings=sections
        )
        change(pl.read_csv(made.table)).write_csv(made.table)
        study = read_study(made.study)
        return assembled_from(study, tmp_path)

    return make


def assembled_from(study: Study, folder: Path) -> Assembled:
    kinds = kinds_of(study)
    cohort = load(study.cohort, folder, uses=kinds.column_uses(study.split))
    return assemble(study, kinds, cohort, None)


def blank(column: str, *lines: int):
    def change(table: pl.DataFrame) -> pl.DataFrame:
        gone = pl.int_range(pl.len()).is_in(list(lines))
        return table.with_columns(pl.when(gone).then(None).otherwise(pl.col(column)).alias(column))

    return change


def test_columns_records_and_outcomes_are_bound_together(study):
    found = study()
    assert len(found.cohort) == 59
    assert found.inputs["note"].columns == ("note",)
    assert len(found.inputs["note"].records) == 59
    assert list(found.questions) == ["sick", "level"]
    assert all(len(question.target.known) == 59 for question in found.questions.values())
    assert found.cohort.row[0] == 2


def test_texts_stand_as_given_and_spans_are_counted_in_them(tmp_path):
    made = example_cohort(
        tmp_path, {"note": "text"}, {"names": "tag"}, patients=60, settings={"model": {"size": "tiny"}}
    )
    table = pl.read_csv(made.table)
    moved = [
        json.dumps([{**span, "start": span["start"] + 3, "end": span["end"] + 3} for span in json.loads(cell)])
        for cell in table["names"]
    ]
    shifted = table.with_columns(
        pl.concat_str(pl.lit(" \u3000 "), "note", pl.lit("  ")).alias("note"), names=pl.Series(moved)
    )
    for content, out in ((shifted, 0), (shifted.with_columns(table["names"]), 1)):
        content.write_csv(made.table)
        if out:
            with pytest.raises(CohortError, match="begin and end with a word"):
                assembled_from(read_study(made.study), tmp_path)
        else:
            found = assembled_from(read_study(made.study), tmp_path)
            assert list(found.inputs["note"].records.texts) == content["note"].to_list()
            assert "blank_edges" not in {finding.name for finding in found.findings}


def test_an_absent_record_is_named_by_its_row_of_the_table(study):
    with pytest.raises(CohortError) as stopped:
        study(blank("note", 4, 9))
    [finding] = [one for one in stopped.value.findings if one.name == "absent_input"]
    assert finding.rows == (5, 10)


def test_doubts_about_records_and_outcomes_are_told_with_their_rows(study):
    def damage(table: pl.DataFrame) -> pl.DataFrame:
        number = pl.int_range(pl.len())
        odd = (
            pl.when(number == 7).then(pl.lit("Ã¤Ã¶Ã¼ Ã© Ã¨ Ã¤ Ã¶ Ã¼ pain \ufffd\ufffd\ufffd")).otherwise(pl.col("note"))
        )
        return blank("level", 11)(table.with_columns(odd.alias("note")))

    findings = study(damage).findings
    told = {finding.name: finding for finding in findings}
    assert told["unknown_outcome"].rows == (12,)
    assert 8 in {row for finding in findings if "note" in finding.place for row in finding.rows}


def test_rows_without_any_outcome_take_no_part(study):
    found = study(lambda table: blank("sick", 5)(blank("level", 5)(table)))
    assert 6 not in found.cohort.row
    assert any("outcome not known" in step.label for step in found.cohort.flow)


def test_patients_are_divided_by_the_first_outcome(study):
    """A rare class is spread over the folds; by chance alone it would not be."""

    def rare(table: pl.DataFrame) -> pl.DataFrame:
        return table.with_columns(sick=pl.Series(["yes" if row % 5 == 1 else "no" for row in range(60)]))

    split, assembled = divide_cohort(study(rare, split={"folds": 4}))
    sick = (assembled.cohort.frame["sick"] == "yes").to_numpy()
    assert [int(sick[fold.test.index].sum()) for fold in split.folds] == [3, 3, 3, 3]


def test_only_what_is_refused_may_be_accepted(study):
    """An error stays an error, whatever the study accepts; a refusal becomes a note with the reason."""
    with pytest.raises(CohortError, match="every patient must have this input"):
        study(blank("note", 4), accept={"absent_input": "we do not mind"})

    def disguise(table: pl.DataFrame) -> pl.DataFrame:
        return table.with_columns(patient_id=pl.Series([f"P{row // 2:05d}" for row in range(60)]))

    parts = {"split": {"column": "part"}}

    def two_sides(table: pl.DataFrame) -> pl.DataFrame:
        part = ["test" if row % 4 == 3 else "train" for row in range(60)]
        return disguise(table).with_columns(part=pl.Series(part))

    with pytest.raises(LeakError, match="a patient must be on one side"):
        divide_cohort(study(two_sides, **parts))
    _, accepted = divide_cohort(study(two_sides, **parts, accept={"patient_on_two_sides": "twins, really"}))
    [note] = [finding for finding in accepted.findings if finding.name == "patient_on_two_sides"]
    assert note.severity is Severity.NOTE
    assert "twins, really" in note.remedy


def test_what_is_accepted_and_not_found_is_a_warning(study):
    _, assembled = divide_cohort(study(accept={"target_in_disguise": "not so"}))
    [note] = [finding for finding in assembled.findings if finding.name == "nothing_to_accept"]
    assert note.severity is Severity.WARNING


def test_copies_of_a_record_stay_on_one_side(study):
    def copied(table: pl.DataFrame) -> pl.DataFrame:
        same = pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.col("note").get(3)).otherwise(pl.col("note"))
        return table.with_columns(same.alias("note"))

    split, assembled = divide_cohort(study(copied, split={"folds": 2}))
    copies = np.flatnonzero((assembled.cohort.row - 1) % 3 == 0)
    for fold in split.folds:
        assert np.isin(copies, fold.test.index).all() or not np.isin(copies, fold.test.index).any()


SURVIVAL = """
[study]
name = "trial"
[cohort]
table = "cohort.csv"
patient = "row"
[split]
{split}
[inputs.labs]
kind = "{kind}"
columns = {columns}
[targets.death]
kind = "survive"
event = "event"
time = "days"
"""


@pytest.fixture
def trial(tmp_path):
    """A study of survival on a table of its own, assembled and divided."""

    def make(table: pl.DataFrame, split: str, kind: str = "tabular"):
        table.write_csv(tmp_path / "cohort.csv")
        columns = json.dumps([name for name in table.columns if name not in ("days", "event", "part")])
        (tmp_path / "study.toml").write_text(SURVIVAL.format(split=split, kind=kind, columns=columns))
        return divide_cohort(assembled_from(read_study(tmp_path / "study.toml"), tmp_path))

    return make


def followed(rng: np.random.Generator, patients: int) -> dict[str, np.ndarray]:
    return {"days": np.ceil(rng.exponential(900, patients)), "event": rng.integers(0, 2, patients)}


def test_rows_of_a_small_trial_that_repeat_are_refused_across_a_split_and_kept_on_one_side(trial):
    rng = np.random.default_rng(0)
    signs = {name: rng.integers(0, 2, 300) for name in ("sex", "shock", "rales", "q_wave")}
    once = pl.DataFrame({**signs, "age": rng.integers(40, 90, 300), "pressure": rng.integers(80, 200, 300)})
    once = once.with_columns(**followed(rng, 300))
    table = pl.concat([once, once.head(100)])
    parts = pl.Series(["train"] * 300 + ["test"] * 100)
    with pytest.raises(LeakError) as stopped:
        trial(table.with_columns(part=parts), 'column = "part"')
    refused = [finding for finding in stopped.value.findings if finding.name == "duplicate_records"]
    assert {row for finding in refused for row in finding.rows} == {*range(1, 101), *range(301, 401)}
    split, _ = trial(table, "folds = 4")
    for fold in split.folds:
        tested = np.isin(np.arange(400), fold.test.index)
        assert (tested[:100] == tested[300:]).all()


ACCEPTED = '[accept]\nunrecognised_patients = "numbers of beds"\n'


def test_rows_as_patients_beside_a_hospital_number_that_repeats_are_refused_unless_accepted(trial):
    rng = np.random.default_rng(0)
    numbers = rng.permutation(9000)[:60].repeat(3)
    table = pl.DataFrame({"hospital number": numbers, "lab": rng.normal(size=180)}).with_columns(**followed(rng, 180))
    with pytest.raises(CohortError) as stopped:
        trial(table, "folds = 2")
    [finding] = [finding for finding in stopped.value.findings if finding.severity is Severity.REFUSED]
    assert finding.name == "unrecognised_patients"
    assert "an input reads it" in finding.found
    _, assembled = trial(table, f"folds = 2\n{ACCEPTED}")
    [accepted] = [finding for finding in assembled.findings if finding.name == "unrecognised_patients"]
    assert accepted.severity is Severity.NOTE


def test_a_second_follow_up_among_the_inputs_is_refused_before_anything_is_divided(trial):
    rng = np.random.default_rng(0)
    table = pl.DataFrame({"lab": rng.normal(size=120)})
    table = table.with_columns(**followed(rng, 120), dfs_status=pl.Series(rng.integers(0, 2, 120)))
    table = table.with_columns(dfs_months=pl.Series(rng.exponential(30, 120)))
    with pytest.raises(CohortError) as stopped:
        trial(table, "folds = 2")
    refused = {finding.name: finding.found for finding in stopped.value.findings}
    assert "dfs_months" in refused["follow_up_as_input"]
    assert "lab" not in refused["follow_up_as_input"]


def test_tumours_without_any_change_are_patients_of_their_own(trial):
    rng = np.random.default_rng(0)
    arms = (rng.random((480, 24)) < rng.gamma(1, 0.2, 480)[:, None]) * rng.choice([-1, 1], 24)
    arms[:146] = 0
    genes = arms[:, np.sort(rng.integers(0, 24, 120))]
    table = pl.DataFrame({f"g{k}": gene for k, gene in enumerate(genes.T)}).with_columns(**followed(rng, 480))
    parts = pl.Series(["test" if row % 5 == 0 else "train" for row in range(480)])
    _, assembled = trial(table.with_columns(part=parts), 'column = "part"', "expression")
    assert "two_outcomes" not in {finding.name for finding in assembled.findings}
    split, _ = trial(table, "folds = 5", "expression")
    sizes = [len(fold.test.index) for fold in split.folds]
    assert max(sizes) - min(sizes) <= 8


def test_a_form_that_lacks_a_part_is_named_before_anything_is_trained(study, monkeypatch):
    monkeypatch.setattr(Regress, "form", "quantiles")
    with pytest.raises(StudyError) as stopped:
        study()
    assert len(stopped.value.findings) == 3
    assert '[targets.level]: the form "quantiles" of its answers' in str(stopped.value)
    for group in ("answers", "evidence_forms", "delivery_forms"):
        assert f"entry point group polyclinic.{group}" in str(stopped.value)


def test_a_metric_that_cannot_be_used_is_named_before_anything_is_trained(study, offering):
    offering("polyclinic.metrics", "near", "near:NEAR", "NEAR = 1")
    with pytest.raises(StudyError, match=r"package near-plug 0\.1\.0.*must be a Metric"):
        study()


def test_columns_that_nothing_uses_are_listed_with_the_reason(study):
    def more(table: pl.DataFrame) -> pl.DataFrame:
        return table.with_columns(country=pl.lit("DE"), born=pl.date(1950, 1, 1))

    found = study(more)
    [finding] = [one for one in found.findings if one.name == "unused_columns"]
    assert finding.severity is Severity.NOTE
    assert "country (the same in every row)" in finding.found
    assert "born (dates: give a number of days instead)" in finding.found
    assert "note (" not in finding.found
    assert "patient_id" not in finding.found


def test_parts_with_other_shares_of_the_outcome_are_told(study):
    def uneven(table: pl.DataFrame) -> pl.DataFrame:
        part = ["test" if row % 4 == 3 else "train" for row in range(60)]
        ill = ["yes" if row % 4 == 3 or row % 12 == 0 else "no" for row in range(60)]
        return table.with_columns(part=pl.Series(part), sick=pl.Series(ill))

    _, assembled = divide_cohort(study(uneven, split={"column": "part"}))
    assert "prevalence_differs" in {finding.name for finding in assembled.findings}


@pytest.mark.parametrize("kind", ["tabular", "expression"])
def test_genes_are_left_out_and_a_misspelt_name_is_refused(tmp_path, kind):
    def assembled(*leave_out: str) -> Assembled:
        made = example_cohort(tmp_path, {"rna": "expression"}, {"sick": "classify"}, patients=40)
        document = tomllib.loads(made.study.read_text(encoding="utf-8"))
        document["inputs"]["rna"] = {"kind": kind, "missing": "allow", "leave_out": ["sex", *leave_out]}
        made.study.write_text(tomli_w.dumps(document), encoding="utf-8")
        return assembled_from(read_study(made.study), tmp_path)

    every = set(assembled().inputs["rna"].columns)
    left = set(assembled("rna_gene_00*", "rna_gene_600").inputs["rna"].columns)
    assert every - left == {*(f"rna_gene_00{n}" for n in range(1, 10)), "rna_gene_600"}
    with pytest.raises(StudyError, match=r'\[inputs.rna\] leave_out: .*"rna_gen_600".*"rna_gene_600"'):
        assembled("rna_gen_600")
