import numpy as np
import pytest

from polyclinic.answers.classes import ClassAnswer
from polyclinic.answers.labels import LabelsAnswer
from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.answers.value import ValueAnswer
from polyclinic.baselines import boosting, effort
from polyclinic.baselines.boosting import Codes
from polyclinic.baselines.design import Design, merge
from polyclinic.baselines.linear import fit_linear
from polyclinic.baselines.offered import plain_models
from polyclinic.baselines.plain import Allowance, answer_baselines
from polyclinic.baselines.questions.classify import PlainClassify
from polyclinic.baselines.questions.survive import PlainSurvive, intervals_for
from polyclinic.cohort.rows import Inner, TrainRows, TuneRows
from polyclinic.cohort.table import load
from polyclinic.heads.base import Head
from polyclinic.records.base import Features
from polyclinic.steps.assemble import assemble, divide_cohort
from polyclinic.steps.example_cohort import example_cohort
from polyclinic.steps.kinds import kinds_of
from polyclinic.study import catalogue
from polyclinic.study.read import read_study

FORMS = {
    "classify": (ClassAnswer, "logistic regression"),
    "multilabel": (LabelsAnswer, "logistic regression"),
    "regress": (ValueAnswer, "ridge regression"),
    "survive": (SurvivalAnswer, "Cox regression"),
}


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    def make(targets, **settings):
        folder = tmp_path_factory.mktemp("study")
        made = example_cohort(folder, {"labs": "tabular"}, targets, patients=240, settings=settings)
        study = read_study(made.study)
        kinds = kinds_of(study)
        cohort = load(study.cohort, folder, uses=kinds.column_uses(study.split))
        assembled = assemble(study, kinds, cohort, None)
        split, assembled = divide_cohort(assembled)
        return assembled, split.folds[0], made.signal

    return make


def score(answer) -> np.ndarray:
    if isinstance(answer, ClassAnswer):
        return answer.probabilities[:, 1]
    if isinstance(answer, LabelsAnswer):
        return answer.probabilities[:, 0]
    return answer.value if isinstance(answer, ValueAnswer) else answer.risk


class TestAnswerPlainly:
    @pytest.mark.parametrize("kind", FORMS)
    def test_both_plain_models_find_the_signal(self, studied, kind):
        assembled, fold, signal = studied({"outcome": kind})
        form, name = FORMS[kind]
        linear, boosted = answer_baselines(assembled, fold, Allowance(1)).predictions
        assert (linear.model, boosted.model) == (name, "gradient boosting")
        for predictions in (linear, boosted):
            answer = predictions.part("test").answers["outcome"]
            assert isinstance(answer, form)
            assert abs(np.corrcoef(score(answer), signal[fold.test.index])[0, 1]) > 0.5

    def test_rows_are_those_of_our_model(self, studied):
        assembled, fold, _ = studied({"outcome": "classify"}, model={"ensemble": 2})
        for predictions in answer_baselines(assembled, fold, Allowance(1)).predictions:
            tuned = np.concatenate([member.tune.index for member in fold.members])
            assert np.array_equal(predictions.part("test").samples.row, assembled.cohort.row[fold.test.index])
            assert set(predictions.part("tune").samples.row) == set(assembled.cohort.row[tuned])
            assert np.isnan(predictions.shift).all()

    def test_it_repeats_itself(self, studied):
        assembled, fold, _ = studied({"outcome": "survive"})
        first, second = (answer_baselines(assembled, fold, Allowance(1)).predictions for _ in range(2))
        for one, other in zip(first, second, strict=True):
            assert np.array_equal(one.answers["outcome"].survival, other.answers["outcome"].survival)

    def test_survival_is_asked_as_each_sort_can_answer(self, studied, monkeypatch):
        asked = []
        learn = PlainSurvive.grow

        def grow(self, target, head, *rest):
            asked.append((head.options.method, len(head.plan.edges) - 1))
            return learn(self, target, head, *rest)

        monkeypatch.setattr(PlainSurvive, "grow", grow)
        assembled, fold, _ = studied({"outcome": "survive"})
        answer_baselines(assembled, fold, Allowance(1))
        assert [method for method, _ in asked] == ["hazard"] * len(fold.chosen_on)
        assert asked[0][1] <= 12

    def test_on_a_wide_table_trees_see_what_goes_with_the_outcome_and_it_is_told(self, studied, monkeypatch):
        monkeypatch.setattr(effort, "_FEWEST_COLUMNS", 2)
        monkeypatch.setattr(effort, "_SECONDS", 1e-6)
        assembled, fold, signal = studied({"outcome": "regress"})
        found = answer_baselines(assembled, fold, Allowance(1))
        [note] = found.findings
        assert note.name == "boosting_bounded"
        assert "for outcome it saw 2 of" in note.found
        answer = found.predictions[1].part("test").answers["outcome"]
        assert abs(np.corrcoef(score(answer), signal[fold.test.index])[0, 1]) > 0.5

    def test_several_targets_stand_side_by_side(self, studied):
        assembled, fold, _ = studied({"sick": "classify", "death": "survive"})
        linear, boosted = answer_baselines(assembled, fold, Allowance(1)).predictions
        assert linear.model == "linear models"
        assert set(linear.answers) == set(boosted.answers) == {"sick", "death"}

    def test_a_target_without_trees_has_the_linear_model_only(self, studied, monkeypatch):
        assembled, fold, _ = studied({"outcome": "classify"})
        monkeypatch.setattr(PlainClassify, "grow", lambda *arguments: None)
        assert [p.model for p in answer_baselines(assembled, fold, Allowance(1)).predictions] == ["logistic regression"]


