"""What every kind of input promises. A kind is one final class in one file of this folder (or of a plug-in)."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int, Shaped, UInt64
from torch import Generator, nn

from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import Finding
from polyclinic.geometry import Geometry, Ground, Known, Marks, Place
from polyclinic.study.options import InputOptions, Plan
from polyclinic.study.schema import Size
from polyclinic.tensors import InputTensors, Movement, Sight


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
    """

    matrix: Float[np.ndarray, "sample feature"]
    names: tuple[str, ...]
    categorical: tuple[bool, ...]
    texts: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Picture:
    """A raw value made visible for the report: SVG or HTML markup, or the bytes of a PNG.

    Words of ours belong into the caption, as a ``Phrase``, not into the content: a report may be in any language.
    Markup without content shows the caption alone.
    """

    media_type: str
    content: bytes
    caption: str


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
    length, colour = 50 * abs(share), "#b2182b" if share > 0 else "#2166ac"
    start = 50 if share > 0 else 50 - length
    bar = f'<rect x="{start:.1f}" y="2" width="{length:.1f}" height="8" fill="{colour}"/>'
    return f'<svg viewBox="0 0 100 12" width="100" height="12" role="img" aria-label="{share:+.2f}">{bar}</svg>'


@runtime_checkable
class Ragged(Protocol):
    """What ``prepare`` gives where records are of different lengths and a step pads them to its longest."""

    def lengths(self, index: Int[np.ndarray, " row"]) -> Int[np.ndarray, " row"]:
        """How long some rows are, in steps of the record's own; 0 where absent."""


class Input(ABC):
    """A kind of input. Immutable: ``fit`` returns another one that holds the plan.

    The life of an input within a study::

        records  = kind.read(cells)            # raw values with units, whatever form suits the kind; all rows
        findings = kind.check(records)
        fitted   = kind.fit(records, train)    # constants, from training rows only
        ready    = fitted.prepare(records)     # model-ready columns; all rows, done once per fold
        tensors  = fitted.collate(ready, index)
        tensors, movement = fitted.augment(tensors, generator)      # training only
        encoded  = fitted.encoder(width, size)(tensors)

    ``read`` returns an object of the kind's own making; only the same kind ever looks inside. It has a length.
    """

    Options: ClassVar[type[InputOptions]]
    Plan: ClassVar[type[Plan]]

    def __init__(self, name: str, options: Any, plan: Any = None) -> None:
        """``name`` is the user's word, ``options`` an ``Options``, ``plan`` a ``Plan`` once fitted."""
        self.name = name
        self.options = options
        self.plan = plan

    @abstractmethod
    def columns(self, offered: tuple[str, ...]) -> tuple[str, ...]:
        """Columns of the table that this input reads; ``offered`` are those nothing else uses (for "rest")."""

    @abstractmethod
    def read(self, cells: ColumnCells) -> Any:
        """Cells to raw values, all rows; an absent value stays absent.

        Raises:
            ReadError: with all findings, if files cannot be read or reading would be a guess.
            CohortError: with all findings, if cells are of the wrong type.
        """

    @abstractmethod
    def check(self, records: Any) -> list[Finding]:
        """What is impossible or doubtful about the records. Raises nothing."""

    @abstractmethod
    def fit(self, records: Any, rows: TrainRows) -> Self:
        """The same input with the constants learned from training rows only."""

    @abstractmethod
    def prepare(self, records: Any) -> Any:
        """Raw values to model-ready columns (scaled, resized): rows as in ``records``; may be memory-mapped."""

    @abstractmethod
    def collate(self, ready: Any, index: Int[np.ndarray, " batch"]) -> InputTensors:
        """Some rows of what ``prepare`` gave, as padded tensors and masks. Fast: it runs at every step."""

    @abstractmethod
    def augment(self, tensors: Any, generator: Generator) -> tuple[Any, Movement]:
        """A random, label-safe change of a batch, and how it moved; ``STILL`` when nothing moves."""

    @abstractmethod
    def encoder(self, width: int, size: Size, dropout: float | None) -> nn.Module:
        """A module from ``collate``'s tensors to ``Encoded`` with tokens of ``width``."""

    def members(self, size: Size) -> int:
        """How many rows of tokens the encoder of that size gives for each row of the batch (``Encoded.members``)."""
        return 1

    @abstractmethod
    def summarise(self, records: Any) -> Features:
        """Raw values to a plain feature matrix for the baseline. Learns nothing: the same for every split."""

    @abstractmethod
    def fingerprints(self, records: Any) -> UInt64[np.ndarray, " sample"]:
        """A hash of each record's content, 0 where absent: equal (or nearly equal) content, equal hash."""

    def properties(self, records: Any) -> Mapping[str, Shaped[np.ndarray, " sample"]]:
        """Properties of the files, not of the patients, that might give the label away: size, format, device."""
        return {}

    @abstractmethod
    def show(self, records: Any, position: int, attribution: np.ndarray | None = None) -> Picture:
        """One record, with what an explanation says about it, as a picture for the report."""

    @classmethod
    @abstractmethod
    def example(
        cls, rng: np.random.Generator, signal: Float[np.ndarray, " sample"], folder: Path, name: str
    ) -> tuple[pl.DataFrame, dict[str, Any]]:
        """Synthetic cells that carry ``signal`` (standard normal, one per sample) in a known place.

        Columns are prefixed by ``name`` so that several inputs may stand in one table. Files, if the kind has
        files, are written under ``folder``, with paths relative to it. Returns the columns and the keys for the
        study file, ``kind`` left out.
        """

    def parameters_note(self) -> Iterator[str]:
        """Sentences for the card on how this input was prepared."""
        return iter(())


