import numpy as np
import pytest

from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import Severity
from polyclinic.training.batches.imbalance import check_imbalance, draw, weigh, weigh_judged


@pytest.fixture(scope="module")
def rare(bench_of):
    return bench_of({"sick": "classify"}, rows=300, train=240, rare=1.5)


def share(bench, index) -> float:
    truth = bench.ready.questions["sick"].target.truth[index]
    return float((truth == 1).mean())


class TestDraw:
    def test_by_default_every_row_comes_once(self, rare):
        drawn = draw(rare.ready, rare.rows.train, "none", np.random.default_rng(1))
        assert np.array_equal(drawn, rare.rows.train.index)

    def test_oversampling_balances_and_leaves_nobody_out(self, rare):
        drawn = draw(rare.ready, rare.rows.train, "oversample", np.random.default_rng(1))
        assert share(rare, rare.rows.train.index) < 0.25
        assert share(rare, drawn) == pytest.approx(0.5, abs=0.04)
        assert set(drawn) == set(rare.rows.train.index)
        assert len(drawn) > len(rare.rows.train)

    def test_undersampling_balances_and_draws_nobody_twice(self, rare):
        drawn = draw(rare.ready, rare.rows.train, "undersample", np.random.default_rng(1))
        assert share(rare, drawn) == pytest.approx(0.5, abs=0.1)
        assert len(set(drawn)) == len(drawn) < len(rare.rows.train)

    def test_another_epoch_draws_others(self, rare):
        first = draw(rare.ready, rare.rows.train, "undersample", np.random.default_rng(1))
        second = draw(rare.ready, rare.rows.train, "undersample", np.random.default_rng(2))
        assert set(first) != set(second)


class TestWeigh:
    def test_weights_balance_the_classes(self, rare):
        index = rare.rows.train.index
        weights = weigh(rare.ready, rare.rows.train, "weight").of("sick", index)
        truth = rare.ready.questions["sick"].target.truth[index]
        assert weights.mean() == pytest.approx(1.0, abs=1e-5)
        assert weights[truth == 1].sum() == pytest.approx(weights[truth == 0].sum(), rel=1e-5)

    def test_rows_are_not_weighed_twice_when_sampled(self, rare):
        assert weigh(rare.ready, rare.rows.train, "oversample").by_target == {}

    @pytest.mark.parametrize("mode", ["weight", "oversample", "undersample"])
    def test_tune_rows_are_judged_as_the_training_weighs(self, rare, mode):
        assert "sick" in weigh_judged(rare.ready, rare.rows.tune, mode).by_target
        assert weigh_judged(rare.ready, rare.rows.tune, "none").by_target == {}


@pytest.mark.parametrize("mode", ["weight", "oversample", "undersample"])
def test_every_mode_trains_and_repeats(rare, mode):
    first, second = rare.fit(imbalance=mode), rare.fit(imbalance=mode)
    assert rare.content(first) == rare.content(second)
    assert rare.content(first) != rare.content(rare.fit())
    assert first.findings == ()


def test_balance_without_classes_is_warned_about(bench_of):
    bench = bench_of({"level": "regress"})
    (finding,) = bench.fit(imbalance="weight").findings
    assert finding.severity is Severity.WARNING
    assert finding.name == "nothing_to_balance"
    assert check_imbalance(bench.ready, TrainRows(bench.rows.train.index), "none") == []
