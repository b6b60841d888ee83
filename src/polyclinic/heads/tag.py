"""Which words are a disease, a drug, a finding: spans of a text with labels, at exact places."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, final

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int, Int64, Shaped
from scipy.special import logit
from torch import Tensor, nn

from polyclinic.answers.spans import SpanAnswer
from polyclinic.cohort.outcomes import absent_columns, rows_where
from polyclinic.cohort.rows import TrainRows
from polyclinic.decoding import recalibration
from polyclinic.decoding.recalibration import Recalibration
from polyclinic.decoding.tagging import Scheme, Tagging
from polyclinic.errors import CohortError, Finding, Severity, stop_on
from polyclinic.formats.packed import nothing, pack, pack_all, unpack
from polyclinic.geometry import Known, Marks, Place, SpanMarks, TextGeometry, TextKnown, Tokens
from polyclinic.heads import base
from polyclinic.layers.readout import OnMaps
from polyclinic.layers.text import crf, tag_potentials
from polyclinic.records.text import assertion
from polyclinic.records.text.spans import Span, blank, misplaced, read_spans, span_faults
from polyclinic.records.text.spelling import mark
from polyclinic.records.text.tokenised import read_hashes, write_hashes
from polyclinic.records.text.tokens import cover
from polyclinic.records.text.word_edges import spans_cut_words
from polyclinic.study.options import Plan
from polyclinic.tensors import Loss, Movement, Sight, TargetTensors

_LEAST = 1e-6
"""Chances nearer to 0 or 1 are taken as this near: a logit must be finite."""
_TIE = 0.01
"""How much the loss counts beside wrong spans where tune rows are judged."""
_AIMED = 0.7
"""Share of views of a long text that hold a span, where it has any."""


class TagOptions(base.DenseOptions):
    """[targets.<name>] with kind = "tag"."""

    column: str
    """Column with the spans of each text, a JSON list of {"start", "end", "label"}; an empty cell: not known."""
    labels: Literal["auto"] | tuple[str, ...] = "auto"
    """Labels to tell apart; "auto" = all that come in the column."""
    scheme: Scheme = "bmes"
    """How spans are written on tokens: "bmes" (begin, middle, end, single) or "bio" (begin, inside)."""
    nested: bool = False
    """May spans of different labels share words? Then each label is tagged by itself."""
    assertion: Literal["none", "rules"] = "none"
    """Say of each span whether it is negated, possible, past, hypothetical or another person's: "rules" in English
    and Chinese."""

    @property
    def assertions(self) -> tuple[str, ...]:
        """What may be said of a span."""
        return assertion.NAMES if self.assertion == "rules" else ()

    def layers(self, labels: tuple[str, ...]) -> int:
        """How often each token is tagged: once, or once for each label."""
        return len(labels) if self.nested else 1

    def tagging(self, labels: tuple[str, ...]) -> Tagging:
        """The tags of one layer."""
        return Tagging(self.scheme, 1 if self.nested else len(labels))


class TagPlan(Plan):
    """What a tag head learned.

    Attributes:
        labels: Names.
        wordings: Hashes of the mentions in training rows.
        spans: How many there are in a training row, on average.
        sureness: Correction of the confidence.
    """

    labels: tuple[str, ...]
    wordings: str
    spans: float = 1.0
    sureness: Recalibration = Recalibration()


@dataclass(frozen=True)
class TagTarget(base.Target):
    """The spans of each row, and its text once matched; None where not known."""

    spans: Shaped[np.ndarray, " sample"]
    texts: Shaped[np.ndarray, " sample"]

    def strata(self) -> Int[np.ndarray, " sample"]:
        """Texts with spans, and texts without."""
        return np.array([-1 if row is None else int(bool(row)) for row in self.spans], dtype=np.int64)

    def packed(self, plan: TagPlan, assertions: tuple[str, ...]) -> Shaped[np.ndarray, " sample"]:
        """The spans as answers hold them: start, end, label, whether training rows held the wording, assertion."""
        wordings = set(read_hashes(plan.wordings).tolist())
        truth = nothing(len(self.known))
        for k in np.flatnonzero(self.known):
            text = self.texts[k]
            rows = [
                (
                    span.start,
                    span.end,
                    plan.labels.index(span.label),
                    float(_wording(span, text) in wordings),
                    assertions.index(span.assertion) if span.assertion in assertions else -1,
                )
                for span in self.spans[k]
            ]
            truth[k] = pack(np.array(rows, dtype=np.float64).reshape(-1, 5))
        return truth

    def check(self, place: str) -> list[Finding]:
        """Unknown rows; spans with white space at their ends; spans that mostly cut words."""
        findings = super().check(place)
        unquoted = [[(span.start, span.end) for span in row or () if span.text is None] for row in self.spans]
        findings += spans_cut_words(unquoted, self.texts.tolist(), place)
        both = zip(self.spans, self.texts, strict=True)
        blanks = np.array([bool(row) and text is not None and blank(row, text) for row, text in both], dtype=bool)
        if rows := rows_where(blanks):
            rule, found = "spans should begin and end with a word", f"in {len(rows)} rows some hold outer spaces"
            remedy = "They can never be met exactly: trim them."
            findings.append(Finding("blank_edges", place, rule, found, remedy, Severity.WARNING, rows))
        return findings


@dataclass(frozen=True)
class TagTensors(TargetTensors):
    """The tags of a batch of views; ``read`` is False for padding."""

    tags: Int[Tensor, "batch layer token"]
    read: Bool[Tensor, "batch token"]


@dataclass(frozen=True)
class TagTruth(base.GridTruth):
    """Tags of the tokens of each row, "layer token"; None where not known."""

    tags: list[Int64[np.ndarray, "_ _"] | None]
    layers: int

    def aim(self, index: Int[np.ndarray, " batch"], rng: np.random.Generator) -> Float[np.ndarray, "batch dim"]:
        """The first token of a span by chance, mostly; else anywhere."""
        points = np.full((len(index), 1), np.nan)
        for k, row in enumerate(index.tolist()):
            tags = self.tags[row]
            here = np.zeros(0) if tags is None else np.flatnonzero(tags.any(axis=0))
            if len(here) and rng.random() < _AIMED:
                points[k, 0] = here[rng.integers(len(here))]
        return points

    def collate(self, index: Int[np.ndarray, " batch"], movement: Movement) -> TagTensors:
        """The tags of the tokens in view."""
        assert movement.start is not None, "a text is seen through windows"
        width = movement.cut[0]
        tags = np.zeros((len(index), self.layers, width), dtype=np.int64)
        read = np.zeros((len(index), width), dtype=bool)
        for k, (row, start) in enumerate(zip(index.tolist(), movement.start[:, 0].tolist(), strict=True)):
            found = self.tags[row]
            if found is not None:
                part = found[:, start : start + width]
                tags[k, :, : part.shape[1]], read[k, : part.shape[1]] = part, True
        seen = torch.from_numpy(read)
        return TagTensors(seen.any(dim=1), torch.from_numpy(tags), seen)


@dataclass(frozen=True)
class FoundSpans:
    """What a model says about one text: its spans, each with the model's own chance that it is right.

    Attributes:
        text: The text.
        spans: Start, end, label, chance.
    """

    text: str
    spans: Float[np.ndarray, "_ 4"]


@final
class Tag(base.Dense):
    """Spans of a text: where they are, what they are, how sure that is.

    A conditional random field over tags of the tokens; with ``nested`` one for each label. The output holds, at each
    token, how well each tag suits it, then how well each tag follows each other one.
    """

    Options = TagOptions
    Plan = TagPlan
    form = "spans"
    options: TagOptions
    grounds = ("text",)

    def columns(self) -> tuple[str, ...]:
        """The column of spans."""
        return (self.options.column,)

    def read_target(self, frame: pl.DataFrame, table: str) -> TagTarget:
        """Cells to spans.

        Raises:
            CohortError: no such column, cells that hold no spans, other labels, spans that share signs, none at all.
        """
        stop_on(absent_columns(frame, self.columns(), f"[targets.{self.name}] column", table), CohortError)
        place = f'{table} column "{self.options.column}"'
        rows, findings = read_spans(frame[self.options.column].cast(pl.String).to_list(), place)
        known = np.array([row is not None for row in rows], dtype=bool)
        labels = self.options.labels if self.plan is None else self.plan.labels
        declared = None if labels == "auto" else labels
        assertions = self.options.assertions
        stop_on(
            [
                *findings,
                *span_faults(rows, place, declared, assertions, nested=self.options.nested, new=self.plan is None),
            ],
            CohortError,
        )
        return TagTarget(known, base.objects(rows), base.objects([None] * len(rows)))

    def match(self, target: TagTarget, facts: base.GroundFacts) -> TagTarget:
        """Hold the spans against the texts; rows without a text are not known.

        Raises:
            CohortError: offsets that do not fit the text.
        """
        texts = [place.text if isinstance(place, TextGeometry) else None for place in facts.geometry]
        both = zip(target.spans, texts, strict=True)
        wrong = np.array([bool(row) and text is not None and misplaced(row, text) for row, text in both], dtype=bool)
        if rows := rows_where(wrong):
            place = f'[targets.{self.name}] column "{self.options.column}"'
            rule, found = "offsets must fit the text", f"in {len(rows)} rows they reach beyond it or hold other words"
            remedy = "Count code points of the text as it stands in the table, from 0; the end is not included."
            raise CohortError(Finding("misplaced_spans", place, rule, found, remedy, rows=rows))
        known = target.known & np.array([text is not None for text in texts], dtype=bool)
        return TagTarget(known, target.spans, base.objects(texts))

    def fit(self, target: TagTarget, rows: TrainRows) -> Self:
        """Learn which wordings the training rows hold."""
        found = tuple(sorted({span.label for row in target.spans for span in row or ()}))
        labels = found if self.options.labels == "auto" else self.options.labels
        seen = {_wording(span, target.texts[row]) for row in rows.index for span in target.spans[row] or ()}
        wordings = write_hashes(np.array(sorted(seen), dtype=np.int64))
        spans = max(1.0, float(np.mean([len(row) for k in rows.index if (row := target.spans[k]) is not None] or [0])))
        return type(self)(self.name, self.options, TagPlan(labels=labels, wordings=wordings, spans=spans))

    def on_grid(self, target: TagTarget, places: Sequence[Place | None], cache: Path | None) -> TagTruth:
        """Spans to tags; a span that ends within a token takes in the whole of it."""
        both = zip(target.spans, places, strict=True)
        labels = self.plan.labels
        tags = [
            _write_tags(row, place, labels, self.options) if row is not None and isinstance(place, Tokens) else None
            for row, place in both
        ]
        return TagTruth(tags, self.options.layers(labels))

    def map_layer(self, sight: Sight) -> nn.Module:
        """Suitability of each tag at each token, and of each tag after each other."""
        layers, tagging = self.options.layers(self.plan.labels), self.options.tagging(self.plan.labels)
        return OnMaps(self.options.on, "potentials", tag_potentials.Potentials(sight.channels[0], layers, tagging))

    def loss(self, output: Float[Tensor, "batch out token"], target: TagTensors, smoothing: float = 0.0) -> Loss:
        """Surprise at the true tags, in nats per token: every token counts the same, whatever text it stands in."""
        layers, tagging = self.options.layers(self.plan.labels), self.options.tagging(self.plan.labels)
        emission, transition = tag_potentials.split(output, layers, tagging.tags)
        read = target.read.repeat_interleave(layers, dim=0)
        likely = crf.log_likelihood(emission, transition, target.tags.flatten(0, 1), read)
        tokens = target.read.sum().clamp(min=1) / len(output)
        return torch.where(target.known, -likely.reshape(-1, layers).sum(dim=1) / tokens, 0.0)

    def judged(self, output: Float[Tensor, "batch out token"], target: TagTensors) -> Float[Tensor, " batch"]:
        """Spans missed and wrong, per true span of a usual row; the loss decides between equals."""
        loss = self.loss(output, target)
        errors = tag_potentials.wrong_spans(output, target.tags, target.read, self.options.tagging(self.plan.labels))
        return torch.where(target.known, errors / self.plan.spans + _TIE * loss, 0.0)

    def gatherer(self, place: Place) -> "_Gatherer":
        """Puts windows together, each token from where most is seen around it."""
        assert isinstance(place, Tokens)
        return _Gatherer(place, self.options.layers(self.plan.labels), self.options.tagging(self.plan.labels))

    def calibrate(
        self,
        outputs: Shaped[np.ndarray, " sample"],
        target: TagTarget,
        method: str,
        patient: Int[np.ndarray, " sample"] | None = None,
    ) -> Self:
        """Learn from tune rows how sure the chance of a span really is; each span counts, whoever it is of."""
        chances: list[float] = []
        right: list[bool] = []
        for raw, row in zip(outputs, target.spans, strict=True):
            if raw is not None and row is not None:
                true = {(s.start, s.end, self.plan.labels.index(s.label)) for s in row}
                chances += raw.spans[:, 3].tolist()
                right += [(int(a), int(b), int(c)) in true for a, b, c, _ in raw.spans]
        sureness = recalibration.learn(_logits(np.array(chances)), np.array(right, dtype=np.int64), method)
        return type(self)(self.name, self.options, self.plan.model_copy(update={"sureness": sureness}))

    def decode(self, outputs: Shaped[np.ndarray, " sample"], target: TagTarget | None) -> SpanAnswer:
        """Spans with corrected confidence, and what is said of them."""
        predicted = pack_all([_answer(raw, self.plan, self.options.assertions) for raw in outputs])
        truth = nothing(len(outputs)) if target is None else target.packed(self.plan, self.options.assertions)
        return SpanAnswer(self.plan.labels, self.options.assertions, predicted, truth)

    def marks(self, answer: SpanAnswer, position: int) -> Marks:
        """The spans of one text."""
        content = answer.truth[position]
        truth = unpack(content)[:, :3].astype(np.int64) if content else None
        return SpanMarks(answer.labels, truth, unpack(answer.predicted[position])[:, :3].astype(np.int64))

    @classmethod
    def example_on(cls, rng: np.random.Generator, known: Sequence[Known], folder: Path, name: str) -> base.Outcomes:
        """The mentions that were put into the texts."""
        spans = [one.spans if isinstance(one, TextKnown) else () for one in known]
        cells = [json.dumps([{"start": a, "end": b, "label": label} for a, b, label in row]) for row in spans]
        return pl.DataFrame({name: cells}), {"column": name}


class _Gatherer:
    """Puts the windows of one text together."""

    def __init__(self, place: Tokens, layers: int, tagging: Tagging) -> None:
        self._place, self._windows = place, tag_potentials.Windows(len(place.offsets), layers, tagging)

    def add(self, output: Float[Tensor, "batch out token"], movement: Movement) -> None:
        """Take in some windows."""
        assert movement.start is not None, "a text is seen through windows"
        self._windows.add(output, movement.start[:, 0].tolist())

    def close(self) -> FoundSpans:
        """The spans of the whole text."""
        offsets = self._place.offsets
        rows = [(offsets[a, 0], offsets[b - 1, 1], label, chance) for a, b, label, chance in self._windows.spans()]
        return FoundSpans(self._place.source.text, np.array(rows, dtype=np.float64).reshape(-1, 4))


def _write_tags(
    row: tuple[Span, ...], place: Tokens, labels: tuple[str, ...], options: TagOptions
) -> Int64[np.ndarray, "layer token"]:
    spans = [(*cover(place.offsets, s.start, s.end), labels.index(s.label)) for s in row]
    tokens, tagging = len(place.offsets), options.tagging(labels)
    if not options.nested:
        return tagging.write(spans, tokens)[None]
    layers = [[(a, b, 0) for a, b, label in spans if label == layer] for layer in range(len(labels))]
    return np.stack([tagging.write(layer, tokens) for layer in layers])


def _answer(found: FoundSpans | None, plan: TagPlan, assertions: tuple[str, ...]) -> Float[np.ndarray, "span 5"]:
    """Spans with corrected confidence, and what is said of them by the rules."""
    if found is None or not len(found.spans):
        return np.zeros((0, 5))
    sure = recalibration.apply(plan.sureness, _logits(found.spans[:, 3]))[:, 1]
    asserted = np.full(len(sure), -1.0)
    if assertions:
        places = [(int(a), int(b)) for a, b in found.spans[:, :2]]
        asserted = np.array([assertions.index(word) for word in assertion.assess(found.text, places)], float)
    return np.column_stack([found.spans[:, :3], sure, asserted])


def _logits(chances: Float[np.ndarray, " span"]) -> Float[np.ndarray, "span 1 2"]:
    """Chances as logits of wrong and right."""
    return recalibration.two_sided(logit(np.clip(chances, _LEAST, 1 - _LEAST))[:, None])


def _wording(span: Span, text: str | None) -> int:
    """A hash of what stands in the span, but for case: a plan holds no words."""
    return mark("m" + (text or "")[span.start : span.end].lower())
