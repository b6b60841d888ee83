"""What a kind of question offers of plain models. The file has the name of the kind of the question."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from polyclinic.baselines.boosting import Boosted
from polyclinic.cohort.rows import Inner
from polyclinic.geometry import Lattice, Place
from polyclinic.heads.base import Dense, Global
from polyclinic.records.base import Features


class PlainModels:
    """The plain models of one kind of question.

    An installed package adds its own as an entry point of ``polyclinic.baselines``, under the word of its kind.
    """


class PlainGlobal(PlainModels):
    """Those that look at plain features: a linear model, which every head can have, and boosted trees."""

    linear: ClassVar[str] = "linear regression"
    """What the linear model is called."""

    def as_linear(self, head: Global) -> Global:
        """The head, not yet fitted, as a linear model asks it."""
        return head

    def as_boosted(self, head: Global, rows: int) -> Global:
        """The head, not yet fitted, as trees ask it that learn from ``rows`` rows."""
        return head

    def grow(self, target: Any, head: Global, features: Features, rows: Inner, seed: int) -> Boosted | None:
        """Trees for a fitted head, or None where there are none.

        Args:
            target: The outcomes, all rows.
            head: The fitted kind of question.
            features: Plain features, all rows.
            rows: Which rows train and which ones say when to stop.
            seed: Chooses the rows on which many rows are binned.
        """
        return None


@dataclass(frozen=True)
class PlainQuestion:
    """What a plain model of a dense question may look at.

    Attributes:
        head: Fitted kind of question.
        truth: Of all rows on the network's grid, as the head's ``on_grid`` gave it.
        places: The grid of every row, None where absent.
        values: What stands at the places of a row: float32 "channel *grid", or a tuple of tokens.
        rows: Which rows train, and which ones decide inner choices.
        seed: Of every random choice.
    """

    head: Any
    truth: Any
    places: Sequence[Place | None]
    values: Callable[[int], Any]
    rows: Inner
    seed: int

    def lattice(self, row: int) -> Lattice:
        """The grid of a row whose record is there."""
        place = self.places[row]
        assert isinstance(place, Lattice)
        return place


Answers = Callable[[int], Any]
"""From a row (that is present) to what the model says of it, in the form of the head's ``Gatherer.close``."""


@dataclass(frozen=True)
class DenseSort:
    """One sort of plain model.

    Attributes:
        name: As it stands in the report, such as "pixel classifier".
        fit: Trains it; None where it cannot be trained on these rows.
    """

    name: str
    fit: Callable[[PlainQuestion], Answers | None]


class PlainDense(PlainModels):
    """Those of a dense question: what Otsu, a pixel classifier or a dictionary would say."""

    offered: ClassVar[tuple[DenseSort, ...]] = ()
    """The sorts that there are."""

    def sorts(self, head: Dense) -> tuple[DenseSort, ...]:
        """Those that such a question has; none where one would have an unfair start."""
        return self.offered


def with_options(head: Global, **options: Any) -> Global:
    """A head, not yet fitted, with other options."""
    return type(head)(head.name, head.options.model_copy(update=options), head.plan)
