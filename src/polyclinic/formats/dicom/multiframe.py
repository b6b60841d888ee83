"""A multi-frame DICOM file as one volume: geometry and rescale of each frame from its functional groups. No torch.

Source: DICOM PS3.3 C.7.6.16 (functional groups), C.7.6.16.2.9 (pixel value transformation), C.7.6.17 (dimensions).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from polyclinic.formats.dicom.buffer import Rescale, buffer_for
from polyclinic.formats.dicom.dataset import guarded, open_dataset
from polyclinic.formats.dicom.planes import Plane, check_alike, pile, plane_of, same_places
from polyclinic.formats.dicom.stored import padding_of, rescale_of, stored_frames
from polyclinic.formats.voxels.voxel_grid import (
    MOST_SIDE,
    VolumeFacts,
    VoxelGrid,
    check_shape,
    contradiction,
    refuse,
    steps_of,
    tilt_notes,
)

SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""Segmentation objects, and those that are label maps."""

_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
_GREY = ("MONOCHROME1", "MONOCHROME2")


def read(content: bytes) -> VoxelGrid:
    """The volume in a file of several frames.

    Raises:
        ReadError: one frame, frames without positions, several stacks or times, missing frames, uneven spacing,
            contradictory headers, colour, or a damaged file.
        MissingPackage: if pydicom is not installed.
    """
    with guarded():
        return _read(open_dataset(content), len(content))


def _read(dataset: Any, size: int) -> VoxelGrid:
    check_scan(dataset)
    _check_header(dataset)
    frames = frames_of(dataset)
    _check_one_stack(frames)
    planes = [frame.plane() for frame in frames]
    _check_one_frame_each(planes)
    order = pile(planes)
    slice_of = {int(number): index for index, number in enumerate(order.order)}
    scales = [frame.scale() for frame in frames]
    buffer = buffer_for(len(frames), int(dataset.Rows), int(dataset.Columns), scales)
    for number, stored in enumerate(stored_frames(dataset, len(frames))):
        padding = padding_of(dataset, stored)
        buffer.put(slice_of[number], measured(dataset, stored, scales[number]), padding)
    hounsfield = dataset.get("Modality") == "CT" and all(frame.hounsfield() for frame in frames)
    values, low, high = buffer.close(hounsfield=hounsfield)
    facts = VolumeFacts(
        "DICOM", str(dataset.get("Modality", "")), int(dataset.BitsStored), size, values.shape, maker_of(dataset)
    )
    affine = order.affine
    return VoxelGrid(values, affine, steps_of(affine), low, high, facts, tilt_notes(affine))


class FrameHeader:
    """One frame's functional groups: its own, else those that all frames share."""

    def __init__(self, dataset: Any, number: int) -> None:
        self.dataset = dataset
        self.own = dataset.PerFrameFunctionalGroupsSequence[number]
        shared = dataset.get("SharedFunctionalGroupsSequence")
        self.shared = shared[0] if shared else None

    def group(self, name: str) -> Any:
        """One functional group, or None.

        Raises:
            ReadError: if it is told for this frame and for all, or has several items.
        """
        here = self.own.get(name)
        common = None if self.shared is None else self.shared.get(name)
        if here and common:
            raise contradiction("a property must be told for one frame or for all", "it is told for both")
        found = here or common
        if found and len(found) != 1:
            raise contradiction("a functional group must have one item", f"it has {len(found)}")
        return found[0] if found else None

    def entry(self, group: str, name: str) -> Any:
        """One entry of one group, or None."""
        found = self.group(group)
        return None if found is None else found.get(name)

    def plane(self) -> Plane:
        """Where the frame lies."""
        return plane_of(
            self.entry("PlanePositionSequence", "ImagePositionPatient"),
            self.entry("PlaneOrientationSequence", "ImageOrientationPatient"),
            self.entry("PixelMeasuresSequence", "PixelSpacing"),
        )

    def distance(self) -> float | None:
        """Distance of neighbouring slices in mm, where the file says so."""
        stated = self.entry("PixelMeasuresSequence", "SpacingBetweenSlices")
        return None if stated is None else abs(float(stated))

    def scale(self) -> Rescale:
        """What stored numbers of this frame mean."""
        group = self.group("PixelValueTransformationSequence")
        outside = "RescaleSlope" in self.dataset or "RescaleIntercept" in self.dataset
        if group is not None and outside and rescale_of(group) != rescale_of(self.dataset):
            raise contradiction("one rescale must hold for a frame", "the header holds two different ones")
        slope, intercept = rescale_of(self.dataset if group is None else group)
        header = self.dataset if group is None else group
        unit = says_unit(header, self.dataset)
        return Rescale(slope, intercept, int(self.dataset.BitsStored), self.dataset.PixelRepresentation == 1, unit)

    def hounsfield(self) -> bool:
        """Whether rescaled values are Hounsfield units."""
        group = self.group("PixelValueTransformationSequence")
        return says_hounsfield(self.dataset if group is None else group)


