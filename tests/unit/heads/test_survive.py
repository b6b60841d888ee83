import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from polyclinic.answers.base import average_answers
from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, Severity
from polyclinic.heads.survive import Survive, SurviveOptions, SurvivePlan
from polyclinic.tensors import Fused

TABLE = "cohort.csv"
METHODS = ["hazard", "cox"]


def head(**keys):
    return Survive("death", SurviveOptions(event="died", time="days", **keys))


def read(event, time, **keys):
    return head(**keys).read_target(pl.DataFrame({"died": event, "days": time}), TABLE)


def refused(event, time):
    with pytest.raises(CohortError) as caught:
        read(event, time)
    return {finding.name: finding for finding in caught.value.findings}


def cohort(rows=400, seed=0, **keys):
    """A fitted head, its target and the signal that drives it (log hazard 1.5 times the signal)."""
    rng = np.random.default_rng(seed)
    signal = rng.standard_normal(rows)
    frame, options = Survive.example(rng, signal, "death")
    kind = Survive("death", SurviveOptions(**options, **keys))
    target = kind.read_target(frame, TABLE)
    return kind.fit(target, TrainRows(np.arange(rows))), target, signal


def outputs(kind, rows, members=2, size=1.0, seed=0):
    out = 1 if kind.options.method == "cox" else len(kind.plan.risks)
    return size * np.random.default_rng(seed).standard_normal((rows, members, out))


def test_event_and_time_are_read_and_half_known_rows_are_unknown():
    target = read([True, False, None, True, True], ["1", "2.5", "3", None, "4"])
    assert target.known.tolist() == [True, True, False, False, True]
    np.testing.assert_array_equal(target.event, [1, 0, np.nan, np.nan, 1])
    np.testing.assert_array_equal(target.time, [1, 2.5, np.nan, np.nan, 4])


def test_unknown_outcomes_are_noted():
    note = read([1, 1, None], [1, 2, 3]).check("here")[0]
    assert (note.name, note.severity, note.rows) == ("unknown_outcome", Severity.NOTE, (3,))


def test_negative_and_zero_times_are_refused_with_their_rows():
    assert refused([1, 1, 0, 0], [5.0, 0.0, -1.0, 7.0])["time_not_positive"].rows == (2, 3)


def test_an_event_that_is_not_binary_is_refused():
    finding = refused([1, 2, 2, 1], [1.0, 2.0, 3.0, 4.0])["event_not_binary"]
    assert finding.rows == (2, 3)
    assert "censored" in finding.remedy


@pytest.mark.parametrize(
    ("cells", "occurred"),
    [
        ([1, 2, 2], 2),
        (["0:LIVING", "1:DECEASED", "1:DECEASED"], "1:DECEASED"),
        ([True, False, False], False),
        ([0, 1, 2], (1, 2)),
        (["alive", "dead", "died"], ("dead", "died")),
    ],
)
def test_the_study_says_which_values_mean_the_event(cells, occurred):
    assert read(cells, [1.0, 2.0, 3.0], occurred=occurred).event.tolist() == [0, 1, 1]


def test_a_value_that_no_cell_has_is_refused():
    with pytest.raises(CohortError, match=r"\[targets.death\] occurred"):
        read([1, 2, 2], [1.0, 2.0, 3.0], occurred=3)


def test_new_patients_need_not_hold_every_value():
    kind, _, _ = cohort()
    kind.options = kind.options.model_copy(update={"occurred": 2})
    frame = pl.DataFrame({"death_seen": [1, None], "death_days": [5.0, None]})
    assert kind.read_target(frame, TABLE).known.tolist() == [True, False]


def test_competing_events_and_a_name_of_censoring_are_told():
    names = {finding.name for finding in read([0, 1, 2, 2], [1, 2, 3, 4], occurred=2).check("here")}
    assert "competing_events" in names
    kind = Survive("death", SurviveOptions(event="cens", time="days"))
    target = kind.read_target(pl.DataFrame({"cens": [0, 1, 1], "days": [1, 2, 3]}), TABLE)
    told = {finding.name: finding.severity for finding in target.check("here")}
    assert told["assumed_event"] is Severity.ERROR


def test_faults_of_both_columns_come_together_and_without_content():
    found = refused(["1", "0", "Mrs Smith"], ["5 days", "-3", "7"])
    assert set(found) == {"event_not_binary", "not_a_number", "time_not_positive"}
    assert "Smith" not in "".join(map(str, found.values()))


def test_no_events_and_one_event_are_refused():
    assert "no row has the event" in str(refused([0, 0, 0], [1, 2, 3])["no_events"])
    assert refused([0, 1, 0], [1, 2, 3])["no_events"].rows == (2,)


def test_events_without_a_time_do_not_count():
    assert "no_events" in refused([1, 1, 0], [None, None, 3])


