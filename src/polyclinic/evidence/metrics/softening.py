"""Probabilities of points made as sure as they ought to be: one temperature, and thresholds, from tune records.

What a network says of points is often too sure, more so where overlap was part of its loss. A temperature above 1 makes
all of it milder without changing which region is the likeliest.

Source: Guo C et al. ICML 2017, PMLR 70:1321-1330 (temperature); Islam M, Glocker B. IPMI 2021 (of segmentations).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8, UInt16
from scipy.optimize import minimize_scalar

from polyclinic.evidence.metrics import levels
from polyclinic.formats.packed import unpack

Stored = UInt8[np.ndarray, " region *grid"] | UInt16[np.ndarray, " region *grid"]

_POINTS = 20_000
_LEAST = 1e-6
_RANGE = (np.log(0.5), np.log(4.0))
_CHANCES = np.linspace(0.05, 0.95, 19)
_CERTAIN = 255


@dataclass(frozen=True)
class ProbabilityRecord:
    """What a model says of one record, and what is true.

    Attributes:
        packed: Probabilities "region *grid"; the largest number of their type = certain.
        truth: Which points belong.
        inside: Where to look; None = everywhere.
    """

    packed: bytes
    truth: Bool[np.ndarray, " region *grid"]
    inside: Bool[np.ndarray, "*grid"] | None


@dataclass(frozen=True)
class ChosenSoftening:
    """What was chosen on tune records.

    Attributes:
        temperature: Above 1 = the model was too sure.
        thresholds: From which probability a point belongs to each region, where regions may overlap.
    """

    temperature: float
    thresholds: tuple[float, ...]


def choose(records: Sequence[Callable[[], ProbabilityRecord]], *, exclusive: bool) -> ChosenSoftening:
    """The temperature of the highest likelihood and, where regions may overlap, the thresholds of the highest Dice.

    Args:
        records: Give the tune records, of which one is in memory at a time.
        exclusive: Whether a point belongs to one region at most.
    """
    some = [_some_points(record(), number) for number, record in enumerate(records)]
    chances, truth = (np.concatenate([one[k] for one in some], axis=1) for k in range(2))
    temperature = _temperature(chances, truth, exclusive=exclusive)
    if exclusive:
        return ChosenSoftening(temperature, (0.5,) * len(chances))
    dice = np.mean([_dice(record(), temperature) for record in records], axis=0)
    return ChosenSoftening(temperature, tuple(_CHANCES[dice.argmax(axis=1)].tolist()))


def soften(packed: bytes, temperature: float, *, exclusive: bool) -> UInt8[np.ndarray, " region *grid"]:
    """Probabilities at a temperature, 255 = certain; plane by plane."""
    stored: Stored = unpack(packed)
    if stored.dtype == np.uint8 and temperature == 1:
        return stored
    top, found = np.float32(np.iinfo(stored.dtype).max), np.empty(stored.shape, dtype=np.uint8)
    for plane in range(stored.shape[1]):
        milder = _milder(stored[:, plane].astype(np.float32) / top, temperature, exclusive=exclusive)
        found[:, plane] = np.rint(milder * _CERTAIN)
    return found


def _milder(
    chances: Float[np.ndarray, " region *plane"], temperature: float, *, exclusive: bool
) -> Float[np.ndarray, " region *plane"]:
    if temperature == 1:
        return chances
    power = np.float32(1 / temperature)
    powers = chances**power
    none = np.clip(1 - (chances.sum(axis=0, keepdims=True) if exclusive else chances), 0, 1) ** power
    whole = none + (powers.sum(axis=0, keepdims=True) if exclusive else powers)
    return np.asarray(powers / np.maximum(whole, _LEAST))


def _some_points(
    record: ProbabilityRecord, number: int
) -> tuple[Float[np.ndarray, "region point"], Float[np.ndarray, "region point"]]:
    """Chances and truth of points drawn evenly from a record."""
    stored: Stored = unpack(record.packed)
    inside = np.arange(stored[0].size) if record.inside is None else np.flatnonzero(record.inside)
    rng = np.random.default_rng(np.random.SeedSequence((number, 0x736F6674)))  # "soft": a stream of its own
    chosen = inside if len(inside) <= _POINTS else np.sort(rng.choice(inside, _POINTS, replace=False))
    top = float(np.iinfo(stored.dtype).max)
    chances = np.stack([region.ravel()[chosen] for region in stored]) / top
    return chances, np.stack([region.ravel()[chosen] for region in record.truth]).astype(np.float64)


def _temperature(
    chances: Float[np.ndarray, "region point"], truth: Float[np.ndarray, "region point"], *, exclusive: bool
) -> float:
    if chances.shape[1] == 0:
        return 1.0

    def surprise(logarithm: float) -> float:
        milder = _milder(chances, float(np.exp(logarithm)), exclusive=exclusive)
        if exclusive:
            none, outside = 1 - milder.sum(axis=0), 1 - truth.sum(axis=0)
            right = (milder * truth).sum(axis=0) + none * outside
        else:
            right = np.where(truth > 0, milder, 1 - milder)
        return float(-np.log(np.maximum(right, _LEAST)).mean())

    return float(np.exp(minimize_scalar(surprise, bounds=_RANGE, method="bounded").x))


def _dice(record: ProbabilityRecord, temperature: float) -> Float[np.ndarray, "region chance"]:
    probability = soften(record.packed, temperature, exclusive=False)
    seen = ... if record.inside is None else record.inside
    pairs = zip(probability, record.truth, strict=True)
    tallies = [levels.tally(given[seen].ravel(), belongs[seen].ravel()) for given, belongs in pairs]
    return np.stack([levels.dice_from(*tally, _CHANCES) for tally in tallies])
