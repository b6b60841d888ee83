"""What every kind of input promises. A kind is one final class in one file of this folder (or of a plug-in)."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Int
from torch import Generator

from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, stop_on
from polyclinic.formats.columns.column_types import path_findings
from polyclinic.geometry import Ground, Known, Place
from polyclinic.layers.maps.mirrors import backwards, every_mirror
from polyclinic.layers.pictures.picture_views import PictureViewer
from polyclinic.layers.volumes.views import Aims, Rows, Viewer
from polyclinic.records.base import ColumnCells, LocatedRecords, Records
from polyclinic.records.images.resampled import ResampledPictures
from polyclinic.records.scans.resampled import ResampledScans
from polyclinic.study.options import InputOptions, Plan
from polyclinic.study.schema import Size
from polyclinic.tensors import STILL, Encoder, GridTensors, InputTensors, Movement, Sight

Constants = TypeVar("Constants", bound=Plan)


class Prepared(ABC):
    """Records made ready for a network by a fitted kind: what happens at every step. Rows as in the records."""

    @abstractmethod
    def collate(self, index: Rows) -> InputTensors:
        """Some rows, whole, as padded tensors and masks. Fast: it runs at every step."""

    def augment(self, tensors: Any, generator: Generator) -> tuple[Any, Movement]:
        """A random, label-safe change of a batch, and how it moved; ``STILL`` when nothing moves."""
        return tensors, STILL

    def lengths(self, index: Int[np.ndarray, " row"]) -> Int[np.ndarray, " row"] | None:
        """How long some rows are, 0 where absent, if a step pads them to its longest; None where all are alike."""
        return None


class LocatedPrepared(Prepared):
    """Prepared records with places, for questions that ask where something is."""

    @abstractmethod
    def places(self) -> list[Place | None]:
        """The network's grid of every row, None where absent: targets are brought onto it."""

    @abstractmethod
    def values(self, row: int) -> Any:
        """What stands at the places of one row, for plain models: float32 "channel *grid", or a tuple of tokens."""

    @abstractmethod
    def view_points(self) -> int:
        """Points in one view of ``draw``, about: by it the house decides how many views make a step."""

    @abstractmethod
    def draw(self, index: Rows, aim: Aims, generator: Generator, *, change: bool) -> tuple[InputTensors, Movement]:
        """A random view of each of some rows, and how it was taken.

        Args:
            index: Which rows.
            aim: A point of the row's grid that the view must hold; NaN = any view will do.
            generator: Of every random choice.
            change: Whether to augment too; the views that judge a fit are not changed.
        """

    @abstractmethod
    def windows(self, row: int) -> Iterator[tuple[InputTensors, Movement]]:
        """Overlapping views that cover one row, unchanged, in batches that fit into memory; none where it is absent."""

    def mirrors(self) -> tuple[tuple[int, ...], ...]:
        """Ways to mirror a window, as axes of its grid, that leave the label true: those that the study allows.

        Questions whose answers turn with the grid are then asked about the mirrored windows too.
        """
        return ()

    def mirrored(self, tensors: Any, axes: tuple[int, ...]) -> Any:
        """Windows with some axes of the grid run backwards: none, or what ``mirrors`` names."""
        return tensors


@dataclass(frozen=True)
class PreparedGrids(LocatedPrepared):
    """Pictures or scans at the resolution at which it is asked where something is.

    Attributes:
        grids: All of them.
        viewer: Takes views of them.
        flips: Axes along which windows may be mirrored.
    """

    grids: ResampledPictures | ResampledScans
    viewer: PictureViewer | Viewer
    flips: tuple[int, ...]

    def places(self) -> list[Place | None]:
        """The network's grid of every row."""
        return [self.grids.place(row) for row in range(len(self.grids))]

    def view_points(self) -> int:
        """Points of a view."""
        return prod(self.viewer.extent)

    def draw(self, index: Rows, aim: Aims, generator: Generator, *, change: bool) -> tuple[GridTensors, Movement]:
        """A part of each of some records, moved and relit in one go where ``change`` asks for it."""
        values, movement = self.viewer.draw(self.grids, index, aim, generator, change=change)
        present = torch.from_numpy(self.grids.entry[index] >= 0)
        return GridTensors(present, values * present.reshape(-1, *(1,) * (values.ndim - 1))), movement

    def windows(self, row: int) -> Iterator[tuple[GridTensors, Movement]]:
        """Parts that overlap by half (scans by a quarter where there would be very many) and cover the record."""
        for values, movement in self.viewer.windows(self.grids, row):
            yield GridTensors(torch.ones(len(values), dtype=torch.bool), values), movement

    def mirrors(self) -> tuple[tuple[int, ...], ...]:
        """Those that the flips while training allow."""
        return every_mirror(self.flips)

    def mirrored(self, tensors: GridTensors, axes: tuple[int, ...]) -> GridTensors:
        """Parts with some axes run backwards."""
        return replace(tensors, values=backwards(tensors.values, axes))


def learned(plan: Constants | None) -> Constants:
    """The plan of a fitted kind."""
    assert plan is not None, "fit first"
    return plan


