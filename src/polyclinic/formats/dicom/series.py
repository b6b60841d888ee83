"""A folder of single-frame DICOM images as one volume, ordered by where slices lie; a doubtful series is refused.

What the geometry proves is put right: shuffled or absent instance numbers, identical copies, a rescale of each slice's
own. What would be a guess is refused with the finding. No torch.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from polyclinic.errors import Finding, ReadError
from polyclinic.formats.dicom import multiframe
from polyclinic.formats.dicom.buffer import Rescale, buffer_for
from polyclinic.formats.dicom.dataset import guarded, is_dicom, open_dataset
from polyclinic.formats.dicom.planes import Pile, Plane, check_alike, pile, plane_of, same_places
from polyclinic.formats.dicom.stored import measured_pixels, padding_of, rescale_of, stored_pixels
from polyclinic.formats.voxels.voxel_grid import (
    VolumeFacts,
    VoxelGrid,
    contradiction,
    note,
    refuse,
    steps_of,
    tilt_notes,
)

MOST_FILES = 20_000
"""Most files of one series."""

_TEXTS = frozenset({".txt", ".json", ".xml", ".csv", ".md", ".html", ".pdf", ".log", ".ini"})
_TEXT_NAMES = frozenset({"LICENSE", "README", "DICOMDIR", "VERSION"})
_OTHER = 0.05
"""Slices may be this much further apart than the header says: it is often rounded."""

_DIRECTORY = "1.2.840.10008.1.3.10"
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_DOCUMENTS = ("88.", "104.", "11.", "481.3", "66", "9.")
"""What comes with a series and is no slice: reports, documents, presentation states, contours, raw data, curves."""


@dataclass(frozen=True)
class _Slice:
    """What is needed of one file before its pixels are decoded."""

    path: Path
    bytes: int
    series: str
    instance: str
    number: int | None
    declared: int
    distance: float
    kind: tuple[tuple[str, str], ...]
    plane: Plane | None
    scale: Rescale
    frames: int
    grey: bool
    maker: str

    def __getitem__(self, name: str) -> str:
        return dict(self.kind)[name]


def holds_series(folder: Path) -> bool:
    """Whether any file in the folder, or below it, is DICOM by its content."""
    return any(_is_dicom(path) for path in _files(folder))


def files_of(folder: Path) -> list[Path]:
    """The DICOM files of a folder and of those below it, in the order of their names; none if it is no folder."""
    return [path for path in _files(folder) if _is_dicom(path)]


def read(folder: Path) -> VoxelGrid:
    """The one series of a folder.

    Raises:
        ReadError: several series, scouts among slices, missing or contradictory slices, no positions, uneven spacing,
            colour, or damaged files.
        MissingPackage: if pydicom is not installed.
    """
    with guarded():
        slices, notes = _slices(folder)
        if any(one.frames > 1 for one in slices):
            return _one_multiframe(slices)
        ordered, order, copies = _ordered(slices)
        hounsfield = ordered[0]["modality"] == "CT" and ordered[0]["rescaled"] == "yes"
        rows, columns = int(ordered[0]["rows"]), int(ordered[0]["columns"])
        buffer = buffer_for(len(ordered), rows, columns, [one.scale for one in ordered])
        for index, one in enumerate(ordered):
            buffer.put(index, *_pixels(one))
    values, low, high = buffer.close(hounsfield=hounsfield)
    found = (*notes, *copies, *_doubts(ordered, _distance(order)), *tilt_notes(order.affine))
    first, total = ordered[0], sum(one.bytes for one in ordered)
    facts = VolumeFacts("DICOM series", first["modality"], first.scale.bits, total, values.shape, first.maker)
    return VoxelGrid(values, order.affine, steps_of(order.affine), low, high, facts, found)


def ordered_files(folder: Path) -> tuple[list[Path], float]:
    """The files of the one series in a folder, from slice to slice of its volume, and their distance in mm.

    Raises:
        ReadError: as ``read``.
    """
    with guarded():
        slices, _ = _slices(folder)
        ordered, order, _ = _ordered(slices)
    return [one.path for one in ordered], _distance(order)


def _distance(order: Pile) -> float:
    """From one plane to the next, at right angles, in mm."""
    normal = np.cross(order.affine[:3, 0], order.affine[:3, 1])
    return abs(float(order.affine[:3, 2] @ normal)) / float(np.linalg.norm(normal))


def _ordered(slices: list[_Slice]) -> tuple[list[_Slice], Pile, list[Finding]]:
    """Slices of one series in order, without copies, and the geometry that they prove."""
    _check_one_series(slices)
    kept, copies = _without_copies(slices)
    order = pile([one.plane for one in kept if one.plane is not None])
    return [kept[number] for number in order.order], order, copies


def _files(folder: Path) -> list[Path]:
    """All files but hidden ones."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            found.append(path)
        if len(found) > MOST_FILES:
            rule, excess = f"a folder may hold at most {MOST_FILES:,} files", "it holds more"
            raise refuse("too_many_files", rule, excess, "Name the folder of one series.")
    return sorted(found)


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as stream:
        return is_dicom(stream.read(132))


