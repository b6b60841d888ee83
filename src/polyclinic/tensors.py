"""What flows inside a model: the records in which inputs and heads meet."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

Loss = Float[Tensor, " batch"]
"""What each row adds to the loss."""


@dataclass(frozen=True)
class InputTensors:
    """What an input's ``collate`` gives: each kind adds its own tensors, all with the batch first.

    Attributes:
        present: False where the patient has no such record; the other tensors then hold padding.
    """

    present: Bool[Tensor, " batch"]


@dataclass(frozen=True)
class GridTensors(InputTensors):
    """A batch of pictures, of scans, or of views of them, around 0; 0 where absent."""

    values: Float[Tensor, "batch channel *grid"]


@dataclass(frozen=True)
class TargetTensors:
    """What a head's ``collate`` gives: each kind adds its own tensors, all with the batch first.

    Attributes:
        known: False where the outcome is not known; such rows add nothing to the loss.
    """

    known: Bool[Tensor, " batch"]


@dataclass(frozen=True)
class Movement:
    """How a view was taken from the grid of each record, so that a dense target can be taken likewise.

    First a cut of the record's grid, then a smooth map within the cut. For a text the grid is its tokens.

    Attributes:
        start: First point of the cut; negative = padding lies there. None = the whole grid.
        cut: Extent of the cut, the same for all rows.
        affine: Output grid -> cut in normalised coordinates [-1, 1], last axis first, as ``torch.affine_grid`` takes
            it without aligned corners; None when nothing moved.
        size: Extent of the output grid: what the network sees. The same as ``cut`` when nothing moved.
    """

    start: Int[Tensor, "batch dim"] | None = None
    cut: tuple[int, ...] = ()
    affine: Float[Tensor, "batch dim dim_plus_one"] | None = None
    size: tuple[int, ...] = ()


STILL = Movement()


@dataclass(frozen=True)
class Sight:
    """What the feature maps of an encoder look like, finest first.

    Attributes:
        dim: Axes of the grid: 1 for a text, 2 for a picture, 3 for a volume.
        channels: Channels of each map.
        strides: Points of the network's grid per point of each map, along each axis.
    """

    dim: int
    channels: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class FeatureMaps:
    """What a network for pictures or scans makes of a grid.

    Attributes:
        maps: Features at the points of a grid, finest first.
        pooled: One vector per record.
    """

    maps: tuple[Float[Tensor, "batch _ ..."], ...]
    pooled: Float[Tensor, "batch width"]


@dataclass(frozen=True)
class Encoded:
    """What every encoder gives.

    Attributes:
        tokens: The record in ``width`` numbers per token. An encoder that is itself an ensemble of ``members``
            (such as TabM) gives its members side by side, member fastest within a row: batch * members rows.
        present: False = padding, or the input is absent. Same rows as ``tokens``.
        maps: Feature maps "batch channel *grid" from fine to coarse, for dense questions.
        members: How many rows of ``tokens`` belong to one row of the batch.
    """

    tokens: Float[Tensor, "rows token width"]
    present: Bool[Tensor, "rows token"]
    maps: tuple[Tensor, ...] = ()
    members: int = 1


@dataclass(frozen=True)
class Hints:
    """How a network with a certain encoder is best trained, where the study leaves it open.

    Attributes:
        batch: Most rows in one step of training.
        answered: Rows that are answered together.
        rate: The learning rate, whatever the network's size; None = by its size.
        rate_if_small: The learning rate of a network below a million weights.
        dense_rate: The learning rate for dense questions; None = as for others.
        dense_points: Points that make a step of a dense question, over all its views.
        dense_steps: Steps of training that a dense question needs; None = the house's number of epochs.
    """

    batch: int = 1024
    answered: int = 256
    rate: float | None = None
    rate_if_small: float = 4e-3
    dense_rate: float | None = None
    dense_points: int = 1 << 19
    dense_steps: int | None = None

    @classmethod
    def together(cls, hints: Iterable["Hints"]) -> "Hints":
        """Those of a model with several encoders: the most careful of each that any encoder states."""
        every = [vars(one) for one in hints]
        stated = {
            field.name: [one[field.name] for one in every if one[field.name] is not None] for field in fields(cls)
        }
        return cls(**{name: min(values) for name, values in stated.items() if values})


CONVOLUTIONS = Hints(batch=128, answered=64, rate_if_small=2e-3)
"""Of networks that look at pictures: a step holds fewer rows, and small ones learn at half the rate of tables."""


class Encoder(nn.Module):
    """A module from the tensors of one input to ``Encoded``, with hints on how to train it."""

    hints: Hints = Hints()


@dataclass(frozen=True)
class Fused:
    """What every head receives.

    Attributes:
        summary: One vector per member and row of the batch.
        tokens: All tokens of all inputs, rows = batch * members.
        present: Which of them count.
        weights: Attention of the summary on each token, sums to 1 over tokens; None when there was one token only.
        inputs: What each encoder gave, by the user's own input names.
    """

    summary: Float[Tensor, "batch member width"]
    tokens: Float[Tensor, "rows token width"]
    present: Bool[Tensor, "rows token"]
    weights: Float[Tensor, "rows token"] | None
    inputs: Mapping[str, Encoded]


@dataclass(frozen=True)
class Batch:
    """Rows of the cohort as tensors: by the user's own names of inputs and targets."""

    inputs: Mapping[str, InputTensors]
    targets: Mapping[str, TargetTensors]


def layer_name(name: str) -> str:
    """A user's name as the name of a layer: no attribute of a torch container can collide with it (``values``)."""
    return f"@{name}"


Record = TypeVar("Record", InputTensors, TargetTensors)


def changed(record: Record, change: Callable[[Tensor], Tensor]) -> Record:
    """The same record with every tensor of it changed in one way."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    changes: dict[str, Any] = {name: change(value) for name, value in values.items() if isinstance(value, Tensor)}
    return replace(record, **changes)
