from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from polyclinic.cohort.rows import Inner, TrainRows, TuneRows
from polyclinic.errors import StudyError
from polyclinic.model import Answers, Model
from polyclinic.study.schema import ModelSection
from polyclinic.training.epochs import loop
from polyclinic.training.epochs.loop import Ending
from polyclinic.training.fit import fit


class TestRepetition:
    def test_the_same_seed_gives_the_same_bytes(self, bench):
        first, second = bench.fit(), bench.fit()
        assert bench.content(first) == bench.content(second)
        assert first.history == second.history

    def test_another_seed_gives_other_weights(self, bench):
        assert bench.content(bench.fit(seed=5)) != bench.content(bench.fit(seed=6))

    def test_what_was_drawn_before_does_not_matter(self, bench):
        first = bench.content(bench.fit())
        torch.rand(3)
        assert bench.content(bench.fit()) == first

    def test_the_fit_leaves_the_global_numbers_alone(self, bench):
        torch.manual_seed(11)
        expected = torch.rand(2)
        torch.manual_seed(11)
        bench.fit()
        assert torch.equal(torch.rand(2), expected)


class TestLearning:
    def test_the_signal_is_found(self, bench):
        fitted = bench.fit(epochs=25)
        assert fitted.tune_loss < 0.85 * fitted.history[0].tune_loss
        assert fitted.history[-1].train_loss < 0.75 * fitted.history[0].train_loss

    @pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
    def test_every_optimizer_learns(self, bench, optimizer):
        fitted = bench.fit(optimizer=optimizer, epochs=15)
        assert fitted.tune_loss < 0.9 * fitted.history[0].tune_loss

    def test_several_targets_are_learned_together(self, bench_of):
        bench = bench_of({"sick": "classify", "level": "regress"})
        fitted = bench.fit(epochs=15)
        assert fitted.tune_loss < 0.85 * fitted.history[0].tune_loss

    def test_without_the_running_average_the_last_weights_are_judged(self, bench):
        assert bench.content(bench.fit(ema=0.0)) != bench.content(bench.fit())

    @pytest.mark.parametrize("setting", ["l1", "label_smoothing", "mixup", "l2"])
    def test_every_penalty_changes_the_weights(self, bench, setting):
        assert bench.content(bench.fit(**{setting: 0.3})) != bench.content(bench.fit())

    def test_l1_makes_weights_smaller(self, bench):
        def size(fitted):
            return sum(float(p.detach().abs().sum()) for p in fitted.model.parameters() if p.ndim > 1)

        assert size(bench.fit(l1=0.1, epochs=15)) < size(bench.fit(epochs=15))

    def test_the_model_is_left_ready_to_answer(self, bench):
        assert not bench.fit().model.training


class TestStopping:
    def test_patience_ends_the_fit_and_the_best_weights_stay(self, bench):
        fitted = bench.fit(optimizer="sgd", learning_rate=0.5, epochs=60, patience=3)
        assert fitted.ended is Ending.PATIENCE
        assert fitted.done == fitted.best + 3 < 60
        assert fitted.tune_loss == min(epoch.tune_loss for epoch in fitted.history)

    def test_without_tune_rows_the_last_weights_stay(self, bench):
        rows = Inner(bench.rows.train, TuneRows(np.array([], dtype=np.int64)))
        fitted = fit(bench.model(), bench.ready, rows, bench.training(), seed=5)
        assert (fitted.best, fitted.done) == (4, 4)

    def test_a_list_gives_each_fit_its_own_epochs(self, bench):
        settings = bench.training(epochs=(2, 3))
        fitted = fit(bench.model(), bench.ready, bench.rows, settings, seed=5, number=1)
        assert fitted.planned == fitted.done == 3

    def test_a_list_that_is_too_short_is_refused(self, bench):
        with pytest.raises(StudyError, match="gives 2"):
            fit(bench.model(), bench.ready, bench.rows, bench.training(epochs=(2, 3)), seed=5, number=2)

    def test_a_loss_that_is_never_a_number_is_an_error(self, bench):
        with pytest.raises(StudyError, match="must be a number"):
            bench.fit(optimizer="sgd", learning_rate=1e30, epochs=3, ema=0.0)

    def test_a_loss_that_ceases_to_be_a_number_ends_the_fit(self, bench, monkeypatch):
        steps = loop.Stepper.step
        calls = []

        def spoiled(self, *arguments):
            calls.append(1)
            return steps(self, *arguments) * (float("nan") if len(calls) > 6 else 1.0)

        monkeypatch.setattr(loop.Stepper, "step", spoiled)
        fitted = bench.fit()
        assert fitted.ended is Ending.DIVERGED
        assert fitted.done == 2
        assert [finding.name for finding in fitted.findings] == ["diverged"]


class Normed(Model):
    """A network with batch normalisation, on which a lone row fails."""

    def __init__(self, bench) -> None:
        super().__init__(bench.ready.inputs, bench.ready.heads, ModelSection())
        self.norm = nn.BatchNorm1d(1)

    def forward(self, batch) -> Answers:
        answers = super().forward(batch)
        outputs = {name: self.norm(output.mean(1))[:, None] for name, output in answers.outputs.items()}
        return Answers(outputs, answers.fused)


class TestLoneRows:
    def test_no_step_of_one_row_is_made(self, bench):
        rows = Inner(TrainRows(bench.rows.train.index[:33]), bench.rows.tune)
        fitted = fit(Normed(bench), bench.ready, rows, bench.training(batch=32), seed=5)
        assert fitted.done == 4

    def test_a_batch_of_one_is_refused_where_it_cannot_work(self, bench):
        with pytest.raises(StudyError, match="two rows"):
            fit(Normed(bench), bench.ready, bench.rows, bench.training(batch=1), seed=5)

    def test_a_batch_of_one_works_elsewhere(self, bench):
        assert bench.fit(batch=1, epochs=1).done == 1


class TestRefusals:
    def test_mixup_is_refused_where_outcomes_cannot_be_mixed(self, bench, monkeypatch):
        monkeypatch.setattr(type(bench.ready.heads["sick"]), "mixup_safe", False)
        with pytest.raises(StudyError, match='"sick" cannot'):
            bench.fit(mixup=0.2)

    def test_too_many_processes_are_refused(self, bench):
        with pytest.raises(StudyError, match="at least two rows"):
            bench.fit(processes=9)

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is such a device")
    def test_a_device_that_is_not_there_is_refused(self, bench):
        with pytest.raises(StudyError, match='device: "cuda" needs such a device'):
            bench.fit(device="cuda")


def test_nothing_is_written_without_a_folder(bench, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bench.fit()
    assert list(tmp_path.iterdir()) == []
