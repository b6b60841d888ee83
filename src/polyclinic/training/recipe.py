"""Every number of a fit, written out. What the study leaves to "auto" is decided here, by rule, never by trying."""

from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

from torch import nn

from polyclinic.errors import Finding, StudyError
from polyclinic.layers.public_text import PublicReader
from polyclinic.layers.text_encoder import Reading
from polyclinic.study.schema import TrainingSection

Optimizer = Literal["adamw", "adam", "sgd"]
Imbalance = Literal["none", "weight", "oversample", "undersample"]

_GRADIENT_NORM = 1.0
_WEIGHT_DECAY: dict[Optimizer, float] = {"adamw": 1e-2, "adam": 1e-5, "sgd": 5e-4}
_SGD_RATE = 5e-2
_DENSE_POINTS = 1 << 19
_DENSE_VOXELS = 1 << 17
_DENSE_VOXEL_RATE = 5e-3
"""On tune rows of MSD Hippocampus 2e-3 had not told front from back after 1,500 steps, where 5e-3 had by step 700."""
_DENSE_VIEWS = 240
_DENSE_EPOCHS = 40
_DENSE_TEXT_RATE = 3e-3
_DENSE_TEXT_STEPS = 1_500
_PUBLIC_TEXT_RATE = 3e-5
"""Source: Devlin J et al. BERT. NAACL 2019, appendix A.3: 2e-5, 3e-5 or 5e-5."""


@dataclass(frozen=True)
class Recipe:
    """How the weights are found.

    Attributes:
        epochs: Length of the schedule in passes over the training rows.
        stop_after: Epochs after which to stop although the schedule is longer, or None.
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

    def lasting(self, epochs: int) -> "Recipe":
        """The same with another number of epochs."""
        return replace(self, epochs=epochs)


def write_recipe(
    model: nn.Module, settings: TrainingSection, rows: int, number: int = 0, points: int | None = None
) -> Recipe:
    """Turn the [training] section into numbers.

    The rules for "auto":

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
    batch = _batch(model, rows, points) if settings.batch == "auto" else settings.batch
    views = 1 if points is None else _dense_views(rows)
    rate = _rate if points is None else _dense_rate
    steps = ceil(rows * views / min(batch, rows * views))
    epochs = _epochs if points is None else _dense_epochs
    return Recipe(
        epochs=_set_epochs(settings, number) or epochs(model, steps),
        stop_after=None if settings.stop_after is None else _nth(settings.stop_after, number, "stop_after"),
        batch=batch,
        views=views,
        optimizer=settings.optimizer,
        learning_rate=settings.learning_rate if settings.learning_rate != "auto" else rate(model, settings.optimizer),
        l2=_WEIGHT_DECAY[settings.optimizer] if settings.l2 == "auto" else settings.l2,
        l1=settings.l1,
        label_smoothing=settings.label_smoothing,
        mixup=settings.mixup,
        ema=settings.ema,
        patience=settings.patience,
        clip=_GRADIENT_NORM,
        imbalance=settings.imbalance,
    )


def has_convolutions(model: nn.Module) -> bool:
    """Whether the network looks at pictures."""
    return any(isinstance(module, nn.Conv2d | nn.Conv3d) for module in model.modules())


def _batch(model: nn.Module, rows: int, points: int | None) -> int:
    if points is not None:
        return _dense_batch(model, points)
    if has_convolutions(model):
        return _power_of_two(rows // 12, 16, 128)
    return _power_of_two(max(min(rows // 12, 256), rows // 96), 16, 1024)


def _power_of_two(most: int, low: int, high: int) -> int:
    return min(high, max(low, 1 << max(most, 1).bit_length() - 1))


def _set_epochs(settings: TrainingSection, number: int) -> int | None:
    if isinstance(settings.epochs, tuple):
        return _nth(settings.epochs, number, "epochs")
    return None if settings.epochs == "auto" else settings.epochs


def _epochs(model: nn.Module, steps: int) -> int:
    return min(30, max(12, round(600 / steps)))


def _rate(model: nn.Module, optimizer: Optimizer) -> float:
    if optimizer == "sgd":
        return _SGD_RATE
    if _holds(model, PublicReader):
        return _PUBLIC_TEXT_RATE
    weights = sum(parameter.numel() for parameter in model.parameters())
    if weights < 1_000_000:
        return 2e-3 if has_convolutions(model) else 4e-3
    return 1e-3 if weights < 30_000_000 else 5e-4


def _dense_batch(model: nn.Module, points: int) -> int:
    most = _DENSE_VOXELS if _in_three_dimensions(model) else _DENSE_POINTS
    return _power_of_two(most // max(points, 1), 2, 32)


def _dense_rate(model: nn.Module, optimizer: Optimizer) -> float:
    if optimizer == "sgd":
        return _SGD_RATE
    if _holds(model, Reading):
        return _DENSE_TEXT_RATE
    return _DENSE_VOXEL_RATE if _in_three_dimensions(model) else _rate(model, optimizer)


def _in_three_dimensions(model: nn.Module) -> bool:
    return _holds(model, nn.Conv3d)


def _holds(model: nn.Module, kind: type[nn.Module]) -> bool:
    return any(isinstance(module, kind) for module in model.modules())


def _dense_views(rows: int) -> int:
    return ceil(_DENSE_VIEWS / rows)


def _dense_epochs(model: nn.Module, steps: int) -> int:
    if _holds(model, Reading) or _holds(model, PublicReader):
        return min(20, max(6, round(_DENSE_TEXT_STEPS / steps)))
    return _DENSE_EPOCHS


def _nth(values: tuple[int, ...], number: int, key: str) -> int:
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
