"""What a run would cost, and whether its cap in minutes leaves the time."""

import pytest

import polyclinic
from polyclinic.errors import Severity
from polyclinic.steps import preflight as preflight_module
from polyclinic.training.epochs.time_estimate import Pace


@pytest.fixture
def checked(tmp_path, monkeypatch):
    """A study of two folds with two members each, where an epoch takes ten seconds."""
    monkeypatch.setenv("POLYCLINIC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(preflight_module, "rehearse", lambda task, group: Pace(1.0, 9, 1.0))

    def check(baselines=False, **training):
        settings = {
            "split": {"folds": 2},
            "model": {"size": "tiny", "ensemble": 2},
            "training": {"epochs": 12, **training},
            "evidence": {"baselines": baselines},
        }
        made = polyclinic.example_cohort(
            tmp_path, {"labs": "tabular"}, {"sick": "classify"}, patients=60, settings=settings
        )
        return polyclinic.check(made.study)

    return check


def test_minutes_are_those_of_all_fits_and_trials(checked):
    assert checked().minutes == pytest.approx(10 * 12 * 4 / 60)
    assert checked(search=3).minutes == pytest.approx(10 * 12 * (4 + 2 * 3) / 60), "trials are made once per fold"


def test_plain_models_are_in_the_estimate_and_take_a_fifth_of_a_cap_at_most(checked, monkeypatch):
    monkeypatch.setattr(preflight_module, "plain_estimate", lambda assembled, rows, seconds: seconds or 40.0)
    assert checked(baselines=True).minutes == pytest.approx((10 * 12 * 4 + 40 * 4) / 60)
    found = checked(baselines=True, minutes=5).findings[0].found
    assert "of 12 planned epochs it has time for 5;" in found, "four fifths of 300 s are shared by four fits"


def test_a_cap_that_shortens_the_training_is_said_first(checked):
    found = checked(minutes=4)
    assert found.minutes == 4
    assert found.findings[0].name == "cap_shortens"
    assert found.findings[0].severity is Severity.WARNING
    assert "of 12 planned epochs it has time for 5;" in found.findings[0].found
    assert not found.stopping


def test_a_cap_that_is_long_enough_is_not_spoken_of(checked):
    assert "cap_shortens" not in {finding.name for finding in checked(minutes=9).findings}


def test_a_cap_without_room_for_one_epoch_is_refused(checked):
    found = checked(minutes=0.5)
    assert found.stopping
    assert "cap_too_short" in {finding.name for finding in found.findings}
