"""Which word of a truth is which class, and which of two classes is the positive one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Shaped

from polyclinic.cohort.outcome_coding import Side, cell_meant, guess_positive, side
from polyclinic.formats.columns.cells import is_unknown_word
from polyclinic.formats.columns.reading import MISSING_VALUES

Words = Shaped[np.ndarray, " sample"]


@dataclass(frozen=True)
class Pair:
    """Two classes.

    Attributes:
        negative: The one whose chance is not given.
        positive: The one whose chance is given.
    """

    negative: str
    positive: str


def words_of(column: pl.Series) -> Words:
    """A column as words, whole numbers without a decimal point; None where it is empty."""
    if column.dtype == pl.Boolean:
        column = column.cast(pl.String)
    words = [str(int(cell)) if isinstance(cell, float) and cell.is_integer() else cell for cell in column.to_list()]
    return np.array([None if word is None else str(word) for word in words], dtype=object)


def kept(words: Words, among: Bool[np.ndarray, " sample"]) -> Words:
    """The words of some rows, None in the others."""
    left = words.copy()
    left[~among] = None
    return left


def different(words: Words) -> list[str]:
    """The words that occur, each once: numbers by size, others by the alphabet."""
    return sorted({word for word in words if word is not None}, key=_place)


def _place(word: str) -> tuple[float, str]:
    try:
        return float(word), word
    except ValueError:
        return float("inf"), word


def unknown_words(words: Words, classes: Sequence[str], most: int | None = None) -> Bool[np.ndarray, " sample"]:
    """Which cells say "not known" in words: such as NA, where no class is called so.

    Args:
        words: The truth.
        classes: Known names of classes; empty where the words themselves are the classes.
        most: How many classes there can be; with no more words than that, each is a class, NA too.
    """
    plenty = most is None or len(different(words)) > most
    return np.array([plenty and word is not None and word not in classes and _says_unknown(word) for word in words])


def _says_unknown(word: str) -> bool:
    return word in MISSING_VALUES or is_unknown_word(word)


def pair_of(words: Sequence[str], column: str, positive: str | None) -> Pair | None:
    """The two classes of a truth, if it is clear which is the positive one.

    Args:
        words: One or two different words.
        column: Name of the column: in "alive" a yes is no event.
        positive: What the user says is the positive one.
    """
    if positive is not None:
        meant = cell_meant(positive, words)
        return None if meant is None else Pair(_other(words, meant), meant)
    if len(words) == 2:
        guess = guess_positive(pl.Series(column, words))
        sure = next((word for word in words if guess.sure and cell_meant(guess.value, [word])), None)
        return None if sure is None else Pair(_other(words, sure), sure)
    if words[0] in ("0", "1"):
        return Pair("0", "1")
    found = side(words[0])
    if found is Side.OPEN:
        return None
    other = f"not {words[0]}"
    return Pair(other, words[0]) if found is Side.ILL else Pair(words[0], other)


def _other(words: Sequence[str], one: str) -> str:
    return next((word for word in words if word != one), f"not {one}")


def numbered(words: Words, classes: Sequence[str]) -> Float[np.ndarray, " sample"]:
    """The number of each word's class; NaN for what is none. Also 1.0 is the class "1", and True the class "true"."""
    number = {name: float(k) for k, name in enumerate(classes)}
    meant = {word: number.get(word, number.get(cell_meant(word, classes) or "", np.nan)) for word in different(words)}
    return np.array([meant.get(word, np.nan) for word in words])


def events_of(words: Words) -> Float[np.ndarray, " sample"]:
    """1 = the event was seen, 0 = censored, NaN where that cannot be told."""
    plain = {"0": 0.0, "1": 1.0}
    sides = {Side.ILL: 1.0, Side.WELL: 0.0, Side.OPEN: np.nan}
    meant = {word: plain.get(word, sides[side(word)]) for word in different(words)}
    return np.array([meant.get(word, np.nan) for word in words])
