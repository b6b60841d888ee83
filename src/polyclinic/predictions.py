"""What flows out of a model: the forms of answer, and the table that holds them. numpy and polars only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self, cast

import numpy as np
from jaxtyping import Float, Int, Shaped


@dataclass(frozen=True)
class Answer:
    """Base of the forms of answer. Every array has one entry per sample, in the same order; NaN = not known."""

    def __len__(self) -> int:
        return len(cast(np.ndarray, getattr(self, fields(self)[-1].name)))

    def take(self, index: Int[np.ndarray, " row"]) -> Self:
        """The same answer for some of the samples."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        changes: dict[str, Any] = {k: v[index] for k, v in arrays.items() if isinstance(v, np.ndarray)}
        return replace(self, **changes)


@dataclass(frozen=True)
class ClassAnswer(Answer):
    """One of several classes. With two classes the second is the positive one.

    Attributes:
        classes: Names in the user's words.
        probabilities: Calibrated, each row sums to 1.
        raw: The same before calibration.
        truth: Class index as a float, NaN where not known.
    """

    classes: tuple[str, ...]
    probabilities: Float[np.ndarray, "sample klass"]
    raw: Float[np.ndarray, "sample klass"]
    truth: Float[np.ndarray, " sample"]


@dataclass(frozen=True)
class LabelsAnswer(Answer):
    """Several yes-or-no labels at once, each of which may be unknown.

    Attributes:
        labels: Names in the user's words.
        probabilities: Calibrated chance of each label.
        raw: The same before calibration.
        truth: 0, 1 or NaN.
    """

    labels: tuple[str, ...]
    probabilities: Float[np.ndarray, "sample label"]
    raw: Float[np.ndarray, "sample label"]
    truth: Float[np.ndarray, "sample label"]


@dataclass(frozen=True)
class ValueAnswer(Answer):
    """A number.

    Attributes:
        unit: Unit of the number in the user's words, or "".
        value: The predicted number.
        truth: The measured number.
    """

    unit: str
    value: Float[np.ndarray, " sample"]
    truth: Float[np.ndarray, " sample"]


@dataclass(frozen=True)
class SurvivalAnswer(Answer):
    """Time to an event that may be censored.

    Attributes:
        unit: Unit of time in the user's words, such as "days", or "".
        risk: Higher = earlier event expected.
        times: Grid on which the curve is given, ascending; may differ from fold to fold.
        survival: Chance of no event up to each time, between 0 and 1, never rising.
        event: 1 = the event was seen at ``time``, 0 = censored then.
        time: Follow-up, above 0.
    """

    unit: str
    risk: Float[np.ndarray, " sample"]
    times: Float[np.ndarray, "sample point"]
    survival: Float[np.ndarray, "sample point"]
    event: Float[np.ndarray, " sample"]
    time: Float[np.ndarray, " sample"]


@dataclass(frozen=True)
class MaskAnswer(Answer):
    """Regions of a picture or a scan, point by point, in the geometry of the file.

    Arrays that differ in size from sample to sample are packed (see ``packing``); empty bytes = not known.

    Attributes:
        regions: Names in the user's words.
        exclusive: Whether a point belongs to one region at most: then the likeliest of the regions and none of them
            is the answer; else every region whose probability reaches its threshold is.
        unit: Unit of the spacing: "mm", "um" or "px".
        thresholds: From which probability a point is said to belong, by region; not used where exclusive.
        spacing: Length of a step along each axis, NaN where not known (then 1 px is meant).
        inside: Packed truth values "*grid": where the answer is judged; empty = everywhere.
        probability: Packed uint8 "region *grid", 255 = certain.
        truth: Packed uint8 "region *grid", 0 or 1.
    """

    regions: tuple[str, ...]
    exclusive: bool
    unit: str
    thresholds: Float[np.ndarray, "sample region"]
    spacing: Float[np.ndarray, "sample dim"]
    inside: Shaped[np.ndarray, " sample"]
    probability: Shaped[np.ndarray, " sample"]
    truth: Shaped[np.ndarray, " sample"]


@dataclass(frozen=True)
class BoxAnswer(Answer):
    """Objects as boxes, in pixels of the file along the axes of its array: low corner, then high corner.

    Attributes:
        classes: Names in the user's words.
        unit: Unit of the boxes, "px".
        thresholds: From which score a box counts as found, by class.
        predicted: Packed float32 "box 2+2*dim": score, class, corners; best first.
        truth: Packed float32 "box 1+2*dim": class, corners; empty = not known.
    """

    classes: tuple[str, ...]
    unit: str
    thresholds: Float[np.ndarray, "sample klass"]
    predicted: Shaped[np.ndarray, " sample"]
    truth: Shaped[np.ndarray, " sample"]


@dataclass(frozen=True)
class CellsAnswer(Answer):
    """Objects one by one, as numbers on the grid of the file: 0 = none, else the number of the cell.

    Attributes:
        unit: Unit of the spacing: "um" or "px".
        spacing: Length of a step along each axis, NaN where not known.
        scores: Packed float32: how sure the model is of each predicted cell, in order of their numbers.
        predicted: Packed int32 "*grid".
        truth: Packed int32 "*grid"; empty = not known.
    """

    unit: str
    spacing: Float[np.ndarray, "sample dim"]
    scores: Shaped[np.ndarray, " sample"]
    predicted: Shaped[np.ndarray, " sample"]
    truth: Shaped[np.ndarray, " sample"]


