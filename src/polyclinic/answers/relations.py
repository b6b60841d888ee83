"""Relations between two stretches of a text."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Shaped

from polyclinic.answers.base import Answer


@dataclass(frozen=True)
class RelationAnswer(Answer):
    """Relations between two stretches of a text.

    Attributes:
        types: Names in the user's words; the first means that there is no relation.
        pairs: Packed float64 "pair 6+type": start and end of the head, start and end of the tail, true type
            (-1 = not known), predicted type, probability of each type.
    """

    form: ClassVar[str] = "relations"
    types: tuple[str, ...]
    pairs: Shaped[np.ndarray, " sample"]
