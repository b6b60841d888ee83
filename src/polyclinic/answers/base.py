"""What every form of answer is: arrays with one entry per sample. numpy only."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self, cast

import numpy as np
from jaxtyping import Int


@dataclass(frozen=True)
class Answer:
    """Base of the forms of answer. Every array has one entry per sample, in the same order; NaN = not known.

    Attributes:
        form: The form's word: the name of its file here, and of those that judge and deliver it.
    """

    form: ClassVar[str]

    def __len__(self) -> int:
        return len(cast(np.ndarray, getattr(self, fields(self)[-1].name)))

    def take(self, index: Int[np.ndarray, " row"]) -> Self:
        """The same answer for some of the samples."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        changes: dict[str, Any] = {k: v[index] for k, v in arrays.items() if isinstance(v, np.ndarray)}
        return replace(self, **changes)


def join_answers(answers: Sequence[Answer]) -> Answer:
    """Answers of one form for other samples, one after another.

    Survival curves may have grids of different lengths; a shorter one goes on with its last point.
    """
    arrays = {f.name: [getattr(a, f.name) for a in answers] for f in fields(answers[0])}
    changes = {name: _stack(parts) for name, parts in arrays.items() if isinstance(parts[0], np.ndarray)}
    return replace(answers[0], **cast(dict[str, Any], changes))


def _stack(parts: Sequence[np.ndarray]) -> np.ndarray:
    if parts[0].ndim == 1:
        return np.concatenate(parts)
    width = max(part.shape[1] for part in parts)
    return np.concatenate([np.pad(part, ((0, 0), (0, width - part.shape[1])), mode="edge") for part in parts])