def straight(head, target, features, rows, outputs=1):
    """The linear model of rows that are a patient each."""
    return fit_linear(head, target, features, rows.train, np.arange(len(target.known)), outputs, seed=1)


def grow(target, head, features, rows, seed):
    return plain_models("ours", target).grow(target, head, features, rows, seed)


def head_of(kind: str, frame, keys, index) -> tuple[Head, object]:
    made = catalogue.find("heads", kind)
    head = made("outcome", made.Options(**keys))
    target = head.read_target(frame, "cohort.csv")
    return head.fit(target, TrainRows(index)), target


@pytest.fixture
def sample():
    """Rows with a signal in one feature, and one class missing from the training rows if asked."""

    def make(rows=200, features=3, kind="classify", train=140, seed=0):
        rng = np.random.default_rng(seed)
        signal = rng.standard_normal(rows)
        frame, keys = catalogue.find("heads", kind).example(rng, signal, "outcome")
        matrix = np.column_stack([signal, rng.standard_normal((rows, features - 1))])
        names = tuple(f"f{i}" for i in range(features))
        index = np.arange(rows)
        rows_ = Inner(TrainRows(index[:train]), TuneRows(index[train:]))
        head, target = head_of(kind, frame, keys, rows_.train.index)
        return head, target, Features(matrix, names, (False,) * features), rows_

    return make


