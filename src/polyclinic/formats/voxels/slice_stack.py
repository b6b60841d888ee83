"""A volume that is filled slice by slice, from pages or files without a place in the patient. No torch."""

import numpy as np
from jaxtyping import Shaped

from polyclinic.formats.pictures.frame import Frame
from polyclinic.formats.voxels.voxel_grid import Raw, VolumeFacts, check_shape, refuse


class SliceStack:
    """A volume that is being filled, slice by slice; slices must be alike."""

    def __init__(self, count: int) -> None:
        self.count, self.filled = count, 0
        self.values: Shaped[np.ndarray, "slice row column"] = np.zeros((0, 0, 0), dtype=np.uint8)
        self.bits = 0

    def add(self, frame: Frame) -> None:
        """The next slice."""
        pixels = _grey(frame)
        if not self.filled:
            check_shape((pixels.shape[1], pixels.shape[0], self.count), pixels.dtype.itemsize)
            self.values = np.zeros((self.count, *pixels.shape), dtype=pixels.dtype)
            self.bits = frame.facts.bits
        if pixels.shape != self.values.shape[1:] or pixels.dtype != self.values.dtype or self.filled == self.count:
            rule, found = "all slices must have one size and depth", "they have several"
            raise refuse("mixed_images", rule, found, "Export the slices alike.")
        self.values[self.filled] = pixels
        self.filled += 1

    def close(self, form: str, size: int) -> Raw:
        """The volume; where it lies in the patient is not known."""
        if self.filled != self.count:
            rule, found = "every page must be readable", "some are not"
            raise refuse("doubtful_voxels", rule, found, "Export it again.")
        values = self.values.transpose(2, 1, 0)
        facts = VolumeFacts(form, "", self.bits, size, values.shape)
        return Raw(values, None, None, 1.0, 0.0, facts)


def _grey(frame: Frame) -> Shaped[np.ndarray, "row column"]:
    """One value per pixel; grey in colour's clothes is grey."""
    pixels = frame.pixels
    if pixels.shape[2] != 1 and not bool((pixels == pixels[:, :, :1]).all()):
        raise refuse("colour_volume", "a volume must be grey", "it is in colour", "Read single images instead.")
    return pixels[:, :, 0]
