from time import monotonic, sleep

import pytest

from polyclinic.errors import StudyError
from polyclinic.training.devices.precision import PLAIN
from polyclinic.training.devices.process_group import ALONE
from polyclinic.training.epochs import loop
from polyclinic.training.epochs import timed_steps as rehearsal
from polyclinic.training.epochs.loop import Ending
from polyclinic.training.epochs.task import Task
from polyclinic.training.epochs.time_estimate import Clock, Pace, share_minutes
from polyclinic.training.recipe import write_recipe
from polyclinic.training.updates import step


@pytest.fixture
def slow_steps(bench, monkeypatch):
    """Every step takes at least 10 ms."""
    bench.fit(epochs=1, cap_s=600.0)  # the first steps of a process are slow
    quick = step.Stepper.step

    def slow(self, *arguments):
        sleep(0.01)
        return quick(self, *arguments)

    monkeypatch.setattr(step.Stepper, "step", slow)
    return monkeypatch


class TestCap:
    def test_epochs_are_planned_to_fit(self, bench, slow_steps):
        start = monotonic()
        fitted = bench.fit(epochs=500, cap_s=1.5, patience=500)
        assert monotonic() - start < 1.6
        assert 3 <= fitted.done <= fitted.planned < 40

    def test_it_repeats_exactly(self, bench, slow_steps):
        fitted = bench.fit(epochs=500, cap_s=1.0, patience=500)
        again = bench.fit(epochs=(fitted.planned,), stop_after=(fitted.done,), patience=500)
        assert bench.content(again) == bench.content(fitted)
        assert again.history == fitted.history

    def test_slower_than_rehearsed_it_still_ends_in_time_and_repeats_exactly(self, bench, slow_steps):
        slow_steps.setattr(loop, "rehearse", lambda task, group: Pace(0.001, 4, 0.001))
        start = monotonic()
        fitted = bench.fit(epochs=30, cap_s=0.6, patience=500)
        assert monotonic() - start < 0.75
        assert fitted.ended is Ending.CAP
        assert fitted.done < fitted.planned == 30
        slow_steps.undo()
        again = bench.fit(epochs=(fitted.planned,), stop_after=(fitted.done,), patience=500)
        assert bench.content(again) == bench.content(fitted)
        assert again.history == fitted.history

    def test_a_cap_without_room_for_one_epoch_is_refused(self, bench, slow_steps):
        with pytest.raises(StudyError, match="at least one epoch"):
            bench.fit(cap_s=0.02)

    def test_a_first_epoch_that_overruns_is_an_error(self, bench, slow_steps):
        slow_steps.setattr(loop, "rehearse", lambda task, group: Pace(0.001, 4, 0.001))
        with pytest.raises(StudyError, match="at least one epoch"):
            bench.fit(cap_s=0.025)

    def test_a_cap_that_does_not_bite_changes_nothing(self, bench):
        assert bench.content(bench.fit(cap_s=600.0)) == bench.content(bench.fit())

    def test_the_rehearsal_leaves_the_network_alone(self, bench):
        model = bench.model()
        before = {name: value.clone() for name, value in model.state_dict().items()}
        recipe = write_recipe(model, bench.training(), len(bench.rows.train))
        pace = rehearsal.rehearse(Task(model, bench.ready, bench.rows, recipe, PLAIN, 5, None, None), ALONE)
        assert pace.steps == 4
        assert pace.epoch_s > 0
        assert all((model.state_dict()[name] == value).all() for name, value in before.items())


class TestClock:
    def test_seconds_before_an_interruption_count(self):
        assert Clock(10.0, spent_s=8.0).left_s() == pytest.approx(2.0, abs=0.2)

    def test_without_a_cap_time_is_endless(self):
        assert Clock(None).left_s() == float("inf")

    def test_minutes_are_shared_among_the_fits_left(self):
        assert share_minutes(10.0, spent_s=300.0, fits_left=3) == 100
        assert share_minutes(1.0, spent_s=300.0, fits_left=3) == 0
        assert share_minutes(None, spent_s=300.0, fits_left=3) is None
