"""How stretches of a text with labels are judged."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Shaped

from polyclinic.answers.spans import SpanAnswer
from polyclinic.errors import Finding
from polyclinic.evidence.folds import Case, Layout
from polyclinic.evidence.forms.base import Detail, Judge, Judged, Part, Shown, counts_of, first_of_rows, in_words, tally
from polyclinic.evidence.metric import Metric
from polyclinic.evidence.metrics import spans
from polyclinic.evidence.metrics.calibration import calibration_curve, error_of_found
from polyclinic.evidence.per_class import calibration_error, counted
from polyclinic.evidence.records import Calibration, Tested
from polyclinic.evidence.soundness import broken
from polyclinic.formats.packed import object_array, unpack

Counts = Float[np.ndarray, "sample label"]


@dataclass(frozen=True)
class SpanCase(Case):
    """What there is and what was found in each text, by label.

    Attributes:
        names: Labels.
        predicted: Predicted spans.
        truth: True spans.
        right: Predicted spans that are true ones.
        touching: Predicted spans that share a sign with a true one of their label.
        touched: True spans that share a sign with a predicted one of their label.
        seen: True spans whose wording the training rows hold.
        seen_found: Those of them that were found exactly.
        asserted: True spans found exactly of which it is known what is said of them (negated, say).
        asserted_right: Those of them of which the same was answered.
        confidence: Confidence of each predicted span.
        hits: Whether it is right.
    """

    names: tuple[str, ...]
    predicted: Counts
    truth: Counts
    right: Counts
    touching: Counts
    touched: Counts
    seen: Counts
    seen_found: Counts
    asserted: Counts
    asserted_right: Counts
    confidence: Shaped[np.ndarray, " sample"]
    hits: Shaped[np.ndarray, " sample"]


def _exact(case: SpanCase) -> tuple[Counts, Counts, Counts, Counts]:
    return case.right, case.predicted, case.right, case.truth


def _partial(case: SpanCase) -> tuple[Counts, Counts, Counts, Counts]:
    return case.touching, case.predicted, case.touched, case.truth


METRICS = (
    counted("entity_f1", lambda c, w: spans.f1(*_exact(c), w), "harmonic mean of the next two"),
    counted("entity_precision", lambda c, w: spans.share(c.right, c.predicted, w), "share of predicted that are right"),
    counted("entity_recall", lambda c, w: spans.share(c.right, c.truth, w), "share of the true spans found exactly"),
    counted("partial_f1", lambda c, w: spans.f1(*_partial(c), w), "F1 when it is enough that spans share a sign"),
    counted("macro_f1", lambda c, w: spans.macro_f1(*_exact(c), w), "exact F1 averaged over labels"),
    counted(
        "recall_seen",
        lambda c, w: spans.share(c.seen_found, c.seen, w),
        "recall of spans whose wording the training rows hold",
    ),
    counted(
        "recall_unseen",
        lambda c, w: spans.share(c.right - c.seen_found, c.truth - c.seen, w),
        "recall of spans whose wording is new",
    ),
)
ASSERTION = counted(
    "assertion_accuracy",
    lambda c, w: spans.share(c.asserted_right, c.asserted, w),
    "of spans found exactly, share of which it was said rightly whether they are affirmed, negated, possible",
)
PER_LABEL = (
    counted("entity_f1", lambda c, w: spans.label_f1(*_exact(c), w), "exact F1"),
    counted("entity_precision", lambda c, w: spans.label_share(c.right, c.predicted, w), "share that is right"),
    counted("entity_recall", lambda c, w: spans.label_share(c.right, c.truth, w), "share found exactly"),
    counted("partial_f1", lambda c, w: spans.label_f1(*_partial(c), w), "F1 when a shared sign is enough"),
)
_CALIBRATION = calibration_error(
    lambda c, w: error_of_found(list(c.hits), list(c.confidence), w),
    "distance between the confidence and the share of spans that are right",
)


class SpanJudge(Judge):
    """Judges a ``SpanAnswer``."""

    word = "spans"
    headline = ("entity_f1", "partial_f1", "recall_seen", "recall_unseen")
    metrics: tuple[Metric, ...] = METRICS

    def __init__(self, labels: tuple[str, ...], assertions: tuple[str, ...] = ()) -> None:
        """``assertions`` are the names of what may be said of a span; with none, that is not judged."""
        self.labels = labels
        self._names = labels
        if assertions:
            self.metrics = (*METRICS, ASSERTION)

    @classmethod
    def of(cls, answer: SpanAnswer) -> "SpanJudge":
        """The judge of answers like this one."""
        return cls(answer.labels, answer.assertions)

    def known(self, answer: SpanAnswer) -> Bool[np.ndarray, " sample"]:
        """Which texts have known spans; that there is none is known too."""
        return np.array([bool(content) for content in answer.truth], dtype=bool)

    def truth(self, answer: SpanAnswer) -> Float[np.ndarray, "sample part"]:
        """How many spans there are, and the sums over their numbers; whether they were seen is not part of it."""
        parts = [unpack(content)[:, : spans.LABEL + 1] for content in answer.truth]
        return np.array([[len(p), p.sum(), (p**2).sum()] for p in parts]).reshape(len(parts), 3)

    def check(self, answer: SpanAnswer, rows: np.ndarray, place: str) -> list[Finding]:
        """Confidence must be from 0 to 1, labels known, ends after starts."""
        predicted, truth = _all(answer.predicted), _all(answer.truth)
        pairs = list(zip(predicted, truth, strict=True))
        sure = [bool(((p[:, spans.CONFIDENCE] >= 0) & (p[:, spans.CONFIDENCE] <= 1)).all()) for p in predicted]
        named = [all(np.isin(s[:, spans.LABEL], np.arange(len(answer.labels))).all() for s in pair) for pair in pairs]
        order = [all(((s[:, 0] >= 0) & (s[:, 0] < s[:, 1])).all() for s in pair) for pair in pairs]
        confidence, labels = "every confidence must be from 0 to 1", "every span must have one of the declared labels"
        ends, remedy = "every span must end after it starts", "Correct the spans, or leave the row out."
        return [
            *broken("impossible_confidence", place, confidence, remedy, ~np.array(sure, dtype=bool), rows),
            *broken("unknown_label", place, labels, remedy, ~np.array(named, dtype=bool), rows),
            *broken("impossible_span", place, ends, remedy, ~np.array(order, dtype=bool), rows),
        ]

    def case(self, test: Part, tune: Part | None) -> SpanCase:
        """Every text counted once. Nothing is chosen here."""
        predicted, truth = _all(test.answer.predicted), _all(test.answer.truth)
        matched = [spans.match(p, t) for p, t in zip(predicted, truth, strict=True)]
        both = [spans.partners(p, t) for p, t in zip(predicted, truth, strict=True)]
        asserted = [(p[t[:, spans.ASSERTION] >= 0], t[t[:, spans.ASSERTION] >= 0]) for p, t in both]
        agree = [p[p[:, spans.ASSERTION] == t[:, spans.ASSERTION]] for p, t in asserted]
        seen = [(t, m.found, t[:, spans.SEEN] > 0) for t, m in zip(truth, matched, strict=True)]
        return SpanCase(
            names=self._names,
            predicted=self._count(predicted),
            truth=self._count(truth),
            right=self._count([p[m.right] for p, m in zip(predicted, matched, strict=True)]),
            touching=self._count([p[m.touching] for p, m in zip(predicted, matched, strict=True)]),
            touched=self._count([t[m.touched] for t, m in zip(truth, matched, strict=True)]),
            seen=self._count([t[known] for t, _, known in seen]),
            seen_found=self._count([t[known & found] for t, found, known in seen]),
            asserted=self._count([t for _, t in asserted]),
            asserted_right=self._count(agree),
            confidence=object_array([p[:, spans.CONFIDENCE] for p in predicted]),
            hits=object_array([m.right for m in matched]),
        )

    def _count(self, found: list[Float[np.ndarray, "_ 5"]]) -> Counts:
        """Spans of each label in each text."""
        return tally([s[:, spans.LABEL] for s in found], len(self._names))

    def counts(self, answer: SpanAnswer, layout: Layout) -> Tested:
        """Rows and patients, and true spans by label."""
        true = self._count(_all(answer.truth[first_of_rows(layout)])).sum(axis=0)
        return counts_of(layout, {name: int(n) for name, n in zip(self._names, true, strict=True)})

    def detail(self, judged: Judged) -> Detail:
        """Figures by label, and how far a confidence may be taken at its word."""
        case: SpanCase = judged.case
        hits, sure = np.concatenate(list(case.hits)), np.concatenate(list(case.confidence))
        curve = calibration_curve(hits.astype(np.float64), sure, judged.confidence) if len(sure) else ()
        found = judged.estimates((_CALIBRATION,))
        return Detail(Calibration({}, found, curve), per_class=judged.each(self._names, PER_LABEL))

    def show(self, case: SpanCase) -> Shown:
        """Spans missed or wrong in each text; how many there are of each label, and how many were found."""
        loss = (case.predicted + case.truth - 2 * case.right).sum(axis=1)
        empty = (case.predicted.sum(axis=1) == 0) & (case.truth.sum(axis=1) == 0)
        true, found = (in_words(counts, self._names) for counts in (case.truth, case.predicted))
        return Shown(loss, true, found, empty=empty)


def _all(packed: Shaped[np.ndarray, " sample"]) -> list[Float[np.ndarray, "_ 5"]]:
    """The spans of each sample; a sample of which nothing is said has none."""
    return [unpack(content) if content else np.zeros((0, 5)) for content in packed]
