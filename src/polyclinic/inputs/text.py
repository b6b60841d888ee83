"""Free text in a column: notes, reports, abstracts; English or any language with spaces, and Chinese."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast, final

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int, Shaped
from pydantic import Field
from torch import Generator, Tensor, nn
from torch.utils.checkpoint import checkpoint

from polyclinic.cohort.outcomes import absent_columns
from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, stop_on
from polyclinic.geometry import Known, Place, TextGeometry, TextKnown, Tokens
from polyclinic.inputs.base import Located, LocatedPrepared, learned
from polyclinic.layers.text import public_text
from polyclinic.layers.text import text_encoder as reading
from polyclinic.layers.text.public_text import PublicReader, PublicText, cut_public
from polyclinic.layers.volumes.views import Aims, Rows
from polyclinic.records.base import ColumnCells
from polyclinic.records.examples import notes as text_example
from polyclinic.records.text import spelling
from polyclinic.records.text.texts import Texts, cut_note, read_texts, window_note
from polyclinic.records.text.tokenised import Lexicon, Readable, Stretches, cut_words, read_hashes, write_hashes
from polyclinic.records.text.tokens import Language, Manner, language_of
from polyclinic.study.options import InputOptions, Plan
from polyclinic.study.schema import Size
from polyclinic.tensors import Encoded, Encoder, Hints, InputTensors, Movement, Sight

_DROPOUT = 0.4
"""More than elsewhere, for texts are few and words many; no measurement of it is on record."""
_AT_ONCE = 8
"""Windows that are answered together: bounds the memory; a round number."""
_TOGETHER = 64
"""Windows that are read together where nothing is asked about single words: bounds the memory; a round number."""
_POINTS_OF_A_TOKEN = 512
"""A token costs a network about as much as this many points of a picture: so the house makes steps of 1,000 tokens."""


_DENSE_STEPS = 1_500
"""On texts kept from training twice as many gained nothing (NCBI-disease) or .005 of F1 (cEHRNER)."""
_OWN = Hints(dense_rate=3e-3, dense_steps=_DENSE_STEPS)
_PUBLIC = Hints(rate=3e-5, dense_steps=_DENSE_STEPS)
"""Source: Devlin J et al. BERT. NAACL 2019, appendix A.3: a rate of 2e-5, 3e-5 or 5e-5."""


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


@dataclass(frozen=True)
class PreparedTexts(LocatedPrepared):
    """Texts cut into tokens, tokens looked up. Nothing is changed while training: the network itself hides words.

    Attributes:
        readable: All texts as numbers.
        window: Most tokens that are read in one go.
        tokens: Tokens of a usual text or window.
    """

    readable: Readable
    window: int
    tokens: float

    def collate(self, index: Rows) -> TextTensors:
        """Some rows, whole."""
        return _tensors(self.readable.stretches(index, np.zeros(len(index), dtype=np.int64), self.lengths(index)))

    def lengths(self, index: Int[np.ndarray, " row"]) -> Int[np.ndarray, " row"]:
        """Tokens of some rows."""
        return self.readable.lengths(index)

    def places(self) -> list[Place | None]:
        """The tokens of every row."""
        both = zip(self.readable.texts, self.readable.offsets, strict=True)
        return [None if text is None else Tokens(TextGeometry(text), offsets) for text, offsets in both]

    def values(self, row: int) -> tuple[str, ...]:
        """The tokens of one row."""
        return tuple(self.readable.words[row])

    def view_points(self) -> int:
        """Tokens of a usual text or window, counted as points of a picture."""
        return max(1, round(self.tokens * _POINTS_OF_A_TOKEN))

    def draw(self, index: Rows, aim: Aims, generator: Generator, *, change: bool) -> tuple[TextTensors, Movement]:
        """A window of each text that holds the token asked for; a shorter text whole."""
        lengths = self.lengths(index)
        view = int(min(self.window, max(1, lengths.max(initial=1))))
        last = np.maximum(lengths - view, 0)
        low = np.clip(np.nan_to_num(aim[:, 0], nan=0.0) - view + 1, 0, last)
        high = np.where(np.isnan(aim[:, 0]), last, np.minimum(np.nan_to_num(aim[:, 0]), last))
        chance = torch.rand(len(index), generator=generator, dtype=torch.float64).numpy()
        starts = np.floor(low + chance * (high - low + 1)).astype(np.int64).clip(low, high).astype(np.int64)
        tensors = _tensors(self.readable.stretches(index, starts, np.minimum(lengths - starts, view), view))
        return tensors, Movement(torch.from_numpy(starts)[:, None], (view,), None, (view,))

    def windows(self, row: int) -> Iterator[tuple[TextTensors, Movement]]:
        """Windows that overlap by half, so that every token is seen once with much around it."""
        length = len(self.readable.words[row])
        if not length:
            return
        view = min(self.window, length)
        last = length - view
        starts = np.append(np.arange(0, last, max(1, view // 2)), last)
        for first in range(0, len(starts), _AT_ONCE):
            some = starts[first : first + _AT_ONCE]
            stretches = self.readable.stretches(np.full(len(some), row), some, np.full(len(some), view), view)
            yield _tensors(stretches), Movement(torch.from_numpy(some)[:, None], (view,), None, (view,))


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

    def texts(self) -> tuple[str, ...]:
        """The same: no blank is taken off."""
        return (self.options.column,)

    def read(self, cells: ColumnCells) -> Texts:
        """The texts as they are.

        Raises:
            CohortError: no such column, or cells that are no text.
        """
        column = self.options.column
        place = f'{cells.table} column "{column}"'
        stop_on(absent_columns(cells.frame, (column,), f"[inputs.{self.name}] column", cells.table), CohortError)
        texts, findings = read_texts(cells.frame[column], place)
        stop_on(findings, CohortError)
        return Texts(
            name=self.name,
            texts=texts,
            table=cells.table,
            place=place,
            folder=cells.folder,
            required=self.options.missing == "refuse",
            manner="word" if self.plan is None else self.plan.manner,
        )

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
        return start, public_text.look(start, f"[inputs.{self.name}] weights")

    @property
    def _window(self) -> int:
        """Tokens that are read in one go."""
        public = learned(self.plan).public
        return self.options.window if public is None else min(self.options.window, public.most)

    def prepare(self, records: Texts) -> PreparedTexts:
        """Texts cut into tokens, tokens looked up."""
        plan = learned(self.plan)
        if (public := plan.public) is not None:
            readable = Readable.of_public(records.texts, lambda text: cut_public(text, public), public.vocabulary)
        else:
            lexicon = Lexicon(read_hashes(plan.pieces), read_hashes(plan.neighbours))
            readable = Readable.of(records.texts, plan.manner, self.options.lower_case, lexicon)
        return PreparedTexts(readable, self._window, plan.tokens)

    def encoder(self, width: int, size: Size, dropout: float | None) -> Encoder:
        """From pieces of words to one token per window, and a map of the words."""
        plan, sizes = learned(self.plan), _SIZES[size]
        if plan.public is not None:
            return TextEncoder(PublicReader(plan.public, self.start), width, self._window, plan.dense, _PUBLIC)
        lexicon = (len(read_hashes(plan.pieces)), len(read_hashes(plan.neighbours)))
        kind: reading.Reader = "bilstm" if self.options.encoder == "auto" else self.options.encoder
        reader = reading.Reading(lexicon, spelling.WORD_SLOTS, sizes, kind, _DROPOUT if dropout is None else dropout)
        return TextEncoder(reader, width, self._window, plan.dense, _OWN)

    def sight(self, size: Size) -> Sight:
        """One map, a point for each token."""
        public = learned(self.plan).public
        return Sight(1, (_SIZES[size].width if public is None else public.width,), ((1,),))

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
            yield cut_note(self.plan.manner, pieces, self.plan.public is not None)
            yield window_note(self._window)


_SIZES = {
    Size.TINY: reading.Widths(48, 16, 64, 16, 48),
    Size.SMALL: reading.Widths(160, 40, 320, 64, 200),
    Size.MEDIUM: reading.Widths(200, 48, 400, 96, 256),
    Size.LARGE: reading.Widths(256, 64, 512, 128, 384),
}


class TextEncoder(Encoder):
    """Reads texts window by window and gives a token for each window; if asked densely, also a map of the words."""

    def __init__(
        self, reader: reading.Reading | PublicReader, width: int, window: int, dense: bool, hints: Hints
    ) -> None:
        super().__init__()
        self.reader = reader
        self.window = window
        self.dense = dense
        self.hints = hints
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
