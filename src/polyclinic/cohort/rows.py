"""Rows by what they are for. Three types, so that a type checker refuses what would be a leak."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int

from polyclinic.errors import Finding


@dataclass(frozen=True)
class Rows:
    """Positions in the cohort's frame, ascending, each at most once."""

    index: Int[np.ndarray, " row"]

    def __len__(self) -> int:
        return len(self.index)


@final
@dataclass(frozen=True)
class TrainRows(Rows):
    """Rows that anything may learn from."""


@final
@dataclass(frozen=True)
class TuneRows(Rows):
    """Rows for inner choices only: early stopping, threshold, calibration, search."""


@final
@dataclass(frozen=True)
class TestRows(Rows):
    """Rows that nothing learns from and nothing is chosen on."""

    __test__ = False  # not a test class, whatever pytest thinks of the name


@dataclass(frozen=True)
class Inner:
    """The patients that are not tested, divided for one member of the ensemble."""

    train: TrainRows
    tune: TuneRows


@dataclass(frozen=True)
class Fold:
    """One division of the cohort: the test rows, and the rest divided once for each member of the ensemble.

    Members have different tune rows where the split is ours to draw (so that together they learn from every
    patient that is not tested), and the same ones where it is given.

    Where the study is cross-fitted, members learn from all rows that are not tested, and nothing is chosen on rows that
    the chooser learned from: everything is chosen on the answers of other networks, each of which left a part out.

    Attributes:
        repeat: Which repetition of the cross-validation, from 0.
        number: Which fold within the repetition, from 0.
        crossed: The rows that are not tested, divided so that each is a tune row once; empty = not cross-fitted.
    """

    repeat: int
    number: int
    members: tuple[Inner, ...]
    test: TestRows
    crossed: tuple[Inner, ...] = ()

    @property
    def chosen_on(self) -> tuple[Inner, ...]:
        """The divisions whose tune rows decide inner choices."""
        return self.crossed or self.members

    @property
    def fits(self) -> int:
        """How many networks are trained: every member, and once more for every part that is left out."""
        return len(self.members) * (1 + len(self.crossed))


@dataclass(frozen=True)
class Split:
    """All folds of a study; a plain train/tune/test split is one fold.

    Attributes:
        folds: In order of repetition, then of fold.
        findings: What the user should know about how it was divided; nothing here stops.
        by_site: Whether whole sites were held out, so that a site on two sides is a leak.
    """

    folds: tuple[Fold, ...]
    findings: tuple[Finding, ...] = ()
    by_site: bool = False
