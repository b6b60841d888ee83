"""A mask that is to be written: as one label per point, or as a layer for each region. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Integer, UInt8

from polyclinic.formats.voxels.voxel_grid import labels_of, refuse


@dataclass(frozen=True)
class MaskToWrite:
    """A mask.

    Attributes:
        array: Labels, or one 0/1 layer for each of ``names``; on the grid of the source.
        names: The user's names of layers, or of labels 1, 2, ...
        layered: Whether the first axis counts regions.
        version: Version of the program, told where a format has a field for it.
    """

    array: Integer[np.ndarray, "..."]
    names: Sequence[str]
    layered: bool
    version: str

    def labels(self) -> Integer[np.ndarray, "*grid"]:
        """One label per point, in 8 or 16 bits: layers become labels 1, 2, ...

        Raises:
            ReadError: if layers overlap.
        """
        return labels_of(_one_label(self.array) if self.layered else self.array)[0]

    def layers(self) -> UInt8[np.ndarray, " region *grid"]:
        """A layer of 0 and 1 for each region."""
        if self.layered:
            return self.array.astype(np.uint8)
        count = max(1, len(self.names), int(self.array.max(initial=0)))
        return np.stack([self.array == number for number in range(1, count + 1)]).astype(np.uint8)


def _one_label(layers: Integer[np.ndarray, " region *grid"]) -> Integer[np.ndarray, "*grid"]:
    if len(layers) and (layers != 0).sum(axis=0).max() > 1:
        rule, found = "this format holds one label per point", "regions overlap"
        raise refuse("overlapping_regions", rule, found, "Write each region as a file of its own.")
    labels = np.zeros(layers.shape[1:], dtype=np.uint8 if len(layers) < 256 else np.uint16)
    for number, layer in enumerate(layers, start=1):
        labels[layer != 0] = number
    return labels
