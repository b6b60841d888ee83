"""How sure a figure is: patients are drawn again and again, and the figure is found anew each time."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from polyclinic.evidence.records import Estimate


@dataclass(frozen=True)
class Sampled:
    """A figure (or a curve) and what it was in every resample.

    Attributes:
        value: Of the samples as they are.
        resampled: Of every resample; NaN where a resample could not be judged.
        n: Different rows of the user's table.
    """

    value: Float[np.ndarray, "..."]
    resampled: Float[np.ndarray, "resample ..."]
    n: int

    @property
    def degenerate(self) -> int:
        """Resamples that could not be judged (one class only, say); the interval leaves them out."""
        return int(np.isnan(self.resampled).sum())


def draw(patients: int, resamples: int, seed: int) -> UInt8[np.ndarray, "resample patient"]:
    """How often each patient comes in each resample: as many draws as there are patients, with replacement.

    Patients are drawn, not samples: several samples of one patient are no independent evidence. A patient does not
    come 256 times: the expected number is 1.

    Source: the cluster bootstrap, Davison AC, Hinkley DV. Bootstrap Methods and their Application, 1997, section 3.8.
    """
    rng = np.random.default_rng(np.random.SeedSequence((seed, 0x65766964)))  # "evid": a stream of its own
    counts = np.empty((resamples, patients), dtype=np.uint8)
    for number in range(resamples):
        counts[number] = np.bincount(rng.integers(patients, size=patients), minlength=patients)
    return counts


def limits(
    resampled: Float[np.ndarray, "resample ..."], confidence: float
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """Percentile interval over the resamples that could be judged; NaN where there are none.

    Source: Efron B, Tibshirani RJ. An Introduction to the Bootstrap, 1993, chapter 13.
    """
    flat = resampled.reshape(len(resampled), math.prod(resampled.shape[1:]))
    low, high = np.full(flat.shape[1], np.nan), np.full(flat.shape[1], np.nan)
    tail = (1 - confidence) / 2
    for column in range(flat.shape[1]):
        judged = flat[np.isfinite(flat[:, column]), column]
        if len(judged):
            low[column], high[column] = np.quantile(judged, [tail, 1 - tail])
    return low.reshape(resampled.shape[1:]), high.reshape(resampled.shape[1:])


def estimate(sampled: Sampled, confidence: float) -> Estimate:
    """One figure with its percentile interval."""
    low, high = _edges(sampled.resampled, confidence)
    return Estimate(float(sampled.value), low, high, sampled.n)


def difference(ours: Sampled, theirs: Sampled, confidence: float) -> Estimate:
    """Ours minus theirs; paired, because both were found on the same draws of the same patients."""
    low, high = _edges(ours.resampled - theirs.resampled, confidence)
    return Estimate(float(ours.value - theirs.value), low, high)


def pick(sampled: Sampled, position: int) -> Sampled:
    """One entry of a figure that has several, such as one class."""
    return Sampled(np.asarray(sampled.value[position]), sampled.resampled[:, position], sampled.n)


def _edges(resampled: Float[np.ndarray, " resample"], confidence: float) -> tuple[float | None, float | None]:
    low, high = limits(resampled, confidence)
    return (None, None) if np.isnan(low) else (float(low), float(high))
