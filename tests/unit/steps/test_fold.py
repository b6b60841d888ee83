"""One fold: what is learned from whose rows, and whose answers come out."""

from dataclasses import replace

import numpy as np
import pytest

from polyclinic.cohort.rows import TestRows, TrainRows
from polyclinic.evidence.shift import learn_shift, shift_score
from polyclinic.steps import fold as fold_module
from polyclinic.steps import network
from polyclinic.steps.fold import run_fold
from polyclinic.study.schema import Size
from polyclinic.training.outputs import evaluate
from polyclinic.training.progress import QUIET
from polyclinic.training.ready import Ready
from polyclinic.training.search import ChosenSettings, Trial


@pytest.fixture(scope="module")
def ran(divided, tmp_path_factory):
    """The first fold, run once for all tests that look at what came out."""
    return run_fold(divided.assembled, divided.fold(), divided.plan(tmp_path_factory.mktemp("fold")), QUIET)


def test_each_member_prepares_records_by_its_own_training_rows(divided, ran):
    _, members = ran
    for member, rows in zip(members, divided.fold().members, strict=True):
        own = divided.assembled.inputs["labs"].fit(rows.train).kind.plan
        assert member.inputs["labs"].plan == own
    assert members[0].inputs["labs"].plan != members[1].inputs["labs"].plan


def test_questions_learn_from_the_first_members_training_rows(divided, ran):
    _, members = ran
    question = divided.assembled.questions["level"]
    first = question.fit(divided.fold().members[0].train).head.plan
    everybody = question.fit(TrainRows(np.arange(len(divided.assembled.cohort)))).head.plan
    found = members[0].heads["level"].plan
    constants = {name for name in dict(first) if dict(first)[name] != dict(everybody)[name]}
    assert constants
    for name in constants:
        assert dict(found)[name] == dict(first)[name]


def test_members_start_from_seeds_of_their_own(divided, monkeypatch, tmp_path):
    seeds = []
    built = network.build

    def build(inputs, heads, section, seed):
        seeds.append(seed)
        return built(inputs, heads, section, seed)

    monkeypatch.setattr(network, "build", build)
    short = divided.plan(tmp_path, epochs=1)
    for fold in divided.split.folds:
        run_fold(divided.assembled, fold, short, QUIET)
    assert len(set(seeds)) == len(seeds) == 4


def test_each_member_measures_the_shift_from_its_own_training_rows(divided, ran):
    answers, members = ran
    fold, assembled = divided.fold(), divided.assembled
    questions = {name: question.fit(fold.members[0].train) for name, question in assembled.questions.items()}
    distances = []
    for member, rows in zip(members, fold.members, strict=True):
        inputs = {name: one.fit(rows.train) for name, one in assembled.inputs.items()}
        ready = Ready.of(inputs, questions)
        seen = [evaluate(member.fitted.model, ready, part).summary for part in (rows.train, rows.tune, fold.test)]
        assert member.shift == learn_shift(seen[0], seen[1])
        distances.append(shift_score(member.shift, seen[2]))
    np.testing.assert_allclose(answers.part("test").shift, np.mean(distances, axis=0))


def test_every_answer_is_about_the_row_that_it_names(divided, ran):
    """Row, patient, site, subgroup and truth stand in one line of the user's table."""
    answers, _ = ran
    table, samples = divided.table, answers.samples
    lines = samples.row - 1
    assert samples.patient.tolist() == table["patient_id"].gather(lines).to_list()
    assert samples.site.tolist() == table["hospital"].gather(lines).to_list()
    assert samples.strata["sex"].tolist() == table["sex"].gather(lines).to_list()
    sick = (table["sick"] == "yes").gather(lines).to_numpy()
    np.testing.assert_array_equal(answers.answers["sick"].truth, sick)
    np.testing.assert_allclose(answers.answers["level"].truth, table["level"].gather(lines).to_numpy())
    parts = {part: set(samples.row[samples.part == part]) for part in ("tune", "test")}
    rows = divided.assembled.cohort.row
    assert parts["test"] == set(rows[divided.fold().test.index])
    assert parts["tune"] == {row for inner in divided.fold().members for row in rows[inner.tune.index]}
    assert 1 not in rows, "the first row is left out, so that positions and rows of the table differ"


def test_answers_are_those_of_the_network_about_these_rows(divided, ran):
    """Asked anew, in another order, the calibrated members say on average what the fold says."""
    answers, members = ran
    fold, assembled = divided.fold(), divided.assembled
    turned = TestRows(fold.test.index[::-1].copy())
    chances = []
    for member, rows in zip(members, fold.members, strict=True):
        inputs = {name: one.fit(rows.train) for name, one in assembled.inputs.items()}
        questions = {name: replace(q, head=member.heads[name]) for name, q in assembled.questions.items()}
        outputs = evaluate(member.fitted.model, Ready.of(inputs, questions), turned)
        answer = questions["sick"].take(turned.index).decode(outputs.by_target["sick"])
        chances.append(answer.probabilities[::-1])
    given = answers.part("test").answers["sick"].probabilities
    np.testing.assert_allclose(given, np.mean(chances, axis=0), rtol=1e-5)


def test_settings_are_searched_on_the_first_members_tune_rows(divided, monkeypatch, tmp_path):
    requests = []

    def search(request, progress):
        requests.append(request)
        return ChosenSettings(request.model, request.training.model_copy(update={"search": 0, "l2": 0.03}), ())

    monkeypatch.setattr(fold_module, "search", search)
    _, members = run_fold(divided.assembled, divided.fold(), divided.plan(tmp_path, search=3, epochs=1), QUIET)
    [request] = requests
    assert request.rows == divided.fold().members[0]
    assert request.training.search == 3
    assert {member.fitted.recipe.l2 for member in members} == {0.03}


def test_the_cap_of_a_fold_covers_its_trials(divided, monkeypatch, tmp_path):
    shares = []

    def search(request, progress):
        shares.append(request.cap_s)
        return ChosenSettings(request.model, request.training.model_copy(update={"search": 0}), ())

    monkeypatch.setattr(fold_module, "search", search)
    plan = replace(divided.plan(tmp_path, search=2, epochs=1), cap_s=40.0)
    run_fold(divided.assembled, divided.fold(), plan, QUIET)
    assert shares == [20.0], "two fits of 40 s are shared by two trials and two fits"


def test_what_trials_leave_of_their_time_goes_to_the_fits(divided, monkeypatch, tmp_path):
    caps, fit = [], network.fit

    def search(request, progress):
        trial = Trial(learning_rate=1e-3, l2=0.01, dropout=None, size=Size.TINY, tune_loss=1.0, spent_s=5.0)
        training = request.training.model_copy(update={"search": 0})
        return ChosenSettings(request.model, training, (trial, trial))

    def look(*arguments, cap_s, **keys):
        caps.append(cap_s)
        return replace(fit(*arguments, cap_s=cap_s, **keys), spent_s=15.0)

    monkeypatch.setattr(fold_module, "search", search)
    monkeypatch.setattr(network, "fit", look)
    plan = replace(divided.plan(tmp_path, search=2, epochs=1), cap_s=400.0)
    _, members = run_fold(divided.assembled, divided.fold(), plan, QUIET)
    assert caps == [395.0, 775.0], "800 s less 10 for two fits; then all that the first one left"
    assert [member.spent_s for member in members] == [25.0, 15.0]
