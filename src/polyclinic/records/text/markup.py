"""A text as HTML, with words shaded or spans marked. Every sign of the text is escaped."""

from html import escape
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int, Shaped

_RIGHT, _MISSED, _WRONG = "right", "missed", "wrong"
SIGNS = {_RIGHT: "\N{CHECK MARK}", _MISSED: "\N{WHITE CIRCLE}", _WRONG: "\N{BALLOT X}"}
"""What stands behind a label when it is pointed at: signs, because a reader may speak any language."""
_STYLES = {
    _RIGHT: "background:#c7e9c0",
    _MISSED: "background:#fdd0a2;border-bottom:2px dashed #d94801",
    _WRONG: "background:#d9d9d9;border-bottom:2px dotted #525252",
}


def shaded_markup(text: str, offsets: Int[np.ndarray, "token 2"], shares: Float[np.ndarray, " token"] | None) -> bytes:
    """The text with colour behind its tokens: red raises, blue lowers, as strong as the share of the largest."""
    if shares is None:
        return _page(escape(text))
    largest = float(np.abs(shares).max(initial=0.0)) or 1.0
    parts, last = [], 0
    for (start, end), share in zip(offsets.tolist(), (shares / largest).tolist(), strict=True):
        colour = "178,24,43" if share > 0 else "33,102,172"
        parts.append(escape(text[last:start]))
        parts.append(f'<span style="background:rgba({colour},{abs(share) * 0.6:.2f})">{escape(text[start:end])}</span>')
        last = end
    return _page("".join(parts) + escape(text[last:]))


def spans_markup(
    text: str,
    names: tuple[str, ...],
    truth: Shaped[np.ndarray, "true 3"] | None,
    predicted: Shaped[np.ndarray, "predicted 3"] | None,
) -> bytes:
    """The text with its spans: found rightly, missed, or wrong. Each stretch says its labels when pointed at.

    The classes "right", "missed" and "wrong" tell whoever shows it which keys its legend needs.
    """
    true, found = _as_set(truth), _as_set(predicted)
    judged = [(span, _RIGHT if span in true or truth is None else _WRONG) for span in sorted(found)]
    judged += [(span, _MISSED) for span in sorted(true - found)]
    edges = sorted({0, len(text), *(edge for (start, end, _), _ in judged for edge in (start, end))})
    parts = [_stretch(text, start, end, names, judged) for start, end in pairwise(edges)]
    return _page("".join(parts))


def _stretch(
    text: str, start: int, end: int, names: tuple[str, ...], judged: list[tuple[tuple[int, int, int], str]]
) -> str:
    here = [(span, verdict) for span, verdict in judged if span[0] <= start and end <= span[1]]
    if not here:
        return escape(text[start:end])
    worst = next(word for word in (_WRONG, _MISSED, _RIGHT) if any(verdict == word for _, verdict in here))
    title = escape("; ".join(f"{names[label]} {SIGNS[verdict]}" for (_, _, label), verdict in here), quote=True)
    first = [names[label] for (begin, _, label), _ in here if begin == start]
    tag = "".join(f'<sup style="font-size:70%;margin-left:2px">{escape(name)}</sup>' for name in first)
    return f'<mark class="{worst}" style="{_STYLES[worst]}" title="{title}">{escape(text[start:end])}{tag}</mark>'


def _as_set(spans: Shaped[np.ndarray, "span 3"] | None) -> set[tuple[int, int, int]]:
    return set() if spans is None else {(int(a), int(b), int(c)) for a, b, c in spans.tolist()}


def _page(markup: str) -> bytes:
    return f'<p class="text" style="white-space:pre-wrap">{markup}</p>'.encode("utf-8", "replace")
