"""What every kind of record promises once it is read: all that is true of it, whatever is learned later. No torch."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Shaped, UInt64

from polyclinic.cohort.repeats import Halves
from polyclinic.errors import Finding
from polyclinic.geometry import Geometry, Marks


@dataclass(frozen=True)
class ColumnCells:
    """The columns of the cohort that one input reads.

    Attributes:
        frame: One row per sample; only the columns that ``columns`` named.
        folder: Folder of the user's table: relative paths in cells start here.
        table: The user's word for the table, for messages: never a cell's content.
        cache: Folder where decoded records may be kept, or None.
    """

    frame: pl.DataFrame
    folder: Path
    table: str
    cache: Path | None = None


@dataclass(frozen=True)
class Features:
    """Plain features for the baseline, one row per sample; NaN = absent. Categories are given as codes.

    Attributes:
        matrix: Numbers and codes.
        names: Names of its columns.
        categorical: Which of them are codes.
        texts: Columns of texts, one text per sample, "" = absent; models that count words learn which from training
            rows, the others leave them out.
        stand_ins: Columns that stand in for the texts where no words are counted; models that count leave them out.
    """

    matrix: Float[np.ndarray, "sample feature"]
    names: tuple[str, ...]
    categorical: tuple[bool, ...]
    texts: tuple[tuple[str, ...], ...] = ()
    stand_ins: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Picture:
    """A raw value made visible for the report: SVG or HTML markup, or the bytes of a PNG.

    Words of ours belong into the caption, as a ``Phrase``, not into the content: a report may be in any language.
    Markup without content shows the caption alone.
    """

    media_type: str
    content: bytes
    caption: str


class Oddity(StrEnum):
    """In what way a value of a new patient is unlike those that a model was trained on; the words stand in answers."""

    IMPOSSIBLE = "impossible"
    OUTSIDE = "outside the range seen in training"
    UNSEEN = "rare or never seen in training"


@dataclass(frozen=True)
class OddValues:
    """Values of one column that a model was not trained on. An impossible value is outside the range too.

    Attributes:
        column: Of the table.
        oddity: What is odd about them.
        rows: Whose value it is.
    """

    column: str
    oddity: Oddity
    rows: Bool[np.ndarray, " sample"]


class Records(ABC):
    """What one input read of all rows. Only its own kind looks inside; everybody else asks it these questions.

    What a check depends on (whether a patient may lack the record, what a fitted kind already knows) is given to the
    records when they are read.
    """

    @abstractmethod
    def __len__(self) -> int:
        """How many rows there are, those without a record among them."""

    @abstractmethod
    def check(self) -> list[Finding]:
        """What is impossible or doubtful about the records. Raises nothing."""

    @abstractmethod
    def summarise(self) -> Features:
        """Raw values as a plain feature matrix for the baseline. Learns nothing: the same for every split."""

    @abstractmethod
    def fingerprints(self) -> UInt64[np.ndarray, " sample"]:
        """A hash of each record's content, 0 where absent: equal (or nearly equal) content, equal hash."""

    def halves(self) -> Halves | None:
        """Each record in two halves, where strangers may share a record; None where equal content proves a copy."""
        return None

    def properties(self) -> Mapping[str, Shaped[np.ndarray, " sample"]]:
        """Properties of the files, not of the patients, that might give the label away: size, format, device."""
        return {}

    def odd_values(self) -> list[OddValues]:
        """Columns with values unlike those of the training rows, where a fitted kind has read the records."""
        return []

    @abstractmethod
    def show(self, position: int, attribution: np.ndarray | None = None) -> Picture:
        """One record, with what an explanation says about it, as a picture for the report."""


class LocatedRecords(Records):
    """Records with places, on which it may be asked where something is: pictures, scans, texts."""

    @abstractmethod
    def geometry(self) -> list[Geometry | None]:
        """The grid or the string of every row's file, None where absent: targets are checked against it."""

    def foreground(self, position: int) -> Bool[np.ndarray, "*grid"] | None:
        """Which points of a record show something, by its pixels alone; None where that cannot be told."""
        return None

    @abstractmethod
    def show_marks(self, position: int, marks: Marks) -> Picture:
        """One record with the truth and an answer marked on it."""


def bar_table(
    caption: str, names: Sequence[str], values: Sequence[str], attribution: Float[np.ndarray, " name"] | None = None
) -> Picture:
    """Named values as a table, the ones with the largest attribution first, each with a bar: right = raises."""
    parts = np.zeros(len(names)) if attribution is None else np.asarray(attribution, dtype=float)
    largest = float(np.abs(parts).max(initial=0.0)) or 1.0
    order = np.argsort(-np.abs(parts), kind="stable")
    rows = "".join(
        f"<tr><th>{escape(names[i])}</th><td>{escape(values[i])}</td>"
        + (f"<td>{_bar(float(parts[i]) / largest)}</td></tr>" if attribution is not None else "</tr>")
        for i in order
    )
    return Picture("text/html", f'<table class="values">{rows}</table>'.encode(), caption)


def _bar(share: float) -> str:
    """A bar from the middle of a small box, to the right for a positive share of the largest."""
    length = 50 * abs(share)
    colour = "#b2182b" if share > 0 else "#2166ac"
    start = 50 if share > 0 else 50 - length
    bar = f'<rect x="{start:.1f}" y="2" width="{length:.1f}" height="8" fill="{colour}"/>'
    return f'<svg viewBox="0 0 100 12" width="100" height="12" role="img" aria-label="{share:+.2f}">{bar}</svg>'