def _slices(folder: Path) -> tuple[list[_Slice], list[Finding]]:
    """Headers of all images, and notes on files that are none."""
    slices, foreign, others = [], 0, 0
    for path in _files(folder):
        if not _is_dicom(path):
            foreign += 1
            if path.suffix.lower() not in _TEXTS and path.stem.upper() not in _TEXT_NAMES:
                others += 1
            continue
        one = _slice(path)
        if one is None:
            foreign += 1
        else:
            slices.append(one)
    if others:
        rule, found = "a folder of a series must hold DICOM only", f"{others} of its files are something else"
        raise refuse("foreign_files", rule, found, "They may be slices that were damaged: remove or repair them.")
    if not slices:
        raise refuse("empty_folder", "the folder must hold slices", "it holds none", "Correct the path.")
    rule = "a folder of a series should hold slices only"
    skipped = [note("foreign_files", rule, f"{foreign} other files were passed over")] if foreign else []
    return slices, skipped


def _slice(path: Path) -> _Slice | None:
    """The header of one file; None for directories and documents, which have no pixels."""
    content = path.read_bytes()
    dataset = open_dataset(content, pixels=False)
    if _is_document(dataset):
        return None
    if "Rows" not in dataset or "Columns" not in dataset:
        rule, found = "every slice must hold an image", "one holds none"
        raise refuse("no_pixels", rule, found, "Copy the series again.")
    multiframe.check_scan(dataset)
    slope, intercept = rescale_of(dataset)
    frames = int(dataset.get("NumberOfFrames") or 1)
    return _Slice(
        path,
        len(content),
        str(dataset.get("SeriesInstanceUID", "")),
        str(dataset.get("SOPInstanceUID", "")),
        _whole(dataset.get("InstanceNumber")),
        _whole(dataset.get("ImagesInAcquisition")) or 0,
        _length(dataset.get("SpacingBetweenSlices")),
        _kind(dataset),
        None if frames > 1 else _plane(dataset),
        Rescale(
            slope,
            intercept,
            int(dataset.BitsStored),
            dataset.PixelRepresentation == 1,
            multiframe.says_unit(dataset, dataset),
        ),
        frames,
        str(dataset.PhotometricInterpretation).startswith("MONOCHROME"),
        multiframe.maker_of(dataset),
    )


def _is_document(dataset: Any) -> bool:
    """Whether a file says that it is no image. One that says nothing may be a slice that was damaged."""
    kind = str(dataset.file_meta.get("MediaStorageSOPClassUID", ""))
    if kind != str(dataset.get("SOPClassUID", kind)):
        return False
    return kind == _DIRECTORY or (kind.removeprefix(_STORAGE).startswith(_DOCUMENTS) and kind.startswith(_STORAGE))


def _whole(entry: Any) -> int | None:
    try:
        return None if entry is None else int(entry)
    except (TypeError, ValueError):
        return None


def _length(entry: Any) -> float:
    """A length in mm; 0 where there is none."""
    try:
        return abs(float(entry))
    except (TypeError, ValueError):
        return 0.0


def _plane(dataset: Any) -> Plane | None:
    """Where the slice lies; None where the header does not say (told later, after series are told apart)."""
    position, orientation = dataset.get("ImagePositionPatient"), dataset.get("ImageOrientationPatient")
    if not position or not orientation:
        return None
    return plane_of(position, orientation, dataset.get("PixelSpacing") or None)


def _kind(dataset: Any) -> tuple[tuple[str, str], ...]:
    """Entries that all slices of one volume share."""
    shape = "scout" if "LOCALIZER" in [str(word).upper() for word in dataset.get("ImageType") or ()] else "slice"
    table = "ModalityLUTSequence" in dataset
    return (
        ("series", str(dataset.get("SeriesInstanceUID", ""))),
        ("image type", shape),
        ("rows", str(int(dataset.Rows))),
        ("columns", str(int(dataset.Columns))),
        ("modality", str(dataset.get("Modality", ""))),
        ("photometric interpretation", str(dataset.PhotometricInterpretation)),
        ("frame of reference", str(dataset.get("FrameOfReferenceUID", ""))),
        ("patient", hashlib.blake2b(str(dataset.get("PatientID", "")).encode()).hexdigest()),
        ("unit", f"{dataset.get('RescaleType', '')} {dataset.get('Units', '')} {table}"),
        ("rescaled", "yes" if multiframe.says_hounsfield(dataset) else "no"),
    )


def _one_multiframe(slices: Sequence[_Slice]) -> VoxelGrid:
    if len(slices) > 1:
        rule, found = "a folder must hold one volume", f"it holds {len(slices)} files, some of several frames"
        raise refuse("mixed_series", rule, found, "Name the one file that is meant.")
    return multiframe.read(slices[0].path.read_bytes())


