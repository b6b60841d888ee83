"""DICOM segmentation objects as masks: one layer for each segment, which may overlap. No torch.

Source: DICOM PS3.3 A.51 and C.8.20 (segmentation); frames without anything on them may be left out.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped, UInt8

from polyclinic.formats.dicom import multiframe
from polyclinic.formats.dicom.dataset import guarded, open_dataset
from polyclinic.formats.dicom.multiframe import FrameHeader
from polyclinic.formats.dicom.planes import Pile, check_alike, same_places, sparse_pile
from polyclinic.formats.dicom.stored import stored_frames
from polyclinic.formats.voxels.voxel_grid import Mask, VolumeFacts, check_shape, contradiction, refuse, steps_of

_MOST_SEGMENTS = 4096
"""More than any atlas has; a hostile file may declare 65,535."""


def read(content: bytes) -> Mask:
    """Every segment of a file as a layer, on a grid that reaches from the first to the last slice with anything on it.

    Raises:
        ReadError: fractions instead of segments, no positions, contradictory headers, or a damaged file.
        MissingPackage: if pydicom is not installed.
    """
    with guarded():
        dataset = open_dataset(content)
        if str(dataset.get("SOPClassUID", "")) not in multiframe.SEGMENTATIONS:
            rule, found = "a DICOM mask must be a segmentation object", "it is a scan or another object"
            raise refuse("not_a_mask", rule, found, "Name the segmentation.")
        return _read(dataset, len(content))


def _read(dataset: Any, size: int) -> Mask:
    form = str(dataset.get("SegmentationType", ""))
    if form not in ("BINARY", "LABELMAP"):
        rule, found = "segments must be told by yes or no", f'they are told as "{form[:16]}"'
        raise refuse("fractional_mask", rule, found, "Save the segmentation as binary.")
    numbers, names = _segments(dataset)
    check_shape((int(dataset.Columns), int(dataset.Rows), multiframe.frame_count(dataset)), 1)
    frames = multiframe.frames_of(dataset)
    pile, slice_of = _slices_of(frames)
    shape = (int(dataset.Columns), int(dataset.Rows), int(pile.index[-1]) + 1)
    check_shape((shape[0], shape[1], shape[2] * len(numbers)), 1)
    layers = np.zeros((len(numbers), *shape[::-1]), dtype=np.uint8)
    filled: set[tuple[int, int]] = set()
    for frame, index, stored in zip(frames, slice_of, stored_frames(dataset, len(frames)), strict=True):
        for layer in _layers_of(frame, form, numbers):
            if (layer, int(index)) in filled:
                raise contradiction("a segment must have one frame at a place", "it has several")
            filled.add((layer, int(index)))
            layers[layer, index] = _segment(stored, form, numbers[layer])
    facts = VolumeFacts("DICOM SEG", "SEG", int(dataset.BitsStored), size, shape, multiframe.maker_of(dataset))
    values = tuple(int(value) for value in np.unique(layers))
    return Mask(layers.transpose(0, 3, 2, 1), names, values, pile.affine, steps_of(pile.affine), facts)


def _segments(dataset: Any) -> tuple[list[int], tuple[str, ...]]:
    """Number and name of each segment; names that are alike get their number."""
    items = list(dataset.SegmentSequence)
    numbers = [int(item.SegmentNumber) for item in items]
    if not 1 <= len(numbers) <= _MOST_SEGMENTS or len(set(numbers)) < len(numbers):
        raise contradiction("every segment must have a number of its own", "some share one, or there are none")
    labels = [str(item.get("SegmentLabel") or f"segment {item.SegmentNumber}") for item in items]
    named = [
        f"{label} {number}" if labels.count(label) > 1 else label for label, number in zip(labels, numbers, strict=True)
    ]
    return numbers, tuple(named)


def _slices_of(frames: Sequence[FrameHeader]) -> tuple[Pile, Int[np.ndarray, " frame"]]:
    """The slices that frames lie on, and which of them each lies on."""
    planes = [frame.plane() for frame in frames]
    check_alike(planes)
    groups = same_places(planes)
    pile = sparse_pile([planes[group[0]] for group in groups], frames[0].distance())
    slice_of = np.zeros(len(planes), dtype=np.int64)
    for index, position in zip(pile.index, pile.order, strict=True):
        slice_of[groups[position]] = index
    return pile, slice_of


def _layers_of(frame: FrameHeader, form: str, numbers: Sequence[int]) -> list[int]:
    """Which layers a frame draws on: the one segment it names, or all in a label map."""
    if form == "LABELMAP":
        return list(range(len(numbers)))
    number = frame.entry("SegmentIdentificationSequence", "ReferencedSegmentNumber")
    if number is None or int(number) not in numbers:
        raise contradiction("every frame must name a segment of the file", "one does not")
    return [numbers.index(int(number))]


def _segment(stored: Shaped[np.ndarray, "row column"], form: str, number: int) -> UInt8[np.ndarray, "row column"]:
    if form == "LABELMAP":
        return np.asarray(stored == number, dtype=np.uint8)
    if stored.max() > 1:
        raise contradiction("a binary segment must be 0 or 1", "it has other values")
    return stored.astype(np.uint8)
