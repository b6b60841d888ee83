"""Whether stretches of texts begin and end with words: offsets that were counted in another text do not."""

from collections.abc import Collection, Sequence

import numpy as np

from polyclinic.errors import Finding, Severity
from polyclinic.records.text.tokens import cut

Stretch = tuple[int, int]

_MOST = 0.5
"""Offsets that are out by a sign miss nearly every word; honest stretches within words are the exception."""

_FEW_ENDS = 20
"""Ten stretches: fewer show no habit; a round number."""


def spans_cut_words(stretches: Sequence[Collection[Stretch]], texts: Sequence[str | None], place: str) -> list[Finding]:
    """A refusal where most stretches do not begin or end with a word, as when offsets were counted in another text.

    Args:
        stretches: Start and end of those of each row that do not say themselves which words they hold.
        texts: The text of each row, None where absent.
        place: Where they stand, for the message.
    """
    pairs = zip(stretches, texts, strict=True)
    beside = np.array([0 if text is None else _beside(some, text) for some, text in pairs], dtype=np.int64)
    ends = np.array([0 if text is None else 2 * len(some) for some, text in zip(stretches, texts, strict=True)])
    if ends.sum() < _FEW_ENDS or beside.sum() <= _MOST * ends.sum():
        return []
    return [
        Finding(
            name="spans_cut_words",
            place=place,
            rule="spans should begin and end with a word",
            found=f"{int(beside.sum())} of {int(ends.sum())} ends do not",
            remedy="Count code points of the text as it stands in the cell, outer blanks too; or accept "
            "spans_cut_words if spans lie within words.",
            severity=Severity.REFUSED,
            rows=tuple(int(row) + 1 for row in np.flatnonzero(beside > _MOST * ends)),
        )
    ]


def _beside(stretches: Collection[Stretch], text: str) -> int:
    """How many ends are not those of a word or sign."""
    words = cut(text, "word")
    starts, ends = set(words[:, 0].tolist()), set(words[:, 1].tolist())
    return sum((start not in starts) + (end not in ends) for start, end in stretches)
