import numpy as np
import pytest
import torch

from polyclinic.cohort.rows import TestRows
from polyclinic.training import outputs
from polyclinic.training.outputs import evaluate


@pytest.fixture
def small_steps(monkeypatch):
    monkeypatch.setattr(outputs, "step_rows", lambda model: 8)


class TestEvaluate:
    def test_shapes_and_order(self, bench, small_steps):
        model, rows = bench.model().eval(), TestRows(np.arange(21))
        result = evaluate(model, bench.ready, rows)
        with torch.no_grad():
            expected = model(bench.ready.see(rows.index))
        assert np.array_equal(result.rows, rows.index)
        assert result.by_target["sick"].dtype == np.float32
        assert np.allclose(result.by_target["sick"], expected.outputs["sick"].numpy(), atol=1e-5)
        assert np.allclose(result.summary, expected.fused.summary.mean(dim=1).numpy(), atol=1e-5)

    def test_an_answer_does_not_depend_on_who_else_is_asked_about(self, bench, small_steps):
        model = bench.model()
        together = evaluate(model, bench.ready, TestRows(np.arange(24)))
        alone = evaluate(model, bench.ready, TestRows(np.array([0])))
        assert np.array_equal(together.by_target["sick"][:1], alone.by_target["sick"])

    def test_training_mode_is_left_as_it_was(self, bench):
        model = bench.model().train()
        first = evaluate(model, bench.ready, TestRows(np.arange(5)))
        assert model.training
        second = evaluate(model, bench.ready, TestRows(np.arange(5)))
        assert np.array_equal(first.by_target["sick"], second.by_target["sick"])
