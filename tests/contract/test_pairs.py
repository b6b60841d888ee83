"""Every input with every head, and all of them together: the joint holds whatever meets at it."""

import itertools

import polars as pl
import pytest

import polyclinic
from polyclinic.heads.base import Dense
from polyclinic.inputs.base import Located
from polyclinic.steps.example_cohort import ExampleCohort, example_cohort
from polyclinic.study import catalogue
from polyclinic.workflow import Done

INPUTS, HEADS = catalogue.names("inputs"), catalogue.names("heads")
QUICK = {"training": {"epochs": 1}, "evidence": {"resamples": 0, "baselines": False}, "model": {"size": "tiny"}}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYCLINIC_CACHE", str(tmp_path / "cache"))


def answered(done: Done) -> pl.DataFrame:
    return pl.read_parquet(done.folder / "predictions.parquet").filter(pl.col("part") == "test")


def sensible() -> list[tuple[str, str]]:
    """Every pair, but dense questions only where there are such places."""
    kinds = {word: catalogue.find("inputs", word) for word in INPUTS}
    grounds = {word: kind.ground if issubclass(kind, Located) else "" for word, kind in kinds.items()}
    asked = {question: catalogue.find("heads", question) for question in HEADS}
    needs = {question: head.grounds if issubclass(head, Dense) else None for question, head in asked.items()}
    return [(w, q) for w, q in itertools.product(INPUTS, HEADS) if needs[q] is None or grounds[w] in needs[q]]


@pytest.mark.slow
@pytest.mark.parametrize(("word", "question"), sensible())
def test_every_input_answers_every_question(tmp_path, word, question):
    made = example_cohort(tmp_path, {"seen": word}, {"asked": question}, patients=60, settings=QUICK)
    done = polyclinic.run(made.study, tmp_path / "run")
    assert answered(done).height >= 12
    target = done.evidence["targets"]["asked"]
    assert target["metrics"][target["headline"][0]]["value"] is not None
    new = polyclinic.predict(done.folder, made.table, tmp_path / "answers.parquet")
    assert new.rows == 60


def test_all_inputs_some_absent_and_several_questions(tmp_path):
    made = example_cohort(
        tmp_path,
        {f"seen_{word}": word for word in INPUTS},
        {f"asked_{question}": question for question in HEADS},
        patients=60,
        settings=QUICK,
    )
    blank_some(made)
    done = polyclinic.run(made.study, tmp_path / "run")
    assert set(answered(done)["target"]) == {f"asked_{question}" for question in HEADS}
    new = polyclinic.predict(done.folder, made.table, tmp_path / "answers.parquet")
    answers = pl.read_parquet(new.out)
    assert answers.filter(pl.col("row") == 60)["abstain"].str.contains("no input is present").all()
    assert not answers.filter(pl.col("row") <= 40)["abstain"].str.contains("no input is present").any()


def blank_some(made: ExampleCohort) -> None:
    """Take each input in turn from every third patient, and all of them from the last; the study allows it."""
    table = pl.read_csv(made.table)
    number = pl.int_range(pl.len())
    for position, word in enumerate(INPUTS):
        columns = [name for name in table.columns if name.startswith(f"seen_{word}")]
        gone = ((number % len(INPUTS) == position) & (number > 40)) | (number == 59)
        table = table.with_columns(pl.when(gone).then(None).otherwise(pl.col(name)).alias(name) for name in columns)
    table.write_csv(made.table)
    lines = made.study.read_text(encoding="utf-8").replace("kind = ", 'missing = "allow"\nkind = ')
    head, rest = lines.split("[targets.", 1)
    made.study.write_text(head + "[targets." + rest.replace('missing = "allow"\n', ""), encoding="utf-8")
    assert head.count("allow") == len(INPUTS)
