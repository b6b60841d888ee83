import pytest

from polyclinic.errors import Severity
from polyclinic.training.epochs import time_estimate
from polyclinic.training.epochs.time_estimate import Clock, Pace, Pacer, share_minutes, shortened


class TestClock:
    def test_seconds_before_an_interruption_count(self, monkeypatch):
        monkeypatch.setattr(time_estimate, "monotonic", lambda: 5.0)
        assert Clock(10.0, spent_s=8.0).left_s() == 2

    def test_without_a_cap_time_is_endless(self):
        assert Clock(None).left_s() == float("inf")

    def test_minutes_are_shared_among_the_fits_left(self):
        assert share_minutes(10.0, spent_s=300.0, fits_left=3) == 100
        assert share_minutes(1.0, spent_s=300.0, fits_left=3) == 0
        assert share_minutes(None, spent_s=300.0, fits_left=3) is None


class TestPace:
    pace = Pace(step_s=1.0, steps=9, judge_s=1.0)

    @pytest.mark.parametrize(("seconds", "epochs"), [(9.9, 0), (10.0, 1), (12.0, 1), (106.0, 10), (1000.0, 96)])
    def test_some_time_is_kept_back_but_one_epoch_is_done_where_it_fits(self, seconds, epochs):
        assert self.pace.epochs_in(seconds) == epochs

    def test_what_was_planned_may_use_the_margin_up(self):
        assert self.pace.epochs_in(40.0, planned=4) == 4
        assert self.pace.epochs_in(39.0, planned=4) == 3
        assert self.pace.epochs_in(90.0, planned=4) == 8

    def test_the_pace_is_that_of_the_last_epochs(self):
        pacer = Pacer(self.pace)
        assert pacer.pace == self.pace
        for seconds in (9.0, 2.0, 4.0, 6.0):
            pacer.measured(Pace(seconds, 9, seconds / 2))
        assert pacer.pace == Pace(4.0, 9, 2.0)


class TestShortened:
    def test_nothing_is_found_where_no_cap_bit(self):
        assert shortened([(30, 30), (12, 12)]) == []

    def test_one_finding_tells_of_all_fits(self):
        [found] = shortened([(30, 4), (30, 6), (30, 30), (30, 4)])
        assert found.severity is Severity.WARNING
        assert "of 30 planned epochs it has time for 4 to 6, in 3 of 4 fits" in found.found
        [found] = shortened([(30, 1)])
        assert "of 30 planned epochs it has time for 1; longer" in found.found
