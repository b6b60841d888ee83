import sys

import pytest

from polyclinic.errors import MissingPackage
from polyclinic.study.schema import ModelSection, Size
from polyclinic.training import search as searching
from polyclinic.training.search import SettingsSearch, search


@pytest.fixture
def question(bench, tmp_path):
    training = bench.training(epochs=2, search=4)
    return SettingsSearch(bench.ready, bench.rows, ModelSection(size=Size.TINY), training, seed=3, folder=tmp_path)


def test_the_best_trial_is_chosen_and_the_study_itself_is_the_first(question):
    chosen = search(question)
    first, best = chosen.trials[0], min(chosen.trials, key=lambda trial: trial.tune_loss)
    assert len(chosen.trials) == 4
    assert (first.learning_rate, first.l2, first.dropout, first.size) == (4e-3, 1e-2, None, Size.TINY)
    assert chosen.training.learning_rate == best.learning_rate
    assert chosen.training.l2 == best.l2
    assert (chosen.model.size, chosen.model.dropout) == (best.size, best.dropout)
    assert chosen.training.search == 0


def test_trials_differ_and_stay_in_the_space(question):
    trials = search(question).trials[1:]
    assert len({trial.learning_rate for trial in trials}) == 3
    assert all(4e-4 <= trial.learning_rate <= 1e-2 for trial in trials)
    assert all(1e-4 <= trial.l2 <= 0.3 for trial in trials)
    assert all(0 <= trial.dropout <= 0.5 for trial in trials)
    assert {trial.size for trial in trials} <= {Size.TINY, Size.SMALL}


def test_a_search_that_was_killed_goes_on_to_the_same_choice(question, monkeypatch):
    tries, calls = searching._try, []

    def killing(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return tries(*arguments)

    monkeypatch.setattr(searching, "_try", killing)
    with pytest.raises(KeyboardInterrupt):
        search(question)
    assert len((question.folder / "trials.jsonl").read_text().splitlines()) == 2
    resumed = search(question)
    assert len(calls) == 5
    other = SettingsSearch(question.ready, question.rows, question.model, question.training, seed=3)
    whole = search(other)
    assert (resumed.model, resumed.training) == (whole.model, whole.training)
    timeless = [[trial.model_copy(update={"spent_s": 0}) for trial in one.trials] for one in (resumed, whole)]
    assert timeless[0] == timeless[1]
    assert resumed.spent_s > 0
    assert sorted(path.name for path in question.folder.iterdir()) == ["trials.jsonl"]


def test_settings_under_which_training_fails_are_not_chosen(question, bench):
    wild = bench.training(epochs=2, search=2, optimizer="sgd", learning_rate=1e30, ema=0.0)
    chosen = search(SettingsSearch(question.ready, question.rows, question.model, wild, seed=3))
    assert chosen.trials[0].tune_loss == float("inf")


def test_a_missing_package_names_its_extra(question, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingPackage, match=r"polyclinic\[search\]"):
        search(question)
