import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.special import expit

from polyclinic.decoding import recalibration
from polyclinic.decoding.recalibration import Recalibration, apply, learn, rising_curve, two_sided
from polyclinic.heads.classify import ClassifyPlan


def _binary(rows, scale, offset, seed=0, members=1):
    """Logits of a model whose true log odds are scale * logit + offset."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(size=rows)
    truth = (rng.random(rows) < expit(scale * logit + offset)).astype(np.int64)
    return two_sided(np.repeat(logit[:, None], members, axis=1)), truth


def _log_loss(correction, logits, truth):
    return -np.mean(np.log(apply(correction, logits)[np.arange(len(truth)), truth]))


def test_scale_and_offset_are_found():
    logits, truth = _binary(20_000, 0.5, -2.0)
    found = learn(logits, truth, "temperature")
    assert found.scale == pytest.approx(0.5, abs=0.05)
    assert found.offset[1] == pytest.approx(-2.0, abs=0.08)


def test_the_fit_agrees_with_logistic_regression_on_many_rows():
    from sklearn.linear_model import LogisticRegression

    logits, truth = _binary(5000, 1.7, 0.8)
    found = learn(logits, truth, "temperature")
    peer = LogisticRegression(C=np.inf).fit(logits[:, 0, 1:], truth)
    assert found.scale == pytest.approx(peer.coef_[0, 0], rel=0.01)
    assert found.offset[1] == pytest.approx(peer.intercept_[0], abs=0.01)


def test_several_classes_and_members_are_corrected():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(4000, 3, 4))
    chance = apply(Recalibration(scale=2.0, offset=(0.0, 1.0, -1.0, 0.5)), logits)
    truth = np.array([rng.choice(4, p=row) for row in chance])
    found = learn(logits, truth, "auto")
    assert found.scale == pytest.approx(2.0, rel=0.1)
    np.testing.assert_allclose(found.offset, [0, 1, -1, 0.5], atol=0.15)


def test_the_gradient_is_right():
    rng = np.random.default_rng(2)
    logits, truth = rng.normal(size=(50, 3, 4)), rng.integers(0, 4, 50)
    at = np.array([0.3, 0.1, -0.4, 0.2])
    rows = recalibration._Known.of(logits, truth, rng.integers(0, 20, 50))
    _, gradient = recalibration._objective(at, rows)
    for k in range(4):
        step = np.eye(4)[k] * 1e-6
        up, down = (recalibration._objective(at + s, rows)[0] for s in (step, -step))
        assert gradient[k] == pytest.approx((up - down) / 2e-6, rel=1e-5)


@pytest.mark.parametrize("method", ["auto", "temperature", "isotonic"])
def test_one_class_or_few_rows_change_nothing_and_the_note_says_why(method):
    logits, truth = _binary(100, 1, 0)
    same = learn(logits, np.ones(100, dtype=np.int64), method)
    few = learn(logits[:19], truth[:19], method)
    nobody = learn(logits[:0], truth[:0], method)
    for correction in (same, few, nobody):
        assert (correction.scale, correction.offset, correction.curves) == (1.0, (), ())
    assert "one class" in same.note
    assert "19 patients, fewer than 20, are too few" in few.note
    assert "0 patients, fewer than 20, are too few" in nobody.note


def test_none_changes_nothing():
    assert learn(*_binary(500, 3, 1), "none").scale == 1.0


def test_a_class_with_few_rows_gets_no_offset():
    logits, truth = _binary(200, 1, -8, seed=3)
    truth[:3] = 1
    found = learn(logits, truth, "temperature")
    assert found.offset == ()
    assert "scale alone" in found.note


def test_perfectly_separated_rows_do_not_ask_for_certainty():
    logit = np.repeat([-2.0, 2.0], 60)
    found = learn(two_sided(logit[:, None]), (logit > 0).astype(np.int64), "temperature")
    assert 1 < found.scale < 3


def test_isotonic_never_says_never_and_keeps_ranks():
    logits, truth = _binary(400, 4, 0, seed=4)
    p = apply(learn(logits, truth, "isotonic"), logits)
    assert p.min() > 0
    assert p.max() < 1
    np.testing.assert_allclose(p.sum(axis=1), 1)
    order = np.argsort(logits[:, 0, 1])
    assert np.all(np.diff(p[order, 1]) > 0)


def test_isotonic_agrees_with_scikit_learn_where_blocks_meet():
    from sklearn.isotonic import IsotonicRegression

    rng = np.random.default_rng(5)
    p = rng.random(5000)
    hit = rng.random(5000) < p**2
    curve = rising_curve(p, hit)
    peer = IsotonicRegression(out_of_bounds="clip").fit(p, hit)
    grid = np.linspace(0.05, 0.95, 50)
    np.testing.assert_allclose(np.interp(grid, curve.x, curve.y), peer.predict(grid), atol=0.05)


def test_auto_takes_isotonic_only_with_many_rows_and_a_bent_curve():
    rng = np.random.default_rng(6)
    logit = rng.normal(size=4000) * 2
    truth = (rng.random(4000) < np.where(logit > 0, 0.9, 0.1)).astype(np.int64)
    assert learn(two_sided(logit[:, None]), truth, "auto").curves
    assert not learn(two_sided(logit[:900, None]), truth[:900], "auto").curves
    assert not learn(*_binary(4000, 1.0, 0.0), "auto").curves


def test_correcting_helps_on_other_rows():
    logits, truth = _binary(3000, 0.4, 1.0, seed=7)
    for method in ("temperature", "isotonic"):
        found = learn(logits[:1500], truth[:1500], method)
        assert _log_loss(found, logits[1500:], truth[1500:]) < _log_loss(Recalibration(), logits[1500:], truth[1500:])


def test_a_correction_survives_json():
    found = learn(*_binary(300, 2, 1), "isotonic")
    assert Recalibration.model_validate_json(found.model_dump_json()) == found


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.floats(-1e4, 1e4, width=32), st.integers(0, 1)), min_size=20, max_size=60),
    st.sampled_from(["auto", "temperature", "isotonic"]),
)
def test_any_logits_give_probabilities(pairs, method):
    logit, truth = np.array([z for z, _ in pairs]), np.array([y for _, y in pairs], dtype=np.int64)
    found = learn(two_sided(logit[:, None]), truth, method)
    p = apply(found, two_sided(logit[:, None]))
    assert np.isfinite(p).all()
    np.testing.assert_allclose(p.sum(axis=1), 1)


def test_a_patient_counts_once_however_many_rows_there_are():
    """Each patient ten times: the same correction as each once; and 15 patients are too few with 150 rows."""
    logits, truth = _binary(150, 3, 1, seed=6)
    once = learn(logits, truth, "temperature")
    often = learn(np.repeat(logits, 10, axis=0), np.repeat(truth, 10), "temperature", np.repeat(np.arange(150), 10))
    assert often.scale == pytest.approx(once.scale, rel=1e-4)
    assert often.offset == pytest.approx(once.offset, abs=1e-4)
    assert "from 150 patients" in often.note
    few = learn(*_binary(150, 3, 1), "auto", np.arange(150) // 10)
    assert few.scale == 1.0
    assert "15 patients" in few.note


def test_a_patient_with_many_rows_does_not_outweigh_the_others():
    """One patient of a hundred wrong rows among two hundred others moves the level hardly at all."""
    logits, truth = _binary(200, 1, 0, seed=7)
    loud = np.concatenate([logits, np.repeat(two_sided(np.array([[3.0]])), 100, axis=0)])
    wrong = np.concatenate([truth, np.zeros(100, dtype=np.int64)])
    patient = np.concatenate([np.arange(200), np.full(100, 200)])
    alone, rows = (learn(*given, "temperature") for given in ((logits, truth), (loud, wrong)))
    patients = learn(loud, wrong, "temperature", patient)
    assert abs(patients.scale - alone.scale) < 0.1 * abs(rows.scale - alone.scale)


def test_the_isotonic_curve_counts_patients_too():
    logits, truth = _binary(1200, 2, 0, seed=8)
    once = learn(logits, truth, "isotonic")
    twice = learn(np.repeat(logits, 2, axis=0), np.repeat(truth, 2), "isotonic", np.repeat(np.arange(1200), 2))
    np.testing.assert_allclose(twice.curves[1].y, once.curves[1].y, rtol=1e-9)


def test_what_resampling_moved_is_moved_back_and_noise_is_not_followed():
    """An offset of 3 logits is found; the offset of a right model stays nearer to 0 than its own error."""
    shifted, truth = _binary(400, 1, 3, seed=9)
    assert learn(shifted, truth, "temperature").offset[1] == pytest.approx(3, abs=0.6)
    errors = [learn(*_binary(120, 1, 0, seed=seed), "temperature").offset for seed in range(20)]
    found = [offset[1] if offset else 0.0 for offset in errors]
    assert np.std(found) < 0.18, "the error of a level learned from 120 patients is about 0.2"


@pytest.mark.parametrize("method", ["none", "averaged"])
def test_what_is_left_alone_says_why(method):
    found = learn(*_binary(500, 3, 1), method)
    assert found.scale == 1.0
    assert recalibration.LEFT_ALONE[method] in found.note


def test_a_model_that_is_right_is_left_alone_and_one_that_is_too_sure_is_not():
    """A correction has to earn its place: otherwise it is noise. Who asks for one by name gets it."""
    right = [learn(*_binary(300, 1, 0, seed=seed), "auto") for seed in range(20)]
    assert sum(found.scale == 1.0 for found in right) >= 17, "Akaike's criterion lets about one in seven pass"
    assert "do not ask for" in next(found.note for found in right if found.scale == 1.0)
    sure = [learn(*_binary(300, 0.3, 0, seed=seed), "auto") for seed in range(5)]
    assert all(found.scale < 0.8 for found in sure), "the true one is a third; the pull holds some of it back"
    asked = learn(*_binary(300, 1, 0, seed=1), "temperature")
    assert asked.scale != 1.0


@pytest.mark.parametrize(
    "odd",
    [
        {"scale": float("nan")},
        {"scale": -1.0},
        {"offset": (0.0, float("inf"))},
        {"curves": ({"x": (0.0, 1.0), "y": (0.9, 0.1)},)},
        {"curves": ({"x": (0.0, 0.7, 0.2, 1.0), "y": (0.1, 0.2, 0.3, 0.4)},)},
        {"curves": ({"x": (0.0, 1.0), "y": (0.0, 0.0)},)},
        {"curves": ({"x": (0.0, 0.5, 1.0), "y": (0.1, 0.2)},)},
        {"curves": ({"x": (), "y": ()},)},
    ],
)
def test_a_correction_that_nobody_learned_is_refused(odd):
    with pytest.raises(ValidationError):
        Recalibration.model_validate(odd)


def test_a_correction_is_of_as_many_classes_as_the_answer():
    assert Recalibration().fits(3)
    assert not Recalibration(offset=(0.0, 1.0, 2.0)).fits(2)
    with pytest.raises(ValidationError, match="another number of classes"):
        ClassifyPlan(classes=("no", "yes"), prior=(0.5, 0.5), correction=Recalibration(offset=(0.0,) * 5))