def frames_of(dataset: Any) -> list[FrameHeader]:
    """The header of every frame.

    Raises:
        ReadError: if frames are absurdly many, or some have none.
    """
    count = frame_count(dataset)
    own = dataset.get("PerFrameFunctionalGroupsSequence")
    if not own:
        plane_of(None, None, None)
    if len(own) != count:
        raise contradiction("every frame must have its functional groups", f"{len(own)} of {count} have")
    return [FrameHeader(dataset, number) for number in range(count)]


def says_hounsfield(header: Any) -> bool:
    """Whether a rescale is told, and none that leads to another unit."""
    stated = "RescaleSlope" in header and "RescaleIntercept" in header
    return stated and str(header.get("RescaleType") or "HU") == "HU"


def says_unit(header: Any, dataset: Any) -> bool:
    """Whether rescaled values have a unit: Hounsfield's for CT, or one that the header names."""
    named = str(header.get("RescaleType") or "US") != "US" or bool(dataset.get("Units"))
    return named or (dataset.get("Modality") == "CT" and says_hounsfield(header))


def measured(dataset: Any, stored: Shaped[np.ndarray, "row column"], scale: Rescale) -> Float[np.ndarray, "row column"]:
    """Rescaled values. MONOCHROME1 is inverted within its bits, unless values have a unit, such as Hounsfield's.

    A unit does not depend on how a viewer shows it (PS3.3 C.11.1: the rescale comes before the presentation).
    """
    numbers = stored.astype(np.float64)
    if dataset.PhotometricInterpretation == "MONOCHROME1" and not scale.unit:
        numbers = (-1.0 if scale.signed else 2.0**scale.bits - 1) - numbers
    return numbers if scale.plain else numbers * scale.slope + scale.intercept


def maker_of(dataset: Any) -> str:
    """Maker, model and compression, as far as the file says."""
    words = (str(dataset.get(key) or "") for key in ("Manufacturer", "ManufacturerModelName"))
    return " ".join((*words, str(getattr(dataset.file_meta, "TransferSyntaxUID", "")))).strip()


def frame_count(dataset: Any) -> int:
    """How many frames the header declares.

    Raises:
        ReadError: if they are absurdly many.
    """
    count = int(dataset.get("NumberOfFrames") or 1)
    if not 1 <= count <= MOST_SIDE:
        raise refuse(
            "volume_too_large", f"at most {MOST_SIDE:,} frames", "the header declares more", "Export it again."
        )
    return count


def check_scan(dataset: Any) -> None:
    """Refuse objects that are drawn or planned on a scan, and are none.

    Raises:
        ReadError: for segmentations and dose plans.
    """
    kind = str(dataset.get("SOPClassUID", ""))
    if kind in SEGMENTATIONS or kind == _DOSE:
        rule, found = "a volume must be a scan", "it is a segmentation or a plan of dose"
        raise refuse("not_a_scan", rule, found, "Use it as a mask; name the scan here.")


def _check_header(dataset: Any) -> None:
    if "PixelData" not in dataset:
        raise refuse("no_pixels", "the file must hold an image", "it holds none", "Leave its row out.")
    count = frame_count(dataset)
    check_shape((int(dataset.Columns), int(dataset.Rows), count), max(1, int(dataset.BitsAllocated) // 8))
    if count == 1:
        rule, found = "a volume must have at least two slices", "the file holds one image"
        raise refuse("one_slice", rule, found, "Name the folder of the whole series, or read it as an image.")
    if dataset.PhotometricInterpretation not in _GREY or int(dataset.get("SamplesPerPixel", 1)) != 1:
        raise refuse("colour_volume", "a volume must be grey", "it is in colour", "Read single images instead.")


def _check_one_stack(frames: Sequence[FrameHeader]) -> None:
    """Refuse several stacks in one file, which a fourth axis would tell apart."""
    stacks = {str(frame.entry("FrameContentSequence", "StackID") or "") for frame in frames}
    if len(stacks) > 1:
        raise refuse(
            "several_stacks",
            "a file must hold one stack of slices",
            f"it holds {len(stacks)}",
            "Save each stack as a file of its own.",
        )


def _check_one_frame_each(planes: Sequence[Plane]) -> None:
    """Refuse frames that share a place: times, echoes, phases, directions of diffusion."""
    check_alike(planes)
    positions = len(same_places(planes))
    if positions < len(planes):
        raise refuse(
            "repeated_positions",
            "every frame must have a place of its own",
            f"{len(planes)} frames lie at {positions} places: several times, echoes or phases",
            "Save each of them as a file of its own.",
        )
