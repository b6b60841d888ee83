"""What the answers of a run are worth: every target, with intervals, beside plain models on the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from polyclinic.evidence.aligned import Judgeable
from polyclinic.evidence.folds import assess
from polyclinic.evidence.forms.base import Judge, Judged, Shown
from polyclinic.evidence.intervals import difference, draw
from polyclinic.evidence.records import (
    Baseline,
    Cases,
    Curve,
    CurvePoint,
    Evidence,
    HeldAgainst,
    Mistake,
    Shape,
    TargetEvidence,
)
from polyclinic.evidence.subgroups import judge_subgroups, levels, multiplicity_note
from polyclinic.evidence.verdict import hold_against, in_english, least_favourable, sentence
from polyclinic.predictions.record import Predictions
from polyclinic.study.schema import EvidenceSection

WORST = 10
_ALONE = "No plain model was judged beside this one."


def judge(predictions: Predictions, baselines: Sequence[Predictions], settings: EvidenceSection, seed: int) -> Evidence:
    """Judge the test answers to every question, with 95 % intervals over patients unless set otherwise.

    A figure is computed within each fold and averaged by the fold's samples, repetitions alike; figures on an
    absolute scale (decisions, calibration) are computed over the folds of a repetition together. The bootstrap
    draws patients once and computes all of it again with the drawn multiplicities. Thresholds come from each
    fold's tune rows, by the rule of the study. The verdict is about the plain model that ours compares with least
    favourably.

    Args:
        predictions: Of the model in question, with parts "test" and, for thresholds, "tune".
        baselines: Of plain models, on the same test rows.
        settings: How many resamples, which confidence, which margin.
        seed: Of the draws.

    Raises:
        EvidenceError: if there is nothing to judge, answers are impossible, or a plain model's rows are others.
    """
    targets = {
        name: _judge_target(
            Judgeable(predictions, name, settings.rule_of(name)),
            {b.model: Judgeable(b, name, settings.rule_of(name)) for b in baselines if name in b.answers},
            settings,
            seed,
        )
        for name in predictions.answers
    }
    return Evidence(settings.confidence, settings.resamples, seed, targets)


def put_before(model: Judgeable, settings: EvidenceSection, seed: int) -> Judged:
    """Draw patients, and find every metric of the form in every resample."""
    case = model.form.case(model.test, model.tune)
    draws = draw(model.test.layout.patients, settings.resamples, seed)
    figures = assess(model.form.all_metrics(), case, model.test.layout, draws)
    return Judged(case, model.test.layout, draws, settings.confidence, figures)


def _judge_target(
    model: Judgeable, plain: Mapping[str, Judgeable], settings: EvidenceSection, seed: int
) -> TargetEvidence:
    form, judged = model.form, put_before(model, settings, seed)
    baselines = {name: _against(judged, other.in_order_of(model), settings, seed) for name, other in plain.items()}
    compared = _compare(model, judged, baselines, settings.margin)
    detail = form.detail(judged)
    subgroups = judge_subgroups(form, judged, levels(model.samples))
    answers, telling = _in_order(form, judged)
    return TargetEvidence(
        form=form.word,
        counts=form.counts(model.test.answer, judged.layout),
        headline=form.headline,
        metrics={name: judged.estimate(name) for name in judged.figures},
        per_class=detail.per_class,
        calibration=detail.calibration,
        curves=detail.curves,
        subgroups=subgroups,
        subgroup_note=multiplicity_note(subgroups, len(form.headline), settings.confidence, model.samples),
        baselines=baselines,
        verdict=_ALONE if compared is None else sentence(compared, in_english(model.model)),
        comparison=compared,
        # Of equal ones that with the lower row.
        worst=tuple(sorted(answers, key=lambda one: -(one.loss or 0.0))[:WORST]),
        cases=_cases(telling or answers),
        degenerate={name: s.degenerate for name, s in judged.figures.items() if s.degenerate},
        classes=form.classes,
        labels=form.labels,
        unit=form.unit,
        operating_point=detail.operating_point,
        confusion=detail.confusion,
        baseline=None if compared is None else Baseline(compared.model, baselines[compared.model].metrics),
    )


def _against(ours: Judged, other: Judgeable, settings: EvidenceSection, seed: int) -> Baseline:
    """A plain model's figures and ours minus theirs, resample by resample."""
    theirs, line = put_before(other, settings, seed), other.form.line
    drawn = other.form.detail(replace(theirs, draws=theirs.draws[:0]))  # a thin line has no band: no draws
    return Baseline(
        metrics={name: theirs.estimate(name) for name in theirs.figures},
        difference={
            name: difference(sampled, theirs.figures[name], settings.confidence)
            for name, sampled in ours.figures.items()
        },
        curve=None if line is None else theirs.curve("line", line.function, line.grid),
        curves={} if line is not None else _thin(drawn.curves),
        calibration=tuple(
            CurvePoint(_rounded(point.predicted), _rounded(point.observed), n=point.n)
            for point in drawn.calibration.curve
        ),
    )


def _thin(shapes: Mapping[str, Shape]) -> dict[str, Curve]:
    """Curves as lines alone."""
    curves = {name: curve for name, curve in shapes.items() if isinstance(curve, Curve)}
    return {name: Curve(curve.x, tuple(map(_rounded, curve.y))) for name, curve in curves.items()}


def _rounded(value: float | None) -> float | None:
    """To four decimals: a tenth of what a figure of 400 units can show, and half of the bytes."""
    return None if value is None else round(float(value), 4)


def _compare(
    model: Judgeable, judged: Judged, baselines: Mapping[str, Baseline], margin: float | None
) -> HeldAgainst | None:
    """Ours beside every plain model by the first headline figure; the least favourable comparison."""
    metric = model.form.metric(model.form.headline[0])
    name, ours = metric.name, judged.estimate(metric.name)
    return least_favourable(
        [
            hold_against(metric, ours, plain, found.metrics[name], found.difference[name], margin)
            for plain, found in baselines.items()
        ]
    )


def _in_order(form: Judge, judged: Judged) -> tuple[list[Mistake], list[Mistake]]:
    """Rows from the best to the worst, by the mean over repetitions; of the first one the answer is shown.

    The second list leaves out the rows where there is nothing to see.
    """
    shown = form.show(judged.case)
    rows, first, number = np.unique(judged.layout.row, return_index=True, return_inverse=True)
    loss = np.bincount(number.reshape(-1), weights=shown.loss) / np.bincount(number.reshape(-1))
    order = [k for k in np.argsort(loss, kind="stable").tolist() if np.isfinite(loss[k])]
    empty = np.zeros(len(shown.loss), dtype=bool) if shown.empty is None else shown.empty
    answers = [_mistake(shown, int(rows[k]), int(first[k]), float(loss[k])) for k in order]
    return answers, [one for one, k in zip(answers, order, strict=True) if not empty[first[k]]]


def _mistake(shown: Shown, row: int, sample: int, loss: float) -> Mistake:
    return Mistake(
        row=row,
        truth=shown.truth[sample],
        answer=shown.answer[sample],
        loss=loss,
        event=None if shown.event is None else int(shown.event[sample]),
        chance=None if shown.chance is None else float(shown.chance[sample]),
        about=None if shown.about is None else str(shown.about[sample]),
    )


def _cases(answers: Sequence[Mistake]) -> Cases | None:
    """The best, the middle and the worst of answers in this order; None where there is none."""
    return Cases(answers[0], answers[(len(answers) - 1) // 2], answers[-1]) if answers else None
