"""Series of DICOM slices with a known truth, from which the cases of dicom_cases.py are made."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt16
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

SLICES, ROWS, COLUMNS = 8, 36, 40  # JPEG 2000 needs 32
STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SPACING = (0.7, 0.9)
ORIGIN = np.array([-80.0, -60.0, 100.0])
RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Truth:
    """What a reader must return: array axes are column, row, slice."""

    values: Float[np.ndarray, "column row slice"]
    affine: Float[np.ndarray, "4 4"]


def oblique(angle: float = 0.3, lean: float = 0.2) -> tuple[float, ...]:
    """Directions of rows and columns that are turned about two axes."""
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    tip = np.array([[1, 0, 0], [0, np.cos(lean), -np.sin(lean)], [0, np.sin(lean), np.cos(lean)]])
    return tuple((turn @ tip)[:, :2].T.ravel())


def head(modality: str = "CT", kind: str = "1.2.840.10008.5.1.4.1.1.2") -> Dataset:
    """A dataset without pixels."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = UID(kind)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.Modality, dataset.PatientID, dataset.PatientName = modality, "1", "A^B"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = "1.2.3", "1.2.3.4", "1.2.3.5"
    dataset.StudyDate, dataset.StudyTime, dataset.StudyID, dataset.AccessionNumber = "20200101", "120000", "1", "1"
    dataset.PatientBirthDate, dataset.PatientSex, dataset.ReferringPhysicianName = "", "O", ""
    dataset.SeriesNumber, dataset.Manufacturer, dataset.ManufacturerModelName = 1, "Maker", "Model"
    dataset.DeviceSerialNumber, dataset.SoftwareVersions, dataset.PositionReferenceIndicator = "1", "1", ""
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = ROWS, COLUMNS, 1
    dataset.PhotometricInterpretation, dataset.PixelRepresentation = "MONOCHROME2", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    return dataset


def stored_numbers(count: int = SLICES, seed: int = 1, most: int = 4096) -> UInt16[np.ndarray, "slice row column"]:
    """Numbers as a scanner stores them: (slice, row, column)."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[0:ROWS, 0:COLUMNS]
    body = 700 * np.exp(-((row - 8) ** 2 + (column - 14) ** 2) / 60)
    noise = rng.integers(0, 60, (count, ROWS, COLUMNS))
    stored = body + 900 + 40 * np.arange(count)[:, None, None] + noise
    numbers: UInt16[np.ndarray, "slice row column"] = np.clip(stored, 0, most - 1).astype(np.uint16)
    return numbers


def series(
    orientation: tuple[float, ...] = STRAIGHT,
    step: Float[np.ndarray, "3"] | None = None,
    *,
    count: int = SLICES,
    modality: str = "CT",
    seed: int = 1,
) -> list[Dataset]:
    """A series of slices in order along the normal."""
    normal = np.cross(orientation[:3], orientation[3:])
    step = 2.5 * normal if step is None else step
    slices = []
    for number, pixels in enumerate(stored_numbers(count, seed)):
        one = head(modality, f"1.2.840.10008.5.1.4.1.1.{2 if modality == 'CT' else 4}")
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.3.4.{seed}.{number + 1}")
        one.InstanceNumber = number + 1
        one.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        one.ImagePositionPatient = [float(f"{value:.10g}") for value in ORIGIN + number * step]
        one.ImageOrientationPatient = [float(f"{value:.12g}") for value in orientation]
        one.PixelSpacing, one.SliceThickness = list(SPACING), 2.5
        if modality == "CT":
            one.RescaleSlope, one.RescaleIntercept = 1, -1024
        one.PixelData = pixels.tobytes()
        one["PixelData"].VR = "OW"
        slices.append(one)
    return slices


def truth_of(
    orientation: tuple[float, ...] = STRAIGHT,
    step: Float[np.ndarray, "3"] | None = None,
    offset: float = -1024,
    **keys: Any,
) -> Truth:
    """What ``series`` with the same arguments means."""
    normal = np.cross(orientation[:3], orientation[3:])
    affine = np.eye(4)
    affine[:3, 0] = np.array(orientation[:3]) * SPACING[1]
    affine[:3, 1] = np.array(orientation[3:]) * SPACING[0]
    affine[:3, 2] = 2.5 * normal if step is None else step
    affine[:3, 3] = ORIGIN
    return Truth(stored_numbers(**keys).transpose(2, 1, 0).astype(float) + offset, RAS @ affine)


def write(folder: Path, slices: list[Dataset], syntax: Any = None) -> Path:
    """Slices as files, whose names say nothing about their order."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(slices):
        name = f"{(number * 37 + 11) % 101:03d}-{number}.dcm"
        if syntax is None or syntax == ExplicitVRLittleEndian:
            one.save_as(folder / name, enforce_file_format=True)
            continue
        if syntax in (RLELossless, JPEGLSLossless, JPEG2000Lossless):
            one.compress(syntax, generate_instance_uid=False)
        elif syntax == ExplicitVRBigEndian:
            one.PixelData = np.frombuffer(one.PixelData, dtype="<u2").astype(">u2").tobytes()
            one["PixelData"].VR = "OW"
        one.file_meta.TransferSyntaxUID = syntax
        one.save_as(folder / name, enforce_file_format=True, little_endian=None, implicit_vr=None)
    return folder


def enhanced(slices: list[Dataset], order: list[int], slopes: list[float] | None = None) -> Dataset:
    """One multi-frame file of these slices, in this order, with the geometry and rescale in functional groups."""
    whole = head("CT", "1.2.840.10008.5.1.4.1.1.2.1")
    whole.SOPInstanceUID = whole.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4.9")
    whole.InstanceNumber, whole.NumberOfFrames = 1, len(order)
    whole.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    whole.ContentDate, whole.ContentTime = "20200101", "120000"
    shared = Dataset()
    directions, measures = Dataset(), Dataset()
    directions.ImageOrientationPatient = slices[0].ImageOrientationPatient
    measures.PixelSpacing, measures.SliceThickness = list(SPACING), 2.5
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = Sequence([directions]), Sequence([measures])
    whole.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for index, number in enumerate(order):
        frame, place, scale, content = Dataset(), Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = slices[number].ImagePositionPatient
        scale.RescaleSlope, scale.RescaleIntercept, scale.RescaleType = (slopes or [1.0] * 99)[index], -1024, "HU"
        content.StackID, content.InStackPositionNumber, content.DimensionIndexValues = "1", number + 1, [1, number + 1]
        frame.PlanePositionSequence, frame.PixelValueTransformationSequence = Sequence([place]), Sequence([scale])
        frame.FrameContentSequence = Sequence([content])
        frames.append(frame)
    whole.PerFrameFunctionalGroupsSequence = Sequence(frames)
    axes = Dataset()
    axes.DimensionOrganizationUID = "1.2.3.4.8"
    whole.DimensionOrganizationSequence = Sequence([axes])
    items = []
    for pointer in (0x00209056, 0x00209057):
        item = Dataset()
        item.DimensionOrganizationUID, item.DimensionIndexPointer = "1.2.3.4.8", pointer
        item.FunctionalGroupPointer = 0x00209111
        items.append(item)
    whole.DimensionIndexSequence = Sequence(items)
    whole.PixelData = b"".join(slices[number].PixelData for number in order)
    whole["PixelData"].VR = "OW"
    return whole
