import json
from pathlib import Path

import pytest

from polyclinic.errors import Severity, StudyError
from polyclinic.study.catalogue import unknown
from polyclinic.study.read import parse_study, read_study
from polyclinic.study.rules import idle_requests
from polyclinic.study.write import json_schema, write_study

GOOD = """
[cohort]
table = "cohort.csv"
patient = "patient_id"

[inputs.labs]
kind = "tabular"
columns = ["age", "glucose"]

[targets.sick]
kind = "classify"
column = "diagnosis"
"""


def refused(text: str) -> str:
    with pytest.raises(StudyError) as caught:
        parse_study(text)
    return str(caught.value)


def test_defaults_are_filled_in():
    study = parse_study(GOOD)
    assert study.split.test == 0.2
    assert study.model.size == "small"
    assert study.inputs["labs"].kind == "tabular"
    assert study.targets["sick"].options.column == "diagnosis"


def test_a_study_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        parse_study(GOOD).split.test = 0.5


def test_the_resolved_copy_reads_back_the_same_and_shows_every_key():
    study = parse_study(GOOD)
    text = write_study(study)
    assert parse_study(text) == study
    for section in (study.split, study.training, study.model, study.evidence, study.cohort):
        for key in type(section).model_fields:
            assert key in text


def test_an_awkward_study_reads_back_the_same():
    text = (
        GOOD
        + '[accept]\nduplicate_records = "a \\"quoted\\" reason"\n[training]\nepochs = [3, 4]\nstop_after = [2, 4]\n'
    )
    study = parse_study(text)
    assert study.training.epochs == (3, 4)
    assert parse_study(write_study(study)) == study


@pytest.mark.parametrize(
    ("addition", "words"),
    [
        ("[trainig]\nepochs = 3\n", ['no section "trainig"', 'Did you mean "training"?']),
        ("[training]\nepoch = 3\n", ["[training]", 'no key "epoch"', 'Did you mean "epochs"?']),
        ("[training]\nepochs = 0\n", ["[training] epochs", "greater than or equal to 1", "got 0"]),
        ('[training]\nimbalance = "overssample"\n', ["[training] imbalance", 'Did you mean "oversample"?']),
        ('[split]\ntest = "0.2"\n', ["[split] test", "valid number", 'got "0.2"']),
        ("[split]\ntest = 1.5\n", ["[split] test", "less than 1", "got 1.5"]),
        ("[split]\nrepeat = 3\n", ["repeat needs folds", "folds = 5"]),
        ('[split]\nfolds = 5\ncolumn = "part"\n', ["exclude each other"]),
        ("[split]\nfolds = 1\n", ["[split] folds", "greater than or equal to 2"]),
        ('[split]\nfolds = "fold"\n', ["[split] folds", "column:", '"column:fold" names the']),
        ("[split]\nfolds = []\n", ["[split] folds", "at least 1"]),
        ('[split]\nfolds = "column:fold"\nrepeat = 3\n', ["the folds are given by the table", "column for each"]),
        ('[split]\nby = "time"\n', ["moment of prediction", "[cohort]"]),
        ('[split]\nby = "site"\n', ["needs the site"]),
        ('[accept]\nduplicate_records = ""\n', ["[accept]", "reason"]),
        ('[model]\nsize = "huge"\n', ["[model] size", "tiny"]),
        ("[training]\nstop_after = [3]\n", ["stop_after needs epochs"]),
    ],
)
def test_each_mistake_is_named_with_place_and_remedy(addition, words):
    message = refused(GOOD + addition)
    for word in words:
        assert word in message


def test_a_misspelt_kind_is_answered_with_the_nearest():
    message = refused(GOOD.replace('"tabular"', '"tabluar"'))
    assert 'no input kind "tabluar"' in message
    assert 'Did you mean "tabular"?' in message


def test_a_misspelt_target_kind_too():
    assert 'Did you mean "classify"?' in refused(GOOD.replace('"classify"', '"clasify"'))


def test_an_unknown_key_of_a_kind():
    message = refused(GOOD.replace("columns =", "colums ="))
    assert "[inputs.labs]" in message
    assert 'Did you mean "columns"?' in message


