"""What a network said about its tune rows after every epoch, so that a row need not be answered by a choice it made.

The epoch whose weights are kept is the one that suits the tune rows best: on them the network looks better than it is,
and a correction, a threshold or a limit learned there would be too sure. The answers of all epochs together give
answers that are fair: those to some of the rows are taken from the epoch that the other rows would have chosen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

_LOSSES: Final = "losses"
_PARTS = 5  # of the patients among the tune rows; the usual number
_TO_FEWER_BYTES = 2**28
"""Beyond this (256 MiB) nothing is kept: a checkpoint has to be written in seconds. A round number."""


@dataclass(frozen=True)
class TuneEpoch:
    """The tune rows after one epoch.

    Attributes:
        losses: By what each row is judged.
        outputs: What each head put out, by target.
    """

    losses: Float[np.ndarray, " sample"]
    outputs: Mapping[str, Float[np.ndarray, "sample ..."]]


@dataclass(frozen=True)
class TuneHistory:
    """The tune rows after every epoch, from the first on; without epochs where a network was not followed so closely.

    Questions about places are not followed: their answers are too large to be kept for every epoch.

    Attributes:
        losses: By what each row is judged.
        outputs: What each head put out, by target.
    """

    losses: Float[np.ndarray, "epoch sample"]
    outputs: Mapping[str, Float[np.ndarray, "epoch sample ..."]]

    @classmethod
    def of(cls, epochs: list[TuneEpoch]) -> "TuneHistory":
        """The epochs in order."""
        if not epochs:
            return cls(np.zeros((0, 0)), {})
        names = epochs[0].outputs
        return cls(
            np.stack([one.losses for one in epochs]), {n: np.stack([one.outputs[n] for one in epochs]) for n in names}
        )

    def __len__(self) -> int:
        """Epochs."""
        return len(self.losses)

    def epochs(self) -> list[TuneEpoch]:
        """One by one."""
        return [
            TuneEpoch(losses, {name: outputs[number] for name, outputs in self.outputs.items()})
            for number, losses in enumerate(self.losses)
        ]

    def tensors(self) -> dict[str, Tensor]:
        """As they lie in a checkpoint."""
        named = {_LOSSES: self.losses, **{f"of {name}": outputs for name, outputs in self.outputs.items()}}
        return {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in named.items()}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> "TuneHistory":
        """The same read back."""
        if _LOSSES not in tensors:
            return cls.of([])
        outputs = {name.removeprefix("of "): value.numpy() for name, value in tensors.items() if name != _LOSSES}
        return cls(tensors[_LOSSES].numpy(), outputs)

    def at(self, epoch: int) -> dict[str, Float[np.ndarray, "sample ..."]]:
        """Outputs after an epoch, counted from 1."""
        return {name: outputs[epoch - 1] for name, outputs in self.outputs.items()}

    def crossed(self, patient: Int[np.ndarray, " sample"], seed: int) -> dict[str, Float[np.ndarray, "sample ..."]]:
        """Outputs for every row after the epoch that suits the patients of the other parts best.

        Args:
            patient: Number of each row's patient: all rows of one are in the same part.
            seed: Deals the patients out to the parts.
        """
        if not len(self):
            return {}
        _, place = np.unique(patient, return_inverse=True)
        count = int(place.max(initial=-1)) + 1
        parts = min(_PARTS, count)
        part = (np.random.default_rng(seed).permutation(count) % max(parts, 1))[place.reshape(-1)]
        crossed = {name: outputs[-1].copy() for name, outputs in self.outputs.items()}
        for number in range(parts):
            here = part == number
            # Of a lone patient nobody else can choose the epoch: the last one is, which nobody chose.
            chosen = _best_epoch(self.losses[:, ~here]) if parts > 1 else len(self) - 1
            for name, outputs in self.outputs.items():
                crossed[name][here] = outputs[chosen][here]
        return crossed


def best_common_epoch(histories: list[TuneHistory]) -> int:
    """The epoch, from 1, after which the rows of all histories together are judged best.

    One number chosen on all rows together by networks that never met them: what it is chosen by hardly flatters it.
    Epochs that not every network reached are not considered.
    """
    reached = min(len(one) for one in histories)
    return 1 + _best_epoch(np.concatenate([one.losses[:reached] for one in histories], axis=1))


def _best_epoch(losses: Float[np.ndarray, "epoch sample"]) -> int:
    mean = losses.mean(axis=1)
    return int(np.argmin(np.where(np.isfinite(mean), mean, np.inf)))


def small_enough(epoch: TuneEpoch, epochs: int) -> bool:
    """Whether so many epochs like this one may be kept."""
    return epochs * sum(values.nbytes for values in (epoch.losses, *epoch.outputs.values())) < _TO_FEWER_BYTES
