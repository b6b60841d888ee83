"""What every form of answer must keep. A new form is under test the moment its files exist."""

from dataclasses import fields

import numpy as np
import pytest

from polyclinic.answers.base import Answer, average_answers, join_answers
from polyclinic.delivery.forms.base import AnswerFiles, AnswerLimits, Delivery, delivery_of
from polyclinic.evidence.forms.base import Judge, judge_of
from polyclinic.evidence.judge import judge
from polyclinic.predictions.record import Predictions, Samples
from polyclinic.predictions.table import load, save
from polyclinic.study import catalogue
from polyclinic.study.schema import EvidenceSection

FORMS = catalogue.names("answers")
N = 24


def example(form: str, flawed: bool = False) -> Answer:
    cls: type[Answer] = catalogue.find("answers", form)
    return cls.example(np.random.default_rng(5), N, flawed)


def samples() -> Samples:
    return Samples(
        row=np.arange(1, N + 1),
        patient=np.array([f"p{k}" for k in range(N)], dtype=object),
        part=np.array(["tune", "test", "test"] * (N // 3), dtype=object),
        repeat=np.zeros(N, dtype=np.int64),
        fold=np.zeros(N, dtype=np.int64),
        site=None,
        strata={},
    )


def predictions(form: str, flawed: bool = False) -> Predictions:
    return Predictions("polyclinic", samples(), {"outcome": example(form, flawed)}, np.full(N, np.nan))


def same(one: Answer, other: Answer) -> None:
    """The same numbers under the same names."""
    assert type(one) is type(other)
    for field in fields(one):
        ours, theirs = getattr(one, field.name), getattr(other, field.name)
        if isinstance(ours, np.ndarray):
            np.testing.assert_array_equal(ours, theirs, err_msg=field.name)
        else:
            assert ours == theirs, field.name


def test_a_form_has_its_three_files():
    assert FORMS == catalogue.names("evidence.forms") == catalogue.names("delivery.forms")


@pytest.mark.parametrize("form", FORMS)
def test_the_word_of_a_form_is_the_name_of_its_file(form):
    assert catalogue.find("answers", form).form == form
    assert issubclass(catalogue.find("evidence.forms", form), Judge)
    assert issubclass(catalogue.find("delivery.forms", form), Delivery)


@pytest.mark.parametrize("form", FORMS)
def test_answers_come_back_from_the_table_as_they_were(form, tmp_path):
    whole = predictions(form)
    save([whole], tmp_path / "answers.parquet")
    [read] = load(tmp_path / "answers.parquet")
    same(read.answers["outcome"], whole.answers["outcome"])


@pytest.mark.parametrize("form", FORMS)
def test_parts_joined_are_the_whole(form):
    answer = example(form)
    assert len(answer) == N
    parts = [answer.take(np.arange(10)), answer.take(np.arange(10, N))]
    assert [len(part) for part in parts] == [10, N - 10]
    same(join_answers(parts), answer)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("copies", [1, 3])
def test_equal_answers_average_to_what_each_says(form, copies):
    answer = example(form)
    mean = average_answers([answer] * copies)
    form_judge = judge_of(answer)
    np.testing.assert_array_equal(form_judge.truth(mean), form_judge.truth(answer))
    assert form_judge.check(mean, np.arange(1, N + 1), "here") == []
    first, second = (
        judged(Predictions("model", samples(), {"outcome": a}, np.full(N, np.nan))) for a in (answer, mean)
    )
    for name in first.headline:
        one, other = first.metrics[name].value, second.metrics[name].value
        assert (one is None) == (other is None)
        assert one is None or other == pytest.approx(one, rel=1e-3)


def judged(whole: Predictions):
    return judge(whole, [], EvidenceSection(resamples=20), seed=1).targets["outcome"]


@pytest.mark.parametrize("form", FORMS)
def test_examples_are_judged(form):
    found = judged(predictions(form))
    assert found.form == judge_of(example(form)).word
    assert set(found.headline) <= set(found.metrics)
    assert found.counts.rows == 2 * N // 3
    assert found.metrics[found.headline[0]].value is not None


@pytest.mark.parametrize("form", FORMS)
def test_an_impossible_answer_is_found(form):
    sound, flawed = example(form), example(form, flawed=True)
    rows = np.arange(1, N + 1)
    assert judge_of(sound).check(sound, rows, "here") == []
    findings = judge_of(flawed).check(flawed, rows, "here")
    assert findings
    assert all(finding.rows for finding in findings)


@pytest.mark.parametrize("form", FORMS)
def test_new_patients_get_columns_and_files(form, tmp_path):
    answer = example(form)
    delivery = delivery_of(answer)
    limits = AnswerLimits(answer, 0.9)
    columns = delivery.columns(answer, limits)
    assert columns
    assert {len(column) for column in columns.values()} == {N}
    assert delivery.torn(answer, limits).shape == delivery.silent(answer).shape == (N,)
    written = delivery.files(answer, 0, AnswerFiles(tmp_path, "00001-outcome", None))
    assert sorted(written) == sorted(path.name for path in tmp_path.iterdir())
