"""What a fit learns from: records made ready and outcomes read, by the user's own names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from polyclinic.cohort.rows import TrainRows
from polyclinic.geometry import Place
from polyclinic.heads.base import Dense, GridTruth, Head, Question, dense_questions, global_questions
from polyclinic.inputs.base import Input, InputColumns, LocatedPrepared, Prepared
from polyclinic.tensors import Batch, InputTensors, TargetTensors


@dataclass(frozen=True)
class Ready:
    """Inputs and outcomes of all rows, with every constant learned from the training rows of one fit.

    Attributes:
        inputs: Fitted kinds of input by the user's names.
        prepared: The records of each input, ready for a network, all rows, by the same names.
        questions: Fitted kinds of question with the outcomes of all rows, by the user's names; without outcomes for new
            patients.
        grounds: Those inputs that a dense question is asked on.
        places: The network's grid of every row of these.
        truth: The truth on that grid, for each dense question.
    """

    inputs: Mapping[str, Input]
    prepared: Mapping[str, Prepared]
    questions: Mapping[str, Question[Head]]
    grounds: Mapping[str, LocatedPrepared] = field(default_factory=dict)
    places: Mapping[str, Sequence[Place | None]] = field(default_factory=dict)
    truth: Mapping[str, GridTruth] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        inputs: Mapping[str, InputColumns],
        questions: Mapping[str, Question[Head]],
        rows: TrainRows,
        cache: Path | None = None,
    ) -> Self:
        """Learn every constant from ``rows`` and make all rows ready.

        Args:
            inputs: Kinds of input, not yet fitted, each with its records, by the user's names.
            questions: Kinds of question, not yet fitted, each with what its ``read_target`` gave (and ``match``, where
                it is dense), all rows.
            rows: The training rows.
            cache: Where records made ready may be kept, or None.
        """
        fitted = {name: one.fit(rows) for name, one in inputs.items()}
        asked = {name: question.fit(rows) for name, question in questions.items()}
        return cls.of(fitted, asked, cache)

    @classmethod
    def of(
        cls,
        inputs: Mapping[str, InputColumns],
        questions: Mapping[str, Question[Head]],
        cache: Path | None = None,
    ) -> Self:
        """Make all rows ready for kinds that are fitted; new patients have no targets."""
        prepared = {name: one.prepare() for name, one in inputs.items()}
        dense = dense_questions(questions)
        asked = {question.head.ground for question in dense.values()}
        grounds = {n: one for n, one in prepared.items() if n in asked and isinstance(one, LocatedPrepared)}
        places = {name: one.places() for name, one in grounds.items()}
        truth = {
            name: question.head.on_grid(question.outcomes, places[question.head.ground], cache)
            for name, question in dense.items()
            if question.target is not None
        }
        kinds = {name: one.kind for name, one in inputs.items()}
        return cls(kinds, prepared, questions, grounds, places, truth)

    @property
    def heads(self) -> dict[str, Head]:
        """The fitted kinds of question."""
        return {name: question.head for name, question in self.questions.items()}

    def dense(self, ground: str) -> dict[str, Dense]:
        """The dense questions on one input."""
        return {name: question.head for name, question in dense_questions(self.questions, ground).items()}

    def view_points(self) -> int | None:
        """Points in one view of the records, about; None where no dense question is asked."""
        return max((ground.view_points() for ground in self.grounds.values()), default=None)

    def lengths(self, index: Int[np.ndarray, " row"]) -> Int[np.ndarray, " row"]:
        """How long the records of some rows are, all inputs together; 0 where none is padded to others."""
        whole = np.zeros(len(index), dtype=np.int64)
        for prepared in self.prepared.values():
            lengths = prepared.lengths(index)
            if lengths is not None:
                whole += lengths
        return whole

    def present(self, index: Int[np.ndarray, " row"]) -> Bool[np.ndarray, " row"]:
        """Which rows have at least one input."""
        found = np.zeros(len(index), dtype=bool)
        for name, prepared in self.prepared.items():
            if name in self.places:
                found |= np.array([self.places[name][row] is not None for row in index], dtype=bool)
            else:
                found |= prepared.collate(index).present.numpy()
        return found

    def see(self, index: Int[np.ndarray, " batch"]) -> dict[str, InputTensors]:
        """The inputs of some rows, whole."""
        return {name: prepared.collate(index) for name, prepared in self.prepared.items()}

    def ask(self, index: Int[np.ndarray, " batch"]) -> dict[str, TargetTensors]:
        """The outcomes of some rows, dense questions left out: they need to know the view."""
        asked = global_questions(self.questions).items()
        return {name: question.head.collate(question.outcomes, index) for name, question in asked}

    def batch(self, index: Int[np.ndarray, " batch"], generator: torch.Generator, *, change: bool = True) -> Batch:
        """Some rows as a step takes them: of records with places one view each.

        Args:
            index: Which rows.
            generator: Of every random choice.
            change: Whether to change the inputs at random, in ways that leave the label true.
        """
        seen: dict[str, InputTensors] = {}
        targets = self.ask(index)
        for name, prepared in self.prepared.items():
            if (ground := self.grounds.get(name)) is not None:
                aim = self._aim(name, index, generator)
                seen[name], movement = ground.draw(index, aim, generator, change=change)
                targets |= {asked: self.truth[asked].collate(index, movement) for asked in self.dense(name)}
            else:
                whole = prepared.collate(index)
                seen[name] = prepared.augment(whole, generator)[0] if change else whole
        return Batch(seen, {name: targets[name] for name in self.questions})

    def _aim(
        self, ground: str, index: Int[np.ndarray, " batch"], generator: torch.Generator
    ) -> Float[np.ndarray, "batch dim"]:
        """What the views must hold; where several questions are asked, one of them by chance decides for each row."""
        rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        aims = [self.truth[name].aim(index, rng) for name in self.dense(ground)]
        chosen = rng.integers(len(aims), size=len(index))
        return np.stack(aims)[chosen, np.arange(len(index))]