@dataclass(frozen=True)
class SpanAnswer(Answer):
    """Stretches of a text, with what they are; offsets count code points of the text as given.

    Attributes:
        labels: Names in the user's words.
        assertions: Names of what may be said of a span, such as "negated"; empty where nothing is.
        predicted: Packed float64 "span 5": start, end, label, confidence, assertion (-1 = none).
        truth: Packed float64 "span 5": start, end, label, 1 if the training rows hold this mention, assertion.
    """

    labels: tuple[str, ...]
    assertions: tuple[str, ...]
    predicted: Shaped[np.ndarray, " sample"]
    truth: Shaped[np.ndarray, " sample"]


@dataclass(frozen=True)
class RelationAnswer(Answer):
    """Relations between two stretches of a text.

    Attributes:
        types: Names in the user's words; the first means that there is no relation.
        pairs: Packed float64 "pair 6+type": start and end of the head, start and end of the tail, true type
            (-1 = not known), predicted type, probability of each type.
    """

    types: tuple[str, ...]
    pairs: Shaped[np.ndarray, " sample"]


@dataclass(frozen=True)
class Samples:
    """Who the answers are about. One entry per answered sample; a row comes again for every repetition.

    Attributes:
        row: Position in the user's table, counted from 1.
        patient: The patient's identifier as in the table.
        part: "train", "tune" or "test".
        repeat: Repetition of the cross-validation, from 0.
        fold: Fold within it, from 0.
        site: Site by row, or None.
        strata: Subgroup columns by the user's column names.
    """

    row: Int[np.ndarray, " sample"]
    patient: Shaped[np.ndarray, " sample"]
    part: Shaped[np.ndarray, " sample"]
    repeat: Int[np.ndarray, " sample"]
    fold: Int[np.ndarray, " sample"]
    site: Shaped[np.ndarray, " sample"] | None
    strata: Mapping[str, Shaped[np.ndarray, " sample"]]

    def __len__(self) -> int:
        return len(self.row)

    def take(self, index: Int[np.ndarray, " row"]) -> "Samples":
        """The same record for some of the samples."""
        return Samples(
            row=self.row[index],
            patient=self.patient[index],
            part=self.part[index],
            repeat=self.repeat[index],
            fold=self.fold[index],
            site=None if self.site is None else self.site[index],
            strata={name: values[index] for name, values in self.strata.items()},
        )


@dataclass(frozen=True)
class Predictions:
    """Answers for samples, by the user's own target names.

    Attributes:
        model: "polyclinic", or the name of a plain model such as "logistic".
        shift: How far each sample lies from the training rows (1 = as far as the 99th of 100 tune rows), or NaN.
    """

    model: str
    samples: Samples
    answers: Mapping[str, Answer]
    shift: Float[np.ndarray, " sample"]

    def take(self, index: Int[np.ndarray, " row"]) -> "Predictions":
        """The same predictions for some of the samples."""
        answers = {name: answer.take(index) for name, answer in self.answers.items()}
        return Predictions(self.model, self.samples.take(index), answers, self.shift[index])

    def part(self, name: str) -> "Predictions":
        """The predictions of one part: "train", "tune" or "test"."""
        return self.take(np.flatnonzero(self.samples.part == name))


def join(predictions: Sequence[Predictions]) -> Predictions:
    """Predictions of the same model for other samples, one after another."""
    samples = [p.samples for p in predictions]
    first = predictions[0]
    site = None if first.samples.site is None else np.concatenate([cast(np.ndarray, s.site) for s in samples])
    joined = Samples(
        row=np.concatenate([s.row for s in samples]),
        patient=np.concatenate([s.patient for s in samples]),
        part=np.concatenate([s.part for s in samples]),
        repeat=np.concatenate([s.repeat for s in samples]),
        fold=np.concatenate([s.fold for s in samples]),
        site=site,
        strata={name: np.concatenate([s.strata[name] for s in samples]) for name in first.samples.strata},
    )
    answers = {name: join_answers([p.answers[name] for p in predictions]) for name in first.answers}
    return Predictions(first.model, joined, answers, np.concatenate([p.shift for p in predictions]))


def join_answers(answers: Sequence[Answer]) -> Answer:
    """Answers of one form for other samples, one after another.

    Survival curves may have grids of different lengths; a shorter one goes on with its last point.
    """
    arrays = {f.name: [getattr(a, f.name) for a in answers] for f in fields(answers[0])}
    changes = {name: _stack(parts) for name, parts in arrays.items() if isinstance(parts[0], np.ndarray)}
    return replace(answers[0], **cast(dict[str, Any], changes))


def _stack(parts: Sequence[np.ndarray]) -> np.ndarray:
    if parts[0].ndim == 1:
        return np.concatenate(parts)
    width = max(part.shape[1] for part in parts)
    return np.concatenate([np.pad(part, ((0, 0), (0, width - part.shape[1])), mode="edge") for part in parts])