class TestHardCases:
    def test_one_class_in_the_training_rows_gives_its_share(self, sample):
        head, target, features, rows = sample()
        ones = np.flatnonzero(target.truth == 1)
        lone = Inner(TrainRows(ones[: len(ones) // 2]), rows.tune)
        linear = straight(head, target, features, lone).outputs(features, rows.tune)
        trees = grow(target, head, features, lone, 0).outputs(features, rows.tune)
        assert (linear > 1).all()
        assert (trees > 1).all()

    def test_more_features_than_rows(self, sample):
        head, target, features, rows = sample(rows=60, features=3000, train=40)
        model = straight(head, target, features, rows)
        outputs = model.outputs(features, rows.train)[:, 0, 0]
        assert np.isfinite(model.weights).all()
        assert np.mean((outputs > 0) == (target.truth[rows.train.index] == 1)) > 0.9
        assert np.isfinite(grow(target, head, features, rows, 0).outputs(features, rows.tune)).all()

    def test_few_tune_rows_or_none(self, sample):
        head, target, features, rows = sample(rows=60, train=55)
        for tune in (rows.tune, TuneRows(np.array([], dtype=np.int64))):
            few = Inner(rows.train, tune)
            assert np.isfinite(straight(head, target, features, few).outputs(features, rows.tune)).all()
            assert np.isfinite(grow(target, head, features, few, 0).outputs(features, rows.tune)).all()

    def test_unknown_outcomes_are_not_learned_from(self, sample):
        head, target, features, rows = sample()
        known = target.known.copy()
        known[:60] = False
        truth = np.where(known, target.truth, -1)
        partly = type(target)(known, truth, target.classes, target.assumed)
        fewer = Inner(TrainRows(rows.train.index[60:]), rows.tune)
        for one, other in (
            (grow(partly, head, features, rows, 0), grow(target, head, features, fewer, 0)),
            (straight(head, partly, features, rows), straight(head, target, features, fewer)),
        ):
            ours, theirs = one.outputs(features, rows.tune), other.outputs(features, rows.tune)
            assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.99

    def test_three_classes_of_which_training_holds_two(self, sample):
        head, target, features, rows = sample()
        truth = target.truth.copy()
        truth[rows.tune.index[:5]] = 2
        three = type(target)(target.known, truth, ("a", "b", "c"), False)
        fitted = head.fit(three, rows.train)
        outputs = grow(three, fitted, features, rows, 0).outputs(features, rows.tune)
        assert outputs.shape == (60, 1, 3)
        assert (outputs[:, 0, 2] < outputs[:, 0, :2].max(axis=1)).all()
        assert np.isfinite(straight(fitted, three, features, rows, 3).outputs(features, rows.tune)).all()


class TestDesign:
    features = Features(
        np.array([[1.0, 0, 5], [3.0, 1, 5], [np.nan, 0, 5], [5.0, np.nan, 5], [100.0, 9, 7]] + [[3.0, 0, 5]] * 4),
        ("age", "ward", "constant"),
        (False, True, False),
    )
    train = TrainRows(np.array([0, 1, 2, 3, 5, 6, 7, 8]))

    def test_absent_numbers_take_the_median_and_are_marked(self):
        columns = Design.learn(self.features, self.train).columns(self.features, np.arange(9))
        assert columns.shape == (9, 4)
        assert columns[2, 0] == pytest.approx(columns[1, 0])
        assert columns[:, 1].tolist() == [0, 0, 1, 0, 0, 0, 0, 0, 0]
        assert columns[:, 2].tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0]

    def test_rare_and_new_levels_are_all_the_same(self):
        columns = Design.learn(self.features, self.train).columns(self.features, np.arange(9))
        assert columns[:, 3].tolist() == [1, 0, 1, 0, 0, 1, 1, 1, 1]

    def test_scales_come_from_training_rows(self):
        columns = Design.learn(self.features, self.train).columns(self.features, self.train.index)
        assert columns[:, 0].mean() == pytest.approx(0)
        assert columns[:, 0].std() == pytest.approx(1)

    def test_many_levels_are_kept_sparse_and_mean_the_same(self, monkeypatch):
        dense = Design.learn(self.features, self.train).columns(self.features, np.arange(9))
        monkeypatch.setattr("polyclinic.baselines.design._WIDE", 0)
        sparse = Design.learn(self.features, self.train).columns(self.features, np.arange(9))
        assert np.array_equal(sparse.toarray(), dense)

    def test_a_feature_that_is_never_there_is_left_out(self):
        empty = Features(np.array([[np.nan, 1.0], [np.nan, 2.0]]), ("gone", "age"), (False, False))
        columns = Design.learn(empty, TrainRows(np.arange(2))).columns(empty, np.arange(2))
        assert columns.shape == (2, 1)

    def test_inputs_stand_side_by_side(self):
        merged = merge([self.features, self.features])
        assert merged.matrix.shape == (9, 6)
        assert len(merged.names) == len(merged.categorical) == 6


def test_trees_tell_common_levels_apart_and_join_the_others(monkeypatch):
    monkeypatch.setattr(boosting, "_MOST_LEVELS", 2)
    features = Features(np.array([[7.0], [7], [3], [3], [9], [np.nan], [1]]), ("ward",), (True,))
    codes = Codes.learn(features, TrainRows(np.arange(5)))
    matrix = codes.matrix(features, np.arange(7))[:, 0]
    assert matrix[[0, 2, 4, 6]].tolist() == [1, 0, 2, 2]
    assert np.isnan(matrix[5])


def test_time_is_cut_more_coarsely_for_many_rows():
    assert intervals_for(500) == 12
    assert intervals_for(120_000) == 8
    assert intervals_for(10_000_000) == 4


@pytest.mark.slow
def test_a_hundred_thousand_rows_of_many_categories_take_less_than_a_minute():
    from time import monotonic

    rng = np.random.default_rng(0)
    rows = 100_000
    codes = rng.integers(0, 15, (rows, 10)).astype(float)
    matrix = np.column_stack([codes, rng.standard_normal((rows, 8))])
    features = Features(matrix, tuple(f"f{i}" for i in range(18)), (True,) * 10 + (False,) * 8)
    signal = (codes[:, 0] > 7) + matrix[:, 12]
    frame, keys = catalogue.find("heads", "classify").example(rng, signal - 0.5, "outcome")
    index = np.arange(rows)
    inner = Inner(TrainRows(index[:70_000]), TuneRows(index[70_000:80_000]))
    head, target = head_of("classify", frame, keys, inner.train.index)
    start = monotonic()
    straight(head, target, features, inner)
    grow(target, head, features, inner, 0)
    assert monotonic() - start < 60
