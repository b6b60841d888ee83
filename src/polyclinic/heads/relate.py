"""What is between two stretches of a text: does this drug inhibit that protein, is that dose of this medicine."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, final

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int, Shaped
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from polyclinic.answers.relations import PREDICTED, TRUE, RelationAnswer
from polyclinic.answers.spans import SpanAnswer
from polyclinic.cohort.outcomes import absent_columns
from polyclinic.cohort.rows import TrainRows
from polyclinic.decoding import recalibration
from polyclinic.decoding.recalibration import Recalibration
from polyclinic.errors import CohortError, Finding, Severity, stop_on
from polyclinic.evidence.metrics.relations import never_asked
from polyclinic.formats.packed import pack, unpack
from polyclinic.geometry import Known, Marks, Place, SpanMarks, TextGeometry, TextKnown, Tokens
from polyclinic.heads import base
from polyclinic.layers.readout import OnMaps
from polyclinic.layers.text.relation_scorer import Ballot, PairScores, TokenVotes, Voters, WindowVotes, score
from polyclinic.records.text import relations
from polyclinic.records.text.relations import NONE, Asked
from polyclinic.records.text.word_edges import spans_cut_words
from polyclinic.study.options import Plan
from polyclinic.tensors import Loss, Movement, Sight, TargetTensors

_FEW = 10  # pairs of a type below which there is a warning; a round number


class RelateOptions(base.DenseOptions):
    """Keys of a target of kind "relate"."""

    column: str
    """Column with the relations of each text, a JSON list: [{"head": [0, 9], "tail": [20, 29], "type": "treats"}]."""
    spans: str | None = None
    """Column with the stretches that may be related, a JSON list: [{"start": 0, "end": 9, "label": "drug"}]. Then all
    their pairs are asked about, and are called "none" unless listed. Without it only the listed pairs are."""
    spans_from: str | None = None
    """Name of a target of kind "tag" on the same text: tests and new patients are answered for what that one finds.
    ``spans`` still tells the true ones, to learn from."""
    types: tuple[str, ...] | None = None
    """Types of relation. By default those that the column names."""
    none: str = "none"
    """What a pair without a relation is called."""
    directed: bool = True
    """Does it matter which stretch is the head? If not, the earlier one is."""
    max_distance: int | None = Field(default=None, ge=0)
    """Most characters between two stretches that are asked about. By default the most seen between related ones."""

    @model_validator(mode="after")
    def _spans_to_learn_from(self) -> Self:
        if self.spans_from is not None and self.spans is None:
            raise ValueError("spans_from needs spans too: the column with the true stretches, to learn from")
        return self


class RelatePlan(Plan):
    """What a relate head learned.

    Attributes:
        types: Names of the types, "none" first.
        prior: Share of each type among the pairs of the training rows.
        max_distance: Most characters between two stretches that are asked about.
        correction: From tune rows.
    """

    types: tuple[str, ...]
    prior: tuple[float, ...]
    max_distance: int
    correction: Recalibration = Recalibration()

    @model_validator(mode="after")
    def _of_these_types(self) -> Self:
        if not self.correction.fits(len(self.types)):
            raise ValueError("the correction is of another number of types")
        return self

    @property
    def ballot(self) -> Ballot:
        """How the votes of a token are laid out."""
        return Ballot(len(self.types))


@dataclass(frozen=True)
class RelationTarget(base.Target):
    """What is asked about each text, and what is true.

    Attributes:
        asked: Relations and stretches of each row as given, None where nothing is known.
        types: Names of the types, "none" first.
        texts: The text of each row once matched, None where absent; () before.
    """

    asked: tuple[Asked | None, ...]
    types: tuple[str, ...]
    texts: tuple[str | None, ...] = ()

    def strata(self) -> Int[np.ndarray, " sample"]:
        """The rarest type of relation in the row, 0 where there is none, -1 where nothing is known."""
        count = Counter(r.word for asked in self.asked if asked is not None for r in asked.related)
        return np.array([_rarest(one, self.types, count) if one and one.known else -1 for one in self.asked])

    def take(self, index: Int[np.ndarray, " row"]) -> Self:
        """What is asked of some rows."""
        texts = tuple(self.texts[row] for row in index) if self.texts else ()
        return replace(self, known=self.known[index], asked=tuple(self.asked[row] for row in index), texts=texts)

    def about(self, found: SpanAnswer) -> Self:
        """The same asked of all pairs of stretches that a "tag" target found: the question from end to end.

        A relation counts as found if both its stretches were found exactly and its type is right; true relations
        between stretches that were not found are listed as missed.
        """
        asked = []
        for packed, true in zip(found.predicted, self.asked, strict=True):
            spans = unpack(packed)[:, :2] if packed else np.zeros((0, 2))
            stretches = tuple((int(start), int(end)) for start, end in spans)
            asked.append(Asked((), stretches, known=False) if true is None else replace(true, stretches=stretches))
        return replace(self, asked=tuple(asked))

    def check(self, place: str) -> list[Finding]:
        """Unknown outcomes, stretches that mostly cut words, and types that hardly come."""
        findings = super().check(place)
        unquoted = [() if one is None else one.unquoted() for one in self.asked]
        findings += spans_cut_words(unquoted, self.texts or (None,) * len(self.asked), place)
        count = Counter(r.word for asked in self.asked if asked is not None for r in asked.related)
        if rare := [word for word in self.types[1:] if count[word] < _FEW]:
            rule, found = f"every type should come {_FEW} times", f"{len(rare)} types are rarer"
            remedy = "Expect wide intervals; join rare types where the question allows."
            findings.append(Finding("rare_type", place, rule, found, remedy, Severity.WARNING))
        return findings


@dataclass(frozen=True)
class PairTensors(TargetTensors):
    """The pairs that lie in each view of a batch.

    Attributes:
        pairs: Tokens of the view; padding is token 0 with itself.
        truth: Type of each pair, -1 for padding.
        present: Which tokens of the view are no padding.
    """

    pairs: Int[Tensor, "batch pair 4"]
    truth: Int[Tensor, "batch pair"]
    present: Bool[Tensor, "batch token"]


@dataclass(frozen=True)
class PairTruth(base.GridTruth):
    """The pairs of each row on its tokens.

    Attributes:
        pairs: First token of the head and the one after its last, then of the tail.
        truth: Type of each pair.
        where: The same stretches in the text.
        tokens: Number of tokens of each row.
    """

    pairs: tuple[Int[np.ndarray, "_ 4"], ...]
    truth: tuple[Int[np.ndarray, " _"], ...]
    where: tuple[Int[np.ndarray, "_ 4"], ...]
    tokens: Int[np.ndarray, " sample"]

    def aim(self, index: Int[np.ndarray, " batch"], rng: np.random.Generator) -> Float[np.ndarray, "batch dim"]:
        """The middle of one of the row's pairs, a related one if there is any."""
        points = np.full((len(index), 1), np.nan)
        for position, row in enumerate(index):
            pairs, truth = self.pairs[row], self.truth[row]
            chosen = pairs[truth != NONE] if (truth != NONE).any() else pairs
            if len(chosen):
                one = chosen[rng.integers(len(chosen))]
                points[position] = (one.min() + one.max() - 1) // 2
        return points

    def collate(self, index: Int[np.ndarray, " batch"], movement: Movement) -> PairTensors:
        """The pairs that lie wholly within each view."""
        assert movement.start is not None, "a view of a text has a beginning"
        starts, view = movement.start[:, 0].numpy(), movement.cut[0]
        found = [
            relations.within(self.pairs[row] - start, self.truth[row], view)
            for row, start in zip(index, starts, strict=True)
        ]
        most = max(1, *(len(truth) for _, truth in found))
        pairs = np.stack([np.pad(one, ((0, most - len(one)), (0, 0))) for one, _ in found])
        truth = np.stack([np.pad(one, (0, most - len(one)), constant_values=-1) for _, one in found])
        here = np.arange(view)[None] + starts[:, None]
        present = (here >= 0) & (here < self.tokens[index][:, None])
        known = torch.from_numpy((truth >= 0).any(axis=1))
        return PairTensors(known, torch.from_numpy(pairs), torch.from_numpy(truth), torch.from_numpy(present))