class Located(Input):
    """A kind of input whose records have places: the points of a grid, the tokens of a text.

    A dense question (``heads.base.Dense``) may be asked on it. Then it is told so by ``facing``, keeps that in its
    plan, and lives like this within a study::

        geometry = kind.geometry(records)              # of the files as given: targets are checked against it
        places   = fitted.places(ready)                # of the network's grid: targets are brought onto it
        tensors, movement = fitted.draw(ready, index, aim, generator, change=True)      # training: one view of each row
        for tensors, movement in fitted.windows(ready, row): ...                        # answering: all of a row
        for axes in fitted.mirrors(): fitted.mirrored(tensors, axes)                    # ... and mirrored

    ``collate`` still gives a tensor of the whole record, for other questions in the same study.
    """

    ground: ClassVar[Ground] = "picture"
    """On what kind of place questions can be asked here."""

    def __init__(self, name: str, options: Any, plan: Any = None) -> None:
        """As every kind; a plan of this sort has ``dense``, and remembers what was asked."""
        super().__init__(name, options, plan)
        self.dense: bool = plan is not None and plan.dense

    def facing(self) -> Self:
        """The same input, with a dense question asked on it."""
        asked = copy.copy(self)
        asked.dense = True
        return asked

    @abstractmethod
    def geometry(self, records: Any) -> list[Geometry | None]:
        """The grid or the string of every row's file, None where absent."""

    def lit(self, records: Any, position: int) -> Bool[np.ndarray, "*grid"] | None:
        """Which points of a record show something, by its pixels alone; None where that cannot be told."""
        return None

    @abstractmethod
    def places(self, ready: Any) -> list[Place | None]:
        """The network's grid of every row, None where absent."""

    @abstractmethod
    def sight(self, size: Size) -> Sight:
        """What the maps of a dense encoder look like."""

    @abstractmethod
    def values(self, ready: Any, row: int) -> Any:
        """What stands at the places of one row, for plain models: float32 "channel *grid", or a tuple of tokens."""

    @abstractmethod
    def view_points(self, ready: Any) -> int:
        """Points in one view of ``draw``, about: by it the house decides how many views make a step."""

    @abstractmethod
    def draw(
        self,
        ready: Any,
        index: Int[np.ndarray, " batch"],
        aim: Float[np.ndarray, "batch dim"],
        generator: Generator,
        *,
        change: bool,
    ) -> tuple[InputTensors, Movement]:
        """A random view of each of some rows, and how it was taken.

        Args:
            ready: What ``prepare`` gave.
            index: Which rows.
            aim: A point of the row's grid that the view must hold; NaN = any view will do.
            generator: Of every random choice.
            change: Whether to augment too; the views that judge a fit are not changed.
        """

    @abstractmethod
    def windows(self, ready: Any, row: int) -> Iterator[tuple[InputTensors, Movement]]:
        """Overlapping views that cover one row, unchanged, in batches that fit into memory; none where it is absent."""

    def mirrors(self) -> tuple[tuple[int, ...], ...]:
        """Ways to mirror a window, as axes of its grid, that leave the label true: those that the study allows.

        Questions whose answers turn with the grid are then asked about the mirrored windows too.
        """
        return ()

    def mirrored(self, tensors: Any, axes: tuple[int, ...]) -> Any:
        """Windows with some axes of the grid run backwards; called with what ``mirrors`` names only."""
        raise TypeError("this kind of input has no mirrors")

    @abstractmethod
    def show_marks(self, records: Any, position: int, marks: Marks) -> Picture:
        """One record with the truth and an answer drawn on it."""

    @classmethod
    @abstractmethod
    def example_known(
        cls, rng: np.random.Generator, signal: Float[np.ndarray, " sample"], folder: Path, name: str
    ) -> tuple[pl.DataFrame, dict[str, Any], list[Known]]:
        """As ``example``, with what is to be found in each record. A strong signal makes the first object stand out."""

    @classmethod
    def example(
        cls, rng: np.random.Generator, signal: Float[np.ndarray, " sample"], folder: Path, name: str
    ) -> tuple[pl.DataFrame, dict[str, Any]]:
        """The synthetic cells without what is to be found in them."""
        frame, keys, _ = cls.example_known(rng, signal, folder, name)
        return frame, keys


def refuse_absent(kind: Input, table: str, absent: Bool[np.ndarray, " sample"]) -> list[Finding]:
    """The finding for rows that lack an input which no patient may lack; none where the study allows it."""
    if kind.options.missing == "allow" or not absent.any():
        return []
    return [
        Finding(
            name="absent_input",
            place=f"{table} [inputs.{kind.name}]",
            rule="every patient must have this input",
            found=f"{int(absent.sum())} of {len(absent)} rows have nothing of it",
            remedy='Fill them in, leave these rows out, or set missing = "allow": an absent input is then masked.',
            rows=tuple(int(row) + 1 for row in np.flatnonzero(absent)),
        )
    ]
