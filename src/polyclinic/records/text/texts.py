"""Texts in the cells of a table, kept as they were given; what looks damaged about them."""

import re
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import polars as pl
from jaxtyping import Float, Int64, UInt64

from polyclinic.errors import Finding, Severity
from polyclinic.translations.phrase import Phrase

Text = str | None
"""None = there is no text: an empty cell, or one of white space only."""

_MOJIBAKE = re.compile("\ufffd|锟斤拷|烫烫烫|Ã[\u0080-\u00bf]|â€[\u0080-\u024f\u2019-\u2122]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SPACE = re.compile(r"\s+")
_SENTENCE_END = re.compile(r"[.!?。！？;；\n]+")
_BUCKETS = 64
_SCALARS = ("signs", "sentences", "digits", "capitals", "spaces")


def read_texts(column: pl.Series, place: str) -> tuple[list[Text], list[Finding]]:
    """The texts of a column, unchanged to the last space; and what stops reading: cells that hold no text."""
    if column.dtype != pl.String and column.null_count() < len(column):
        rule, found = "must hold text", f"it holds {column.dtype}"
        return [], [Finding("not_text", place, rule, found, 'Name another column, or use kind = "tabular".')]
    return [None if text is None or not text.strip() else text for text in column.cast(pl.String).to_list()], []


def doubts(texts: Sequence[Text], place: str) -> list[Finding]:
    """Texts that look as if read in the wrong encoding, or that hold control characters."""
    findings = []
    if rows := _rows_with(_MOJIBAKE, texts):
        rule, found = "must be readable text", f"{len(rows)} cells hold signs of a wrong encoding"
        remedy = 'Set encoding = "gb18030" or "utf-8" in [cohort], or export the table again.'
        findings.append(Finding("damaged_text", place, rule, found, remedy, Severity.WARNING, rows))
    if rows := _rows_with(_CONTROL, texts):
        rule, found = "should hold no control characters", f"{len(rows)} cells do"
        remedy = "They are read as signs of their own. Take them out if they mean nothing."
        findings.append(Finding("control_characters", place, rule, found, remedy, Severity.WARNING, rows))
    return findings


def fingerprints(texts: Sequence[Text]) -> UInt64[np.ndarray, " sample"]:
    """A hash of each text but for case and white space; 0 where there is none."""
    return np.array([0 if text is None else _hash(_SPACE.sub("", text.casefold())) | 1 for text in texts], np.uint64)


def plain_features(
    texts: Sequence[Text], words: Sequence[Sequence[str]]
) -> tuple[Float[np.ndarray, "sample feature"], tuple[str, ...]]:
    """Length and make-up of each text, and its words counted in buckets; NaN where there is no text.

    Args:
        texts: The texts.
        words: Their tokens.
    """
    matrix = np.full((len(texts), len(_SCALARS) + _BUCKETS), np.nan)
    for row, (text, tokens) in enumerate(zip(texts, words, strict=True)):
        if text is not None:
            matrix[row, : len(_SCALARS)] = _make_up(text)
            counts = np.bincount([_hash(token.lower()) % _BUCKETS for token in tokens], minlength=_BUCKETS)
            matrix[row, len(_SCALARS) :] = np.log1p(counts)
    return matrix, (*_SCALARS, *(f"words in bucket {k}" for k in range(_BUCKETS)))


def line_ends(texts: Sequence[Text]) -> Int64[np.ndarray, " sample"]:
    """How the program that wrote a text ends its lines: 0 = one line, 1 = newline, 2 = carriage return too."""
    return np.array([0 if not text else 2 if "\r" in text else int("\n" in text) for text in texts], dtype=np.int64)


def _rows_with(pattern: re.Pattern[str], texts: Sequence[Text]) -> tuple[int, ...]:
    """Rows of the table, from 1, whose text holds the pattern."""
    return tuple(row for row, text in enumerate(texts, 1) if text is not None and pattern.search(text))


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