@final
class Relate(base.Dense):
    """Typed relations between two stretches of a text.

    The network looks at a text once; each pair of stretches then adds up the votes of its own and the surrounding
    tokens (``layers.pairs``).
    """

    Options = RelateOptions
    Plan = RelatePlan
    form = "relations"
    grounds = ("text",)

    def columns(self) -> tuple[str, ...]:
        """The column of relations, and the one of stretches if there is one."""
        spans = self.options.spans
        return (self.options.column,) if spans is None else (self.options.column, spans)

    @property
    def finder(self) -> str | None:
        """The target that finds the stretches in new texts."""
        target: str | None = self.options.spans_from
        return target

    def read_new(self, frame: pl.DataFrame, table: str) -> RelationTarget | None:
        """The stretches of new patients' texts, where the table lists them; their relations are not known."""
        spans = self.options.spans
        if self.finder is not None and spans not in frame.columns:
            return RelationTarget(np.zeros(len(frame), dtype=bool), (None,) * len(frame), self.plan.types)
        if spans is None or spans not in frame.columns:
            return None
        return self.read_target(frame.select(pl.lit(None, pl.String).alias(self.options.column), spans), table)

    def read_target(self, frame: pl.DataFrame, table: str) -> RelationTarget:
        """Relations and stretches of each row.

        Raises:
            CohortError: no such column, cells that are no such list, no known relation, unknown types.
        """
        stop_on(absent_columns(frame, self.columns(), f"[targets.{self.name}]", table), CohortError)
        given, spans = self.options.column, self.options.spans
        listed = None if spans is None else frame[spans].cast(pl.String).to_list()
        places = (f'{table} column "{given}"', f'{table} column "{spans}"')
        cells, findings = relations.read(frame[given].cast(pl.String).to_list(), listed, places)
        learned = None if self.plan is None else self.plan.types
        types, more = relations.choose_types(cells, self.options.types, self.options.none, learned, places[0])
        stop_on([*findings, *more], CohortError)
        known = np.array([asked is not None and asked.known for asked in cells], dtype=bool)
        return RelationTarget(known, cells, types)

    def match(self, target: RelationTarget, facts: base.GroundFacts) -> RelationTarget:
        """The same, once every stretch is known to lie in its text and every relation to join listed stretches.

        Raises:
            CohortError: offsets beside the text, empty stretches, a stretch related to itself, unlisted stretches.
        """
        texts = [one.text if isinstance(one, TextGeometry) else None for one in facts.geometry]
        stop_on(relations.misplaced(target.asked, texts, f"[targets.{self.name}]"), CohortError)
        absent = np.array([text is None for text in texts], dtype=bool)
        asked = tuple(None if gone else one for one, gone in zip(target.asked, absent, strict=True))
        return RelationTarget(target.known & ~absent, asked, target.types, tuple(texts))

    def fit(self, target: RelationTarget, rows: TrainRows) -> Self:
        """How far apart related stretches may be, and how common each type is, from training rows."""
        seen = [asked for row in rows.index if (asked := target.asked[row]) is not None and asked.known]
        farthest = max((relations.gap(r.head, r.tail) for asked in seen for r in asked.related), default=0)
        most = farthest if self.options.max_distance is None else self.options.max_distance
        truth = [
            relations.candidates(asked, target.types, most, directed=self.options.directed).truth for asked in seen
        ]
        count = np.bincount(np.concatenate([*truth, np.zeros(0, np.int64)]), minlength=len(target.types)) + 0.1
        prior = tuple(float(share) for share in count / count.sum())
        return type(self)(self.name, self.options, RelatePlan(types=target.types, prior=prior, max_distance=most))

    def on_grid(self, target: RelationTarget, places: Sequence[Place | None], cache: Path | None) -> PairTruth:
        """The pairs of all rows on their tokens."""
        pairs, truth, where = [], [], []
        for asked, place in zip(target.asked, places, strict=True):
            seen = Asked((), ()) if asked is None or place is None else asked
            found = relations.candidates(seen, target.types, self.plan.max_distance, directed=self.options.directed)
            offsets = place.offsets if isinstance(place, Tokens) else np.zeros((0, 2), dtype=np.int64)
            pairs.append(relations.on_tokens(found.where, offsets))
            truth.append(found.truth)
            where.append(found.where)
        tokens = [len(place.offsets) if isinstance(place, Tokens) else 0 for place in places]
        return PairTruth(tuple(pairs), tuple(truth), tuple(where), np.array(tokens, dtype=np.int64))

    def map_layer(self, sight: Sight) -> nn.Module:
        """What every token says about the pairs it stands in or near; it starts at how common each type is."""
        log_prior = torch.log(torch.tensor(self.plan.prior))
        voters = Voters(sight.channels[0], self.plan.ballot, log_prior - log_prior.mean())
        return OnMaps(self.options.on, "voters", voters)

    def loss(self, output: Float[Tensor, "batch out token"], target: PairTensors, smoothing: float = 0.0) -> Loss:
        """Cross-entropy of the pairs of each view, in nats per pair of a usual view: every pair counts the same."""
        scores = score(output.float(), target.pairs, target.present, self.plan.ballot)
        each = F.cross_entropy(
            scores.movedim(2, 1), target.truth, ignore_index=-1, reduction="none", label_smoothing=smoothing
        )
        return each.sum(dim=1) * len(each) / (target.truth >= 0).sum().clamp(min=1)

    def gatherer(self, place: Place) -> "_Gatherer":
        """An empty gatherer for one text."""
        assert isinstance(place, Tokens)
        return _Gatherer(place, self.plan.ballot)

    def calibrate(
        self,
        raws: Shaped[np.ndarray, " sample"],
        target: RelationTarget,
        method: str,
        patient: Int[np.ndarray, " sample"] | None = None,
    ) -> Self:
        """Learn scale and offset, or an isotonic curve, from the pairs of tune rows; every pair counts alike."""
        logits, truth = [np.zeros((0, len(self.plan.types)))], [np.zeros(0, dtype=np.int64)]
        for raw, asked in zip(raws, target.asked, strict=True):
            if raw is not None and asked is not None and asked.known:
                found = relations.candidates(
                    asked, self.plan.types, self.plan.max_distance, directed=self.options.directed
                )
                logits.append(_scores(raw, found.where, self.plan.ballot))
                truth.append(found.truth)
        correction = recalibration.learn(np.concatenate(logits)[:, None], np.concatenate(truth), method)
        return type(self)(self.name, self.options, self.plan.model_copy(update={"correction": correction}))

    def decode(self, raws: Shaped[np.ndarray, " sample"], target: RelationTarget | None) -> RelationAnswer:
        """The types of all pairs that are asked about; without ``target`` there are none."""
        asked = [None] * len(raws) if target is None else target.asked
        directed = self.options.directed
        packed = [
            b"" if raw is None or one is None else pack(_answer(raw, one, self.plan, directed=directed))
            for raw, one in zip(raws, asked, strict=True)
        ]
        return RelationAnswer(self.plan.types, base.objects(packed))

    def marks(self, answer: RelationAnswer, position: int) -> Marks:
        """Both stretches of each relation, with its type."""
        packed = answer.pairs[position]
        pairs = unpack(packed) if packed else np.zeros((0, 6))
        known = len(pairs) > 0 and bool((pairs[:, TRUE] >= 0).all())
        ends = [relations.ends(pairs, column) for column in (TRUE, PREDICTED)]
        return SpanMarks(answer.types[1:], ends[0] if known else None, ends[1])

    @classmethod
    def example_on(cls, rng: np.random.Generator, known: Sequence[Known], folder: Path, name: str) -> base.Outcomes:
        """Neighbours of different labels: "before" if the labels stand in the order of the alphabet, else "after"."""
        texts = [one for one in known if isinstance(one, TextKnown)]
        cells = [relations.example(one.spans) for one in texts]
        keys = {"column": name, "spans": f"{name}_spans", "directed": False}
        return pl.DataFrame({name: [a for a, _ in cells], f"{name}_spans": [b for _, b in cells]}), keys


