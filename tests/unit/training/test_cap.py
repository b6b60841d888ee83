"""The cap in minutes, by a clock that only moves when a step or a judgement is made: no machine's load matters."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from polyclinic.errors import StudyError
from polyclinic.training.devices.precision import PLAIN
from polyclinic.training.devices.process_group import ALONE
from polyclinic.training.epochs import loop, time_estimate, timed_steps
from polyclinic.training.epochs.loop import Ending
from polyclinic.training.epochs.task import Task
from polyclinic.training.epochs.timed_steps import rehearse
from polyclinic.training.recipe import write_recipe
from polyclinic.training.updates import step


@dataclass
class Watch:
    """A clock by which a step takes ``step_s`` seconds, but first those left in ``steps``, and a judgement one."""

    step_s: float = 1.0
    steps: list[float] = field(default_factory=list)
    now: float = 100.0

    def read(self) -> float:
        return self.now

    def pass_step(self) -> None:
        self.now += self.steps.pop(0) if self.steps else self.step_s


@pytest.fixture
def watch(monkeypatch) -> Watch:
    """Four steps and one judgement make an epoch: five seconds."""
    watch, quick, judge = Watch(), step.Stepper.step, loop.judge

    def timed(self, *arguments):
        watch.pass_step()
        return quick(self, *arguments)

    def judged(*arguments):
        watch.now += 1.0
        return judge(*arguments)

    monkeypatch.setattr(step.Stepper, "step", timed)
    for module in (loop, timed_steps):
        monkeypatch.setattr(module, "judge", judged)
    for module in (loop, time_estimate, timed_steps):
        monkeypatch.setattr(module, "monotonic", watch.read)
    return watch


def repeat_of(bench, fitted, **settings):
    """The fit again from what is recorded, without a cap."""
    recorded = {
        "epochs": (fitted.recipe.epochs,),
        "stop_after": (fitted.done,),
        "replanned": (fitted.replanned,) if fitted.replanned else None,
    }
    return bench.fit(**recorded, patience=500, **settings)


def same(bench, one, other) -> bool:
    return bench.content(one) == bench.content(other) and one.history == other.history


class TestCap:
    def test_the_cap_is_used_and_kept_and_the_schedule_ends_low(self, bench, watch):
        fitted = bench.fit(epochs=500, cap_s=100.0, patience=500)
        assert 0.9 * 100 < fitted.spent_s <= 100
        assert fitted.ended is Ending.SCHEDULE
        assert fitted.done == fitted.planned
        rates = [epoch.learning_rate for epoch in fitted.history]
        assert rates[-1] < 0.01 * max(rates)

    @pytest.mark.parametrize(("first", "then"), [(3.0, 1.0), (0.4, 1.0), (1.0, 0.5), (1.0, 2.5)])
    def test_a_pace_that_was_misjudged_or_changes_is_measured_again(self, bench, watch, first, then):
        """In the rehearsal, or in five epochs more, steps take longer or less long than later."""
        watch.steps = [first] * (24 if first == 1.0 else 4)
        watch.step_s = then
        fitted = bench.fit(epochs=500, cap_s=120.0, patience=500)
        assert 0 <= 120 - fitted.spent_s < 1.5 * (4 * then + 1), "less than an epoch and a half is left over"
        assert fitted.ended is Ending.SCHEDULE
        rates = [epoch.learning_rate for epoch in fitted.history]
        assert rates[-1] < 0.02 * max(rates)
        assert len(set(fitted.replanned)) > 1
        assert same(bench, repeat_of(bench, fitted), fitted)

    def test_no_share_of_the_cycle_is_passed_twice_or_jumped_over(self, bench, watch):
        watch.steps, watch.step_s = [1.0] * 24, 0.3
        fitted = bench.fit(epochs=500, cap_s=80.0, patience=500)
        rates = np.array([epoch.learning_rate for epoch in fitted.history])
        top = int(rates.argmax())
        assert 0 < top < len(rates) - 1
        assert (np.diff(rates[: top + 1]) > 0).all()
        assert (np.diff(rates[top:]) < 0).all()

    def test_slower_than_ever_measured_it_still_ends_in_time_and_repeats_exactly(self, bench, watch):
        watch.steps, watch.step_s = [1.0] * 24, 30.0
        fitted = bench.fit(epochs=500, cap_s=100.0, patience=500)
        assert fitted.spent_s <= 100 + 30, "no step is broken off"
        assert fitted.ended is Ending.CAP
        assert fitted.done < fitted.planned
        assert same(bench, repeat_of(bench, fitted), fitted)

    def test_it_repeats_exactly_after_an_interruption(self, bench, watch, tmp_path, monkeypatch):
        monkeypatch.setattr(loop, "_KEEP_EVERY_S", 0.0)
        watch.steps, watch.step_s = [3.0] * 4, 1.0

        class Killer:
            left = 4

            def start(self, task, total):
                pass

            def advance(self, note=""):
                self.left -= 1
                if not self.left:
                    raise KeyboardInterrupt

            def finish(self):
                pass

        with pytest.raises(KeyboardInterrupt):
            bench.fit(epochs=500, cap_s=90.0, patience=500, folder=tmp_path, progress=Killer())
        fitted = bench.fit(epochs=500, cap_s=90.0, patience=500, folder=tmp_path)
        assert fitted.done > 4
        assert 0.88 * 90 < fitted.spent_s <= 90
        assert same(bench, repeat_of(bench, fitted), fitted)

    def test_a_cap_without_room_for_one_epoch_is_refused(self, bench, watch):
        with pytest.raises(StudyError, match="at least one epoch"):
            bench.fit(cap_s=9.0)  # the rehearsal takes five seconds, an epoch as much again

    def test_a_first_epoch_that_overruns_is_an_error(self, bench, watch):
        watch.steps, watch.step_s = [0.1] * 4, 9.0
        with pytest.raises(StudyError, match="at least one epoch"):
            bench.fit(cap_s=20.0)

    def test_one_epoch_is_done_where_one_fits(self, bench, watch):
        assert bench.fit(epochs=500, cap_s=11.0).done == 1

    def test_a_cap_that_does_not_bite_changes_nothing(self, bench):
        capped, free = bench.fit(cap_s=600.0), bench.fit()
        assert same(bench, capped, free)
        assert capped.replanned == ()

    def test_the_rehearsal_leaves_the_network_alone(self, bench):
        model = bench.model()
        before = {name: value.clone() for name, value in model.state_dict().items()}
        recipe = write_recipe(model, bench.training(), len(bench.rows.train))
        pace = rehearse(Task(model, bench.ready, bench.rows, recipe, PLAIN, 5, None, None), ALONE)
        assert pace.steps == 4
        assert pace.epoch_s > 0
        assert all((model.state_dict()[name] == value).all() for name, value in before.items())