def _check_one_series(slices: Sequence[_Slice]) -> None:
    """Refuse what cannot be one volume, every reason at once."""
    series = len({one.series for one in slices})
    if series > 1:
        rule, remedy = "a folder must hold one series", "Give each series a folder of its own."
        raise refuse("mixed_series", rule, f"it holds {series} series", remedy)
    findings: list[Finding] = []
    for name, _ in slices[0].kind:
        different = len({one[name] for one in slices})
        if different > 1:
            rule, found = f"all slices must have the same {name}", f"they have {different} different"
            findings += refuse("mixed_images", rule, found, "Give each its own folder.").findings
    if not all(one.grey for one in slices):
        rule, found = "a volume must be grey", "it is in colour"
        findings += refuse("colour_volume", rule, found, "Read single images instead.").findings
    without = sum(one.plane is None for one in slices)
    if without:
        try:
            plane_of(None, None, None)
        except ReadError as error:
            findings += error.findings
    if findings:
        raise ReadError(findings)


def _without_copies(slices: list[_Slice]) -> tuple[list[_Slice], list[Finding]]:
    """Slices at different places: identical copies are left out, contradictory ones refused."""
    planes = [one.plane for one in slices if one.plane is not None]
    check_alike(planes)
    kept, copies = [], 0
    for group in same_places(planes):
        here = sorted((slices[number] for number in group), key=lambda one: (one.instance, one.path))
        if len(here) > 1:
            _check_copies(here)
            copies += len(here) - 1
        kept.append(here[0])
    if not copies:
        return kept, []
    found = f"{copies} were identical copies and left out"
    return kept, [note("copied_slices", "every slice should come once", found, warn=True)]


def _check_copies(here: Sequence[_Slice]) -> None:
    if len({_digest(one) for one in here}) == 1:
        return
    if len({one.instance for one in here}) < len(here):
        raise refuse(
            "contradictory_copies",
            "copies of one slice must be equal",
            "two files claim to be the same image, at the same place, with different pixels",
            "Find out which is right and remove the other.",
        )
    raise refuse(
        "repeated_positions",
        "every slice must have a place of its own",
        f"{len(here)} different images share one place: several times, echoes or phases",
        "Give each of them a folder of its own.",
    )


def _digest(one: _Slice) -> bytes:
    measured, padding = _pixels(one)
    plane = repr(one.plane).encode()
    return hashlib.blake2b(measured.tobytes() + padding.tobytes() + plane).digest()


def _pixels(one: _Slice) -> tuple[Float[np.ndarray, "row column"], Bool[np.ndarray, "row column"]]:
    """Measured values and which lie outside the field of view."""
    dataset = open_dataset(one.path.read_bytes())
    if "PixelData" not in dataset:
        raise refuse("no_pixels", "every slice must hold an image", "one holds none", "Copy the series again.")
    stored = stored_pixels(dataset)
    if stored.ndim != 2:
        raise contradiction("a grey slice must have one value per pixel", "it has several")
    if not dataset.get("ModalityLUTSequence"):
        return multiframe.measured(dataset, stored, one.scale), padding_of(dataset, stored)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        raise contradiction("a slice with a table of values must not be inverted", "it is MONOCHROME1")
    return measured_pixels(dataset, stored)[0], padding_of(dataset, stored)


def _doubts(ordered: Sequence[_Slice], distance: float) -> list[Finding]:
    """What was not needed, or cannot be known from the geometry."""
    notes = []
    numbers = [one.number for one in ordered]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers) or known not in (sorted(set(known)), sorted(set(known), reverse=True)):
        found = "some are absent, repeated or shuffled; slices were ordered by place"
        notes.append(note("instance_numbers", "instance numbers should follow the slices", found))
    declared = max(one.declared for one in ordered)
    if declared > len(ordered):
        rule, found = "a series should be complete", f"the scanner counted {declared} images, {len(ordered)} are here"
        remedy = "Look whether the ends of the scan were cut off."
        notes.append(note("fewer_slices", rule, found, remedy, warn=True))
    scales = len({(one.scale.slope, one.scale.intercept) for one in ordered})
    if scales > 1 and ordered[0]["modality"] == "CT":
        rule, found = "slices of a CT should be rescaled alike", f"they are in {scales} ways; each by its own"
        notes.append(note("mixed_rescale", rule, found, "Look whether steps of brightness are seen.", warn=True))
    stated = ordered[0].distance
    if stated and abs(distance / stated - 1) > _OTHER:
        rule, found = (
            "slices should be as far apart as the header says",
            f"{distance:.4g} mm instead of {stated:.4g} mm",
        )
        remedy = "Look whether slices were left out; positions were believed."
        notes.append(note("other_spacing", rule, found, remedy, warn=True))
    return notes