def _rarest(asked: Asked, types: tuple[str, ...], count: Counter[str]) -> int:
    words = sorted({r.word for r in asked.related}, key=lambda word: (count[word], word))
    return types.index(words[0]) if words else 0


def _answer(
    raw: TokenVotes | PairScores, asked: Asked, plan: RelatePlan, *, directed: bool
) -> Float[np.ndarray, "pair column"]:
    """All pairs that are asked about, and the true ones that never were."""
    found = relations.candidates(asked, plan.types, plan.max_distance, directed=directed)
    chances = recalibration.apply(plan.correction, _scores(raw, found.where, plan.ballot)[:, None])
    listed = np.column_stack([found.where, found.truth, chances.argmax(axis=1), chances])
    return np.concatenate([listed, never_asked(found.missed, len(plan.types))])


def _scores(
    raw: TokenVotes | PairScores, where: Int[np.ndarray, "pair 4"], ballot: Ballot
) -> Float[np.ndarray, "pair type"]:
    if isinstance(raw, PairScores):
        return raw.scores(where)
    return raw.scores(relations.on_tokens(where, raw.offsets), ballot)


class _Gatherer:
    def __init__(self, place: Tokens, ballot: Ballot) -> None:
        self._windows = WindowVotes(place.offsets, ballot)

    def add(self, output: Float[Tensor, "batch out token"], movement: Movement) -> None:
        assert movement.start is not None, "windows of a text have a beginning"
        for window, start in zip(output.numpy(), movement.start[:, 0].tolist(), strict=True):
            self._windows.add(window, start)

    def close(self) -> TokenVotes:
        return self._windows.close()
