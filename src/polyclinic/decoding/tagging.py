"""Tags for the tokens of spans: which there are, which may follow which, spans to tags and back. numpy only."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int64

Scheme = Literal["bmes", "bio"]
TokenSpan = tuple[int, int, int]
"""First token, the one after the last, label."""

_PARTS: dict[Scheme, str] = {"bmes": "BMES", "bio": "BI"}


@dataclass(frozen=True)
class Tagging:
    """The tags of one chain: 0 = outside, then the parts of each label in turn.

    Attributes:
        scheme: "bio": begin, inside; "bmes": begin, middle, end, single. The latter tells a network where a span
            ends too. Source: Ratinov L, Roth D. CoNLL 2009, who found it the better one.
        labels: How many labels.
    """

    scheme: Scheme
    labels: int

    @property
    def tags(self) -> int:
        """How many tags."""
        return 1 + len(_PARTS[self.scheme]) * self.labels

    def part(self, tag: int) -> str:
        """What part of a span a tag is: "O" for none."""
        return "O" if tag == 0 else _PARTS[self.scheme][(tag - 1) % len(_PARTS[self.scheme])]

    def label(self, tag: int) -> int:
        """The label of a tag, -1 for none."""
        return -1 if tag == 0 else (tag - 1) // len(_PARTS[self.scheme])

    def tag(self, label: int, part: str) -> int:
        """The tag of a part of a label."""
        return 1 + label * len(_PARTS[self.scheme]) + _PARTS[self.scheme].index(part)

    def allowed(self) -> Bool[np.ndarray, "before after"]:
        """Which tag may follow which."""
        table = np.zeros((self.tags, self.tags), dtype=bool)
        for before in range(self.tags):
            for after in range(self.tags):
                table[before, after] = self._may_follow(before, after)
        return table

    def _may_follow(self, before: int, after: int) -> bool:
        goes_on = self.part(after) in ("I", "M", "E")
        if goes_on:
            return self.part(before) in ("B", "I", "M") and self.label(before) == self.label(after)
        return self.scheme == "bio" or self.part(before) not in ("B", "M")

    def may_start(self) -> Bool[np.ndarray, " tag"]:
        """Which tags may stand at the first token of a text."""
        return np.array([self.part(tag) not in ("I", "M", "E") for tag in range(self.tags)], dtype=bool)

    def may_end(self) -> Bool[np.ndarray, " tag"]:
        """Which tags may stand at the last token of a text."""
        open_ended = () if self.scheme == "bio" else ("B", "M")
        return np.array([self.part(tag) not in open_ended for tag in range(self.tags)], dtype=bool)

    def write(self, spans: list[TokenSpan], tokens: int) -> Int64[np.ndarray, " token"]:
        """Spans to tags; of spans that share tokens the longer one is kept."""
        tags = np.zeros(tokens, dtype=np.int64)
        for first, last, label in sorted(spans, key=lambda s: (s[0] - s[1], s)):
            if last > first and not tags[first:last].any():
                tags[first:last] = self.span_tags(last - first, label)
        return tags

    def span_tags(self, tokens: int, label: int) -> Int64[np.ndarray, " token"]:
        """The tags of one span."""
        if self.scheme == "bio":
            parts = "B" + "I" * (tokens - 1)
        else:
            parts = "S" if tokens == 1 else "B" + "M" * (tokens - 2) + "E"
        return np.array([self.tag(label, part) for part in parts], dtype=np.int64)

    def read(self, tags: Int64[np.ndarray, " token"]) -> list[TokenSpan]:
        """Tags to spans; tags that do not fit together make no span."""
        spans: list[TokenSpan] = []
        start = -1
        for place, tag in enumerate(tags.tolist()):
            part = self.part(tag)
            if part in ("B", "S"):
                start = place
            if start >= 0 and part != "O" and self._closes(tags, place):
                spans.append((start, place + 1, self.label(tag)))
            if part in ("O", "S", "E"):
                start = -1
        return spans

    def _closes(self, tags: Int64[np.ndarray, " token"], place: int) -> bool:
        """Whether a span ends with this token."""
        if self.scheme == "bmes":
            return self.part(int(tags[place])) in ("E", "S")
        follows = int(tags[place + 1]) if place + 1 < len(tags) else 0
        return not (self.part(follows) == "I" and self.label(follows) == self.label(int(tags[place])))
