"""Every number of a fit, written out. What the study leaves to "auto" is decided here, by rule, never by trying."""

from dataclasses import dataclass
from math import ceil
from typing import Literal, TypeVar

from torch import nn

from polyclinic.errors import Finding, StudyError
from polyclinic.study.schema import TrainingSection
from polyclinic.tensors import Encoder, Hints

Optimizer = Literal["adamw", "adam", "sgd"]
Imbalance = Literal["none", "weight", "oversample", "undersample"]
_Value = TypeVar("_Value")

_GRADIENT_NORM = 1.0
"""Longest gradient. A round number."""
_WEIGHT_DECAY: dict[Optimizer, float] = {"adamw": 1e-2, "adam": 1e-5, "sgd": 5e-4}
"""AdamW: the default of torch. Adam and SGD add the decay to the gradient, which asks for other sizes."""
_SGD_RATE = 5e-2
"""Within what is usual with momentum; not tuned."""
_DENSE_VIEWS = 240
"""Views in an epoch, also where there are ten scans: tune rows are judged after so many. A round number."""
_DENSE_EPOCHS = 40
"""Of questions about places, where the encoder states no number of steps. A round number."""


@dataclass(frozen=True)
class Recipe:
    """How the weights are found.

    Attributes:
        epochs: Length of the schedule in passes over the training rows.
        stop_after: Epochs after which to stop although the schedule is longer, or None.
        replanned: Length of the schedule at each epoch, where a cap in minutes had changed it; else empty.
        batch: Rows per step, at most.
        views: How often an epoch shows each row; above 1 only where a view is a part of a record.
        learning_rate: Highest rate of the one-cycle schedule.
        l2: Weight decay (AdamW) or squared penalty (Adam, SGD); norms, biases and lone vectors are spared.
        l1: Absolute penalty on the same weights.
        ema: Decay of the running average of the weights; 0 = off.
        patience: Epochs without a better tune loss before stopping.
        clip: Longest gradient.
    """

    epochs: int
    stop_after: int | None
    replanned: tuple[int, ...]
    batch: int
    views: int
    optimizer: Optimizer
    learning_rate: float
    l2: float
    l1: float
    label_smoothing: float
    mixup: float
    ema: float
    patience: int
    clip: float
    imbalance: Imbalance


def write_recipe(
    model: nn.Module, settings: TrainingSection, rows: int, number: int = 0, points: int | None = None
) -> Recipe:
    """Turn the [training] section into numbers.

    The rules for "auto", where the hints of the encoders do not say otherwise:

    - batch: the largest power of two up to a twelfth of the training rows, from 16 to 256 (128 with convolutions);
      above 24,576 rows up to a 96th of them, at most 1,024.
    - epochs: what makes 600 steps, from 12 to 30 epochs; early stopping may end sooner.
    - learning rate: 4e-3 below a million weights without convolutions, else 2e-3 below a million, 1e-3 below 30
      million, and 5e-4 above; SGD 5e-2. On tune rows of eight small tables 4e-3 for 20 epochs did as well as 2e-3 for
      150, in a quarter of the time.
    - l2: AdamW 1e-2, Adam 1e-5, SGD 5e-4.
    - dense questions: as many views per step as make half a million points (an eighth of a million in volumes, with
      a rate of 5e-3), from 2 to 32; every row is shown so often that an epoch has 240 views; 40 epochs.
    - dense questions about texts: a token counts as 512 points; a rate of 3e-3, what makes 1,500 steps, from 6 to 20
      epochs. On texts kept from training twice as many gained nothing (NCBI-disease) or .005 of F1 (cEHRNER).
    - a public transformer: a rate of 3e-5.

    Args:
        model: The network to train.
        settings: The section of the study file.
        rows: How many rows train.
        number: Which fit of the study this is, from 0: where the study gives one number per fit.
        points: Points in one view of a record, for dense questions; None = records are seen whole.

    Raises:
        StudyError: if the study gives numbers for fewer fits.
    """
    hints = hints_of(model)
    batch = _batch(hints, rows, points) if settings.batch == "auto" else settings.batch
    views = 1 if points is None else ceil(_DENSE_VIEWS / rows)
    steps = ceil(rows * views / min(batch, rows * views))
    rate = settings.learning_rate
    return Recipe(
        epochs=_set_epochs(settings, number) or _epochs(hints, steps, points),
        stop_after=None if settings.stop_after is None else _nth(settings.stop_after, number, "stop_after"),
        replanned=() if settings.replanned is None else _nth(settings.replanned, number, "replanned"),
        batch=batch,
        views=views,
        optimizer=settings.optimizer,
        learning_rate=_rate(model, hints, settings.optimizer, points) if rate == "auto" else rate,
        l2=_WEIGHT_DECAY[settings.optimizer] if settings.l2 == "auto" else settings.l2,
        l1=settings.l1,
        label_smoothing=settings.label_smoothing,
        mixup=settings.mixup,
        ema=settings.ema,
        patience=settings.patience,
        clip=_GRADIENT_NORM,
        imbalance=settings.imbalance,
    )


def hints_of(model: nn.Module) -> Hints:
    """What the encoders of a network say of how it is best trained."""
    return Hints.together(module.hints for module in model.modules() if isinstance(module, Encoder))


def _batch(hints: Hints, rows: int, points: int | None) -> int:
    if points is not None:
        return _power_of_two(hints.dense_points // max(points, 1), 2, 32)
    return _power_of_two(max(min(rows // 12, 256), rows // 96), 16, hints.batch)


def _power_of_two(most: int, low: int, high: int) -> int:
    return min(high, max(low, 1 << max(most, 1).bit_length() - 1))


def _set_epochs(settings: TrainingSection, number: int) -> int | None:
    if isinstance(settings.epochs, tuple):
        return _nth(settings.epochs, number, "epochs")
    return None if settings.epochs == "auto" else settings.epochs


def _epochs(hints: Hints, steps: int, points: int | None) -> int:
    if points is None:
        return min(30, max(12, round(600 / steps)))
    if hints.dense_steps is not None:
        return min(20, max(6, round(hints.dense_steps / steps)))
    return _DENSE_EPOCHS


def _rate(model: nn.Module, hints: Hints, optimizer: Optimizer, points: int | None) -> float:
    if optimizer == "sgd":
        return _SGD_RATE
    stated = hints.rate if points is None or hints.dense_rate is None else hints.dense_rate
    if stated is not None:
        return stated
    weights = sum(parameter.numel() for parameter in model.parameters())
    if weights < 1_000_000:
        return hints.rate_if_small
    return 1e-3 if weights < 30_000_000 else 5e-4


def _nth(values: tuple[_Value, ...], number: int, key: str) -> _Value:
    if number < len(values):
        return values[number]
    raise StudyError(
        Finding(
            name="too_few_numbers",
            place=f"study.toml [training] {key}",
            rule="a list gives one number for every fit of the study",
            found=f"it gives {len(values)}, and the study has at least {number + 1} fits",
            remedy="Give one number for all fits, or as many as there are folds times members.",
        )
    )
