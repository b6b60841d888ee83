"""Free text in a column: notes, reports, abstracts; English or any language with spaces, and Chinese."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast, final

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int, Shaped, UInt64
from pydantic import Field
from torch import Generator, Tensor, nn
from torch.utils.checkpoint import checkpoint

from polyclinic.cohort.outcomes import absent_columns
from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, Finding, ReadError, stop_on
from polyclinic.geometry import Geometry, Known, Marks, Place, TextGeometry, TextKnown, Tokens
from polyclinic.inputs.base import ColumnCells, Features, Located, Picture, refuse_absent
from polyclinic.layers import public_text
from polyclinic.layers import text_encoder as reading
from polyclinic.layers.public_text import PublicReader, PublicText, TextWeightsDiffer, cut_public
from polyclinic.records.examples import notes as text_example
from polyclinic.records.text import markup as text_markup
from polyclinic.records.text import spelling
from polyclinic.records.text import texts as text_cells
from polyclinic.records.text.tokenised import Lexicon, Readable, Stretches, cut_words, read_hashes, write_hashes
from polyclinic.records.text.tokens import Language, Manner, cut, language_of
from polyclinic.study.options import InputOptions, Plan
from polyclinic.study.schema import Size
from polyclinic.tensors import STILL, Encoded, InputTensors, Movement, Sight
from polyclinic.translations.phrase import Phrase

_DROPOUT = 0.4
_AT_ONCE = 8
"""Windows that are answered together."""
_TOGETHER = 64
"""Windows that are read together where no question is asked about single words."""
_POINTS_OF_A_TOKEN = 512
"""A token costs a network about as much as this many points of a picture: so the house makes steps of 1,000 tokens."""


class TextOptions(InputOptions):
    """[inputs.<name>] with kind = "text"."""

    column: str
    """Column that holds the text itself."""
    language: Literal["auto", "en", "zh"] = "auto"
    """"en" stands for any language with spaces; "auto" looks at the training texts."""
    tokens: Literal["auto", "word", "character"] = "auto"
    """What is read at a time: words, numbers and signs (a Chinese character is a word), or single characters."""
    lower_case: bool = False
    """Take capitals for small letters? Offsets stay those of the text as given."""
    encoder: Literal["auto", "cnn", "bilstm", "transformer"] = "auto"
    """Network that is trained from the beginning; "auto" is "bilstm"."""
    weights: str | None = None
    """A public transformer to start from instead: a folder beside the table, or its name on the Hugging Face hub (extra
    "text"). Its own tokenizer cuts the texts. The learning rate is then 3e-5, unless the study says otherwise."""
    window: Annotated[int, Field(ge=16, le=4096)] = 640
    """Tokens read in one go. A longer text is read in several windows, never cut off."""
    vocabulary: Annotated[int, Field(ge=0)] = 60_000
    """Most words and pieces of words that get numbers of their own, learned from training texts."""


class TextPlan(Plan):
    """Constants from training rows.

    Attributes:
        dense: Whether questions are asked about single words.
        language: Of most training texts.
        manner: How texts are cut into tokens.
        pieces: Hashes of the pieces of words that count, base64 of int64: no word can be read off.
        neighbours: Hashes of the neighbourhoods that count, likewise.
        tokens: Tokens of a training text, on average, as far as one window sees them.
        public: The public transformer without its weights, where there is one.
    """

    dense: bool
    language: Language
    manner: Manner
    pieces: str
    neighbours: str
    tokens: float
    public: PublicText | None = None


@dataclass(frozen=True)
class Texts:
    """The texts of a column as read.

    Attributes:
        texts: By row, None where absent.
        table: The user's word for the table.
        place: Table and column, for messages.
        folder: Folder of the table.
    """

    texts: list[text_cells.Text]
    table: str
    place: str
    folder: Path

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True)
class TextTensors(InputTensors):
    """A batch of stretches of text, padded at the end.

    Attributes:
        read: False = padding.
        spelling: Number of each token's spelling, from 1; 0 = padding.
        pieces: Numbers of its pieces.
        neighbours: Numbers of its neighbourhoods.
        word: Number of the token in lower case, from 1; 0 = padding.
    """

    read: Bool[Tensor, "batch token"]
    spelling: Int[Tensor, "batch token"]
    pieces: Int[Tensor, "batch token slot"]
    neighbours: Int[Tensor, "batch token neighbour"]
    word: Int[Tensor, "batch token"]


@final
class Text(Located):
    """Texts, one per row."""

    Options = TextOptions
    Plan = TextPlan
    options: TextOptions
    plan: TextPlan | None
    ground = "text"
    start: str | None = None
    """Public weights, known after ``fit``. A bundle does not know them: its weights are its own."""

    def columns(self, offered: tuple[str, ...]) -> tuple[str, ...]:
        """The column of texts."""
        return (self.options.column,)

    def read(self, cells: ColumnCells) -> Texts:
        """The texts as they are.

        Raises:
            CohortError: no such column, or cells that are no text.
        """
        column = self.options.column
        place = f'{cells.table} column "{column}"'
        stop_on(absent_columns(cells.frame, (column,), f"[inputs.{self.name}] column", cells.table), CohortError)
        texts, findings = text_cells.read_texts(cells.frame[column], place)
        stop_on(findings, CohortError)
        return Texts(texts, cells.table, place, cells.folder)

    def check(self, records: Texts) -> list[Finding]:
        """Absent texts, and texts that look damaged."""
        absent = np.array([text is None for text in records.texts], dtype=bool)
        return [*refuse_absent(self, records.table, absent), *text_cells.doubts(records.texts, records.place)]

    def fit(self, records: Texts, rows: TrainRows) -> Self:
        """Language, and which pieces of words get numbers, from training rows only.

        Raises:
            ReadError: if the public transformer cannot be read.
            MissingPackage: if it needs one.
        """
        seen = [text for row in rows.index if (text := records.texts[row]) is not None]
        language = language_of(seen) if self.options.language == "auto" else self.options.language
        manner: Manner = "word" if self.options.tokens == "auto" else self.options.tokens
        words = [cut_words(text, manner, self.options.lower_case)[1] for text in seen]
        start, public = self._look(records.folder)
        lexicon = Lexicon.learn([] if public else words, self.options.vocabulary)
        lengths = [min(len(text), self.options.window) for text in words] or [1]
        plan = TextPlan(
            dense=self.dense,
            language=language,
            manner=manner,
            pieces=write_hashes(lexicon.pieces),
            neighbours=write_hashes(lexicon.neighbours),
            tokens=float(np.mean(lengths)),
            public=public,
        )
        fitted = type(self)(self.name, self.options, plan)
        fitted.start = start
        return fitted

    def _look(self, folder: Path) -> tuple[str | None, PublicText | None]:
        """Where the public weights are, and their shape."""
        if self.options.weights is None:
            return None, None
        beside = folder / self.options.weights
        start = str(beside) if beside.is_dir() else self.options.weights
        try:
            return start, public_text.look(start)
        except TextWeightsDiffer as error:
            rule, place = "must be a public transformer", f"[inputs.{self.name}] weights"
            remedy = "Name a folder that save_pretrained wrote, with its tokenizer, or a name on the hub."
            raise ReadError(Finding("weights_differ", place, rule, str(error), remedy)) from None

    @property
    def _window(self) -> int:
        """Tokens that are read in one go."""
        public = self.learned.public
        return self.options.window if public is None else min(self.options.window, public.most)

    @property
    def learned(self) -> TextPlan:
        """The plan of a fitted input."""
        assert self.plan is not None, "fit first"
        return self.plan

    def prepare(self, records: Texts) -> Readable:
        """Texts cut into tokens, tokens looked up."""
        if (public := self.learned.public) is not None:
            return Readable.of_public(records.texts, lambda text: cut_public(text, public), public.vocabulary)
        lexicon = Lexicon(read_hashes(self.learned.pieces), read_hashes(self.learned.neighbours))
        return Readable.of(records.texts, self.learned.manner, self.options.lower_case, lexicon)

    def collate(self, ready: Readable, index: Int[np.ndarray, " batch"]) -> TextTensors:
        """Some rows, whole."""
        return _tensors(ready.stretches(index, np.zeros(len(index), dtype=np.int64), ready.lengths(index)))

    def augment(self, tensors: TextTensors, generator: Generator) -> tuple[TextTensors, Movement]:
        """Nothing: the network itself hides words while training."""
        return tensors, STILL

    def encoder(self, width: int, size: Size, dropout: float | None) -> nn.Module:
        """From pieces of words to one token per window, and a map of the words."""
        plan, sizes = self.learned, _SIZES[size]
        if plan.public is not None:
            return TextEncoder(PublicReader(plan.public, self.start), width, self._window, plan.dense)
        lexicon = (len(read_hashes(plan.pieces)), len(read_hashes(plan.neighbours)))
        kind: reading.Reader = "bilstm" if self.options.encoder == "auto" else self.options.encoder
        reader = reading.Reading(lexicon, spelling.WORD_SLOTS, sizes, kind, _DROPOUT if dropout is None else dropout)
        return TextEncoder(reader, width, self._window, plan.dense)

    def geometry(self, records: Texts) -> list[Geometry | None]:
        """The text of every row."""
        return [None if text is None else TextGeometry(text) for text in records.texts]

    def places(self, ready: Readable) -> list[Place | None]:
        """The tokens of every row."""
        both = zip(ready.texts, ready.offsets, strict=True)
        return [None if text is None else Tokens(TextGeometry(text), offsets) for text, offsets in both]

    def sight(self, size: Size) -> Sight:
        """One map, a point for each token."""
        public = self.learned.public
        return Sight(1, (_SIZES[size].width if public is None else public.width,), ((1,),))

    def values(self, ready: Readable, row: int) -> tuple[str, ...]:
        """The tokens of one row."""
        return tuple(ready.words[row])

    def view_points(self, ready: Readable) -> int:
        """Tokens of a usual text or window, counted as points of a picture."""
        return max(1, round(self.learned.tokens * _POINTS_OF_A_TOKEN))

    def draw(
        self,
        ready: Readable,
        index: Int[np.ndarray, " batch"],
        aim: Float[np.ndarray, "batch dim"],
        generator: Generator,
        *,
        change: bool,
    ) -> tuple[TextTensors, Movement]:
        """A window of each text that holds the token asked for; a shorter text whole."""
        lengths = ready.lengths(index)
        view = int(min(self._window, max(1, lengths.max(initial=1))))
        last = np.maximum(lengths - view, 0)
        low = np.clip(np.nan_to_num(aim[:, 0], nan=0.0) - view + 1, 0, last)
        high = np.where(np.isnan(aim[:, 0]), last, np.minimum(np.nan_to_num(aim[:, 0]), last))
        chance = torch.rand(len(index), generator=generator, dtype=torch.float64).numpy()
        starts = np.floor(low + chance * (high - low + 1)).astype(np.int64).clip(low, high).astype(np.int64)
        tensors = _tensors(ready.stretches(index, starts, np.minimum(lengths - starts, view), view))
        return tensors, Movement(torch.from_numpy(starts)[:, None], (view,), None, (view,))

    def windows(self, ready: Readable, row: int) -> Iterator[tuple[TextTensors, Movement]]:
        """Windows that overlap by half, so that every token is seen once with much around it."""
        length = len(ready.words[row])
        if not length:
            return
        view = min(self._window, length)
        last = length - view
        starts = np.append(np.arange(0, last, max(1, view // 2)), last)
        for first in range(0, len(starts), _AT_ONCE):
            some = starts[first : first + _AT_ONCE]
            tensors = _tensors(ready.stretches(np.full(len(some), row), some, np.full(len(some), view), view))
            yield tensors, Movement(torch.from_numpy(some)[:, None], (view,), None, (view,))

    def summarise(self, records: Texts) -> Features:
        """Length, make-up and words in buckets, NaN where absent; and the text itself, to count words in."""
        words = [[text[a:b] for a, b in cut(text, "word").tolist()] if text else [] for text in records.texts]
        matrix, names = text_cells.plain_features(records.texts, words)
        return Features(matrix, names, (False,) * len(names), (tuple(text or "" for text in records.texts),))

    def fingerprints(self, records: Texts) -> UInt64[np.ndarray, " sample"]:
        """Equal for texts that differ in case and white space only; 0 where absent."""
        return text_cells.fingerprints(records.texts)

    def properties(self, records: Texts) -> Mapping[str, Shaped[np.ndarray, " sample"]]:
        """How lines end: the mark of the program that wrote the text."""
        return {"line ends": text_cells.line_ends(records.texts)}

    def show(self, records: Texts, position: int, attribution: np.ndarray | None = None) -> Picture:
        """The text, with colour behind words where an explanation points: red raises, blue lowers the answer."""
        text = records.texts[position]
        if text is None:
            return Picture("text/html", b"", Phrase("no text"))
        offsets = cut(text, "word" if self.plan is None else self.plan.manner)
        shades = attribution if attribution is not None and len(attribution) == len(offsets) else None
        return Picture("text/html", text_markup.shaded(text, offsets, shades), self.name)

    def show_marks(self, records: Texts, position: int, marks: Marks) -> Picture:
        """The text, with what was found, missed or taken wrongly."""
        markup = text_markup.marked(records.texts[position] or "", marks.names, marks.truth, marks.predicted)
        return Picture("text/html", markup, self.name)

    @classmethod
    def example_known(
        cls, rng: np.random.Generator, signal: Float[np.ndarray, " sample"], folder: Path, name: str
    ) -> tuple[pl.DataFrame, dict[str, Any], list[Known]]:
        """Short notes: the higher the signal, the graver the word before the first complaint; drugs and diseases."""
        made = text_example.notes(rng, signal)
        known: list[Known] = [TextKnown(TextGeometry(text), spans) for text, spans in made]
        return pl.DataFrame({name: [text for text, _ in made]}), {"column": name}, known

    def parameters_note(self) -> Iterator[str]:
        """Sentences for the card on how texts were read."""
        if self.plan is not None:
            pieces = len(read_hashes(self.plan.pieces))
            yield text_cells.cut_note(self.plan.manner, pieces, self.plan.public is not None)
            yield text_cells.window_note(self._window)


_SIZES = {
    Size.TINY: reading.Widths(48, 16, 64, 16, 48),
    Size.SMALL: reading.Widths(160, 40, 320, 64, 200),
    Size.MEDIUM: reading.Widths(200, 48, 400, 96, 256),
    Size.LARGE: reading.Widths(256, 64, 512, 128, 384),
}


class TextEncoder(nn.Module):
    """Reads texts window by window and gives a token for each window; if asked densely, also a map of the words."""

    def __init__(self, reader: reading.Reading | PublicReader, width: int, window: int, dense: bool) -> None:
        super().__init__()
        self.reader, self.window, self.dense = reader, window, dense
        self.pool = reading.Pool(reader.out, width)

    def forward(self, tensors: TextTensors) -> Encoded:
        """Padding is never read, nor is a window of a batch that is all padding."""
        rows, length = tensors.read.shape
        if self.dense and length <= self.window:
            words = self._read(tensors)
            return Encoded(self.pool(words, tensors.read)[:, None], tensors.present[:, None], (words.transpose(1, 2),))
        cut_up = _windows(tensors, self.window)
        kept = torch.nonzero(cut_up.present)[:, 0]
        some = TextTensors(*(value[kept] for value in vars(cut_up).values()))
        tokens = torch.zeros(len(cut_up.present), self.pool.out.out_features, device=tensors.read.device)
        if len(kept):
            tokens = tokens.index_copy(0, kept, self._pooled(some).float())
        return Encoded(tokens.reshape(rows, -1, tokens.shape[1]), cut_up.present.reshape(rows, -1))

    def _pooled(self, windows: TextTensors) -> Float[Tensor, "window width"]:
        """One vector per window; some windows at a time, so that long notes do not ask for memory without bound."""
        split = zip(*(value.split(_TOGETHER) for value in vars(windows).values()), strict=True)
        parts = [dict(zip(vars(windows), part, strict=True)) for part in split]
        if len(parts) == 1 or not torch.is_grad_enabled():
            return torch.cat([self._vector(**part) for part in parts])
        # What stands between is computed again on the way back instead of being kept.
        return torch.cat([cast(Tensor, checkpoint(self._vector, **part, use_reentrant=False)) for part in parts])

    def _vector(self, **fields: Shaped[Tensor, "..."]) -> Float[Tensor, "window width"]:
        windows = TextTensors(**fields)
        return cast(Tensor, self.pool(self._read(windows), windows.read))

    def _read(self, tensors: TextTensors) -> Float[Tensor, "batch token width"]:
        fields = (tensors.spelling, tensors.pieces, tensors.neighbours, tensors.word, tensors.read)
        return cast(Tensor, self.reader(*fields))


def _windows(tensors: TextTensors, window: int) -> TextTensors:
    """Texts cut into windows side by side: rows * windows rows. A window without tokens is not present."""
    short = min(window, tensors.read.shape[1])
    spare = -tensors.read.shape[1] % short
    fields = {name: value for name, value in vars(tensors).items() if name != "present"}
    cut_up = {}
    for name, value in fields.items():
        padded = nn.functional.pad(value, (0, 0) * (value.ndim - 2) + (0, spare))
        cut_up[name] = padded.reshape(padded.shape[0] * padded.shape[1] // short, short, *value.shape[2:])
    return TextTensors(cut_up["read"].any(dim=1), **cut_up)


def _tensors(stretches: Stretches) -> TextTensors:
    """A batch of stretches; one without tokens is absent."""
    arrays = {name: torch.from_numpy(array) for name, array in vars(stretches).items()}
    return TextTensors(arrays["read"].any(dim=1), **arrays)
