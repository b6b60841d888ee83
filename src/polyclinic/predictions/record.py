"""Who was answered what: the answers of a model to every question, sample by sample. numpy only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from jaxtyping import Float, Int, Shaped

from polyclinic.answers.base import Answer, join_answers


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
