"""Masks written as a DICOM segmentation object that belongs to its series. No torch.

Source: DICOM PS3.3 A.51. Patient and study are those of the series; nothing about the patient is made up.
"""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from polyclinic.errors import MissingPackage
from polyclinic.formats.dicom.dataset import guarded, open_dataset
from polyclinic.formats.voxels.voxel_grid import refuse

_MAKER = "Polyclinic"
_SCHEME = "99POLYCLINIC"
_NUMBER = 300
"""Number of the new series: beyond those of a scanner, which count from 1."""


def segmentation_bytes(
    layers: UInt8[np.ndarray, "region i j k"],
    names: Sequence[str],
    sources: Sequence[Path],
    distance: float,
    version: str,
) -> bytes:
    """The bytes of a segmentation object; the same masks and series give the same bytes.

    Args:
        layers: 0 or 1 for each region and voxel, on the grid of the series.
        names: The user's name of each region.
        sources: Files of the series in the order of the third axis.
        distance: Distance of neighbouring slices in mm.
        version: Version of the program, told in the file.

    Raises:
        ReadError: if the series is damaged, or has another shape than the mask.
        MissingPackage: if highdicom is not installed.
    """
    try:
        from highdicom.seg import Segmentation, SegmentationTypeValues
    except ImportError:
        raise MissingPackage("highdicom", "volume", "writing DICOM segmentations") from None
    with guarded():
        series = [open_dataset(path.read_bytes(), pixels=False) for path in sources]
        _check(layers, series)
        series_uid, instance_uid, organisation_uid = _uids(layers, names, series)
        made = Segmentation(
            source_images=series,
            pixel_array=np.ascontiguousarray(layers.transpose(3, 2, 1, 0)),
            segmentation_type=SegmentationTypeValues.BINARY,
            segment_descriptions=[_description(number, name, version) for number, name in enumerate(names, start=1)],
            series_instance_uid=series_uid,
            series_number=_NUMBER,
            sop_instance_uid=instance_uid,
            instance_number=1,
            manufacturer=_MAKER,
            manufacturer_model_name=_MAKER,
            software_versions=version,
            device_serial_number="0",
            content_label="SEGMENTATION",
            series_description="Segmentation",
            pixel_measures=_measures(series[0], distance),
            dimension_organization_type=None,
        )
        _still(made, series[0], organisation_uid)
        stream = io.BytesIO()
        made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _check(layers: UInt8[np.ndarray, "region i j k"], series: Sequence[Any]) -> None:
    shape = (int(series[0].Columns), int(series[0].Rows), len(series))
    if layers.shape[1:] != shape:
        rule, found = "a mask must have the shape of its series", f"{layers.shape[1:]} instead of {shape}"
        raise refuse("other_geometry", rule, found, "Name the series that the mask belongs to.")
    if not layers.any():
        rule, found = "a segmentation object must hold a segment", "the mask is empty"
        raise refuse("empty_mask", rule, found, "Nothing was found: there is nothing to write.")


def _uids(
    layers: UInt8[np.ndarray, "region i j k"], names: Sequence[str], series: Sequence[Any]
) -> tuple[str, str, str]:
    """Identifiers made from the content, so that the same masks are the same object."""
    from pydicom.uid import generate_uid

    digest = hashlib.blake2b(np.packbits(layers).tobytes(), digest_size=32).hexdigest()
    about = [digest, *names, *(str(one.SOPInstanceUID) for one in series)]
    first, second, third = (str(generate_uid(entropy_srcs=[role, *about])) for role in ("series", "instance", "axes"))
    return first, second, third


def _description(number: int, name: str, version: str) -> Any:
    """A region by the user's name alone: which anatomy or disease it is in SNOMED's words, only the user knows."""
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription
    from pydicom.sr.codedict import codes
    from pydicom.sr.coding import Code

    return SegmentDescription(
        segment_number=number,
        segment_label=name[:64],
        segmented_property_category=Code("region", _SCHEME, "Region"),
        segmented_property_type=Code(f"region-{number}", _SCHEME, name[:64]),
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=AlgorithmIdentificationSequence(
            name=_MAKER, version=version, family=codes.cid7162.ArtificialIntelligence
        ),
    )


def _measures(image: Any, distance: float) -> Any:
    """Size of pixels, and the distance of slices: without it a reader could not tell which slices were left out."""
    from highdicom import PixelMeasuresSequence

    return PixelMeasuresSequence(
        pixel_spacing=[float(step) for step in image.PixelSpacing],
        slice_thickness=float(image.get("SliceThickness") or distance),
        spacing_between_slices=float(f"{distance:.10g}"),
    )


def _still(made: Any, image: Any, organisation_uid: str) -> None:
    """The day of the scan instead of the hour of writing, and axes named by content: equal masks, equal bytes."""
    day, hour = str(image.get("StudyDate") or "19000101"), str(image.get("StudyTime") or "000000")
    for name, value in (("Date", day), ("Time", hour)):
        for stem in ("Content", "InstanceCreation", "Series"):
            if f"{stem}{name}" in made:
                setattr(made, f"{stem}{name}", value)
    for item in made.get("ContributingEquipmentSequence") or ():
        if "ContributionDateTime" in item:
            del item.ContributionDateTime
    made.DimensionOrganizationSequence[0].DimensionOrganizationUID = organisation_uid
    for item in made.DimensionIndexSequence:
        item.DimensionOrganizationUID = organisation_uid
