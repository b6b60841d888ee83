"""Processor time of 1,000 resamples of 10,000 rows for every metric, and whether the fast way gives what a loop gives.

    python benchmarks/intervals.py [--rows 10000] [--resamples 1000]

The loop repeats the drawn rows and computes the figure anew; it is checked on a few resamples and timed on them.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from measure import Asked, Figure, main
from scipy.special import expit, softmax

from polyclinic.answers.base import Answer
from polyclinic.answers.classes import ClassAnswer
from polyclinic.answers.labels import LabelsAnswer
from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.answers.value import ValueAnswer
from polyclinic.evidence.aligned import Judgeable
from polyclinic.evidence.folds import Case, Layout, assess
from polyclinic.evidence.intervals import draw
from polyclinic.evidence.metric import Metric
from polyclinic.predictions.record import Predictions, Samples

LOOPED = 3
"""Resamples that the loop computes: it takes minutes for one of the slow metrics."""
MOST_DIFFERENCE = 1e-6
"""What the order of sums may change, and no more."""


def answers(rows: int, rng: np.random.Generator) -> dict[str, Answer]:
    """Made-up answers of every form; scores have ties."""
    hidden = rng.normal(size=rows)
    seen = np.round(hidden + 0.7 * rng.normal(size=rows), 3)
    chance = expit(seen - 1)
    both = np.stack([1 - chance, chance], axis=1)
    logits = np.stack([-seen, 0 * seen, seen], axis=1)
    three = softmax(logits, axis=1)
    labels = (rng.random((rows, 3)) < expit(np.stack([hidden, -hidden, hidden / 2], axis=1))).astype(float)
    labels[rng.random((rows, 3)) < 0.1] = np.nan
    happens, leaves = rng.exponential(400 / np.exp(0.8 * hidden)), rng.exponential(600, rows)
    days = np.linspace(10, 600, 40)
    curves = np.exp(-np.exp(0.8 * seen[:, None]) * days / 400)
    return {
        "binary": ClassAnswer(("no", "yes"), both, both, (rng.random(rows) < expit(hidden - 1)).astype(float)),
        "multiclass": ClassAnswer(("a", "b", "c"), three, three, rng.integers(0, 3, rows).astype(float)),
        "multilabel": LabelsAnswer(("a", "b", "c"), expit(logits), expit(logits), labels),
        "value": ValueAnswer("", seen, hidden),
        "survival": SurvivalAnswer(
            "days",
            seen,
            np.tile(days, (rows, 1)),
            curves,
            (happens <= leaves).astype(float),
            np.ceil(np.minimum(happens, leaves)),
        ),
    }


def predictions(rows: int, rng: np.random.Generator) -> Predictions:
    """One fold; every tenth row is a tune row, every patient has two rows on average."""
    part = np.where(np.arange(rows) % 10 == 0, "tune", "test").astype(object)
    nothing = np.zeros(rows, dtype=int)
    patient = rng.integers(0, rows // 2, rows)
    samples = Samples(np.arange(1, rows + 1), patient, part, nothing, nothing, None, {})
    return Predictions("made up", samples, answers(rows, rng), np.zeros(rows))


@dataclass(frozen=True)
class Timed:
    """Processor seconds for all resamples, the fast way and (by scaling up) in a loop; and the largest difference."""

    fast_s: float
    loop_s: float
    difference: float


def timed(metric: Metric, case: Case, layout: Layout, draws: Int[np.ndarray, "draw patient"]) -> Timed:
    """Time one metric alone, and check it on the first resamples."""
    started = time.process_time()
    found = assess([metric], case, layout, draws)[metric.name].resampled
    fast_s = time.process_time() - started
    started = time.process_time()
    looped = []
    for drawn in draws[:LOOPED]:
        again = np.repeat(np.arange(len(layout)), drawn[layout.patient])
        looped.append(metric.function(case.take(again), None))
    loop_s = (time.process_time() - started) * len(draws) / LOOPED
    gap = np.abs(np.array(looped) - found[:LOOPED])
    if metric.raised:  # its resamples are moved as a whole; what is left must be one constant
        gap = np.abs(gap - gap[0])
    return Timed(fast_s, loop_s, float(gap.max()))


def figures(asked: Asked) -> Iterator[Figure]:
    """Seconds of each metric, beside the loop, and of all together."""
    rows, resamples = (300, 20) if asked.small else (asked.own.rows, asked.own.resamples)
    made = predictions(rows * 10 // 9, np.random.default_rng(1))
    title = f"{resamples} resamples of {rows} rows"
    total = 0.0
    for form in made.answers:
        model = Judgeable(made, form)
        case = model.form.case(model.test, model.tune)
        draws = draw(model.test.layout.patients, resamples, seed=1)
        for metric in model.form.metrics:
            one = timed(metric, case, model.test.layout, draws)
            total += one.fast_s
            reference = f"loop {one.loop_s:.1f} s, differs by {one.difference:.1e}"
            yield Figure(title, f"seconds of {form} {metric.name}", (one.fast_s,), reference=reference)
            assert one.difference < MOST_DIFFERENCE, f"{metric.name}: the fast way is wrong"
    yield Figure(title, "seconds of all metrics", (total,), leads=True)


def add(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark is asked."""
    parser.add_argument("--rows", type=int, default=10_000, help="test rows")
    parser.add_argument("--resamples", type=int, default=1000)


if __name__ == "__main__":
    main(figures, __doc__, add=add)