def test_all_mistakes_of_a_file_come_at_once():
    text = GOOD.replace('"tabular"', '"tabluar"').replace('patient = "patient_id"\n', "") + "[training]\nepoch = 1\n"
    message = refused(text)
    assert "tabluar" in message
    assert "[cohort] patient" in message
    assert 'no key "epoch"' in message


@pytest.mark.parametrize("group", ["inputs", "targets"])
def test_a_study_without_inputs_or_targets(group):
    text = "\n".join(part for part in GOOD.split("\n\n") if not part.strip().startswith(f"[{group}"))
    assert f"[{group}]" in refused(text)


def test_two_origins_of_the_cohort():
    assert "exactly one origin" in refused(
        GOOD.replace('table = "cohort.csv"', 'table = "a.csv"\nsource = "builtin:x"')
    )


def test_what_is_not_toml():
    assert "must be TOML" in refused("[cohort\n")


def test_a_missing_file_and_one_that_is_not_text(tmp_path: Path):
    with pytest.raises(StudyError, match="no such file"):
        read_study(tmp_path / "absent.toml")
    odd = tmp_path / "odd.toml"
    odd.write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(StudyError, match="UTF-8"):
        read_study(odd)


def test_odd_names_are_refused_and_torch_names_are_not():
    assert "a name is" in refused(GOOD.replace("[inputs.labs]", '[inputs."9 labs"]'))
    assert "values" in parse_study(GOOD.replace("[inputs.labs]", "[inputs.values]")).inputs


def test_the_schema_for_editors_knows_every_kind_and_is_json():
    schema = json.loads(json.dumps(json_schema()))
    kinds = {one["title"] for one in schema["properties"]["inputs"]["additionalProperties"]["oneOf"]}
    assert "tabular" in kinds
    assert "description" in schema["$defs"]["TrainingSection"]["properties"]["epochs"]


def test_thousands_of_columns_are_not_all_listed():
    genes = (*(f"GENE{number}" for number in range(5000)), "TP53")
    finding = unknown("[inputs.genes]", "column in cohort.csv", "TP5", genes)
    assert 'Did you mean "TP53"?' in finding.remedy
    assert finding.remedy.endswith("and 4961 more.")
    assert len(finding.remedy) < 600


def test_a_file_that_nothing_would_write_is_warned_of():
    [finding] = idle_requests(parse_study(GOOD + '[delivery]\nformats = ["onnx"]\n'))
    assert finding.severity is Severity.WARNING
    assert "asked for onnx" in str(finding)
    assert idle_requests(parse_study(GOOD)) == []


def test_a_margin_is_a_loss_and_needs_something_to_be_held_against():
    asked = GOOD + "[evidence]\nmargin = 0.01\n"
    assert parse_study(asked).evidence.margin == 0.01
    assert idle_requests(parse_study(asked)) == []
    for lacking, words in (("resamples = 0", "resamples is 0"), ("baselines = false", "baselines is false")):
        [finding] = idle_requests(parse_study(f"{asked}{lacking}\n"))
        assert (finding.name, finding.found, finding.severity) == ("idle_margin", words, Severity.WARNING)
    for wrong in ("0", "-0.01", "inf", '"small"'):
        with pytest.raises(StudyError, match="margin"):
            parse_study(f"{GOOD}[evidence]\nmargin = {wrong}\n")


def test_how_columns_are_written_survives_the_resolved_copy():
    said = '[cohort.columns."CRP (mg/L)"]\ntype = "number"\nunit = "mg/L"\n'
    study = parse_study(GOOD.replace("[inputs.labs]", f"missing_codes = {{age = [999, -9]}}\n{said}\n[inputs.labs]"))
    again = parse_study(write_study(study))
    assert again == study
    assert again.cohort.columns["CRP (mg/L)"].unit == "mg/L"
    assert again.cohort.missing_codes == {"age": (999, -9)}
    assert "# columns is not set" in write_study(parse_study(GOOD))


def test_a_pattern_for_patients_needs_a_column_of_names():
    named = GOOD.replace('patient = "patient_id"', "patient = \"patient_id\"\npatient_pattern = '^(S[0-9]+)_'")
    assert parse_study(named).cohort.patient_pattern == "^(S[0-9]+)_"
    message = refused(named.replace('"patient_id"', '"row"'))
    assert "patient_pattern needs a column of names" in message
    assert 'patient = "<column>"' in message