def test_all_outcomes_missing():
    assert "no_outcome" in refused([None, None], [1.0, 2.0])


def test_an_absent_column_gets_a_suggestion():
    with pytest.raises(CohortError, match='Did you mean "Died"'):
        head().read_target(pl.DataFrame({"Died": [1], "days": [1]}), TABLE)


def test_event_and_time_must_be_two_columns():
    with pytest.raises(ValidationError, match="two columns"):
        SurviveOptions(event="x", time="x")


def test_a_fold_without_events_is_refused():
    target = read([0, 0, 1, 1], [1, 2, 3, 4])
    with pytest.raises(CohortError, match="fewer folds"):
        head().fit(target, TrainRows(np.array([0, 1])))


def test_a_fitted_head_takes_tables_without_outcome():
    kind, _, _ = cohort()
    frame = pl.DataFrame({"death_seen": [None, None], "death_days": [None, None]})
    assert not kind.read_target(frame, TABLE).known.any()


def test_few_events_and_nobody_censored_are_warned_about():
    assert {f.name for f in read([1, 1, 1], [1, 2, 3]).check("here")} == {"few_events", "nobody_censored"}


def test_strata_are_event_by_quarter_of_time():
    event, time = [0] * 8 + [1] * 8 + [None], [*range(1, 9), *range(101, 109), 5]
    assert read(event, time).strata().tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, -1]


def test_intervals_come_from_training_rows_only():
    time, event = np.arange(1.0, 101.0), np.ones(100)
    target = read(event.tolist(), time.tolist())
    kind = head(cuts=10).fit(target, TrainRows(np.arange(50)))
    assert kind.plan.edges[-1] == 50
    np.testing.assert_allclose(kind.plan.share, 0.1)


def test_the_layer_starts_at_the_curve_of_the_population():
    kind, target, _ = cohort(2000)
    layer = kind.layer(8)
    torch.nn.init.zeros_(layer.coefficients.weight)
    summary = torch.randn(1, 3, 8)
    fused = Fused(summary, summary[:, 0, None], torch.ones(1, 1, dtype=torch.bool), None, {})
    answer = kind.decode(layer(fused).detach().numpy(), None)
    from lifelines import KaplanMeierFitter

    peer = KaplanMeierFitter().fit(target.time, target.event).predict(answer.times[0]).to_numpy()
    np.testing.assert_allclose(answer.survival[0], peer, atol=0.03)


def test_few_terms_keep_intervals_together():
    kind, _, _ = cohort(time_terms=1)
    layer = kind.layer(8)
    summary = torch.randn(5, 2, 8)
    fused = Fused(summary, summary[:, 0, None], torch.ones(5, 1, dtype=torch.bool), None, {})
    shift = layer(fused) - layer.population
    assert (shift - shift[..., :1]).abs().max() < 1e-5


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("members", [1, 4])
def test_training_finds_the_signal_and_the_curves(method, members):
    kind, target, signal = cohort(800, method=method)
    torch.manual_seed(0)
    layer = kind.layer(1, members)
    summary = torch.from_numpy(signal).float()[:, None, None].expand(-1, members, -1)
    fused = Fused(summary, summary[:, :1], torch.ones(800, 1, dtype=torch.bool), None, {})
    optimizer = torch.optim.Adam(layer.parameters(), 0.05)
    tensors = kind.collate(target, np.arange(800))
    for _ in range(100):
        optimizer.zero_grad()
        kind.loss(layer(fused), tensors).mean().backward()
        optimizer.step()
    out = layer(fused).detach().numpy()
    answer = kind.calibrate(out, target, "auto").decode(out, target)
    assert np.corrcoef(np.argsort(np.argsort(answer.risk)), np.argsort(np.argsort(signal)))[0, 1] > 0.99
    true = np.exp(-answer.times / 400 * np.exp(1.5 * signal)[:, None])
    assert np.abs(answer.survival - true).mean() < 0.05


