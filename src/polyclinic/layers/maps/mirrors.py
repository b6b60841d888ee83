"""Windows shown mirrored as well: what a network says about both sides, averaged, errs less than either.

Source: Isensee et al., nnU-Net, Nature Methods 2021 (every mirror of the axes that were mirrored while training).
"""

from collections.abc import Sequence
from itertools import chain, combinations

from jaxtyping import Float
from torch import Tensor


def every_mirror(axes: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Every way to mirror a grid along some of these axes, the one that leaves it as it is left out."""
    return tuple(chain.from_iterable(combinations(axes, many) for many in range(1, len(axes) + 1)))


def backwards(
    values: Float[Tensor, "batch channel *grid"], axes: Sequence[int]
) -> Float[Tensor, "batch channel *grid"]:
    """The same with some axes of the grid (0 = its first) run backwards; done twice, it is as it was."""
    return values.flip([axis + 2 for axis in axes]) if axes else values
