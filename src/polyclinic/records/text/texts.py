"""Texts in the cells of a table, kept as they were given; what looks damaged about them. No torch."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float, Shaped, UInt64

from polyclinic.errors import Finding, Severity
from polyclinic.geometry import Geometry, Marks, TextGeometry
from polyclinic.records.absent import absent_rows
from polyclinic.records.base import Features, LocatedRecords, Picture
from polyclinic.records.text import markup
from polyclinic.records.text.tokens import Manner, cut
from polyclinic.translations.phrase import Phrase

Text = str | None
"""None = there is no text: an empty cell, or one of white space only."""

_MOJIBAKE = re.compile("\ufffd|锟斤拷|烫烫烫|Ã[\u0080-\u00bf]|â€[\u0080-\u024f\u2019-\u2122]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SPACE = re.compile(r"\s+")
_SENTENCE_END = re.compile(r"[.!?。！？;；\n]+")
_BUCKETS = 64
"""Words share buckets, so the number of features does not grow with the vocabulary; a round number."""
_SCALARS = ("signs", "sentences", "digits", "capitals", "spaces")


def read_texts(column: pl.Series, place: str) -> tuple[list[Text], list[Finding]]:
    """The texts of a column, unchanged to the last space; and what stops reading: cells that hold no text."""
    if column.dtype != pl.String and column.null_count() < len(column):
        rule, found = "must hold text", f"it holds {column.dtype}"
        return [], [Finding("not_text", place, rule, found, 'Name another column, or use kind = "tabular".')]
    return [None if text is None or not text.strip() else text for text in column.cast(pl.String).to_list()], []


@dataclass(frozen=True)
class Texts(LocatedRecords):
    """The texts of a column as read.

    Attributes:
        name: The user's word for the input.
        texts: By row, None where absent.
        table: The user's word for the table.
        place: Table and column, for messages.
        folder: Folder of the table.
        required: Whether every patient must have a text.
        manner: How texts are cut where an explanation points at their tokens.
    """

    name: str
    texts: Sequence[Text]
    table: str
    place: str
    folder: Path
    required: bool = True
    manner: Manner = "word"

    def __len__(self) -> int:
        return len(self.texts)

    def check(self) -> list[Finding]:
        """Absent texts, texts that look as if read in the wrong encoding, or that hold control characters."""
        absent = np.array([text is None for text in self.texts], dtype=bool)
        findings = absent_rows(self.name, self.table, absent) if self.required else []
        if rows := self._rows_with(_MOJIBAKE):
            rule, found = "must be readable text", f"{len(rows)} cells hold signs of a wrong encoding"
            remedy = 'Set encoding = "gb18030" or "utf-8" in [cohort], or export the table again.'
            findings.append(Finding("damaged_text", self.place, rule, found, remedy, Severity.WARNING, rows))
        if rows := self._rows_with(_CONTROL):
            rule, found = "should hold no control characters", f"{len(rows)} cells do"
            remedy = "They are read as signs of their own. Take them out if they mean nothing."
            findings.append(Finding("control_characters", self.place, rule, found, remedy, Severity.WARNING, rows))
        return findings

    def summarise(self) -> Features:
        """Length, make-up and words in buckets, NaN where absent; and the text itself, to count words in."""
        matrix = np.full((len(self), len(_SCALARS) + _BUCKETS), np.nan)
        for row, text in enumerate(self.texts):
            if text is not None:
                matrix[row] = _plain_features(text)
        buckets = tuple(f"words in bucket {k}" for k in range(_BUCKETS))
        names, texts = (*_SCALARS, *buckets), (tuple(text or "" for text in self.texts),)
        return Features(matrix, names, (False,) * len(names), texts, frozenset(buckets))

    def fingerprints(self) -> UInt64[np.ndarray, " sample"]:
        """Equal for texts that differ in case and white space only; 0 where absent."""
        hashes = [0 if text is None else _hash(_SPACE.sub("", text.casefold())) | 1 for text in self.texts]
        return np.array(hashes, np.uint64)

    def properties(self) -> Mapping[str, Shaped[np.ndarray, " sample"]]:
        """How the program that wrote a text ends its lines: 0 = one line, 1 = newline, 2 = carriage return too."""
        ends = [0 if not text else 2 if "\r" in text else int("\n" in text) for text in self.texts]
        return {"line ends": np.array(ends, dtype=np.int64)}

    def show(self, position: int, attribution: np.ndarray | None = None) -> Picture:
        """The text, with colour behind words where an explanation points: red raises, blue lowers the answer."""
        text = self.texts[position]
        if text is None:
            return Picture("text/html", b"", Phrase("no text"))
        offsets = cut(text, self.manner)
        shares = attribution if attribution is not None and len(attribution) == len(offsets) else None
        return Picture("text/html", markup.shaded_markup(text, offsets, shares), self.name)

    def geometry(self) -> list[Geometry | None]:
        """The text of every row."""
        return [None if text is None else TextGeometry(text) for text in self.texts]

    def show_marks(self, position: int, marks: Marks) -> Picture:
        """The text, with what was found, missed or taken wrongly."""
        content = markup.spans_markup(self.texts[position] or "", marks.names, marks.truth, marks.predicted)
        return Picture("text/html", content, self.name)

    def _rows_with(self, pattern: re.Pattern[str]) -> tuple[int, ...]:
        """Rows of the table, from 1, whose text holds the pattern."""
        return tuple(row for row, text in enumerate(self.texts, 1) if text is not None and pattern.search(text))


def _plain_features(text: str) -> Float[np.ndarray, " feature"]:
    """Length and make-up of a text, and its words counted in buckets."""
    words = [text[start:end] for start, end in cut(text, "word").tolist()]
    counts = np.bincount([_hash(word.lower()) % _BUCKETS for word in words], minlength=_BUCKETS)
    return np.concatenate([_make_up(text), np.log1p(counts)])


def _make_up(text: str) -> tuple[float, ...]:
    length = len(text)
    digits, capitals = sum(c.isdigit() for c in text), sum(c.isupper() for c in text)
    sentences = len(_SENTENCE_END.findall(text))
    return np.log1p(length), np.log1p(sentences), digits / length, capitals / length, len(text.split()) / length


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def cut_note(manner: str, pieces: int, public: bool) -> Phrase:
    """How texts were cut, in a sentence for the report."""
    if public:
        return Phrase("A public transformer was the start; it cut the texts.")
    unit = Phrase(f"{manner}s")
    return Phrase("Texts were cut into {unit}; {n} pieces of words have numbers of their own.", unit=unit, n=pieces)


def window_note(tokens: int) -> Phrase:
    """How much of a text is read at once, in a sentence for the report."""
    return Phrase("Up to {n} tokens are read in one go, longer texts in several windows.", n=tokens)