@pytest.mark.parametrize("method", METHODS)
def test_unknown_rows_change_nothing(method):
    kind, target, _ = cohort(40, method=method)
    known = target.known.copy()
    known[::5] = False
    holes = type(target)(known, np.where(known, target.event, np.nan), np.where(known, target.time, np.nan))
    output = torch.from_numpy(outputs(kind, 40)).requires_grad_()
    loss = kind.loss(output, kind.collate(holes, np.arange(40)))
    loss.sum().backward()
    assert not loss[::5].any()
    assert not output.grad[::5].any()
    alone = kind.loss(output[torch.from_numpy(known)], kind.collate(target.take(np.flatnonzero(known)), np.arange(32)))
    torch.testing.assert_close(loss[torch.from_numpy(known)], alone)


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_without_known_rows_or_events_has_a_finite_loss_and_gradient(method):
    kind, target, _ = cohort(40, method=method)
    nobody = np.full(4, np.nan)
    unknown = type(target)(np.zeros(4, dtype=bool), nobody, nobody)
    censored = type(target)(np.ones(4, dtype=bool), np.zeros(4), np.arange(1.0, 5.0))
    for batch in (unknown, censored):
        output = torch.from_numpy(outputs(kind, 4)).requires_grad_()
        loss = kind.loss(output, kind.collate(batch, np.arange(4)))
        loss.mean().backward()
        assert torch.isfinite(loss).all()
        assert torch.isfinite(output.grad).all()


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, max_examples=25)
@given(size=st.sampled_from([1.0, 100.0, 1000.0]), rows=st.integers(1, 12), seed=st.integers(0, 99))
def test_losses_and_answers_are_finite_for_outputs_of_any_size(method, size, rows, seed):
    kind, target, _ = cohort(60, method=method)
    out = outputs(kind, rows, size=size, seed=seed)
    tensor = torch.from_numpy(out).float().requires_grad_()
    loss = kind.loss(tensor, kind.collate(target, np.arange(rows)))
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(tensor.grad).all()
    part = target.take(np.arange(rows))
    for fit in (kind, kind.calibrate(out, part, "auto")):
        answer = fit.decode(out, part)
        assert np.isfinite(answer.risk).all()
        assert np.all((answer.survival >= 0) & (answer.survival <= 1))
        assert np.all(np.diff(answer.survival, axis=1) <= 0)


def test_half_precision_outputs_give_single_precision_losses():
    for method in METHODS:
        kind, target, _ = cohort(20, method=method)
        out = torch.from_numpy(outputs(kind, 20)).bfloat16()
        assert kind.loss(out, kind.collate(target, np.arange(20))).dtype == torch.float32


@pytest.mark.parametrize("method", METHODS)
def test_higher_risk_means_a_lower_curve(method):
    kind, target, _ = cohort(200, method=method)
    out = np.repeat(outputs(kind, 200, members=1)[:, :, :1], 1 if method == "cox" else len(kind.plan.risks), axis=2) - 3
    answer = kind.decode(out, target)
    order = np.argsort(answer.risk)
    assert np.all(np.diff(answer.survival[order, 36]) <= 0)


@pytest.mark.parametrize("method", METHODS)
def test_calibration_reads_only_known_rows_and_its_plan_survives_json(method):
    kind, target, _ = cohort(200, method=method)
    known = target.known.copy()
    known[::4] = False
    holes = type(target)(known, np.where(known, target.event, np.nan), np.where(known, target.time, np.nan))
    out = outputs(kind, 200)
    changed = out.copy()
    changed[::4] = 1e6
    plan = kind.calibrate(out, holes, "auto").plan
    assert plan == kind.calibrate(changed, holes, "auto").plan
    assert SurvivePlan.model_validate_json(plan.model_dump_json()) == plan


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_calibration_bears_few_rows(method, rows):
    kind, target, _ = cohort(60, method=method)
    out, part = outputs(kind, 60), target.take(np.arange(rows))
    for how in ("auto", "none", "temperature", "isotonic"):
        answer = kind.calibrate(out[:rows], part, how).decode(out, target)
        assert np.isfinite(answer.survival).all()


def test_fits_with_other_intervals_are_averaged():
    first, target, _ = cohort(200)
    second = Survive("death", first.options).fit(target, TrainRows(np.arange(100)))
    answers = tuple(kind.decode(outputs(kind, 200), target) for kind in (first, second))
    both = average_answers(answers)
    assert both.times.shape == both.survival.shape
    assert np.all(np.diff(both.times, axis=1) > 0)
    assert np.all(np.diff(both.survival, axis=1) <= 0)
    np.testing.assert_allclose(both.risk, (answers[0].risk + answers[1].risk) / 2)
    np.testing.assert_array_equal(both.time, target.time)


def test_decoding_new_patients_leaves_the_truth_open():
    kind, _, _ = cohort()
    answer = kind.decode(outputs(kind, 3), None)
    assert np.isnan(answer.event).all()
    assert np.isnan(answer.time).all()
    assert len(answer) == 3


def test_the_example_carries_the_signal():
    _, target, signal = cohort(1000)
    assert 0.4 < target.event.mean() < 0.9
    seen = target.event == 1
    assert np.corrcoef(np.log(target.time[seen]), signal[seen])[0, 1] < -0.4


@pytest.mark.parametrize("method", METHODS)
def test_many_rows_are_answered_in_blocks(method, monkeypatch):
    kind, target, _ = cohort(50, method=method)
    out = outputs(kind, 50)
    whole = kind.decode(out, target)
    monkeypatch.setattr("polyclinic.heads.survive._BLOCK", 7)
    parts = kind.decode(out, target)
    np.testing.assert_allclose(parts.risk, whole.risk)
    np.testing.assert_allclose(parts.survival, whole.survival)
    assert len(kind.decode(out[:0], None)) == 0