class Input(ABC):
    """A kind of input: thin, and immutable: ``fit`` returns another one that holds the plan.

    The life of an input within a study::

        records  = kind.read(cells)              # raw values with units, whatever form suits the kind; all rows
        findings = records.check()
        fitted   = kind.fit(records, train)      # constants, from training rows only
        prepared = fitted.prepare(records)       # ready for a network; all rows, done once per fold
        tensors  = prepared.collate(index)
        tensors, movement = prepared.augment(tensors, generator)      # training only
        encoded  = fitted.encoder(width, size, dropout)(tensors)

    ``read`` returns records of the kind's own making; only the same kind ever looks inside.
    """

    Options: ClassVar[type[InputOptions]]
    Plan: ClassVar[type[Plan]]
    ground: ClassVar[Ground | None] = None
    """On what kind of place questions can be asked here; None where records have no places."""
    quick: ClassVar[bool] = False
    """Whether a fit to some thousand rows takes seconds, so that several are afforded for each one delivered."""

    def __init__(self, name: str, options: Any, plan: Any = None) -> None:
        """``name`` is the user's word, ``options`` an ``Options``, ``plan`` a ``Plan`` once fitted."""
        self.name = name
        self.options = options
        self.plan = plan

    @abstractmethod
    def columns(self, offered: tuple[str, ...]) -> tuple[str, ...]:
        """Columns of the table that this input reads; ``offered`` are those nothing else uses (for "rest")."""

    def words(self) -> tuple[str, ...]:
        """Columns whose very text counts, such as paths and categories: 2.10 is there another one than 2.1."""
        return ()

    def texts(self) -> tuple[str, ...]:
        """Columns of texts, which stand as given to the last blank: offsets may be counted in them."""
        return ()

    def left_out(self) -> tuple[str, ...]:
        """Names or patterns of columns that the study leaves out of "rest"; one that means none is misspelt."""
        return ()

    def numbers(self) -> tuple[str, ...]:
        """Columns that hold numbers, whatever a few of their cells look like."""
        return ()

    @abstractmethod
    def read(self, cells: ColumnCells) -> Records:
        """Cells to raw values, all rows; an absent value stays absent.

        Raises:
            ReadError: with all findings, if files cannot be read or reading would be a guess.
            CohortError: with all findings, if cells are of the wrong type.
        """

    @abstractmethod
    def fit(self, records: Any, rows: TrainRows) -> Self:
        """The same input with the constants learned from training rows only."""

    @abstractmethod
    def prepare(self, records: Any) -> Prepared:
        """Raw values to model-ready columns (scaled, resized), all rows; may be memory-mapped."""

    @abstractmethod
    def encoder(self, width: int, size: Size, dropout: float | None) -> Encoder:
        """A module from ``collate``'s tensors to ``Encoded`` with tokens of ``width``; it states its training hints."""

    def members(self, size: Size) -> int:
        """How many rows of tokens the encoder of that size gives for each row of the batch (``Encoded.members``)."""
        return 1

    @property
    def file_column(self) -> str | None:
        """The column that names the file of each record, for answers that are written in its geometry; None = none."""
        return None

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

    A dense question may be asked on it. Then it is told so by ``facing``, keeps that in its plan, and its records and
    prepared records are ``LocatedRecords`` and ``LocatedPrepared``::

        geometry = records.geometry()                  # of the files as given
        places   = prepared.places()                   # of the network's grid
        tensors, movement = prepared.draw(index, aim, generator, change=True)      # training: one view of each row
        for tensors, movement in prepared.windows(row): ...                        # answering: all of a row
        for axes in prepared.mirrors(): prepared.mirrored(tensors, axes)           # ... and mirrored

    ``collate`` still gives a tensor of the whole record, for other questions in the same study.
    """

    def __init__(self, name: str, options: Any, plan: Any = None) -> None:
        """As every kind; a plan of this sort has ``dense``, and remembers what was asked."""
        super().__init__(name, options, plan)
        self.dense: bool = plan is not None and plan.dense

    def columns(self, offered: tuple[str, ...]) -> tuple[str, ...]:
        """The one column that the study names."""
        return (self.options.column,)

    def words(self) -> tuple[str, ...]:
        """The same: it holds paths or sentences."""
        return (self.options.column,)

    def facing(self) -> Self:
        """The same input, with a dense question asked on it."""
        asked = copy.copy(self)
        asked.dense = True
        return asked

    @abstractmethod
    def sight(self, size: Size) -> Sight:
        """What the maps of a dense encoder look like."""

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


class LocatedFiles(Located):
    """A kind whose column names a file for each record: a picture, a scan."""

    @property
    def file_column(self) -> str:
        """The column of paths."""
        column: str = self.options.column
        return column

    def paths(self, cells: ColumnCells, what: str) -> list[str | None]:
        """The cells of the column, None where empty; ``what`` the files hold, for messages.

        Raises:
            CohortError: no such column, or cells that are no text.
        """
        key = f"[inputs.{self.name}] column"
        stop_on(path_findings(cells.frame, self.file_column, key, cells.table, what), CohortError)
        return cells.frame[self.file_column].cast(pl.String).to_list()


def located(kind: Input) -> Located:
    """A kind on which a dense question is asked: a study that asks it of another is refused before."""
    assert isinstance(kind, Located), "a dense question needs records with places"
    return kind


@dataclass(frozen=True)
class InputColumns:
    """A kind bound to its columns and records.

    Attributes:
        kind: Fitted or not.
        columns: The columns of the table that it reads.
        records: What it read, all rows.
    """

    kind: Input
    columns: tuple[str, ...]
    records: Records

    @property
    def located(self) -> LocatedRecords:
        """The records of an input on which a dense question is asked."""
        assert isinstance(self.records, LocatedRecords), "a dense question needs records with places"
        return self.records

    @classmethod
    def read(cls, kind: Input, cells: ColumnCells) -> "InputColumns":
        """All cells of the kind's columns read.

        Raises:
            ReadError, CohortError: as ``Input.read``.
        """
        return cls(kind, tuple(cells.frame.columns), kind.read(cells))

    def fit(self, rows: TrainRows) -> "InputColumns":
        """The same with the constants learned from training rows only."""
        return replace(self, kind=self.kind.fit(self.records, rows))

    def prepare(self) -> Prepared:
        """The records ready for a network; the kind must be fitted."""
        return self.kind.prepare(self.records)
